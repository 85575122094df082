/* The interface of Linux on RISC-V, for programs that know no other: which numbers its calls have,
 * and how its structures and flags become those of the functions that all interfaces share.
 * docs/linux.md says what there is. */
#pragma once
#include "lib/types.h"
#include "proc/interface.h"
#include "syscall/exec.h"

struct file;
struct aspace;
struct node;

/* At boot, once: exec knows such programs from now on. trace: their calls are printed. */
void linux_init(bool trace);

/* vdso.c. At boot, once; and for a space that nobody runs yet: *start is where the library is.
 * -K_ENOMEM: nothing changed. */
void linux_vdso_init(void);
int linux_vdso_map(struct aspace *as, uint64_t *start) must_check;

/* hwprobe.c. At boot, once. */
void linux_hwprobe_init(void);

/* table.c, from calls.def */
#define CALL(number, name, handler) int handler(const uint64_t arg[6], uint64_t *result);
#include "linux/calls.def"
#undef CALL

/* start.c. Where programs and mappings are is chosen by dev/random.h. */
extern struct foreign_programs linux_programs;

/* Bytes of a path, with the terminator; a longer one is -K_ENAMETOOLONG. */
#define LINUX_PATH 256

/* A path of a call, and the directory at which it begins, with a reference; NULL: the current one.
 * Not to be ended after an error: -K_EFAULT, -K_ENAMETOOLONG; -K_EBADF, -K_ENOTDIR: the
 * descriptor; -K_ENOENT: it is empty. */
struct linux_path {
    struct node *start;
    char text[LINUX_PATH];
};
int linux_path(struct linux_path *p, uint64_t directory, uint64_t address) must_check;
void linux_path_end(struct linux_path *p);

/* What a call with a descriptor, a path and flags is about, with a reference. follow: a link that
 * is the last name is followed. With an empty path or none, where the flags permit that, the
 * descriptor's own file. -K_EINVAL: that is a pipe; and the errors of linux_path and path.h. */
int linux_find(const uint64_t arg[6], uint64_t flags, bool follow, struct node **out) must_check;

/* What was done to what such a call has found is noted for who watches that. */
void linux_note(const uint64_t arg[6], struct node *n, uint32_t what);

/* What is known of what such a call is about, pipes included. */
struct node_attr;
int linux_attr(const uint64_t arg[6], uint64_t flags, struct node_attr *a) must_check;
uint32_t linux_mode(const struct node_attr *a); /* type and permissions */
/* The permissions of a file that a call makes with this mode. */
uint16_t linux_new_mode(uint64_t mode);

/* terminal.c: ioctl of a terminal, or of the master of one. -K_ENOTTY: of another file, or there is
 * no such thing. */
int linux_terminal(struct file *f, const uint64_t arg[6], uint64_t *result);
/* f was opened: the caller has a terminal now, if it wants one (proc_offer_terminal). */
void linux_terminal_opened(struct file *f);

/* io.c: reads into, or writes, the pieces of memory that arg[1] and arg[2] name, as readv and
 * writev do. -K_EINVAL: they are too many; -K_EFAULT; and the file's errors, if nothing was moved.
 */
int linux_move_vectors(struct file *f, bool write, const uint64_t arg[6], uint64_t *result);

/* futex.c: whether the operation takes a lock, which its caller counts on having afterwards. */
bool linux_futex_locks(uint64_t operation) must_check;

/* signal.c: sends what a siginfo in user memory says, to a process, or to a thread, unless tid
 * is 0. The receiver learns who has sent it, whatever is said of that. -K_EFAULT; -K_EPERM: to
 * another process, and as if by the kernel; else signal_send_value. */
int linux_send_info(int32_t pid, int32_t tid, int32_t signal, uint64_t address) must_check;

/* lock.c: the commands of fcntl for locks. */
bool linux_is_lock(uint64_t command) must_check;
int linux_range_lock(const uint64_t arg[6], uint64_t *result);

/* memfd.c: the commands of fcntl for seals. */
bool linux_is_seal(uint64_t command) must_check;
int linux_seal(const uint64_t arg[6], uint64_t *result);

/* sched.c: a bit for each hart. */
uint64_t linux_harts(void);

/* open.c: what is behind a structure, of a newer program, may ask for nothing. -K_E2BIG: it does;
 * -K_EFAULT. */
