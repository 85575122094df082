/* mmap and its kin, as POSIX has them. */
#include "vfs/descriptor.h"
#include "vfs/node.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "mm/mmap.h"
#include "mm/shm.h"
#include "mm/zeros.h"
#include "proc/proc.h"
#include "syscall/syscall.h"

#define PROT_ALL (ABI_PROT_READ | ABI_PROT_WRITE | ABI_PROT_EXEC)
#define MAP_ALL \
    (ABI_MAP_SHARED | ABI_MAP_PRIVATE | ABI_MAP_FIXED | ABI_MAP_ANONYMOUS | ABI_MAP_POPULATE | \
     ABI_MAP_FIXED_NOREPLACE | ABI_MAP_NORESERVE)
#define MS_ALL (ABI_MS_ASYNC | ABI_MS_INVALIDATE | ABI_MS_SYNC)

struct range {
    uint64_t start, end;
};

/* -K_EINVAL: addr is in the middle of a page; -K_ENOMEM: it cannot be all the user's. */
static int range_of(const uint64_t arg[6], struct range *r) {
    uint64_t addr = arg[0], bytes = arg[1];
    if (!IS_ALIGNED(addr, PAGE_SIZE))
        return -K_EINVAL;
    if (addr > USER_MAX || bytes > USER_MAX - addr)
        return -K_ENOMEM;
    *r = (struct range){addr, addr + ROUND_UP(bytes, PAGE_SIZE)};
    return 0;
}

/* As many pages as there is memory for, in pieces: others run in between, and a killed caller
 * ends. */
static void touch(struct range r, bool write) {
    uint64_t at = r.start;
    while (at < r.end && !proc_killed() && !aspace_touch(proc_self()->as, &at, r.end, write))
        thread_yield();
}

/* ---- mmap ------------------------------------------------------------------------ */

static int check_request(const uint64_t arg[6]) {
    uint64_t addr = arg[0], bytes = arg[1], prot = arg[2], flags = arg[3];
    bool private = flags & ABI_MAP_PRIVATE, shared = flags & ABI_MAP_SHARED;
    if (bytes == 0 || (prot & ~(uint64_t)PROT_ALL) || (flags & ~(uint64_t)MAP_ALL) ||
        private == shared || !IS_ALIGNED(arg[5], PAGE_SIZE))
        return -K_EINVAL;
    if (bytes > USER_MAX)
        return -K_ENOMEM;
    if (!(flags & (ABI_MAP_FIXED | ABI_MAP_FIXED_NOREPLACE)))
        return 0;
    if (!IS_ALIGNED(addr, PAGE_SIZE))
        return -K_EINVAL;
    return addr <= USER_MAX && ROUND_UP(bytes, PAGE_SIZE) <= USER_MAX - addr ? 0 : -K_ENOMEM;
}

/* What an off_t can say; more than the file has is no mistake, since it may grow. */
static int check_offset(const uint64_t arg[6]) {
    if (arg[5] > INT64_MAX)
        return -K_EINVAL;
    return ROUND_UP(arg[1], PAGE_SIZE) > INT64_MAX - arg[5] ? -K_EOVERFLOW : 0;
}

/* A reference; and what the file is open for. */
static int object_of(struct file *f, const uint64_t arg[6], struct object **o, unsigned *limit) {
    bool shared = arg[3] & ABI_MAP_SHARED, writes = arg[2] & ABI_PROT_WRITE;
    if (!f->readable || (shared && writes && !f->writable))
        return -K_EACCES;
    int err = file_map(f, arg[5] / PAGE_SIZE + ROUND_UP(arg[1], PAGE_SIZE) / PAGE_SIZE, o);
    if (err)
        return err;
    int stores_error = shared ? __atomic_load_n(&(*o)->stores_error, __ATOMIC_RELAXED) : 0;
    bool stores = !shared || (f->writable && !stores_error);
    *limit = stores ? PROT_ALL : ABI_PROT_READ | ABI_PROT_EXEC;
    if (writes && !stores) {
        object_put(*o);
        return stores_error;
    }
    return 0;
}

static int file_object(const uint64_t arg[6], struct object **o, unsigned *limit) {
    int err = check_offset(arg);
    if (err)
        return err;
    struct file *f = fd_begin((uint64_t)(int64_t)(int32_t)arg[4]);
    if (!f)
        return -K_EBADF;
    err = object_of(f, arg, o, limit);
    fd_end(f);
    return err;
}

/* A reference; and what may ever be permitted. */
static int object_for(const uint64_t arg[6], struct object **o, unsigned *limit) {
    uint64_t pages = ROUND_UP(arg[1], PAGE_SIZE) / PAGE_SIZE;
    *limit = PROT_ALL;
    *o = &zeros_mapped;
    if (!(arg[3] & ABI_MAP_ANONYMOUS))
        return file_object(arg, o, limit);
    return arg[3] & ABI_MAP_SHARED ? shm_create(pages, o) : 0;
}

