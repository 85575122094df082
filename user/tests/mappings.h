/* What the tests of anonymous memory (mmap.c) and of mapped files (mapfile.c) share. */
#pragma once
#include "test.h"
#include <errno.h>
#include <string.h>

#define RW (ABI_PROT_READ | ABI_PROT_WRITE)

static inline void unmap(void *p, uint64_t n) { CHECK_EQ(sys_munmap(p, n), 0); }
static inline void protect(void *p, uint64_t n, int prot) { CHECK_EQ(sys_mprotect(p, n, prot), 0); }

/* Whether a child can do that at p; else it is killed. */
static inline void load(uint64_t p) { *(volatile char *)p; }
static inline void store(uint64_t p) { *(volatile char *)p = 1; }
static inline bool can(void (*access)(uint64_t), void *p) { return run_child(access, ARG(p)) == 0; }
