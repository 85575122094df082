/* Builds device tree blobs for tests, token by token. */
#pragma once
#include "lib/types.h"

void fdtb_start(void);
void fdtb_reserve(uint64_t start, uint64_t size); /* before anything else */
void fdtb_begin(const char *name);
void fdtb_end(void);
void fdtb_nop(void);
void fdtb_prop(const char *name, const void *data, uint32_t len);
void fdtb_string(const char *name, const char *value);
void fdtb_cells(const char *name, uint32_t n, ...); /* n times uint32_t */

/* Begins a tree whose root's children have addresses and sizes of so many cells; and ends it: it
 * is the machine's device tree (dev/fdt.h) until the next one. */
void fdtb_begin_machine(uint32_t cells);
void fdtb_end_machine(void);

/* The blob, in an allocation of exactly its size, for free(). */
uint8_t *fdtb_finish(uint32_t *size);
