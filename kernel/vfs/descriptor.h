/* Descriptors: the numbers by which the threads of a process know its open files; and its
 * directories.
 *
 * A call uses a file between fd_begin and fd_end. Another thread may close the descriptor
 * meanwhile, so the call has a reference of its own; but not as long as the process has a single
 * thread, which cannot be in two calls: then none of these takes a lock or counts. fd_share ends
 * that, between calls. It stays so when the other threads have ended, for the one that is
 * left may be between fd_begin and fd_end; exec ends it.
 *
 * What makes a file first reserves a number for it, so that it fails before there is anything to
 * be undone; for all others a reserved descriptor is not open, and not free. A single thread makes
 * no mark for that: nobody else takes the number, and a call that reserves two looks for the
 * second one above the first (`from`).
 *
 * Lock: the table's own, a spinlock, and only of one that is shared. It guards all of the table but
 * what is written before the table is shared. Files are closed without it.
 *
 * Another process may look (fd_of_process), with the lock. The owner of a table that is not shared
 * does not take it, but when it has taken a file out of the table it asks whether somebody has the
 * lock, and waits until not, before the reference goes. Each says what it does before it looks for
 * the other: the one that looks has the lock, and then finds the file, or the owner has taken the
 * file out, and then finds the lock. A directory is looked at and replaced in the same way. */
#pragma once
#include "vfs/file.h"

void fd_boot_init(void); /* at boot, once */

/* From now on several threads use the running process's table. Its one thread says so, in no call
 * that uses a file, before there is another. */
void fd_share(void);

/* The file of a descriptor, to be used until fd_end. NULL: not open, which is -K_EBADF. */
struct file *fd_begin(uint64_t fd) must_check;
void fd_end(struct file *f);

/* Whether it is the descriptor of f now. */
bool fd_is(uint64_t fd, const struct file *f) must_check;

/* A system call on the file of the descriptor that is its first argument: what fn returns, between
 * the two above. -K_EBADF: not open. */
typedef int (*fd_call_fn)(struct file *f, const uint64_t arg[6], uint64_t *result);
static inline int fd_call(fd_call_fn fn, const uint64_t arg[6], uint64_t *result) must_check;

/* So many descriptors the running process may have now: numbers from here on are not given out. */
static inline uint32_t fd_limit(void) {
    return ABI_NOFILE - __atomic_load_n(&proc_self()->fds.withheld, __ATOMIC_RELAXED);
}

/* Reserves the lowest free number that is not below `from`. -K_EMFILE: there is none below
 * fd_limit; -K_ENOMEM: there is no memory for it; then nothing changed. */
static inline int fd_reserve(int from, int *fd) must_check;
static inline void fd_unreserve(int fd);
/* Opens a reserved number; takes over the reference. */
static inline void fd_open(int fd, struct file *f, bool on_exec);

/* Makes fd, open or free, f's, whose reference it takes over; *before is what it was, or NULL, with
 * its reference. After an error nothing changed: -K_EBADF, not a number below fd_limit; -K_ENOMEM;
 * -K_EBUSY: another thread has reserved it. */
int fd_replace(int fd, struct file *f, bool on_exec, struct file **before) must_check;

/* Frees a descriptor, and gives its file with its reference. -K_EBADF: not open. Whoever closes it
 * so, and whoever replaces one, calls fd_closed with the file before it puts it. */
static inline int fd_take(uint64_t fd, struct file **out) must_check;

/* Whether exec closes it. -K_EBADF: not open. */
int fd_on_exec(uint64_t fd, bool *on_exec) must_check;
int fd_set_on_exec(uint64_t fd, bool on_exec) must_check;

/* exec, which has no other thread left: closes the files that are marked so. May sleep. */
void fd_exec(void);

/* Whether the running process may have what is kept for the session and its commands: pipes and
 * files. Not when it has many, since one that takes all that it can would leave nothing. */
bool fd_in_reserve(void);