int sys_mmap(const uint64_t arg[6], uint64_t *result) {
    uint64_t flags = arg[3];
    struct object *o;
    unsigned limit;
    int err = check_request(arg);
    if (!err)
        err = object_for(arg, &o, &limit);
    if (err)
        return err;
    struct map_request r = {.start = ROUND_DOWN(arg[0], PAGE_SIZE),
                            .bytes = ROUND_UP(arg[1], PAGE_SIZE),
                            .place = flags & ABI_MAP_FIXED_NOREPLACE ? MAP_FREE
                                     : flags & ABI_MAP_FIXED         ? MAP_REPLACE
                                                                     : MAP_HINT,
                            .object = o,
                            .first = flags & ABI_MAP_ANONYMOUS ? 0 : arg[5] / PAGE_SIZE,
                            .prot = (unsigned)arg[2],
                            .limit = limit,
                            .shared = flags & ABI_MAP_SHARED,
                            .no_promise = flags & ABI_MAP_NORESERVE};
    struct aspace *as = proc_self()->as;
    err = aspace_map(as, &r, result);
    object_put(o);
    node_reap(); /* a file that was mapped there may have had no other name */
    if (!err && (flags & ABI_MAP_POPULATE))
        touch((struct range){*result, *result + r.bytes}, true);
    return err;
}

/* ---- the others -------------------------------------------------------------------- */

int sys_munmap(const uint64_t arg[6], uint64_t *result) {
    struct range r;
    int err = range_of(arg, &r);
    if (err || arg[1] == 0)
        return -K_EINVAL;
    err = aspace_unmap(proc_self()->as, r.start, r.end);
    node_reap();
    return err;
}

#define MREMAP_ALL (ABI_MREMAP_MAYMOVE | ABI_MREMAP_FIXED | ABI_MREMAP_DONTUNMAP)

/* The sizes are in pages already. */
static int check_remap(const uint64_t arg[6], const struct remap_request *r) {
    uint64_t flags = arg[3], there = flags & (ABI_MREMAP_FIXED | ABI_MREMAP_DONTUNMAP);
    if ((flags & ~(uint64_t)MREMAP_ALL) || (there && !(flags & ABI_MREMAP_MAYMOVE)) ||
        !IS_ALIGNED(r->start, PAGE_SIZE) || r->bytes == 0 || (r->keep && arg[1] != arg[2]))
        return -K_EINVAL;
    if (r->start >= USER_MAX)
        return -K_EFAULT;
    if (r->old_bytes > USER_MAX - r->start)
        return -K_EINVAL;
    if (r->place != REMAP_THERE)
        return r->bytes <= USER_MAX ? 0 : -K_ENOMEM;
    bool overlap = r->to < r->start + r->old_bytes && r->start < r->to + r->bytes;
    return !IS_ALIGNED(r->to, PAGE_SIZE) || r->bytes > USER_MAX || r->to > USER_MAX - r->bytes ||
                   overlap
               ? -K_EINVAL
               : 0;
}

int sys_mremap(const uint64_t arg[6], uint64_t *result) {
    uint64_t flags = arg[3];
    const struct remap_request r = {.start = arg[0],
                                    .old_bytes = ROUND_UP(arg[1], PAGE_SIZE),
                                    .bytes = ROUND_UP(arg[2], PAGE_SIZE),
                                    .place = flags & ABI_MREMAP_FIXED     ? REMAP_THERE
                                             : flags & ABI_MREMAP_MAYMOVE ? REMAP_ANYWHERE
                                                                          : REMAP_HERE,
                                    .to = arg[4],
                                    .keep = flags & ABI_MREMAP_DONTUNMAP};
    int err = check_remap(arg, &r);
    if (!err)
        err = aspace_remap(proc_self()->as, &r, result);
    node_reap(); /* the place may have been a file's that had no other name */
    return err;
}

int sys_mprotect(const uint64_t arg[6], uint64_t *result) {
    struct range r;
    int err = arg[2] & ~(uint64_t)PROT_ALL ? -K_EINVAL : range_of(arg, &r);
    if (!err && r.start < r.end)
        err = aspace_protect(proc_self()->as, r.start, r.end, (unsigned)arg[2]);
    return err;
}

static bool is_advice(uint64_t advice) {
    switch (advice) {
    case ABI_MADV_NORMAL:
    case ABI_MADV_RANDOM:
    case ABI_MADV_SEQUENTIAL:
    case ABI_MADV_WILLNEED:
    case ABI_MADV_DONTNEED: return true;
    default: return false;
    }
}

/* The range is not empty. */
static int advise(const struct range *r, uint64_t advice) {
    struct aspace *as = proc_self()->as;
    switch (advice) {
    case ABI_MADV_DONTNEED: return aspace_drop(as, r->start, r->end);
    case ABI_MADV_WILLNEED:
        touch(*r, false);
        return aspace_is_granted(as, r->start, r->end) ? 0 : -K_ENOMEM;
    default: return 0;
    }
}

int sys_madvise(const uint64_t arg[6], uint64_t *result) {
    struct range r;
    int err = is_advice(arg[2]) ? range_of(arg, &r) : -K_EINVAL;
    return err || r.start == r.end ? err : advise(&r, arg[2]);
}

int sys_msync(const uint64_t arg[6], uint64_t *result) {
    struct range r;
    bool both = (arg[2] & ABI_MS_ASYNC) && (arg[2] & ABI_MS_SYNC);
    int err = both || (arg[2] & ~(uint64_t)MS_ALL) ? -K_EINVAL : range_of(arg, &r);
    if (!err && (arg[2] & ABI_MS_SYNC))
        err = aspace_sync(proc_self()->as, r.start, r.end);
    if (!err && !aspace_is_granted(proc_self()->as, r.start, r.end))
        err = -K_ENOMEM;
    return err;
}
