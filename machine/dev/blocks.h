/* The bytes of a disk as a tree of blocks that copies share: to copy it costs nothing, to write
 * into a copy the way to the block. What was never written is zero and needs no memory. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_BYTES 4096

/* Zeroed, it is empty. Not to be copied by assignment. */
struct blocks {
    struct block_node *root; /* NULL: all zero */
    unsigned levels;         /* of inner nodes above the blocks */
};

/* Makes a zeroed one big enough for this many bytes, all zero. */
void blocks_init(struct blocks *b, uint64_t bytes);

/* Its memory, but for what others share. */
void blocks_drop(struct blocks *b);

/* dst, whose content is dropped, becomes as src. */
void blocks_copy(struct blocks *dst, const struct blocks *src);

/* [at, at + n) is inside the tree and does not cross a block's border. Writing may find no memory:
 * false, and the content is as before. */
void blocks_read(const struct blocks *b, uint64_t at, void *to, size_t n);
bool blocks_write(struct blocks *b, uint64_t at, const void *from, size_t n);

/* Whether both have the very same block there, or none. */
bool blocks_share(const struct blocks *a, const struct blocks *b, uint64_t at);
