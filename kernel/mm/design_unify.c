/* unify: the process's own table is the kernel's too: one root, the user's half
 * and the kernel's half. Nothing is copied and a trap writes no satp; the kernel
 * reaches user memory with SUM, set in the copy routines and nowhere else. */
#include "mm/design.h"
#include "mm/kmap.h"
#include "mm/kstack.h"
#include "mm/sumcopy.h"

static int create(struct aspace *as) {
    kmap_share_half(&as->user);
    as->kernel_satp = pt_satp(&as->user, tlb_user_asid(&as->tlb));
    return kstack_map(&as->user, as->slot);
}

DESIGN struct design unify = {
    .name = "unify",
    .create = create,
    SUM_COPIES,
};
