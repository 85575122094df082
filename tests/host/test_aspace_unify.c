/* The memory core under the design unify. */
/* sources: kernel/mm/pagetree.c */
/* sources: kernel/mm/populate.c kernel/mm/withdraw.c */
/* sources: kernel/mm/load.c */
/* sources: kernel/mm/aspace.c kernel/mm/change.c kernel/mm/heap.c kernel/mm/slab.c */
/* sources: kernel/mm/rmap.c kernel/mm/pieces.c kernel/mm/turn.c kernel/mm/move.c */
/* sources: kernel/mm/fault.c kernel/mm/elf.c kernel/mm/pt.c */
/* sources: kernel/mm/uaccess.c kernel/mm/kernel_view.c */
/* sources: kernel/mm/design_unify.c kernel/mm/design.c kernel/mm/sumcopy.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c tests/host/hostarch.c */
/* sources: kernel/mm/check.c kernel/mm/commit.c kernel/mm/inspect.c */
/* sources: kernel/mm/mmap.c kernel/mm/shm.c kernel/mm/pagetree.c tests/host/worldmaps.c */
/* sources: tests/host/aspacetest_copies.c tests/host/aspacetest_maps.c */
/* sources: tests/host/aspacetest_lazy.c tests/host/aspacetest_checker.c */
/* sources: tests/host/aspacetest_refused.c tests/host/aspacetest_files.c */
/* sources: tests/host/aspacetest_pieces.c tests/host/aspacetest_threads.c */
/* sources: tests/host/aspaceenv.c tests/host/aspaceprograms.c tests/host/aspacehash.c */
/* sources: tests/host/world.c tests/host/worldops.c */
/* sources: tests/host/tlbmodel.c tests/host/walker.c */
/* sources: tests/host/aspacetest_stacks.c tests/host/aspacetest_ready.c */
/* sources: tests/host/aspacetest_moves.c */
#include "aspacetest.c"
