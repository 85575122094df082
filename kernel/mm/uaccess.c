/* User memory: the range check, then the design's way of touching it. */
#include "mm/uaccess.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/design.h"
#include "mm/vmstat.h"
#include "sync/spinlock.h"

/* A copy may fault, and a fault takes the space's lock. */
static bool may_copy(uaddr_t start, uint64_t n) {
    spin_expect_none("a copy from or to user memory");
    return user_range_ok(start, n);
}

/* ---- the window ---- */

const struct uaccess_window *(*uaccess_window)(void);

/* Only asked of what is not the user's. */
static seldom bool in_window(uaddr_t start, uint64_t n) {
    const struct uaccess_window *w = uaccess_window ? uaccess_window() : NULL;
    return w && start.v >= w->start && start.v - w->start <= w->bytes &&
           n <= w->bytes - (start.v - w->start);
}

static seldom int copyin_window(void *dst, uaddr_t src, size_t n) {
    if (!in_window(src, n))
        return -K_EFAULT;
    memmove(dst, (const void *)src.v, n);
    return 0;
}

static seldom int copyout_window(uaddr_t dst, const void *src, size_t n) {
    if (!in_window(dst, n))
        return -K_EFAULT;
    memmove((void *)dst.v, src, n);
    return 0;
}

static seldom int copy_pieces_window(uaddr_t at, const struct kpiece *p, unsigned n, bool to_user,
                                     size_t *done) {
    int err = 0;
    *done = 0;
    for (unsigned i = 0; i < n && !err; i++) {
        uaddr_t here = UA(at.v + *done);
        err = to_user ? copyout_window(here, p[i].start, p[i].bytes)
                      : copyin_window(p[i].start, here, p[i].bytes);
        *done += err ? 0 : p[i].bytes;
    }
    return err;
}

/* ---- copies ---- */

int copyin(void *dst, uaddr_t src, size_t n) {
    if (!may_copy(src, n))
        return copyin_window(dst, src, n);
    VM_COUNT(bytes_in, n);
    return aspace_self()->design->copyin(dst, src, n);
}

int copyout(uaddr_t dst, const void *src, size_t n) {
    if (!may_copy(dst, n))
        return copyout_window(dst, src, n);
    VM_COUNT(bytes_out, n);
    return aspace_self()->design->copyout(dst, src, n);
}

int copyinstr(char *dst, uaddr_t src, size_t size) {
    if (!may_copy(src, 1))
        return -K_EFAULT;
    /* A string that would run out of the user's part faults at its end. */
    uint64_t room = USER_MAX - src.v;
    int err = aspace_self()->design->copyinstr(dst, src, MIN((uint64_t)size, room));
    return err == -K_ENAMETOOLONG && room < size ? -K_EFAULT : err;
}

/* Of this hart: whoever holds faults does not sleep, and the kernel is not preempted. */
static void hold_faults(bool hold) { hart_self()->faults_held = hold; }

/* The pieces that reach out of the user's part fail as a whole, as one that faults. */
static int copy_pieces(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user,
                       size_t *done) {
    size_t bytes = 0;
    unsigned inside = n;
    if (__builtin_expect(user.v > USER_MAX, 0))
        return copy_pieces_window(user, p, n, to_user, done);
    for (unsigned i = 0; i < n; i++)
        bytes += p[i].bytes;
    while (inside > 0 && !may_copy(user, bytes))
        bytes -= p[--inside].bytes;
    int err = aspace_self()->design->copy_pieces(user, p, inside, to_user, done);
    if (to_user)
        VM_COUNT(bytes_out, bytes);
    else
        VM_COUNT(bytes_in, bytes);
    return !err && inside < n ? -K_EFAULT : err;
}

int copyout_gather(uaddr_t dst, const struct kpiece *from, unsigned n, size_t *done) {
    hold_faults(true);
    int err = copy_pieces(dst, from, n, true, done);
    hold_faults(false);
    return err;
}

int copyin_scatter(const struct kpiece *to, unsigned n, uaddr_t src, size_t *done) {
    hold_faults(true);
    int err = copy_pieces(src, to, n, false, done);
    hold_faults(false);
    return err;
}

int copyout_held(uaddr_t dst, const void *src, size_t n) {
    hold_faults(true);
    int err = copyout(dst, src, n);
    hold_faults(false);
    return err;
}

int copyin_held(void *dst, uaddr_t src, size_t n) {
    hold_faults(true);
    int err = copyin(dst, src, n);
    hold_faults(false);
    return err;
}

int uaccess_fault_in(uaddr_t start, size_t n, bool write) {
    uint64_t end = start.v + n;
    if (!may_copy(start, n))
        return in_window(start, n) ? 0 : -K_EFAULT;
    int err = 0;
    for (uint64_t at = ROUND_DOWN(start.v, PAGE_SIZE); !err && at < end; at += PAGE_SIZE)
        err = aspace_fault(aspace_self(), at, write ? PTE_W : PTE_R);
    return err;
}
