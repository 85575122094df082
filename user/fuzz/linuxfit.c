/* Linux's interface: arguments that go together, and what a round begins with. */
#ifdef FUZZ_LINUX
#include "linuxcalls.h"

/* ---- arguments that go together ---- */

#define FUTEX_OPERATIONS 14
#define MAP_FIXED 0x10
#define CLOSE_ON_EXEC 02000000

static const uint16_t requests[] = {0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540a, 0x540b, 0x540e,
                                    0x540f, 0x5410, 0x5413, 0x5414, 0x541b, 0x5421, 0x5422, 0x5429,
                                    0x5441, 0x5450, 0x5451, 0x8910, 0x8912, 0x8913, 0x8915, 0x8933};
static const uint32_t new_requests[] = {0x802c542a, 0x402c542b, 0x402c542c, 0x402c542d,
                                        0x80045430, 0x40045431, 0x80045439};
#define ADD_SEALS 1033
static const uint16_t commands[] = {0, 1, 2, 3, 4, 5, 6, 7, 1024, 1030, 1032, 1033, 1034};
static const uint32_t open_flags[] = {0,       1,      2,        0102,   0101,    01102,    02102,
                                      0200000, 040002, 02000000, 010102, 0400002, 020200002};

static void refine_files(unsigned number, uint64_t a[6]) {
    switch (number) {
    case NR_ioctl: a[1] = one_in(3) ? CHOICE(new_requests) : CHOICE(requests); break;
    case NR_fcntl:
        a[1] = one_in(10) ? a[1] : CHOICE(commands);
        if (a[1] == ADD_SEALS)
            a[2] = one_in(4) ? a[2] : 1UL << below(4);
        break;
    case NR_memfd_create: a[1] = one_in(4) ? a[1] : one_in(3) ? 3 : 2; break;
    case NR_getdents64: a[0] = one_in(2) ? 2 : a[0]; break; /* the folder: arrange_files */
    case NR_openat2: {
        const uint64_t how[3] = {CHOICE(open_flags), one_in(8) ? 0644 : 0, 0};
        a[2] = one_in(4) ? a[2] : put_words(how, 3);
        a[3] = one_in(8) ? a[3] : sizeof(how);
        break;
    }
    case NR_fallocate: a[1] = one_in(4) ? a[1] : 0; break;
    case NR_preadv2:
    case NR_pwritev2: a[5] = one_in(4) ? a[5] : 0; break;
    case NR_inotify_rm_watch: a[1] = one_in(8) ? a[1] : 1 + below(3); break;
    case NR_fchmodat:
    case NR_utimensat:
    case NR_fchownat:
        a[number == NR_fchownat ? 4 : 3] = one_in(2) ? 0 : a[3];
        if (number == NR_utimensat)
            a[2] = one_in(2) ? 0 : argument('I');
        break;
    case NR_name_to_handle_at: a[4] = one_in(2) ? 0 : a[4]; break;
    case NR_openat: a[2] = one_in(8) ? a[2] : CHOICE(open_flags); break;
    case NR_inotify_add_watch: a[2] = one_in(2) ? a[2] : below(0x1000); break;
    case NR_inotify_init1: a[0] = one_in(8) ? a[0] : one_in(2) ? 04000 : 02000000; break;
    case NR_pipe2: a[1] = one_in(4) ? a[1] : one_in(2) ? 04000 : 02000000; break;
    case NR_mknodat: a[2] = one_in(2) ? a[2] : one_in(2) ? 0100644 : 020644; break;
    case NR_unlinkat: a[2] = one_in(2) ? 0 : one_in(2) ? 0x200 : a[2]; break;
    case NR_pselect6: a[0] = one_in(8) ? random64() : below(200); break;
    case NR_lseek: a[2] = one_in(8) ? a[2] : below(3); break;
    case NR_newfstatat:
    case NR_faccessat2: a[3] = one_in(2) ? 0 : one_in(2) ? 0x1000 : a[3]; break;
    case NR_fchmodat2: a[3] = one_in(8) ? a[3] : one_in(2) ? 0 : one_in(2) ? 0x1000 : 0x100; break;
    case NR_execveat: a[4] = one_in(8) ? a[4] : one_in(2) ? 0 : one_in(2) ? 0x1000 : 0x100; break;
    case NR_ioprio_get:
    case NR_ioprio_set:
        a[0] = one_in(8) ? a[0] : 1 + below(3);
        a[2] = one_in(4) ? a[2] : 2UL << 13 | below(9);
        break;
    case NR_sched_getattr:
        a[2] = one_in(8) ? a[2] : 48;
        a[3] = one_in(8) ? a[3] : 0;
        break;
    case NR_sched_setattr: a[2] = one_in(8) ? a[2] : 0; break;
    case NR_statx:
    case NR_linkat: a[4 - 2 * (number == NR_statx)] = one_in(2) ? 0 : 0x1000; break;
    case NR_renameat2: a[4] = one_in(2) ? 0 : below(8); break;
    case NR_ppoll: a[4] = one_in(8) ? a[4] : 8; break;
    default: break;
    }
}

