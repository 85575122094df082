/* What the tests of anonymous memory (mmap.c), of mapped files (mapfile.c) and of stores to them
 * (mapstore.c) share. */
#pragma once
#include "test.h"
#include <string.h>

#define RW (ABI_PROT_READ | ABI_PROT_WRITE)

/* These fail the test on an error. They are mmap.c's. */
void unmap(void *p, uint64_t n);
void protect(void *p, uint64_t n, int prot);

/* A new mapping of so many bytes of a file, from offset on; the file is opened for writing where a
 * store is to change it. Fails the test on an error. It is mapfile.c's. */
char *map_file(const char *name, uint64_t n, int prot, int flags, uint64_t offset);

/* Whether a child can do that at p; else it is killed. */
static inline void load(uint64_t p) { *(volatile char *)p; }
static inline void store(uint64_t p) { *(volatile char *)p = 1; }
static inline bool can(void (*access)(uint64_t), void *p) { return run_child(access, ARG(p)) == 0; }
