/* Debug builds: everything that must hold of an address space between two of its
 * operations, looked at after each. */
#pragma once
#include "mm/aspace.h"

/* Panics with a sentence unless: every leaf lies in one mapping, with no more than its
 * permissions, with U, A and, where writable, D; its frame is in use, the object's in a shared
 * mapping, and the space's alone when it can be written in a private one; the kernel's view agrees
 * (design.h, agrees), has nothing else below USER_MAX and nothing there that the kernel could
 * execute; present is what is mapped, and the promise covers what is in use. Takes the space's
 * lock. */
void check_space(struct aspace *as);

/* The same for the 2 MiB around va, without the sums. */
void check_around(const struct aspace *as, uint64_t va);
