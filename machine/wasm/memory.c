/* malloc and its kin over the pages of a WebAssembly memory.
 *
 * A block has one of a row of sizes, four for each power of two, and what is freed serves for
 * that size again. Blocks are never joined: a page of a browser has one machine in its memory, and
 * for the next one it takes a new memory. */
#include "machine/wasm/shell.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 65536, HEADER = 16, SIZES = 4 * 32 };

struct block {
    uint32_t kind; /* its index among the sizes */
    struct block *next;
    uint64_t unused; /* so that what follows is aligned to 16 */
};
_Static_assert(sizeof(struct block) == HEADER, "a block's header keeps the alignment");

extern unsigned char __heap_base; /* the linker's */
static struct block *freed[SIZES];
static size_t used;   /* bytes of blocks that are not freed */
static uintptr_t top; /* behind the last block; from here on memory is still zero */

size_t EXPORT(live_used)(void) { return used; }

_Noreturn void abort(void) { __builtin_trap(); }

/* The bytes of a block of this kind, its header included: 64, 80, 96, 112, 128, 160, ... */
static uint64_t size_of(uint32_t kind) { return (uint64_t)(4 + kind % 4) << (kind / 4 + 4); }

static uint32_t kind_of(uint64_t bytes) {
    uint32_t kind = 0;
    while (size_of(kind) < bytes)
        kind++;
    return kind;
}

static struct block *fresh(uint32_t kind) {
    if (top == 0)
        top = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
    uint64_t end = top + size_of(kind), has = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
    if (end > UINT32_MAX)
        return NULL;
    if (end > has &&
        __builtin_wasm_memory_grow(0, (size_t)((end - has + PAGE - 1) / PAGE)) == SIZE_MAX)
        return NULL;
    struct block *block = (struct block *)top;
    top = (uintptr_t)end;
    block->kind = kind;
    return block;
}

/* *zero: it has never been used. */
static void *get(size_t bytes, int *zero) {
    if (bytes > UINT32_MAX - PAGE)
        return NULL;
    uint32_t kind = kind_of((uint64_t)bytes + HEADER);
    struct block *block = freed[kind];
    *zero = block == NULL;
    if (block)
        freed[kind] = block->next;
    else
        block = fresh(kind);
    if (block)
        used += (size_t)size_of(kind);
    return block ? block + 1 : NULL;
}

void *malloc(size_t bytes) {
    int zero;
    return get(bytes, &zero);
}

void *calloc(size_t count, size_t bytes) {
    int zero;
    if (bytes && count > SIZE_MAX / bytes)
        return NULL;
    void *block = get(count * bytes, &zero);
    if (block && !zero)
        memset(block, 0, count * bytes);
    return block;
}

void free(void *block) {
    if (!block)
        return;
    struct block *b = (struct block *)block - 1;
    b->next = freed[b->kind];
    freed[b->kind] = b;
    used -= (size_t)size_of(b->kind);
}

void *realloc(void *block, size_t bytes) {
    if (!block)
        return malloc(bytes);
    uint64_t has = size_of(((struct block *)block - 1)->kind) - HEADER;
    if (bytes <= has)
        return block;
    void *other = malloc(bytes);
    if (other) {
        memcpy(other, block, (size_t)has);
        free(block);
    }
    return other;
}
