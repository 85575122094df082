/* Our interface, which is xv6's and more: its calls, what their arguments are, and what the program
 * itself needs. */
#ifndef FUZZ_LINUX
#include "fuzz.h"
#include "lib/abi.h"

/* A call that is not here does not compile: kernel/lib/calls.def and this go together. */
#define ARGS_fork ""
#define ARGS_exit "i"
#define ARGS_wait "a"
#define ARGS_pipe "a"
#define ARGS_read "fas"
#define ARGS_kill "q"
#define ARGS_exec "px"
#define ARGS_fstat "fa"
#define ARGS_chdir "p"
#define ARGS_dup "f"
#define ARGS_getpid ""
#define ARGS_sbrk "si"
#define ARGS_sleep "0"
#define ARGS_uptime ""
#define ARGS_open "pg"
#define ARGS_write "fas"
#define ARGS_mknod "pii"
#define ARGS_unlink "p"
#define ARGS_link "pp"
#define ARGS_mkdir "p"
#define ARGS_close "f"
#define ARGS_poweroff ""
#define ARGS_sysinfo "a"
#define ARGS_procinfo "ia"
#define ARGS_lseek "foi"
#define ARGS_vmprint "q"
#define ARGS_ftruncate "fo"
#define ARGS_rename "pp"
#define ARGS_vmtable "qa"
#define ARGS_vmregions "qai"
#define ARGS_setpgid "qq"
#define ARGS_foreground "qi"
#define ARGS_design "p"
#define ARGS_designname "ia"
#define ARGS_fsync "f"
#define ARGS_fdatasync "f"
#define ARGS_sync ""
#define ARGS_vmstat "a"
#define ARGS_mmap "mlgifo"
#define ARGS_munmap "ml"
#define ARGS_mremap "mllgm"
#define ARGS_mprotect "mlg"
#define ARGS_madvise "mlg"
#define ARGS_msync "mlg"
#define ARGS_dup3 "ffg"
#define ARGS_pipe2 "ag"
#define ARGS_fcntl "fii"
#define ARGS_execve "pxx"
#define ARGS_clock_gettime "ia"
#define ARGS_thread_create "aaaa"
#define ARGS_thread_exit "a"
#define ARGS_thread_self ""
#define ARGS_futex_wait "ais"
#define ARGS_futex_wake "ai"
#define ARGS_yield ""
#define ARGS_sigsend "qk"
#define ARGS_sigaction "kAa"
#define ARGS_sigprocmask "iSa"
#define ARGS_sigpending "a"
#define ARGS_sigsuspend "S"
#define ARGS_sigaltstack "Ka"
#define ARGS_sigreturn ""
#define ARGS_setitimer "iIa"
#define ARGS_thread_signal "hk"
#define ARGS_waitpid "qag"

/* What takes long, or ends a round, is done less often. */
static uint16_t rarity(unsigned number) {
    switch (number) {
    case SYS_sync:
    case SYS_fsync:
    case SYS_fdatasync:
    case SYS_msync: return 12;
    case SYS_exit:
    case SYS_thread_exit: return 60;
    case SYS_vmprint: return 400;
    case SYS_sleep:
    case SYS_sigsuspend:
    case SYS_exec:
    case SYS_execve:
    case SYS_wait: return 6;
    case SYS_sigreturn: return 40;
    default: return 1;
    }
}

#define CALL(n, type, call, list) {.number = (n), .name = #call, .arguments = ARGS_##call},
const struct call calls[] = {
#include "lib/calls.def"
};
const unsigned call_count = sizeof(calls) / sizeof(calls[0]);

/* poweroff would end all. */
bool chosen(const struct call *call) {
    return call->number != SYS_poweroff && one_in(rarity(call->number));
}

uint64_t wanted_number(const struct call *call) {
    return call->number < SYSCALL_OWN && one_in(2) ? TELLING_NUMBER(call->number) : call->number;
}

