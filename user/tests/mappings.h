/* What the tests of anonymous memory (mmap.c) and of mapped files (mapfile.c) share. */
#pragma once
#include "test.h"
#include <errno.h>
#include <string.h>

#define RW (ABI_PROT_READ | ABI_PROT_WRITE)

/* These fail the test on an error. They are mmap.c's. */
void unmap(void *p, uint64_t n);
void protect(void *p, uint64_t n, int prot);

/* Whether a child can do that at p; else it is killed. */
static inline void load(uint64_t p) { *(volatile char *)p; }
static inline void store(uint64_t p) { *(volatile char *)p = 1; }
static inline bool can(void (*access)(uint64_t), void *p) { return run_child(access, ARG(p)) == 0; }
