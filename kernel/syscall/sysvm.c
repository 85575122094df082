/* System calls that show memory. What is told is gathered under the space's lock, and
 * copied to the user after, since a copy may need the lock of the caller's own space. */
#include "syscall/syscall.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/inspect.h"
#include "mm/uaccess.h"
#include "mm/vmprint.h"
#include "proc/proc.h"

_Static_assert(ABI_VM_REGIONS_MAX >= ASPACE_REGIONS, "all regions can be told");
_Static_assert(ASPACE_REGIONS * sizeof(struct abi_vmregion) <= PAGE_SIZE, "in one frame");
_Static_assert(ABI_VM_IMAGE == (int)REGION_IMAGE && ABI_VM_BSS == (int)REGION_BSS &&
                   ABI_VM_STACK == (int)REGION_STACK && ABI_VM_HEAP == (int)REGION_HEAP,
               "kinds are told as they are");

/* A long table takes the console a while: others run in between, and a killed caller ends.
 * A process that ends or runs another program meanwhile is printed as far as it was. */
int sys_vmprint(const uint64_t arg[6], uint64_t *result) {
    struct vmprint v = {0};
    do {
        struct aspace *as = proc_space_locked((int32_t)arg[0]);
        if (!as)
            return v.titled ? 0 : -K_ESRCH;
        vmprint_gather(&v, &as->user);
        spin_unlock(&as->lock);
        vmprint_say(&v);
        proc_yield();
    } while (v.n > 0 && !proc_killed());
    return 0;
}

/* *found: whether the walk gets down to that level. */
static int read_table(int32_t pid, struct abi_vmtable_head *t, uint64_t *entries, bool *found) {
    struct aspace *as = proc_space_locked(pid);
    if (!as)
        return -K_ESRCH;
    bool kernel = t->view == ABI_VIEW_KERNEL;
    const uint64_t *table = inspect_table(inspect_view(as, kernel), VA(t->va), t->level);
    t->satp = inspect_satp(as, kernel);
    *found = table;
    if (table) {
        t->table = ptr_pa(table).v;
        memcpy(entries, table, PAGE_SIZE);
    }
    spin_unlock(&as->lock);
    return 0;
}

/* The table, and after it what the caller asked, are copied to where arg[1] points. */
static int tell_table(const uint64_t arg[6], void *entries, uint64_t *result) {
    struct abi_vmtable_head t;
    if (copyin(&t, UA(arg[1]), sizeof(t)))
        return -K_EFAULT;
    if (t.level > PT_ROOT_LEVEL || t.view > ABI_VIEW_KERNEL)
        return -K_EINVAL;
    bool found = false;
    int err = read_table((int32_t)arg[0], &t, entries, &found);
    if (err || !found)
        return err;
    *result = 1;
    err = copyout(UA(arg[1]), &t, sizeof(t));
    return err ? err : copyout(UA(arg[1] + sizeof(t)), entries, PAGE_SIZE);
}

static struct abi_vmregion describe(const struct aspace *as, const struct region *r) {
    struct inspect_pages pages = inspect_region(as, r);
    return (struct abi_vmregion){.start = r->start,
                                 .end = r->end,
                                 .kind = r->kind,
                                 .perm = r->perm,
                                 .first_page = r->first_page,
                                 .present = pages.present,
                                 .shared = pages.shared,
                                 .copied = pages.copied,
                                 .lazy = r->lazy};
}

static int tell_regions(const uint64_t arg[6], void *page, uint64_t *result) {
    struct abi_vmregion *region = page;
    struct aspace *as = proc_space_locked((int32_t)arg[0]);
    if (!as)
        return -K_ESRCH;
    uint32_t n = as->regions;
    for (uint32_t i = 0; i < n; i++)
        region[i] = describe(as, &as->region[i]);
    spin_unlock(&as->lock);
    *result = n;
    int64_t max = (int32_t)arg[2];
    uint64_t told = max < 0 ? 0 : MIN((uint64_t)max, (uint64_t)n);
    return copyout(UA(arg[1]), region, told * sizeof(region[0]));
}

/* What is told is too large for a kernel stack: a page for it. */
static int with_page(int (*tell)(const uint64_t arg[6], void *page, uint64_t *result),
                     const uint64_t arg[6], uint64_t *result) {
    paddr_t frame;
    int err = frame_alloc(&frame);
    if (err)
        return err;
    err = tell(arg, pa_ptr(frame), result);
    frame_free(frame);
    return err;
}

int sys_vmtable(const uint64_t arg[6], uint64_t *result) {
    return with_page(tell_table, arg, result);
}

int sys_vmregions(const uint64_t arg[6], uint64_t *result) {
    return with_page(tell_regions, arg, result);
}
