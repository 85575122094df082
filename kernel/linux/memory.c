/* Memory. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/inspect.h"
#include "mm/mmap.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
#include "proc/proc.h"
#include "syscall/syscall.h"

/* The new break, or the old one when it cannot be there. */
int linux_brk(const uint64_t arg[6], uint64_t *result) {
    struct aspace *as = proc_self()->as;
    int err = arg[0] ? aspace_set_break(as, arg[0]) : 0;
    *result = __atomic_load_n(&as->brk, __ATOMIC_RELAXED);
    return err == -K_ENOMEM || err == -K_EEXIST ? 0 : err;
}

#define FLUSH_LOCAL 1

/* Whatever was stored as code, by any thread so far, is what all of them execute: in all of memory,
 * and on all harts, whichever the caller asks for. */
int linux_flush_icache(const uint64_t arg[6], uint64_t *result) {
    if (arg[2] & ~(uint64_t)FLUSH_LOCAL)
        return -K_EINVAL;
    aspace_new_code(proc_self()->as);
    return 0;
}

#define MAP_GROWSDOWN 0x100
#define MAP_DENYWRITE 0x800
#define MAP_EXECUTABLE 0x1000
#define MAP_STACK 0x20000
/* Wishes that change nothing here. */
#define MAP_WISHES (MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_STACK)

/* C libraries map a stack of 8 MiB for each thread, and few threads touch more of it than some
 * pages; so it is lazy, as the first thread's is. */
int linux_mmap(const uint64_t arg[6], uint64_t *result) {
    uint64_t flags = arg[3] & ~(uint64_t)MAP_WISHES;
    if (arg[3] & MAP_STACK)
        flags |= ABI_MAP_NORESERVE;
    const uint64_t ours[6] = {arg[0], arg[1], arg[2], flags, arg[4], arg[5]};
    return sys_mmap(ours, result);
}

/* ---- memory that stays ---- */

/* The pages of a range that may begin and end anywhere. -K_ENOMEM: it cannot be all the user's. */
static int pages_of(uint64_t addr, uint64_t bytes, uint64_t *start, uint64_t *end) {
    if (addr > USER_MAX || bytes > USER_MAX - addr)
        return -K_ENOMEM;
    *start = ROUND_DOWN(addr, PAGE_SIZE);
    *end = ROUND_UP(addr + bytes, PAGE_SIZE);
    return 0;
}

/* What is there stays: nothing is ever swapped. So what is locked is made to be there. -K_EAGAIN:
 * there is no memory for all of it. */
static int fill(uint64_t start, uint64_t end) {
    while (start < end && !proc_killed()) {
        int err = aspace_touch(proc_self()->as, &start, end, true);
        if (err)
            return -K_EAGAIN;
        thread_yield();
    }
    return 0;
}

static bool is_mapped(uint64_t start, uint64_t end) {
    return start == end || aspace_is_granted(proc_self()->as, start, end);
}

static int lock_range(const uint64_t arg[6], bool now) {
    uint64_t start, end;
    int err = pages_of(arg[0], arg[1], &start, &end);
    if (!err && !is_mapped(start, end))
        err = -K_ENOMEM;
    return !err && now ? fill(start, end) : err;
}

int linux_mlock(const uint64_t arg[6], uint64_t *result) { return lock_range(arg, true); }

#define MLOCK_ONFAULT 1U

int linux_mlock2(const uint64_t arg[6], uint64_t *result) {
    uint32_t flags = (uint32_t)arg[2];
    return flags & ~MLOCK_ONFAULT ? -K_EINVAL : lock_range(arg, !flags);
}

int linux_munlock(const uint64_t arg[6], uint64_t *result) { return lock_range(arg, false); }

#define MCL_CURRENT 1U
#define MCL_FUTURE 2U
#define MCL_ONFAULT 4U

/* What is mapped later is there when it is touched, and stays then. */
int linux_mlockall(const uint64_t arg[6], uint64_t *result) {
    uint32_t flags = (uint32_t)arg[0];
    if ((flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) ||
        !(flags & (MCL_CURRENT | MCL_FUTURE)))
        return -K_EINVAL;
    bool now = (flags & MCL_CURRENT) && !(flags & MCL_ONFAULT);
    return now && fill(0, USER_MAX) ? -K_ENOMEM : 0;
}

int linux_munlockall(const uint64_t arg[6], uint64_t *result) { return 0; }

#define TOLD_AT_ONCE 256 /* pages */

/* Some pages from *at on, which is all mapped up to where this comes. */
static int tell_resident(uint64_t *at, uint64_t end, uint64_t *to) {
    uint8_t there[TOLD_AT_ONCE];
    struct aspace *as = proc_self()->as;
    spin_lock(&as->lock);
    uint64_t n = inspect_resident(as, *at, MIN(end, *at + TOLD_AT_ONCE * PAGE_SIZE), there);
    spin_unlock(&as->lock);
    if (n == 0)
        return -K_ENOMEM;
    int err = copyout(UA(*to), there, n);
    *to += n;
    *at += n * PAGE_SIZE;
    return err;
}

int linux_mincore(const uint64_t arg[6], uint64_t *result) {
    uint64_t at, end, to = arg[2];
    if (!IS_ALIGNED(arg[0], PAGE_SIZE))
        return -K_EINVAL;
    int err = pages_of(arg[0], arg[1], &at, &end);
    while (!err && at < end && !proc_killed()) {
        err = tell_resident(&at, end, &to);
        piece_done(TOLD_AT_ONCE);
    }
    return err;
}

/* ---- barriers ---- */

enum {
    MEMBARRIER_QUERY = 0,
    MEMBARRIER_GLOBAL = 1,
    MEMBARRIER_GLOBAL_EXPEDITED = 2,
    MEMBARRIER_REGISTER_GLOBAL_EXPEDITED = 4,
    MEMBARRIER_PRIVATE_EXPEDITED = 8,
    MEMBARRIER_REGISTER_PRIVATE_EXPEDITED = 16,
    MEMBARRIER_PRIVATE_EXPEDITED_SYNC_CORE = 32,
    MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 64,
};
#define MEMBARRIER_ALL 127U

/* Each thread of the process has a barrier between before and after this: those that run on another
 * hart are interrupted there, and a switch between threads has one. Nobody has to register. */
int linux_membarrier(const uint64_t arg[6], uint64_t *result) {
    if (arg[1])
        return -K_EINVAL;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    switch ((int32_t)arg[0]) {
    case MEMBARRIER_QUERY: *result = MEMBARRIER_ALL; return 0;
    case MEMBARRIER_REGISTER_GLOBAL_EXPEDITED:
    case MEMBARRIER_REGISTER_PRIVATE_EXPEDITED:
    case MEMBARRIER_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE: return 0;
    case MEMBARRIER_GLOBAL:
    case MEMBARRIER_GLOBAL_EXPEDITED: tlb_flush_all(); break;
    case MEMBARRIER_PRIVATE_EXPEDITED:
    case MEMBARRIER_PRIVATE_EXPEDITED_SYNC_CORE: aspace_new_code(proc_self()->as); break;
    default: return -K_EINVAL;
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return 0;
}