void remember(uint64_t number, long result) {
    switch (number) {
    case NR_socket:
    case NR_accept:
    case NR_accept4: keep_fd(KEPT_SOCKETS, result); break;
    case NR_epoll_create1: keep_fd(KEPT_SETS, result); break;
    case NR_timerfd_create: keep_fd(KEPT_TIMERS, result); break;
    case NR_inotify_init1: keep_fd(KEPT_QUEUES, result); break;
    case NR_pidfd_open: keep_fd(KEPT_PROCESSES, result); break;
    case NR_memfd_create: keep_fd(KEPT_SEALED, result); break;
    default: break;
    }
}

/* A listening socket with one that waits to be accepted: of AF_UNIX, or TCP. */
static void open_listener(const char *name, size_t bytes) {
    static const uint64_t stream = 1 | O_NONBLOCK_;
    usual_family = (uint64_t)name[0];
    long listener = CALL_OF(NR_socket, name[0], stream, 0);
    long other = CALL_OF(NR_socket, name[0], stream, 0);
    (void)CALL_OF(NR_bind, listener, name, bytes);
    (void)CALL_OF(NR_listen, listener, 3, 0);
    (void)CALL_OF(NR_connect, other, name, bytes);
    remember(NR_socket, listener);
    remember(NR_socket, other);
}

/* A pseudo-terminal, whose master does not wait, and a queue of notes of this folder. */
static void open_terminal(void) {
    static const char request[sizeof(int)];
    long master = call6(NR_openat, AT_CWD, (uint64_t) "/dev/ptmx", 2 | O_NONBLOCK_ | 0400, 0, 0, 0);
    if (master < 0)
        return;
    (void)CALL_OF(NR_ioctl, master, 0x40045431, request);
    keep_fd(KEPT_TERMINALS, master);
    keep_fd(KEPT_TERMINALS, CALL_OF(NR_ioctl, master, 0x5441, 2 | O_NONBLOCK_ | 0400));
}

/* Some of all these, for there are no more descriptors than calls try. */
void open_more(void) {
    static const char name[] = "\1\0\0n0"; /* of AF_UNIX, without a file */
    static const char tcp[16] = {2, 0, 0x0f, (char)0xa0, 127, 0, 0, 1};
    static const char tcp6[28] = {10, 0, 0x0f, (char)0xa0, [23] = 1};
    int pair[2];
    switch (below(4)) {
    case 0: open_listener(tcp, sizeof(tcp)); break;
    case 1: open_listener(tcp6, sizeof(tcp6)); break;
    default: open_listener(name, sizeof(name) - 1); break;
    }
    if (call6(NR_socketpair, 1, (1 | O_NONBLOCK_) + below(2), 0, (uint64_t)pair, 0, 0) == 0) {
        remember(NR_socket, pair[0]);
        remember(NR_socket, pair[1]);
    }
    if (one_in(2))
        remember(NR_epoll_create1, CALL_OF(NR_epoll_create1, 0, 0, 0));
    if (one_in(2))
        remember(NR_timerfd_create, CALL_OF(NR_timerfd_create, 1, O_NONBLOCK_, 0));
    if (one_in(2)) {
        long queue = CALL_OF(NR_inotify_init1, O_NONBLOCK_, 0, 0);
        remember(NR_inotify_init1, queue);
        (void)CALL_OF(NR_inotify_add_watch, queue, ".", 0xfff);
    }
    if (one_in(2))
        remember(NR_pidfd_open, CALL_OF(NR_pidfd_open, do_getpid(), 0, 0));
    if (one_in(2))
        remember(NR_memfd_create, CALL_OF(NR_memfd_create, "m", 2, 0));
    if (one_in(2))
        open_terminal();
}

