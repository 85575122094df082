/* The ring. Each access asks anew whether the addresses are RAM. */
#include "machine/dev/virtio_queue.h"
#include "machine/dev/bytes.h"
#include "machine/dev/draw.h"
#include <string.h>

/* 2.7.5: a descriptor. */
#define DESC_BYTES 16
enum { DESC_ADDR = 0, DESC_LEN = 8, DESC_FLAGS = 12, DESC_NEXT = 14 };
#define DESC_F_NEXT 1
#define DESC_F_WRITE 2
#define DESC_F_INDIRECT 4

/* 2.7.6 and 2.7.8: the rings. */
enum { RING_FLAGS = 0, RING_INDEX = 2, RING_ENTRIES = 4 };
#define AVAIL_ENTRY 2
#define AVAIL_F_NO_INTERRUPT 1
#define USED_ENTRY 8
#define RING_EVENT 2 /* behind the entries */

/* How long a request takes. */
#define DELAY_LEAST_NS 20000
#define DELAY_MOST_NS 200000

static uint8_t *ram(struct dev_env *env, uint64_t pa, uint64_t bytes, bool write) {
    return env->ram(env->ctx, pa, bytes, write);
}

static bool is_power_of_2(uint64_t v) { return v && !(v & (v - 1)); }

/* 2.7.2: where a legacy queue's parts are. */
static bool place_legacy(struct virtio_blk *dev) {
    if (!is_power_of_2(dev->page_size) || !is_power_of_2(dev->align))
        return false;
    dev->desc = (uint64_t)dev->pfn * dev->page_size;
    dev->avail = dev->desc + DESC_BYTES * (uint64_t)dev->num;
    uint64_t end = dev->avail + RING_ENTRIES + AVAIL_ENTRY * (uint64_t)dev->num + RING_EVENT;
    dev->used = (end + dev->align - 1) & ~(uint64_t)(dev->align - 1);
    return true;
}

bool queue_start(struct virtio_blk *dev) {
    if (!is_power_of_2(dev->num) || dev->num > VIRTIO_QUEUE_MAX)
        return false;
    if (dev->version == 1 && !place_legacy(dev))
        return false;
    dev->ready = dev->desc % 16 == 0 && dev->avail % 2 == 0 && dev->used % 4 == 0;
    dev->avail_next = dev->used_next = 0;
    return dev->ready;
}

void queue_stop(struct virtio_blk *dev) {
    dev->ready = false;
    dev->waiting = 0;
    dev->next_ns = UINT64_MAX;
}

static bool is_waiting(const struct virtio_blk *dev, unsigned head) {
    for (uint32_t i = 0; i < dev->waiting; i++)
        if (dev->request[i].head == head)
            return true;
    return false;
}

static void push(struct dev_env *env, struct virtio_blk *dev, uint16_t head) {
    uint64_t due = env->now(env->ctx);
    if (!dev->prompt)
        due += DELAY_LEAST_NS + draw_below(&dev->seed, DELAY_MOST_NS - DELAY_LEAST_NS + 1);
    dev->request[dev->waiting++] = (struct virtio_request){head, due, dev->disk_written};
    if (due < dev->next_ns)
        dev->next_ns = due;
}

/* A head that waits already would be answered twice; so no more wait than there are heads, which
 * also ends a walk to an index that is too far away. */
bool queue_take(struct dev_env *env, struct virtio_blk *dev) {
    const uint8_t *avail = ram(env, dev->avail, RING_ENTRIES + AVAIL_ENTRY * (uint64_t)dev->num,
                               false);
    if (!avail)
        return false;
    uint16_t end = (uint16_t)bytes_get(avail + RING_INDEX, 2);
    for (; dev->avail_next != end; dev->avail_next++) {
        const uint8_t *entry = avail + RING_ENTRIES + AVAIL_ENTRY * (dev->avail_next % dev->num);
        uint16_t head = (uint16_t)bytes_get(entry, AVAIL_ENTRY);
        if (head >= dev->num || is_waiting(dev, head))
            return false;
        push(env, dev, head);
    }
    return true;
}

