/* The tree. A node that more than one pointer holds is never written, so what is below it is not
 * either, whatever the counts there say. */
#include "machine/dev/blocks.h"
#include <stdlib.h>
#include <string.h>

#define FAN_BITS 6
#define FAN (1 << FAN_BITS)

struct block_node {
    uint32_t holders; /* pointers to it, in trees and nodes */
};

struct inner {
    struct block_node node;
    struct block_node *child[FAN];
};

struct leaf {
    struct block_node node;
    uint8_t bytes[BLOCK_BYTES];
};

void blocks_init(struct blocks *b, uint64_t bytes) {
    uint64_t last = bytes ? (bytes - 1) / BLOCK_BYTES : 0;
    *b = (struct blocks){NULL, 0};
    for (; last; last >>= FAN_BITS)
        b->levels++;
}

static void release(struct block_node *node, unsigned levels) {
    if (!node || --node->holders)
        return;
    for (unsigned i = 0; levels && i < FAN; i++)
        release(((struct inner *)node)->child[i], levels - 1);
    free(node);
}

void blocks_drop(struct blocks *b) {
    release(b->root, b->levels);
    b->root = NULL;
}

void blocks_copy(struct blocks *dst, const struct blocks *src) {
    if (src->root)
        src->root->holders++;
    blocks_drop(dst);
    *dst = *src;
}

static unsigned index_of(uint64_t at, unsigned level) {
    return at / BLOCK_BYTES >> FAN_BITS * (level - 1) & (FAN - 1);
}

static const struct block_node *block_of(const struct blocks *b, uint64_t at) {
    const struct block_node *node = b->root;
    for (unsigned level = b->levels; node && level; level--)
        node = ((const struct inner *)node)->child[index_of(at, level)];
    return node;
}

bool blocks_share(const struct blocks *a, const struct blocks *b, uint64_t at) {
    return a->root == b->root || block_of(a, at) == block_of(b, at);
}

void blocks_read(const struct blocks *b, uint64_t at, void *to, size_t n) {
    const struct block_node *node = block_of(b, at);
    if (node)
        memcpy(to, ((const struct leaf *)node)->bytes + at % BLOCK_BYTES, n);
    else
        memset(to, 0, n);
}

/* Makes *slot a node that nobody else holds. False: no memory. */
static bool own(struct block_node **slot, unsigned level) {
    struct block_node *old = *slot;
    if (old && old->holders == 1)
        return true;
    size_t bytes = level ? sizeof(struct inner) : sizeof(struct leaf);
    struct block_node *node = old ? malloc(bytes) : calloc(1, bytes);
    if (!node)
        return false;
    if (old) {
        memcpy(node, old, bytes);
        old->holders--;
        for (unsigned i = 0; level && i < FAN; i++) {
            struct block_node *child = ((struct inner *)node)->child[i];
            if (child)
                child->holders++;
        }
    }
    node->holders = 1;
    *slot = node;
    return true;
}

bool blocks_write(struct blocks *b, uint64_t at, const void *from, size_t n) {
    struct block_node **slot = &b->root;
    for (unsigned level = b->levels; level; level--) {
        if (!own(slot, level))
            return false;
        slot = &((struct inner *)*slot)->child[index_of(at, level)];
    }
    if (!own(slot, 0))
        return false;
    memcpy(((struct leaf *)*slot)->bytes + at % BLOCK_BYTES, from, n);
    return true;
}
