/* Each byte is a decision of threadworld.h: which thread of an address space, or of a child's, goes
 * on, what it does to which address, and where it is held up. */
/* include: tests/host/unlocked.h */
/* sources: kernel/mm/pagetree.c */
/* sources: kernel/mm/populate.c kernel/mm/withdraw.c */
/* sources: kernel/mm/load.c */
/* sources: kernel/mm/aspace.c kernel/mm/change.c kernel/mm/heap.c kernel/mm/slab.c */
/* sources: kernel/mm/rmap.c kernel/mm/pieces.c kernel/mm/turn.c kernel/mm/move.c */
/* sources: kernel/mm/fault.c kernel/mm/elf.c kernel/mm/pt.c */
/* sources: kernel/mm/uaccess.c kernel/mm/sumcopy.c kernel/mm/kernel_view.c */
/* sources: kernel/mm/design_mirror.c kernel/mm/design_share.c kernel/mm/design_unify.c */
/* sources: kernel/mm/design_walk.c kernel/mm/design.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c tests/host/hostarch.c */
/* sources: kernel/mm/check.c kernel/mm/commit.c kernel/mm/mmap.c kernel/mm/shm.c */
/* sources: tests/host/aspaceenv.c tests/host/aspaceprograms.c */
/* sources: tests/host/tlbmodel.c tests/host/walker.c */
/* sources: tests/host/fibers.c tests/host/threadmodel.c tests/host/threadops.c */
/* sources: tests/host/threadturns.c tests/host/threadfile.c tests/host/threadchanges.c */
#include "tests/fuzz/frominput.h"
#include "hostarch.h"
#include "threadworld.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const unsigned asid_bits[] = {16, 16, 4, 0};
    unsigned designs = 0;
    while (design_at(designs))
        designs++;
    next = data;
    end = data + size;
    host_random_start(1);
    threads_choose = from_input;
    unsigned design = (unsigned)from_input(designs);
    threads_begin(design, asid_bits[from_input(4)]);
    for (unsigned steps = 0; next < end && steps < 500; steps++)
        threads_step();
    threads_end();
    return 0;
}
