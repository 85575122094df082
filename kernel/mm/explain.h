/* Why an access failed: the walk of its address, and one sentence. For the errors that
 * end a program or the kernel. */
#pragma once
#include "arch/trapinfo.h"
#include "mm/aspace.h"

/* A program's access at va has failed for good: prints the walk through its own table, with an
 * arrow where it stops, and says why; nothing when it was no access. The same under every
 * design. as is the running process's: it is this thread's turn to change its mappings (turn.h), so
 * the lock is not held while the console takes the text. err: what aspace_fault has said of the
 * access; or 0. */
void explain_user_fault(struct aspace *as, uint64_t va, struct failed_access access, int err);

/* The kernel's own access has failed: the walk through the table with this root. For
 * panics: takes no lock, and reads no table that is not in RAM. */
void explain_kernel_fault(paddr_t root, uint64_t va, struct failed_access access);
