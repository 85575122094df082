/* Memory. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/aspace.h"
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