int linux_nothing_more(uint64_t from, uint64_t to) must_check;

/* A device's number as stat tells it. */
static inline uint64_t linux_device_number(int16_t major, int16_t minor) {
    uint32_t low = (uint16_t)minor & 0xffU, high = (uint16_t)minor & 0xff00U;
    return low | (uint64_t)(uint16_t)major << 8 | (uint64_t)high << 12;
}

/* A time of Linux's. */
struct linux_timespec {
    int64_t sec, nsec;
};
#define SECOND 1000000000UL /* in nanoseconds */
/* -K_EINVAL: it is no time. Too long a span is told as the longest. */
int linux_nanoseconds(const struct linux_timespec *t, uint64_t *nanoseconds) must_check;
/* The same of one in user memory: also -K_EFAULT. */
int linux_time(uint64_t address, uint64_t *nanoseconds) must_check;
int linux_tell_time(uint64_t address, uint64_t nanoseconds) must_check; /* -K_EFAULT */
/* Both of an itimerspec: how a timer is to run, or runs. -K_EFAULT, -K_EINVAL. */
struct timer_setting;
int linux_timer_setting(uint64_t address, struct timer_setting *s) must_check;
int linux_tell_timer_setting(const struct timer_setting *s, uint64_t address) must_check;

enum linux_clock {
    LINUX_REALTIME,
    LINUX_MONOTONIC,
    LINUX_PROCESS_CPUTIME,
    LINUX_THREAD_CPUTIME,
    LINUX_MONOTONIC_RAW,
    LINUX_REALTIME_COARSE,
    LINUX_MONOTONIC_COARSE,
    LINUX_BOOTTIME,
};
/* A clock with a negative number: the time in which a process or a thread ran; id 0: the caller.
 * -K_EINVAL: it is none. */
struct linux_run_clock {
    int32_t id;
    bool of_thread;
};
int linux_run_clock(int32_t clock, struct linux_run_clock *out) must_check;
/* cpu_time that was used (usage.h), in nanoseconds. */
uint64_t linux_time_used(uint64_t ticks);
/* struct rusage. -K_EFAULT. */
struct usage;
int linux_tell_usage(uint64_t address, const struct usage *used) must_check;

/* ---- waiting for files (poll.c) ---- */

/* The end of a call that waits so long, as poll_wait has it; UINT64_MAX: for ever. The first asks
 * for a span in user memory; without an address there is none. -K_EFAULT, -K_EINVAL. */
int linux_time_limit(uint64_t address, uint64_t *until) must_check;
uint64_t linux_wait_end(uint64_t nanoseconds);

/* For a wait: the signals of a set in user memory are blocked instead; without an address those
 * that are. -K_EINVAL: it has other bytes; -K_EFAULT, -K_ENOMEM: there is nothing to end. err: that
 * of the wait. */
int linux_mask_begin(uint64_t address, uint64_t bytes) must_check;
void linux_mask_end(uint64_t address, int err);

/* READY_... that a program wants which asks for these POLL...; and what of that is to be told,
 * under all the names that it was asked for. */
unsigned linux_ready_wanted(unsigned events);
unsigned linux_ready_told(unsigned events, unsigned found);

#define LINUX_O_NONBLOCK 0x800
#define LINUX_O_CLOEXEC 0x80000
/* Opens what make makes, with these flags alone; its descriptor is the result. -K_EMFILE, and its
 * errors: nothing is open. */
int linux_open_made(int (*make)(void *ctx, struct file **out), void *ctx, uint64_t flags,
                    uint64_t *result) must_check;

/* pidfd.c: a descriptor for a process that is about to be made, which is told before there is one;
 * after linux_pidfd_begin one of the other two. -K_EMFILE, -K_ENFILE, -K_ENOMEM, -K_EFAULT: there
 * is nothing to end. */
struct linux_pidfd {
    int fd;
    struct file *file;
};
int linux_pidfd_begin(struct linux_pidfd *p, uint64_t told) must_check;
void linux_pidfd_give_up(struct linux_pidfd *p);
void linux_pidfd_end(struct linux_pidfd *p, int32_t pid);

#define LINUX_AT_FDCWD (-100)
#define LINUX_AT_EMPTY_PATH 0x1000
#define LINUX_AT_SYMLINK_NOFOLLOW 0x100
