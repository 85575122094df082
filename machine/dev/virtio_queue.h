/* The parts of the disk device behind its registers: the split ring (virtio 1.2, 2.7) and the
 * chains of descriptors in it. */
#pragma once
#include "machine/dev/virtio_blk.h"

#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define STATUS_NEEDS_RESET 64

#define INTERRUPT_USED 1
#define INTERRUPT_CONFIG 2

#define FEATURE_SEG_MAX ((uint64_t)1 << 2)
#define FEATURE_RO ((uint64_t)1 << 5)
#define FEATURE_FLUSH ((uint64_t)1 << 9)
#define FEATURE_VERSION_1 ((uint64_t)1 << 32)

/* Descriptors in a chain: data in SEG_MAX pieces, a header and a status. */
#define SEG_MAX 254
#define CHAIN_MAX (SEG_MAX + 2)

/* A chain as a string of bytes in guest memory: those that the device reads, then those that it
 * writes. It was copied from the ring, which the guest may change meanwhile. */
struct chain {
    uint64_t readable, writable;
    unsigned pieces;
    struct {
        uint8_t *host;
        uint32_t bytes;
    } piece[CHAIN_MAX];
};

/* A place in it. */
struct place {
    unsigned piece;
    uint32_t at;
};

/* False: the ring is broken, or there is none of a legal shape. */
bool queue_start(struct virtio_blk *dev);
bool queue_take(struct dev_env *env, struct virtio_blk *dev); /* what has been made available */
bool queue_chain(struct dev_env *env, const struct virtio_blk *dev, unsigned head, struct chain *c);
bool queue_put(struct dev_env *env, struct virtio_blk *dev, unsigned head, uint32_t written);

void queue_stop(struct virtio_blk *dev); /* drops the requests */

/* The request that is due first is no longer the queue's. There is one. */
struct virtio_request queue_pop(struct virtio_blk *dev);

/* Copies between the chain at a place and a buffer, and moves the place on. The bytes are there. */
void chain_get(const struct chain *c, struct place *from, void *to, uint64_t bytes);
void chain_put(const struct chain *c, struct place *to, const void *from, uint64_t bytes);
void chain_skip(const struct chain *c, struct place *p, uint64_t bytes);

/* The device needs a reset (2.1.2). */
void virtio_blk_break(struct dev_env *env, struct virtio_blk *dev);
