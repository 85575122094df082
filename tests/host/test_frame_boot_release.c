/* test_frame_boot.c again, for the allocator of builds without DEBUG: there boot leaves
 * most records unwritten, and the tests' RAM is full of rubbish. */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c tests/host/hostarch.c */
#undef DEBUG
#define DEBUG 0
#include "test_frame_boot.c"