uint64_t unknown_number(void) { return one_in(2) ? 400 + below(1000) : random64() | 1UL << 63; }

/* ---- arguments that go together ---- */

static const uint16_t open_flags[] = {0, 1, 2, 0x202, 0x201, 0x602, 0xa02, 0x1202, 0x2002, 0x4002};
static const uint16_t commands[] = {0, 1, 2, 3, 4, 5, 1030};

static void refine_files(unsigned number, uint64_t a[6]) {
    switch (number) {
    case SYS_open: a[1] = one_in(8) ? a[1] : CHOICE(open_flags); break;
    case SYS_fcntl: a[1] = one_in(10) ? a[1] : CHOICE(commands); break;
    case SYS_pipe2: a[1] = one_in(4) ? a[1] : one_in(2) ? ABI_O_NONBLOCK : ABI_O_CLOEXEC; break;
    case SYS_lseek: a[2] = one_in(8) ? a[2] : below(3); break;
    case SYS_dup3: a[2] = one_in(4) ? a[2] : one_in(2) ? ABI_O_CLOEXEC : 0; break;
    default: break;
    }
}

/* The heap may shrink below where it began, as xv6's: then the program would go, too. */
static void refine_break(uint64_t a[6]) {
    static const int64_t odd[] = {INT64_MIN, INT64_MAX, -(1L << 40), 1L << 40, INT32_MAX};
    a[0] = one_in(8) ? (uint64_t)CHOICE(odd) : below(3 * PAGE);
}

static void refine_others(unsigned number, uint64_t a[6]) {
    switch (number) {
    case SYS_sbrk: refine_break(a); break;
    case SYS_sleep: a[0] = one_in(4) ? 1 : one_in(8) ? a[0] : 0; break;
    case SYS_sigprocmask: a[0] = one_in(12) ? a[0] : below(3); break;
    case SYS_setitimer: a[0] = one_in(8) ? a[0] : 0; break;
    case SYS_futex_wait: a[2] = one_in(8) ? a[2] : below(1000000); break;
    case SYS_vmregions: a[2] = one_in(4) ? a[2] : below(4); break;
    case SYS_vmtable:
        if (one_in(2)) { /* va; level and view */
            const uint64_t words[] = {any_address(), below(4) | below(3) << 32};
            a[1] = put_words(words, 2);
        }
        break;
    case SYS_waitpid:
        a[0] = one_in(2) ? (uint64_t)-1 : a[0];
        a[2] = one_in(8) ? a[2] : ABI_WNOHANG;
        break;
    case SYS_sigsend:
    case SYS_thread_signal: excuse_if_fault(a[1]); break;
    case SYS_mmap:
        a[2] = one_in(8) ? a[2] : below(8);
        a[3] = one_in(12) ? a[3] : 1 + below(2) + (one_in(2) ? 0x20 : 0) + (one_in(2) ? 0x10 : 0);
        a[3] |= one_in(8) ? ABI_MAP_POPULATE : one_in(8) ? ABI_MAP_NORESERVE : 0;
        a[3] |= one_in(12) ? ABI_MAP_FIXED_NOREPLACE : 0;
        if (a[3] & ABI_MAP_FIXED)
            keep_in_play(a);
        a[5] = one_in(12) ? a[5] : below(4) * PAGE;
        break;
    case SYS_msync: a[2] = one_in(8) ? a[2] : 1UL << below(3); break;
    case SYS_mremap:
        a[3] = one_in(8) ? a[3] : below(4);
        keep_move_in_play(a);
        break;
    case SYS_munmap:
    case SYS_mprotect:
    case SYS_madvise:
        keep_in_play(a);
        a[2] = one_in(8) ? a[2] : below(8);
        break;
    default: break;
    }
}

void open_more(void) {}
void remember(uint64_t number, long result) {}

void refine(const struct call *call, uint64_t a[6]) {
    refine_files(call->number, a);
    refine_others(call->number, a);
}

