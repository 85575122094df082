/* What the disk device does with a request (virtio 1.2, 5.2.6). */
#include "machine/dev/bytes.h"
#include "machine/dev/virtio_queue.h"

enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_GET_ID = 8 };
enum { DONE_OK = 0, DONE_IOERR = 1, DONE_UNSUPP = 2 };

/* The header. */
#define HEADER_BYTES 16
enum { HEADER_TYPE = 0, HEADER_SECTOR = 8 };

#define STATUS_BYTES 1
#define ID_BYTES 20

struct work {
    struct chain chain;
    uint32_t type;
    uint64_t sector;
    uint64_t out, in;     /* bytes of data that the device reads, and writes */
    struct place data;    /* the first of them */
    uint64_t written;     /* disk.written when it was asked for */
    uint32_t data_stored; /* bytes of `in` */
};

/* False: the chain has no room for a header and a status. */
static bool read_header(struct work *w) {
    struct chain *c = &w->chain;
    if (c->readable < HEADER_BYTES || c->writable < STATUS_BYTES)
        return false;
    uint8_t header[HEADER_BYTES];
    w->data = (struct place){0, 0};
    chain_get(c, &w->data, header, sizeof(header));
    w->type = (uint32_t)bytes_get(header + HEADER_TYPE, 4);
    w->sector = bytes_get(header + HEADER_SECTOR, 8);
    w->out = c->readable - HEADER_BYTES;
    w->in = c->writable - STATUS_BYTES;
    w->data_stored = 0;
    return true;
}

/* Whether all data goes one way, in whole sectors. */
static bool is_whole(uint64_t data, uint64_t other) {
    return data > 0 && data % DISK_SECTOR == 0 && other == 0;
}

static int do_in(struct disk *disk, struct work *w) {
    if (!is_whole(w->in, w->out) || w->in >= UINT32_MAX ||
        !disk_request(disk, DISK_READ, w->sector, w->in / DISK_SECTOR))
        return DONE_IOERR;
    for (uint64_t i = 0; i < w->in / DISK_SECTOR; i++) {
        uint8_t sector[DISK_SECTOR];
        disk_get(disk, w->sector + i, sector);
        chain_put(&w->chain, &w->data, sector, DISK_SECTOR);
    }
    w->data_stored = (uint32_t)w->in;
    return DONE_OK;
}

static int do_out(struct disk *disk, struct work *w, bool durable) {
    if (!is_whole(w->out, w->in) ||
        !disk_request(disk, DISK_WRITE, w->sector, w->out / DISK_SECTOR))
        return DONE_IOERR;
    for (uint64_t i = 0; i < w->out / DISK_SECTOR; i++) {
        uint8_t sector[DISK_SECTOR];
        chain_get(&w->chain, &w->data, sector, DISK_SECTOR);
        if (!disk_put(disk, w->sector + i, sector, durable))
            return DONE_IOERR;
    }
    return DONE_OK;
}

static int do_flush(struct disk *disk, const struct work *w) {
    if (w->in || w->out || !disk_request(disk, DISK_FLUSH, 0, 0) || !disk_flush(disk, w->written))
        return DONE_IOERR;
    return DONE_OK;
}

static int do_get_id(struct work *w) {
    static const char id[ID_BYTES] = "trellis-disk";
    if (w->in < ID_BYTES || w->out)
        return DONE_IOERR;
    chain_put(&w->chain, &w->data, id, ID_BYTES);
    w->data_stored = ID_BYTES;
    return DONE_OK;
}

static int do_request(const struct virtio_blk *dev, struct disk *disk, struct work *w) {
    bool flush = dev->driver_features & FEATURE_FLUSH;
    switch (w->type) {
    case TYPE_IN: return do_in(disk, w);
    case TYPE_OUT: return dev->read_only ? DONE_IOERR : do_out(disk, w, !flush);
    case TYPE_FLUSH: return flush ? do_flush(disk, w) : DONE_UNSUPP;
    case TYPE_GET_ID: return do_get_id(w);
    default: return DONE_UNSUPP;
    }
}

/* 2.7.8.2: the count is of the bytes from the first on, so the status is in it only where it
 * follows at once. */
static bool answer(struct dev_env *env, struct virtio_blk *dev, unsigned head, struct work *w,
                   int status) {
    uint8_t byte = (uint8_t)status;
    struct place end = {0, 0};
    chain_skip(&w->chain, &end, w->chain.readable + w->in);
    chain_put(&w->chain, &end, &byte, STATUS_BYTES);
    return queue_put(env, dev, head, w->data_stored + (w->data_stored == w->in));
}

static bool is_due(struct dev_env *env, const struct virtio_blk *dev) {
    return dev->next_ns <= env->now(env->ctx) && dev->waiting;
}

void virtio_blk_step(struct dev_env *env, struct virtio_blk *dev, struct disk *disk) {
    if (is_due(env, dev)) {
        struct virtio_request r = queue_pop(dev);
        struct work w = {.written = r.written};
        if (!queue_chain(env, dev, r.head, &w.chain) || !read_header(&w) ||
            !answer(env, dev, r.head, &w, do_request(dev, disk, &w)))
            virtio_blk_break(env, dev);
    }
    dev->disk_written = disk->written;
    env->irq(env->ctx, dev->source, dev->interrupt != 0);
}

void virtio_blk_run(struct dev_env *env, struct virtio_blk *dev, struct disk *disk) {
    do
        virtio_blk_step(env, dev, disk);
    while (is_due(env, dev));
}

bool virtio_blk_reads_next(struct dev_env *env, const struct virtio_blk *dev) {
    struct virtio_blk copy = *dev;
    struct work w;
    return is_due(env, dev) && queue_chain(env, dev, queue_pop(&copy).head, &w.chain) &&
           read_header(&w) && w.type == TYPE_IN;
}

bool virtio_blk_cut(struct dev_env *env, struct virtio_blk *dev, struct disk *disk, uint64_t seed) {
    while (dev->waiting) {
        struct virtio_request r = queue_pop(dev);
        struct work w;
        if (queue_chain(env, dev, r.head, &w.chain) && read_header(&w) && w.type == TYPE_OUT &&
            !dev->read_only)
            do_out(disk, &w, false);
    }
    virtio_blk_reset(dev);
    return disk_cut(disk, seed);
}