struct virtio_request queue_pop(struct virtio_blk *dev) {
    uint32_t first = 0;
    while (dev->request[first].due != dev->next_ns)
        first++;
    struct virtio_request found = dev->request[first];
    dev->waiting--;
    memmove(&dev->request[first], &dev->request[first + 1],
            (dev->waiting - first) * sizeof(dev->request[0]));
    dev->next_ns = UINT64_MAX;
    for (uint32_t i = 0; i < dev->waiting; i++)
        if (dev->request[i].due < dev->next_ns)
            dev->next_ns = dev->request[i].due;
    return found;
}

/* 2.7.4: what is read stands before what is written. A descriptor of no bytes is as good as none,
 * but no driver has a reason to make one. */
static bool add_piece(struct dev_env *env, struct chain *c, const uint8_t *desc) {
    uint64_t addr = bytes_get(desc + DESC_ADDR, 8);
    uint32_t bytes = (uint32_t)bytes_get(desc + DESC_LEN, 4);
    uint64_t flags = bytes_get(desc + DESC_FLAGS, 2);
    bool write = flags & DESC_F_WRITE;
    if (bytes == 0 || flags & DESC_F_INDIRECT || (!write && c->writable) || c->pieces == CHAIN_MAX)
        return false;
    uint8_t *host = ram(env, addr, bytes, write);
    if (!host)
        return false;
    c->piece[c->pieces].host = host;
    c->piece[c->pieces++].bytes = bytes;
    *(write ? &c->writable : &c->readable) += bytes;
    return true;
}

bool queue_chain(struct dev_env *env, const struct virtio_blk *dev, unsigned head,
                 struct chain *c) {
    const uint8_t *table = ram(env, dev->desc, DESC_BYTES * (uint64_t)dev->num, false);
    c->readable = c->writable = 0;
    c->pieces = 0;
    if (!table)
        return false;
    for (uint32_t i = head; i < dev->num;) { /* a loop ends with the room for pieces */
        const uint8_t *desc = table + DESC_BYTES * i;
        if (!add_piece(env, c, desc))
            return false;
        if (!(bytes_get(desc + DESC_FLAGS, 2) & DESC_F_NEXT))
            return true;
        i = (uint32_t)bytes_get(desc + DESC_NEXT, 2);
    }
    return false;
}

bool queue_put(struct dev_env *env, struct virtio_blk *dev, unsigned head, uint32_t written) {
    uint64_t at = RING_ENTRIES + USED_ENTRY * (uint64_t)(dev->used_next % dev->num);
    const uint8_t *avail = ram(env, dev->avail, RING_ENTRIES, false);
    uint8_t *entry = ram(env, dev->used + at, USED_ENTRY, true);
    uint8_t *index = ram(env, dev->used + RING_INDEX, 2, true);
    if (!avail || !entry || !index)
        return false;
    bytes_put(entry, 4, head);
    bytes_put(entry + 4, 4, written);
    bytes_put(index, 2, ++dev->used_next);
    if (!(bytes_get(avail + RING_FLAGS, 2) & AVAIL_F_NO_INTERRUPT))
        dev->interrupt |= INTERRUPT_USED;
    return true;
}

/* The next bytes of one piece, at most so many. */
static uint8_t *span(const struct chain *c, struct place *p, uint64_t most, uint32_t *bytes) {
    if (p->at == c->piece[p->piece].bytes)
        *p = (struct place){p->piece + 1, 0};
    uint32_t rest = c->piece[p->piece].bytes - p->at;
    uint8_t *host = c->piece[p->piece].host + p->at;
    *bytes = rest < most ? rest : (uint32_t)most;
    p->at += *bytes;
    return host;
}

void chain_get(const struct chain *c, struct place *from, void *to, uint64_t bytes) {
    uint32_t n;
    for (uint8_t *p = to; bytes; p += n, bytes -= n) {
        const uint8_t *host = span(c, from, bytes, &n);
        memcpy(p, host, n);
    }
}

void chain_put(const struct chain *c, struct place *to, const void *from, uint64_t bytes) {
    uint32_t n;
    for (const uint8_t *p = from; bytes; p += n, bytes -= n) {
        uint8_t *host = span(c, to, bytes, &n);
        memcpy(host, p, n);
    }
}

void chain_skip(const struct chain *c, struct place *p, uint64_t bytes) {
    uint32_t n;
    for (; bytes; bytes -= n)
        span(c, p, bytes, &n);
}
