/* A file system in memory as the root, with fsenv's disk on its directory /xv6. Files are removed
 * at the end of a test, and then no frame is promised any more that was not before. */
#pragma once
#include "fsenv.h"

int tmpfsenv_setup(void **state);
int tmpfsenv_teardown(void **state);

/* In between: removes all that is in memory, and checks that no frame is promised for it. */
void tmpfsenv_empty(void);

/* What a cut file tells those who map it; NULL: nobody does. */
extern void (*tmpfsenv_taken_away)(uint64_t first, uint64_t pages);
