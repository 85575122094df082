/* The four designs: how the kernel sees the memory of the process that it works
 * for. Each is one file, design_NAME.c, chosen when the kernel is built. Inside mm,
 * aspace, fault, uaccess, kmap, check and inspect use it; outside, init and the system call
 * sysinfo tell its name.
 *
 * The kernel's view of a process is always a function of its user table: a
 * design keeps no state of its own about what is mapped. Whoever changes the user
 * table in [start, end) calls design_sync for that range before it gives back
 * its lock; then the views agree. */
#pragma once
#include "mm/aspace.h"
#include "mm/pt.h"
#include "mm/tlb.h"

struct design {
    const char *name;
    /* What a kernel view costs: frames for an empty one, and whether each table
     * of the user's lower half has a counterpart in it. */
    uint32_t fixed_tables;
    bool copies_tables;
    /* Whether processes run in the kernel on kernel_pt, which then maps all stacks. */
    bool stacks_in_kernel_pt;
};
extern const struct design design;

/* Makes as->kernel, the view of an empty address space, and as->kernel_satp;
 * may add to the user's table. Frames come from as's commitment, so a failure (-K_ENOMEM)
 * is a mistake in the account; the caller panics. */
int design_create(struct aspace *as) must_check;

/* Gives back what design_create and design_sync have made. No hart runs on it. */
void design_destroy(struct aspace *as);

/* The user's leaves in [start, end) have changed: makes the kernel's view agree.
 * Tables of the kernel's view that fall empty go to the gather, for
 * pt_gather_finish(&as->kernel, ...) after the flush; NULL when a leaf was put
 * where no table stood, so that none can. Cannot fail. */
void design_sync(struct aspace *as, vaddr_t start, vaddr_t end, struct pt_gather *gather);

/* For checks: whether the kernel's view has at va what it should have for this leaf,
 * which the user's table has there at this level. */
bool design_agrees(const struct aspace *as, vaddr_t va, unsigned level, pte_t user) must_check;

/* copyin, copyout, copyinstr for a range that user_range_ok has passed. */
int design_copyin(void *dst, uaddr_t src, size_t n) must_check;
int design_copyout(uaddr_t dst, const void *src, size_t n) must_check;
int design_copyinstr(char *dst, uaddr_t src, size_t size) must_check;
/* copyout_gather and copyin_scatter, for a range as above. */
int design_copy_pieces(uaddr_t user, const struct kpiece *p, unsigned n, bool to_user,
                       size_t *done) must_check;
