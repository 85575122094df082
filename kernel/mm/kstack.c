/* Kernel stacks: see kstack.h. */
#include "mm/kstack.h"
#include "arch/layout.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "mm/kmap.h"
#include "mm/tlb.h"
#include "sync/spinlock.h"

#define PAGES (KSTACK_SIZE / PAGE_SIZE)
#define NONE UINT32_MAX

static struct spinlock lock = SPINLOCK_INIT(RANK_KSTACKS);
static uint32_t next_kept[KSTACKS_KEPT]; /* of those that are free, the one behind */
static uint32_t first_kept = NONE;
static uint64_t far_used[(KSTACKS - KSTACKS_KEPT) / 64]; /* a bit for each of the others */
static struct pt_gather gather;                          /* the lock's */

static paddr_t frame_of(uint32_t i, unsigned page) {
    unsigned level;
    return pte_pa(*pt_walk(&kernel_pt, VA(KSTACK(i) + page * PAGE_SIZE), &level));
}

/* ---- those of boot ------------------------------------------------------------ */

static void make_kept(uint32_t i) {
    void *p = frame_boot_alloc(KSTACK_SIZE, PAGE_SIZE);
    if (!p || pt_map(&kernel_pt, VA(KSTACK(i)), ptr_pa(p), KSTACK_SIZE, PTE_R | PTE_W, 0))
        panic("the machine is too small: no memory for kernel stacks");
}

void kstack_init(void) {
    for (uint32_t i = KSTACKS_KEPT; i-- > 0;) {
        make_kept(i);
        next_kept[i] = first_kept;
        first_kept = i;
    }
}

/* ---- the others --------------------------------------------------------------- */

/* The lowest that is free, which is marked, or NONE. */
static uint32_t far_take_locked(void) {
    ASSERT_LOCKED(&lock);
    for (unsigned word = 0; word < ARRAY_LEN(far_used); word++)
        if (~far_used[word]) {
            unsigned bit = bit_lowest(~far_used[word]);
            far_used[word] |= 1UL << bit;
            return (uint32_t)KSTACKS_KEPT + 64 * word + bit;
        }
    return NONE;
}

static void far_give_locked(uint32_t i) {
    ASSERT_LOCKED(&lock);
    far_used[(i - KSTACKS_KEPT) / 64] &= ~(1UL << (i - KSTACKS_KEPT) % 64);
}

/* Frames that a far stack may need: its pages, and a table to map them in. */
#define FAR_NEEDS (PAGES + 1)

/* With FAR_NEEDS committed; what is not needed of it is given back. */
static void far_make_locked(uint32_t i) {
    ASSERT_LOCKED(&lock);
    uint32_t tables = kernel_pt.tables;
    for (unsigned page = 0; page < PAGES; page++)
        if (pt_map(&kernel_pt, VA(KSTACK(i) + page * PAGE_SIZE), frame_take(), PAGE_SIZE,
                   PTE_R | PTE_W, 0))
            panic("a kernel stack's table was not covered by its commitment");
    if (kernel_pt.tables == tables)
        frame_uncommit(1);
}

static int far_take(uint32_t *out) {
    int err = frame_commit(FAR_NEEDS);
    if (err)
        return err;
    spin_lock(&lock);
    *out = far_take_locked();
    if (*out != NONE)
        far_make_locked(*out);
    spin_unlock(&lock);
    if (*out == NONE) {
        frame_uncommit(FAR_NEEDS);
        return -K_EAGAIN;
    }
    return 0;
}

static void put_page(void *ctx, pte_t e, unsigned level) { frame_put(frame_leaf(e, level)); }

static void far_give(uint32_t i) {
    spin_lock(&lock);
    uint32_t tables = kernel_pt.tables;
    vaddr_t end = pt_unmap(&kernel_pt, VA(KSTACK(i)), VA(KSTACK_TOP(i)), &gather);
    ASSERT(end.v == KSTACK_TOP(i));
    if (gather.tables)
        tlb_flush_all();
    pt_gather_finish(&kernel_pt, &gather, put_page, NULL);
    far_give_locked(i);
    uint64_t freed = PAGES + (tables - kernel_pt.tables);
    spin_unlock(&lock);
    frame_uncommit(freed);
}

/* ---- taking and giving -------------------------------------------------------- */

int kstack_take(uint32_t *i) {
    spin_lock(&lock);
    *i = first_kept;
    if (*i != NONE)
        first_kept = next_kept[*i];
    spin_unlock(&lock);
    return *i != NONE ? 0 : far_take(i);
}

void kstack_give(uint32_t i) {
    if (i >= KSTACKS_KEPT) {
        far_give(i);
        return;
    }
    spin_lock(&lock);
    next_kept[i] = first_kept;
    first_kept = i;
    spin_unlock(&lock);
}

int kstack_map(struct pt *pt, uint32_t i) {
    for (unsigned page = 0; page < PAGES; page++) {
        int err = pt_map(pt, VA(KSTACK(i) + page * PAGE_SIZE), frame_of(i, page), PAGE_SIZE,
                         PTE_R | PTE_W, 0);
        if (err)
            return err;
    }
    return 0;
}

void kstack_unmap(struct pt *pt, uint32_t i) {
    pt_take_leaves(pt, VA(KSTACK(i)), VA(KSTACK_TOP(i)), NULL, NULL);
}