/* An open file of any process, with a reference: that of the lowest descriptor that is not below
 * *fd, which becomes that one. -K_ESRCH: no such process; -K_EBADF: there is none. */
int fd_of_process(int32_t pid, uint64_t *fd, struct file **out) must_check;

/* A directory of the running process, with a reference; NULL: it is the root of all. */
struct node *place_get(enum proc_place which);
/* Another one, whose reference it takes over; returns that of the one before, or NULL. */
struct node *place_replace(enum proc_place which, struct node *n) must_check;
/* The same of any process as place_get. -K_ESRCH: no such process. */
int place_of_process(int32_t pid, enum proc_place which, struct node **out) must_check;

/* A descriptor as a system call has it, a C int; what is negative is beyond all of them. */
static inline uint64_t fd_arg(uint64_t arg) { return (uint64_t)(int64_t)(int32_t)arg; }

/* ---- inline, since every open, read and write comes here ---- */

/* The running process has taken a file, or a block, out of its table, which is not shared. */
void fd_wait_for_looks(struct fdtable *t);
static inline void fd_taken_out(struct fdtable *t) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(__atomic_load_n(&t->lock.locked, __ATOMIC_RELAXED), 0))
        fd_wait_for_looks(t);
}
/* What f is stands before it is in a table. */
static inline void fd_put_in(struct file **place, struct file *f) {
    __atomic_store_n(place, f, __ATOMIC_RELEASE);
}

int fd_call_rest(fd_call_fn fn, const uint64_t arg[6], uint64_t *result);

/* Without the two where they would do nothing. */
static inline int fd_call(fd_call_fn fn, const uint64_t arg[6], uint64_t *result) {
    struct fdtable *t = &proc_self()->fds;
    uint64_t fd = fd_arg(arg[0]);
    if (__builtin_expect(t->shared || fd >= FD_BLOCK, 0))
        return fd_call_rest(fn, arg, result);
    struct file *f = t->first.file[fd];
    return f ? fn(f, arg, result) : -K_EBADF;
}

int fd_reserve_rest(int from, int *fd);
void fd_unreserve_rest(int fd);

static inline int fd_reserve(int from, int *fd) {
    struct fdtable *t = &proc_self()->fds;
    if (__builtin_expect(t->shared || from >= FD_BLOCK, 0))
        return fd_reserve_rest(from, fd);
    uint64_t used = t->first.used >> from;
    if (__builtin_expect(used == ~0ULL >> from, 0))
        return fd_reserve_rest(from, fd);
    for (*fd = from; used & 1; used >>= 1)
        ++*fd;
    return (uint32_t)*fd < fd_limit() ? 0 : -K_EMFILE;
}

static inline void fd_unreserve(int fd) {
    if (__builtin_expect(proc_self()->fds.shared, 0))
        fd_unreserve_rest(fd);
}

void fd_open_rest(int fd, struct file *f, bool on_exec);
void fd_closed_rest(struct file *f);

/* The locks of the process on it go (filelock.h). */
static inline void fd_closed(struct file *f) {
    if (__builtin_expect(proc_self()->fds.locks, 0))
        fd_closed_rest(f);
}

int fd_take_rest(uint64_t fd, struct file **out);

static inline void fd_open(int fd, struct file *f, bool on_exec) {
    struct fdtable *t = &proc_self()->fds;
    if (__builtin_expect(t->shared || fd >= FD_BLOCK || on_exec, 0))
        return fd_open_rest(fd, f, on_exec);
    t->first.used |= 1ULL << fd;
    fd_put_in(&t->first.file[fd], f);
}

static inline int fd_take(uint64_t fd, struct file **out) {
    struct fdtable *t = &proc_self()->fds;
    if (__builtin_expect(t->shared || fd >= FD_BLOCK, 0))
        return fd_take_rest(fd, out);
    *out = t->first.file[fd];
    t->first.file[fd] = NULL;
    t->first.used &= ~(1ULL << fd);
    t->first.on_exec &= ~(1ULL << fd);
    fd_taken_out(t);
    return *out ? 0 : -K_EBADF;
}
