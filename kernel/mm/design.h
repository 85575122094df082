/* Designs: how the kernel sees the memory of the process that it works for. Each is one
 * file, design_NAME.c, which ends in its operations; every kernel has all of them, and
 * every address space one (as->design), chosen when it is made. Nothing else knows which
 * designs there are.
 *
 * The kernel's view of a process is always a function of its user table: a
 * design keeps no state of its own about what is mapped. After a change of the user's
 * table in [start, end), sync is called for that range before the space's lock is given
 * back; then the views agree. */
#pragma once
#include "mm/aspace.h"
#include "mm/pt.h"
#include "mm/tlb.h"

struct design {
    const char *name;
    /* What a kernel view costs: whether it has a root of its own, with a table of each level
     * on the way to the stack and the trampoline, and whether each table of the user's lower
     * half has a counterpart in it. */
    bool has_root;
    bool copies_tables;
    /* Whether the kernel runs on kernel_pt when it works for the process. */
    bool on_kernel_pt;

    /* Makes as->kernel, the view of an empty address space, and as->kernel_satp; may add to
     * the user's table. Frames come from as's commitment, so a failure (-K_ENOMEM) is a
     * mistake in the account; the caller panics. */
    int (*create)(struct aspace *as) must_check;

    /* Gives back what create and sync have made. No hart runs on it. NULL: nothing. */
    void (*destroy)(struct aspace *as);

    /* The user's leaves in [start, end) have changed: makes the kernel's view agree.
     * Tables of the kernel's view that fall empty go to the gather, for
     * pt_gather_finish(&as->kernel, ...) after the flush; gather is NULL when a leaf was put
     * where no table stood, so that none can. Cannot fail. sync itself is NULL where the kernel
     * sees the user's own tables. */
    void (*sync)(struct aspace *as, vaddr_t start, vaddr_t end, struct pt_gather *gather);

    /* For checks: whether the kernel's view has at va what it should have for this leaf,
     * which the user's table has there at this level. NULL where sync is. */
    bool (*agrees)(const struct aspace *as, vaddr_t va, unsigned level, pte_t user) must_check;

    /* copyin, copyout, copyinstr for a range that user_range_ok has passed. */
    int (*copyin)(void *dst, uaddr_t src, size_t n) must_check;
    int (*copyout)(uaddr_t dst, const void *src, size_t n) must_check;
    int (*copyinstr)(char *dst, uaddr_t src, size_t size) must_check;
    /* copyout_gather and copyin_scatter, for a range as above. */
    int (*copy_pieces)(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user,
                       size_t *done) must_check;
};

/* Before the definition of a design: puts it into the list of all. */
#define DESIGN __attribute__((section("designs"), used, aligned(8))) static const

/* The i-th design, or NULL behind the last; the one of this name, or NULL. */
const struct design *design_at(unsigned i);
const struct design *design_named(const char *name);

/* What the first process's space is made with. Constant after boot. */
extern const struct design *design_default;

static inline void design_sync(struct aspace *as, vaddr_t start, vaddr_t end,
                               struct pt_gather *gather) {
    if (as->design->sync)
        as->design->sync(as, start, end, gather);
}