/* ---- calls that need more ---- */

long do_thread(struct flow *f) {
    return call6(SYS_thread_create, (uint64_t)flow_entry, (uint64_t)f,
                 (uint64_t)(f->stack + sizeof(f->stack)), (uint64_t)f, 0, 0);
}

static void thread_special(const uint64_t a[6]) {
    if (one_in(200)) { /* begins anywhere */
        excuse();
        (void)call6(SYS_thread_create, a[0], a[1], a[2], a[3], 0, 0);
        return;
    }
    struct flow *f = records_left() ? flow_take(100, false) : NULL;
    if (f && do_thread(f) < 0)
        f->taken = false;
}

bool special(const struct call *call, const uint64_t a[6]) {
    switch (call->number) {
    case SYS_fork:
        if (records_left() && do_fork() == 0)
            child_goes_on();
        return true;
    case SYS_thread_create: thread_special(a); return true;
    case SYS_sigreturn: return_special(SYS_sigreturn); return true;
    case SYS_exec: return exec_special(wanted_number(call), a, 0);
    case SYS_execve: return exec_special(SYS_execve, a, 0);
    default: return false;
    }
}

/* ---- what the program needs ---- */

#define TELLS(name) TELLING_NUMBER(SYS_##name)

long do_fork(void) { return CALL_OF(TELLS(fork), 0, 0, 0); }
long do_wait(long pid, int *status, int options) {
    return CALL_OF(SYS_waitpid, pid, status, options);
}
long do_kill(long pid, int signal) { return CALL_OF(SYS_sigsend, pid, signal, 0); }
/* A word of its own, for which nobody wakes it. */
long do_sleep(uint64_t nanoseconds) {
    uint32_t word = 0;
    return CALL_OF(SYS_futex_wait, &word, 0, nanoseconds);
}
long do_yield(void) { return CALL_OF(SYS_yield, 0, 0, 0); }
void do_exit(int status) {
    for (;;)
        CALL_OF(SYS_exit, status, 0, 0);
}
void do_thread_exit(void) {
    for (;;)
        CALL_OF(SYS_thread_exit, 0, 0, 0);
}
long do_mmap(uint64_t at, uint64_t n, int prot, int flags, int fd, uint64_t offset) {
    return call6(SYS_mmap, at, n, prot, flags, fd, offset);
}
long do_mprotect(uint64_t at, uint64_t n, int prot) { return CALL_OF(SYS_mprotect, at, n, prot); }
long do_open(const char *path, bool create) {
    return CALL_OF(TELLS(open), path, create ? ABI_O_CREATE | ABI_O_RDWR : 0, 0);
}
long do_pipe(int fds[2], bool waits) {
    return CALL_OF(SYS_pipe2, fds, waits ? 0 : ABI_O_NONBLOCK, 0);
}
long do_close(int fd) { return CALL_OF(TELLS(close), fd, 0, 0); }
long do_remove(const char *name, bool directory) { return CALL_OF(TELLS(unlink), name, 0, 0); }
long do_mkdir(const char *name) { return CALL_OF(TELLS(mkdir), name, 0, 0); }
long do_chdir(const char *name) { return CALL_OF(TELLS(chdir), name, 0, 0); }
long do_own_group(void) { return CALL_OF(SYS_setpgid, 0, 0, 0); }
long do_write(int fd, const void *from, size_t n) { return CALL_OF(TELLS(write), fd, from, n); }
long do_getpid(void) { return CALL_OF(TELLS(getpid), 0, 0, 0); }
long do_tid(void) { return CALL_OF(SYS_thread_self, 0, 0, 0); }

bool do_handler(int signal, void (*handler)(int)) {
    const struct abi_sigaction action = {.handler = (uint64_t)handler};
    return CALL_OF(SYS_sigaction, signal, &action, 0) == 0;
}
#endif
