/* test_frame.c again, for the allocator of builds without DEBUG. */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c tests/host/hostarch.c */
#undef DEBUG
#define DEBUG 0
#include "test_frame.c"
