/* What the kernel has in the page tables of a process: see kernel_view.h. */
#include "mm/kernel_view.h"
#include "lib/panic.h"
#include "mm/commit.h"
#include "mm/design.h"
#include "mm/kmap.h"
#include "mm/kstack.h"
#include "mm/pieces.h"

int kernel_view_create(struct aspace *as) {
    int err = pt_init(&as->kernel, paging.levels, &pt_frames);
    if (err)
        return err;
    kmap_share_half(&as->kernel);
    as->kernel_satp = pt_satp(&as->kernel, tlb_kernel_asid(&as->tlb));
    err = kmap_trampoline(&as->kernel);
    return err ? err : kstack_map(&as->kernel, as->slot);
}

void kernel_view_destroy(struct aspace *as, vaddr_t end) {
    pt_clear(&as->kernel, VA(0), end, piece_of_tables(as->kernel.tables));
    kernel_view_clear_top(as, &as->kernel);
    pt_free_root(&as->kernel);
}

/* Of most there are four leaves, in one table. */
static void take_few(const struct aspace *as, struct pt *pt) {
    pt_take_leaves(pt, VA(KSTACK(as->slot)), VA(KSTACK_TOP(as->slot)), NULL, NULL);
    pt_take_leaves(pt, VA(TRAPFRAME), VA(USER_HALF_END), NULL, NULL);
}

void kernel_view_clear_top(const struct aspace *as, struct pt *pt) {
    uint64_t start = as->many_threads ? TRAPFRAMES_START : ROUND_DOWN(KSTACK(as->slot), LARGE_SIZE);
    if (as->many_threads)
        pt_take_leaves(pt, VA(start), VA(USER_HALF_END), NULL, NULL);
    else
        take_few(as, pt);
    pt_clear(pt, VA(start), VA(USER_HALF_END), NULL);
}

/* ---- threads -------------------------------------------------------------- */

/* The tree in which the kernel stacks of the space's own threads stand; NULL: it is kernel_pt,
 * which has all. */
static struct pt *tree_of_stacks(struct aspace *as) {
    if (as->design->on_kernel_pt)
        return NULL;
    return as->design->has_root ? &as->kernel : &as->user;
}

/* The leaves, and the tables on the way: at most one for each, since the root's last entry has
 * tables of the higher levels already. */
#define THREAD_TABLES 2

static int map_thread_locked(struct aspace *as, uint32_t slot, paddr_t trapframe) {
    ASSERT_LOCKED(&as->lock);
    struct pt *stacks = tree_of_stacks(as);
    uint32_t tables = as->user.tables + as->kernel.tables;
    as->thread_tables += THREAD_TABLES;
    int err = commit_settle(as);
    if (err) {
        as->thread_tables -= THREAD_TABLES;
        return err;
    }
    if (pt_map(&as->user, VA(TRAPFRAME_OF(slot)), trapframe, PAGE_SIZE, PTE_R | PTE_W, 0) ||
        (stacks && kstack_map(stacks, slot)))
        panic("a thread's tables were not covered by its commitment");
    as->many_threads = true;
    as->thread_tables -= THREAD_TABLES - (as->user.tables + as->kernel.tables - tables);
    tlb_new_generation(&as->tlb);
    return commit_settle(as); /* to less, which cannot fail */
}

int kernel_view_add_thread(struct aspace *as, uint32_t slot, paddr_t trapframe) {
    spin_lock(&as->lock);
    int err = map_thread_locked(as, slot, trapframe);
    spin_unlock(&as->lock);
    return err;
}

void kernel_view_remove_thread(struct aspace *as, uint32_t slot, uint64_t trapframe) {
    struct pt *stacks = tree_of_stacks(as);
    spin_lock(&as->lock);
    pt_take_leaves(&as->user, VA(trapframe), VA(trapframe + PAGE_SIZE), NULL, NULL);
    if (stacks)
        kstack_unmap(stacks, slot);
    spin_unlock(&as->lock);
}
