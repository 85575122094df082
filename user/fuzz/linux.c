/* Linux's interface: its calls, what their arguments are, and what the program itself needs. */
#ifdef FUZZ_LINUX
#include "linuxcalls.h"

/* What takes long, or ends a round, is done less often. */
static uint16_t rarity(unsigned number) {
    switch (number) {
    case NR_sync:
    case NR_syncfs:
    case NR_sync_file_range:
    case NR_mlockall:
    case NR_close_range:
    case NR_fsync:
    case NR_fdatasync:
    case NR_msync: return 12;
    case NR_exit:
    case NR_exit_group: return 60;
    case NR_rt_sigsuspend:
    case NR_execveat:
    case NR_execve: return 6;
    case NR_rt_sigreturn: return 40;
    default: return 1;
    }
}

#define CALL(n, call, handler) {.number = (n), .name = #call, .arguments = ARGS_##call},
const struct call calls[] = {
#include "linux/calls.def"
};
#undef CALL
const unsigned call_count = sizeof(calls) / sizeof(calls[0]);

uint64_t wanted_number(const struct call *call) { return call->number; }

uint64_t unknown_number(void) { return one_in(2) ? 500 + below(1000) : random64() | 1UL << 63; }

bool chosen(const struct call *call) { return one_in(rarity(call->number)); }

/* ---- calls that need more ---- */

long do_thread(struct flow *f) {
    return raw_clone(CLONE_THREAD_FLAGS & ~(uint64_t)CLONE_TELLS,
                     (uint64_t)(f->stack + sizeof(f->stack)), 0, (uint64_t)f, 0);
}

static void clone_special(const uint64_t a[6]) {
    uint64_t tells = a[0] & CLONE_TELLS;
    if (one_in(3)) { /* any that shares no memory: its child goes on here */
        if (raw_clone(a[0] & ~(uint64_t)(CLONE_VM | CLONE_SETTLS), 0, a[2], 0, a[4]) == 0)
            child_goes_on();
        return;
    }
    if (one_in(2)) {
        if (records_left() && raw_clone(SIGCHLD_ | tells, 0, a[2], 0, a[4]) == 0)
            child_goes_on();
        return;
    }
    bool process = one_in(3);
    struct flow *f = records_left() ? flow_take(process ? 10 : 100, process) : NULL;
    uint64_t flags = process ? CLONE_VFORK_FLAGS | CLONE_SETTLS : CLONE_THREAD_FLAGS;
    if (f && raw_clone((flags & ~(uint64_t)CLONE_TELLS) | tells,
                       (uint64_t)(f->stack + sizeof(f->stack)), a[2], (uint64_t)f, a[4]) < 0)
        f->taken = false;
}

/* The same in memory: fork's child can go on here; and what is there by chance is none that can be
 * made. */
static void clone3_special(const uint64_t a[6]) {
    uint64_t request[11] = {a[1] & (CLONE_TELLS | CLONE_PIDFD_), argument('a'), argument('a'),
                            argument('a'), one_in(8) ? 0 : SIGCHLD_};
    request[8 + below(3)] = one_in(8);
    uint64_t bytes = one_in(4) ? below(100) : sizeof(request);
    if (one_in(4))
        call6(NR_clone3, a[0], bytes, 0, 0, 0, 0);
    else if (records_left() && call6(NR_clone3, (uint64_t)request, bytes, 0, 0, 0, 0) == 0)
        child_goes_on();
}

bool special(const struct call *call, const uint64_t a[6]) {
    switch (call->number) {
    case NR_clone: clone_special(a); return true;
    case NR_clone3: clone3_special(a); return true;
    case NR_rt_sigreturn: return_special(NR_rt_sigreturn); return true;
    case NR_execve: return exec_special(NR_execve, a, 0);
    case NR_execveat: return exec_special(NR_execveat, a, 1);
    default: return false;
    }
}

/* ---- what the program needs ---- */

#define O_RDWR_CREAT 0102

long do_fork(void) { return raw_clone(SIGCHLD_, 0, 0, 0, 0); }
long do_wait(long pid, int *status, int options) {
    return call6(NR_wait4, pid, (uint64_t)status, options, 0, 0, 0);
}
long do_kill(long pid, int signal) { return CALL_OF(NR_kill, pid, signal, 0); }
long do_sleep(uint64_t nanoseconds) {
    const uint64_t time[2] = {0, nanoseconds};
    return CALL_OF(NR_nanosleep, time, 0, 0);
}
long do_yield(void) { return CALL_OF(NR_sched_yield, 0, 0, 0); }
void do_exit(int status) {
    for (;;)
        CALL_OF(NR_exit_group, status, 0, 0);
}
void do_thread_exit(void) {
    for (;;)
        CALL_OF(NR_exit, 0, 0, 0);
}
long do_mmap(uint64_t at, uint64_t n, int prot, int flags, int fd, uint64_t offset) {
    return call6(NR_mmap, at, n, prot, flags, fd, offset);
}
long do_mprotect(uint64_t at, uint64_t n, int prot) { return CALL_OF(NR_mprotect, at, n, prot); }
long do_open(const char *path, bool create) {
    return call6(NR_openat, AT_CWD, (uint64_t)path, create ? O_RDWR_CREAT : 0, 0644, 0, 0);
}
long do_pipe(int fds[2], bool waits) { return CALL_OF(NR_pipe2, fds, waits ? 0 : O_NONBLOCK_, 0); }
long do_close(int fd) { return CALL_OF(NR_close, fd, 0, 0); }
long do_remove(const char *name, bool directory) {
    return CALL_OF(NR_unlinkat, AT_CWD, name, directory ? 0x200 : 0);
}
long do_mkdir(const char *name) { return CALL_OF(NR_mkdirat, AT_CWD, name, 0755); }
long do_chdir(const char *name) { return CALL_OF(NR_chdir, name, 0, 0); }
long do_own_group(void) { return CALL_OF(NR_setpgid, 0, 0, 0); }
long do_write(int fd, const void *from, size_t n) { return CALL_OF(NR_write, fd, from, n); }
long do_getpid(void) { return CALL_OF(NR_getpid, 0, 0, 0); }
long do_tid(void) { return CALL_OF(NR_gettid, 0, 0, 0); }

bool do_handler(int signal, void (*handler)(int)) {
    const uint64_t action[3] = {(uint64_t)handler, 0, 0};
    return call6(NR_rt_sigaction, signal, (uint64_t)action, 0, 8, 0, 0) == 0;
}
#endif
