/* Each byte is a decision of world.h: which process on which hart does what with which
 * address, and which promise of memory is refused. */
/* sources: kernel/mm/pagetree.c */
/* sources: kernel/mm/populate.c kernel/mm/withdraw.c */
/* sources: kernel/mm/load.c */
/* sources: kernel/mm/aspace.c kernel/mm/change.c kernel/mm/heap.c kernel/mm/slab.c */
/* sources: kernel/mm/rmap.c kernel/mm/pieces.c kernel/mm/turn.c kernel/mm/move.c */
/* sources: kernel/mm/fault.c kernel/mm/elf.c kernel/mm/pt.c */
/* sources: kernel/mm/uaccess.c kernel/mm/kernel_view.c */
/* sources: kernel/mm/design_mirror.c kernel/mm/design.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c tests/host/hostarch.c */
/* sources: kernel/mm/check.c kernel/mm/commit.c */
/* sources: kernel/mm/mmap.c kernel/mm/shm.c tests/host/worldmaps.c */
/* sources: tests/host/aspaceenv.c tests/host/aspaceprograms.c tests/host/aspacehash.c */
/* sources: tests/host/world.c tests/host/worldops.c */
/* sources: tests/host/tlbmodel.c tests/host/walker.c */
#include "tests/fuzz/frominput.h"
#include "hostarch.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    next = data;
    end = data + size;
    host_random_start(1);
    world_choose = from_input;
    world_fresh(48, from_input(17));
    for (unsigned steps = 0; next < end && steps < 60; steps++)
        world_step();
    world_check();
    world_end();
    return 0;
}
