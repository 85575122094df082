/* User memory, as the kernel may touch it: these calls and nothing else.
 *
 * Each works on the running process's address space, faults in what is granted
 * but not present, and respects the permissions that the process itself has.
 * They may be called with sleeplocks held and never with a spinlock. A fault may be on a page
 * of a file, so they may sleep, and take an inode's lock: whoever holds one, or is in an
 * operation of the log, uses those that hold faults (below). */
#pragma once
#include "arch/layout.h"
#include "lib/types.h"

/* Whether [start, start + n) lies in the user's part of the address space, in
 * arithmetic that cannot wrap. n = 0 asks about the address alone: it may be
 * anything up to and with USER_MAX. */
static inline bool user_range_ok(uaddr_t start, uint64_t n) {
    return start.v <= USER_MAX && n <= USER_MAX - start.v;
}

/* Copy n bytes from or to user memory. 0; -K_EFAULT when some byte cannot be read or written
 * by the process. In some designs -K_EFAULT, in others the reason, when its page cannot be had:
 * -K_ENOMEM, it is lazy and there is no memory for it (mm/commit.h), or what its object says
 * (object.h, page). After an error a prefix may have been copied. n = 0 succeeds. */
int copyin(void *dst, uaddr_t src, size_t n) must_check;
int copyout(uaddr_t dst, const void *src, size_t n) must_check;

/* The same under an inode's lock. While they run faults are held: a copy that would have to wait
 * for a page of a file fails with -K_EFAULT instead, since the page may be of the same file. Their
 * caller gives the lock back, calls uaccess_fault_in, and goes on. */
int copyin_held(void *dst, uaddr_t src, size_t n) must_check;
int copyout_held(uaddr_t dst, const void *src, size_t n) must_check;

/* These with n pieces of kernel memory, in order, and one stretch of user memory: cheaper than a
 * call for each, since what a copy costs whatever its length (in some designs a flush of the TLB)
 * is paid once. *done: the bytes of the pieces before the one that failed; of that one, too, a
 * prefix may have been copied. */
int copyout_gather(uaddr_t dst, const struct kpiece *from, unsigned n, size_t *done) must_check;
int copyin_scatter(const struct kpiece *to, unsigned n, uaddr_t src, size_t *done) must_check;

/* Sees to it that n bytes can be read, or written, by this process, for now. May sleep; no lock
 * is held that a fault may take. They may be taken away again at any time. -K_EFAULT: they may not
 * all; other errors as for copyin: a page cannot be had. */
int uaccess_fault_in(uaddr_t start, size_t n, bool write) must_check;

/* A stretch of kernel memory that copies of the running thread take for user memory as well, by its
 * own address, which no program's memory has: what reads and writes for a program then does so for
 * the kernel. While there is one, the thread uses no address that the program has given. */
struct uaccess_window {
    uint64_t start, bytes;
};
/* That of the running thread; NULL: it has none. Set once, at boot, by the layer of threads. */
extern const struct uaccess_window *(*uaccess_window)(void);

/* Copies a string with its terminator into dst, which has room for size bytes.
 * 0; -K_EFAULT when a byte before the terminator cannot be read, or its reason as above;
 * -K_ENAMETOOLONG when there is no terminator in the first size bytes. After a
 * failure dst is not terminated. */
int copyinstr(char *dst, uaddr_t src, size_t size) must_check;