static void refine_events(unsigned number, uint64_t a[6]) {
    static const uint64_t events[] = {1, 4, 5, 0x80000001, 0x40000005, 0x10000001, 0x2000, 0x18};
    uint64_t event[2] = {one_in(8) ? random64() : CHOICE(events), random64()};
    switch (number) {
    case NR_epoll_create1:
    case NR_timerfd_create:
    case NR_eventfd2:
        a[number != NR_epoll_create1] = one_in(3) ? CLOSE_ON_EXEC : one_in(8) ? a[0] : 0;
        if (number == NR_timerfd_create)
            a[0] = one_in(8) ? a[0] : below(2);
        break;
    case NR_epoll_ctl:
        a[1] = one_in(8) ? a[1] : 1 + below(3);
        a[3] = one_in(8) ? a[3] : put_words(event, 2);
        break;
    case NR_epoll_pwait:
    case NR_epoll_pwait2:
        a[2] = one_in(8) ? a[2] : 1 + below(8);
        if (number == NR_epoll_pwait)
            a[3] = one_in(8) ? a[3] : below(3);
        a[5] = 8;
        break;
    case NR_timerfd_settime: a[1] = one_in(8) ? a[1] : below(2); break;
    default: break;
    }
}

static void refine_sockets(unsigned number, uint64_t a[6]) {
    struct socket_name name;
    switch (number) {
    case NR_bind:
    case NR_connect:
        name = any_name();
        a[1] = name.at;
        a[2] = name.bytes;
        break;
    case NR_sendto:
        name = any_name();
        a[4] = one_in(2) ? name.at : 0;
        a[5] = a[4] ? name.bytes : 0;
        break;
    case NR_accept4: a[3] &= one_in(10) ? ~0UL : ~0xfUL; break; /* a socket's flags alone */
    case NR_shutdown: a[1] = one_in(8) ? a[1] : below(3); break;
    case NR_listen: a[1] = one_in(8) ? a[1] : below(4); break;
    case NR_setsockopt:
        refine_option(a);
        a[4] = one_in(6) ? a[4] : 4;
        break;
    case NR_getsockopt:
        refine_option(a);
        a[4] = any_name_size();
        break;
    default: break;
    }
}

