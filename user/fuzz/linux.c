/* Linux's interface: its calls, what their arguments are, and what the program itself needs. */
#ifdef FUZZ_LINUX
#include "fuzz.h"

#define CALL(number, name, handler) NR_##name = (number),
enum {
#include "linux/calls.def"
};
#undef CALL

/* A call that is not here does not compile: kernel/linux/calls.def and this go together. */
#define ARGS_setxattr "ppasg"
#define ARGS_lsetxattr "ppasg"
#define ARGS_fsetxattr "dpasg"
#define ARGS_getxattr "ppas"
#define ARGS_lgetxattr "ppas"
#define ARGS_fgetxattr "dpas"
#define ARGS_listxattr "pas"
#define ARGS_llistxattr "pas"
#define ARGS_flistxattr "das"
#define ARGS_removexattr "pp"
#define ARGS_lremovexattr "pp"
#define ARGS_fremovexattr "dp"
#define ARGS_getcwd "as"
#define ARGS_dup "f"
#define ARGS_dup3 "ffg"
#define ARGS_fcntl "Bii"
#define ARGS_ioctl "cia"
#define ARGS_flock "fi"
#define ARGS_mknodat "dpgg"
#define ARGS_mkdirat "dpg"
#define ARGS_unlinkat "dpg"
#define ARGS_symlinkat "pdp"
#define ARGS_linkat "dpdpg"
#define ARGS_umount2 "pg"
#define ARGS_mount "ppYgz"
#define ARGS_statfs "pa"
#define ARGS_fstatfs "fa"
#define ARGS_truncate "po"
#define ARGS_ftruncate "fo"
#define ARGS_fallocate "fgoo"
#define ARGS_faccessat "dpg"
#define ARGS_chdir "p"
#define ARGS_fchdir "f"
#define ARGS_chroot "p"
#define ARGS_fchmod "fg"
#define ARGS_fchmodat "dpg"
#define ARGS_fchownat "dpiig"
#define ARGS_fchown "fii"
#define ARGS_openat "dpgg"
#define ARGS_close "f"
#define ARGS_pipe2 "ag"
#define ARGS_getdents64 "fas"
#define ARGS_lseek "foi"
#define ARGS_read "fas"
#define ARGS_write "fas"
#define ARGS_readv "fvi"
#define ARGS_writev "fvi"
#define ARGS_pread64 "faso"
#define ARGS_pwrite64 "faso"
#define ARGS_pselect6 "iFFFta"
#define ARGS_ppoll "PitSi"
#define ARGS_readlinkat "dpas"
#define ARGS_newfstatat "dpag"
#define ARGS_fstat "fa"
#define ARGS_sync ""
#define ARGS_fsync "f"
#define ARGS_fdatasync "f"
#define ARGS_utimensat "dpvg"
#define ARGS_exit "i"
#define ARGS_exit_group "i"
#define ARGS_set_tid_address "a"
#define ARGS_futex "aiitaa"
#define ARGS_set_robust_list "as"
#define ARGS_get_robust_list "haa"
#define ARGS_nanosleep "ta"
#define ARGS_setitimer "iIa"
#define ARGS_ioprio_set "iqi"
#define ARGS_ioprio_get "iq"
#define ARGS_reboot "iiia"
#define ARGS_sched_setattr "qag"
#define ARGS_sched_getattr "qaig"
#define ARGS_execveat "dpxxg"
#define ARGS_fchmodat2 "dpgg"
#define ARGS_msgget "ig"
#define ARGS_msgctl "iia"
#define ARGS_msgrcv "iasig"
#define ARGS_msgsnd "iasg"
#define ARGS_timer_create "iaa"
#define ARGS_timer_gettime "ia"
#define ARGS_timer_getoverrun "i"
#define ARGS_timer_settime "igIa"
#define ARGS_timer_delete "i"
#define ARGS_clock_gettime "ia"
#define ARGS_clock_nanosleep "iita"
#define ARGS_sched_setparam "hS"
#define ARGS_sched_setscheduler "hiS"
#define ARGS_sched_getscheduler "h"
#define ARGS_sched_getparam "ha"
#define ARGS_sched_rr_get_interval "ha"
#define ARGS_sched_setaffinity "hsF"
#define ARGS_sched_getaffinity "hsa"
#define ARGS_sched_yield ""
#define ARGS_sched_get_priority_max "i"
#define ARGS_sched_get_priority_min "i"
#define ARGS_kill "qk"
#define ARGS_tkill "hk"
#define ARGS_tgkill "qhk"
#define ARGS_sigaltstack "Ka"
#define ARGS_rt_sigsuspend "Si"
#define ARGS_rt_sigaction "kAai"
#define ARGS_rt_sigprocmask "iSai"
#define ARGS_rt_sigpending "ai"
#define ARGS_rt_sigtimedwait "Sati"
#define ARGS_rt_sigreturn ""
#define ARGS_setpriority "iii"
#define ARGS_getpriority "ii"
#define ARGS_times "a"
#define ARGS_setpgid "qq"
#define ARGS_getpgid "q"
#define ARGS_getsid "q"
#define ARGS_setsid ""
#define ARGS_uname "a"
#define ARGS_sethostname "as"
#define ARGS_setdomainname "as"
#define ARGS_getrusage "ia"
#define ARGS_umask "g"
#define ARGS_prctl "iaaaa"
#define ARGS_getcpu "aaa"
#define ARGS_getpid ""
#define ARGS_getppid ""
#define ARGS_getuid ""
#define ARGS_geteuid ""
#define ARGS_getgid ""
#define ARGS_getegid ""
#define ARGS_gettid ""
#define ARGS_sysinfo "a"
#define ARGS_brk "a"
#define ARGS_munmap "ml"
#define ARGS_clone "gaaaa"
#define ARGS_execve "pxx"
#define ARGS_mmap "mlgifo"
#define ARGS_fadvise64 "fooi"
#define ARGS_mprotect "mlg"
#define ARGS_msync "mlg"
#define ARGS_madvise "mlg"
#define ARGS_wait4 "qaga"
#define ARGS_prlimit64 "qiIa"
#define ARGS_renameat2 "dpdpg"
#define ARGS_getrandom "asg"
#define ARGS_statx "dpgga"
#define ARGS_faccessat2 "dpgg"
#define ARGS_eventfd2 "ig"
#define ARGS_epoll_create1 "g"
#define ARGS_epoll_ctl "eifa"
#define ARGS_epoll_pwait "eaiiSs"
#define ARGS_epoll_pwait2 "eaitSs"
#define ARGS_timerfd_create "ig"
#define ARGS_timerfd_settime "wgIa"
#define ARGS_timerfd_gettime "wa"
#define ARGS_socket "jy0"
#define ARGS_socketpair "jy0a"
#define ARGS_bind "uas"
#define ARGS_listen "ui"
#define ARGS_accept "uan"
#define ARGS_accept4 "uany"
#define ARGS_connect "uas"
#define ARGS_getsockname "uan"
#define ARGS_getpeername "uan"
#define ARGS_sendto "uasGas"
#define ARGS_recvfrom "uasGan"
#define ARGS_setsockopt "uiias"
#define ARGS_getsockopt "uiiaa"
#define ARGS_shutdown "ui"
#define ARGS_sendmsg "uMG"
#define ARGS_recvmsg "uMG"
#define ARGS_sendmmsg "uWiG"
#define ARGS_recvmmsg "uWiGt"
#define ARGS_mremap "mllgm"
#define ARGS_riscv_hwprobe "aiiag"
#define ARGS_riscv_flush_icache "aag"
#define ARGS_preadv "fvio"
#define ARGS_pwritev "fvio"
#define ARGS_signalfd4 "fSsg"
#define ARGS_rt_sigqueueinfo "qka"
#define ARGS_rt_tgsigqueueinfo "qhka"
#define ARGS_getrlimit "ia"
#define ARGS_setrlimit "iI"
#define ARGS_semget "iig"
#define ARGS_semctl "iiia"
#define ARGS_semtimedop "iait"
#define ARGS_semop "iai"
#define ARGS_shmget "iig"
#define ARGS_shmctl "iia"
#define ARGS_shmat "img"
#define ARGS_shmdt "m"
#define ARGS_sendfile "ffas"
#define ARGS_vmsplice "fvig"
#define ARGS_splice "fafasg"
#define ARGS_tee "ffsg"
#define ARGS_copy_file_range "fafasg"
#define ARGS_preadv2 "fvioag"
#define ARGS_pwritev2 "fvioag"
#define ARGS_sync_file_range "foog"
#define ARGS_capget "aa"
#define ARGS_capset "aa"
#define ARGS_personality "i"
#define ARGS_waitid "iqaga"
#define ARGS_getitimer "ia"
#define ARGS_clock_settime "it"
#define ARGS_clock_getres "ia"
#define ARGS_setregid "ii"
#define ARGS_setgid "i"
#define ARGS_setreuid "ii"
#define ARGS_setuid "i"
#define ARGS_setresuid "iii"
#define ARGS_getresuid "aaa"
#define ARGS_setresgid "iii"
#define ARGS_getresgid "aaa"
#define ARGS_setfsuid "i"
#define ARGS_setfsgid "i"
#define ARGS_getgroups "ia"
#define ARGS_setgroups "ia"
#define ARGS_gettimeofday "aa"
#define ARGS_settimeofday "aa"
#define ARGS_readahead "fos"
#define ARGS_mlock "ml"
#define ARGS_munlock "ml"
#define ARGS_mlockall "i"
#define ARGS_munlockall ""
#define ARGS_mincore "mla"
#define ARGS_name_to_handle_at "dpaag"
#define ARGS_syncfs "f"
#define ARGS_memfd_create "pi"
#define ARGS_inotify_init1 "g"
#define ARGS_inotify_add_watch "Npg"
#define ARGS_inotify_rm_watch "Ni"
#define ARGS_membarrier "iii"
#define ARGS_mlock2 "mlg"
#define ARGS_pidfd_send_signal "Dkag"
#define ARGS_pidfd_open "qg"
#define ARGS_clone3 "as"
#define ARGS_close_range "iig"
#define ARGS_openat2 "dpas"
#define ARGS_pidfd_getfd "Dfg"

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

/* ---- arguments that go together ---- */

#define FUTEX_OPERATIONS 14
#define MAP_FIXED 0x10
#define CLONE_THREAD_FLAGS 0x7d0f00
#define CLONE_VFORK_FLAGS (0x4000 | 0x100 | SIGCHLD_)
#define CLONE_VM 0x100
#define CLONE_SETTLS 0x80000
#define CLOSE_ON_EXEC 02000000
#define O_NONBLOCK_ 04000
#define CLONE_PIDFD_ 0x1000
#define AT_CWD (-100)
#define CLONE_TELLS (0x100000 | 0x200000 | 0x1000000) /* numbers that are written */

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