static void refine_others(unsigned number, uint64_t a[6]) {
    switch (number) {
    case NR_futex:
        a[1] = one_in(12) ? a[1] : below(FUTEX_OPERATIONS) | (one_in(2) ? 128 : 0);
        a[3] = one_in(2) ? argument('t') : below(4);
        break;
    case NR_timer_create: {
        uint64_t signal = argument('k');
        const uint64_t told[8] = {random64(), signal | (one_in(2) ? 0UL : 4UL << 32),
                                  (uint64_t)do_tid()};
        excuse_if_fault(signal);
        a[0] = one_in(8) ? a[0] : below(4);
        a[1] = one_in(4) ? 0 : one_in(8) ? a[1] : put_words(told, 8);
        break;
    }
    case NR_timer_settime:
    case NR_timer_gettime:
    case NR_timer_getoverrun:
    case NR_timer_delete:
        a[0] = one_in(8) ? a[0] : below(4);
        if (number == NR_timer_settime)
            a[1] = one_in(8) ? a[1] : below(2);
        break;
    case NR_signalfd4:
        a[0] = one_in(3) ? a[0] : ~0UL;
        a[2] = one_in(12) ? a[2] : 8;
        a[3] = one_in(3) ? a[3] : O_NONBLOCK_;
        break;
    case NR_msgget:
        a[0] = one_in(3) ? 0 : below(5);
        a[1] = one_in(8) ? a[1] : 01600;
        break;
    case NR_msgctl:
        a[0] = one_in(8) ? a[0] : 257 * below(40);
        a[1] = one_in(8) ? a[1] : one_in(2) ? below(14) : 0;
        break;
    case NR_msgsnd:
    case NR_msgrcv: {
        const uint64_t letter[4] = {1 + below(3), random64()};
        a[0] = one_in(8) ? a[0] : 257 * below(40);
        a[1] = one_in(3) ? a[1] : put_words(letter, 4);
        a[2] = one_in(8) ? a[2] : below(24);
        if (number == NR_msgrcv)
            a[3] = one_in(8) ? a[3] : below(5) - 2;
        a[4 - (number == NR_msgsnd)] = one_in(8)   ? 0
                                       : one_in(8) ? random64()
                                                   : 04000 | (below(4) << 12);
        break;
    }
    case NR_semget:
        a[0] = one_in(3) ? 0 : below(5);
        a[2] = one_in(8) ? a[2] : 01600;
        break;
    case NR_semctl:
        a[0] = one_in(8) ? a[0] : 257 * below(40);
        a[2] = one_in(8) ? a[2] : below(21);
        break;
    case NR_semop:
    case NR_semtimedop:
        a[0] = one_in(8) ? a[0] : 257 * below(40);
        a[2] = one_in(8) ? a[2] : 1 + below(3);
        if (one_in(2)) { /* more by one, undone at the end, without waiting */
            uint64_t step = 0x1800UL << 32 | 1UL << 16 | below(3);
            a[1] = put_words(&step, 1);
            a[2] = 1;
        }
        break;
    case NR_shmget:
        a[0] = one_in(3) ? 0 : below(5);
        a[1] = one_in(8) ? a[1] : below(3 * PAGE);
        a[2] = one_in(8) ? a[2] : 01600;
        break;
    case NR_shmat:
        a[0] = one_in(8) ? a[0] : 257 * below(40);
        a[2] &= ~040000UL; /* not in place of the program */
        break;
    case NR_shmctl:
        a[0] = one_in(8) ? a[0] : 257 * below(40);
        a[1] = one_in(8) ? a[1] : one_in(2) ? below(16) : 0;
        break;
    case NR_rt_sigqueueinfo:
    case NR_rt_tgsigqueueinfo: excuse_if_fault(a[number == NR_rt_tgsigqueueinfo ? 2 : 1]); break;
    case NR_rt_sigaction: a[3] = one_in(12) ? a[3] : 8; break;
    case NR_rt_sigprocmask:
        a[0] = one_in(12) ? a[0] : below(3);
        a[3] = 8;
        break;
    case NR_rt_sigsuspend:
    case NR_rt_sigpending: a[1] = one_in(12) ? a[1] : 8; break;
    case NR_rt_sigtimedwait: a[3] = one_in(12) ? a[3] : 8; break;
    case NR_set_robust_list: a[1] = one_in(8) ? a[1] : 24; break;
    case NR_prctl: a[0] = one_in(8) ? a[0] : one_in(2) ? 15 + below(2) : below(40); break;
    case NR_setitimer: a[0] = one_in(8) ? a[0] : 0; break;
    case NR_brk: a[0] = one_in(8) ? a[0] : program_end() + below(64) * PAGE; break;
    case NR_wait4:
        a[0] = one_in(2) ? (uint64_t)-1 : a[0];
        a[2] = one_in(8) ? a[2] : 1;
        break;
    case NR_waitid:
        a[0] = one_in(8) ? a[0] : below(4);
        a[3] = one_in(8) ? a[3] : 5 | (one_in(2) ? 0x1000000 : 0);
        break;
    case NR_pidfd_open:
    case NR_pidfd_getfd:
    case NR_pidfd_send_signal:
        a[1 + (number != NR_pidfd_open) + (number == NR_pidfd_send_signal)] = one_in(8);
        if (number == NR_pidfd_send_signal) {
            a[2] = one_in(4) ? a[2] : 0;
            excuse_if_fault(a[1]);
        }
        break;
    case NR_close_range: a[2] = one_in(8) ? a[2] : below(8); break;
    case NR_membarrier:
        a[0] = one_in(8) ? a[0] : 1UL << below(8);
        a[1] = one_in(8);
        break;
    case NR_prlimit64: a[1] = below(20); break;
    case NR_clock_nanosleep: a[1] = below(2); break;
    case NR_tgkill:
    case NR_tkill:
    case NR_kill: excuse_if_fault(a[number == NR_tgkill ? 2 : 1]); break;
    case NR_mmap:
        a[2] = one_in(8) ? a[2] : below(8);
        a[3] = one_in(12) ? a[3] : 1 + below(2) + (one_in(2) ? 0x20 : 0) + (one_in(2) ? 0x10 : 0);
        a[3] |= one_in(8) ? 0x8000 : one_in(8) ? 0x4000 : one_in(12) ? 0x100000 : 0;
        if (a[3] & MAP_FIXED)
            keep_in_play(a);
        a[5] = one_in(12) ? a[5] : below(4) * PAGE;
        break;
    case NR_msync: a[2] = one_in(8) ? a[2] : 1UL << below(3); break;
    case NR_mremap:
        a[3] = one_in(8) ? a[3] : below(4);
        keep_move_in_play(a);
        break;
    case NR_munmap:
    case NR_mlock:
    case NR_mlock2:
    case NR_mincore:
    case NR_mprotect:
    case NR_madvise:
        keep_in_play(a);
        if (number != NR_mincore)
            a[2] = one_in(8) ? a[2] : below(8);
        break;
    default: break;
    }
}

void refine(const struct call *call, uint64_t a[6]) {
    refine_files(call->number, a);
    refine_events(call->number, a);
    refine_sockets(call->number, a);
    refine_others(call->number, a);
}
#endif
