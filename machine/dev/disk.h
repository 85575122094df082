/* The medium behind a block device: sectors, a volatile write cache in front of them, failures on
 * demand, and copies that cost about what has been changed.
 *
 * A sector that is written is read back at once, but it is durable only after disk_flush; until
 * then disk_cut, the loss of power, may lose it. A sector is never torn. The cache holds 8 MiB, and
 * when it is full its older half becomes durable.
 *
 * A disk has memory of the host: it is copied by disk_copy alone, and ends with disk_close. */
#pragma once
#include "machine/dev/blocks.h"

#define DISK_SECTOR 512
#define DISK_CACHE_SECTORS 16384

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH };

/* Zeroed, it is a closed one. */
struct disk {
    uint64_t sectors;

    /* Chosen at any time: requests that fail. */
    uint64_t fail_request;        /* the one that makes `requests` this number; 0: none */
    uint64_t fail_from, fail_to;  /* sectors from.. to - 1; those that touch them */
    bool fail_reads, fail_writes; /* which of these do */

    /* Counted. */
    uint64_t requests, reads, writes, flushes, failed;

    /* Its own. */
    uint64_t written; /* sectors put into the cache since the start */
    struct blocks now, durable;
    struct cached_sector **cache; /* what was written since, oldest first */
    uint32_t cached, cache_room;
};

/* Opens a closed disk that begins with a copy of these bytes and has zeros behind them. False: no
 * memory, or they do not fit; it stays closed. */
bool disk_open(struct disk *d, const void *image, uint64_t bytes, uint64_t sectors);
void disk_close(struct disk *d);

/* Makes dst, open or closed, a disk as src, with its cache and counters. False: no memory, and dst
 * is unchanged. */
bool disk_copy(struct disk *dst, const struct disk *src);

/* Begins a request for the sectors from first on, none for a flush: it is counted, and true means
 * that it may go on. False: it is beyond the end, or it was chosen to fail. */
bool disk_request(struct disk *d, enum disk_op op, uint64_t first, uint64_t count);

/* A sector of such a request; `durable` writes past the cache, and empties it first. False: no
 * memory. */
void disk_get(const struct disk *d, uint64_t sector, uint8_t to[DISK_SECTOR]);
bool disk_put(struct disk *d, uint64_t sector, const uint8_t from[DISK_SECTOR], bool durable);

/* Makes durable what was written when `written` was this number: UINT64_MAX for all, which never
 * fails. False: no memory; a part may be durable. */
bool disk_flush(struct disk *d, uint64_t written);

/* The power fails: of the cached sectors some become durable, the rest is lost. The seed chooses:
 * either the requests up to one, of which some sectors, or any sectors of all; of a sector never an
 * older content over a newer one. False: no memory; the disk is only good to be closed. */
bool disk_cut(struct disk *d, uint64_t seed);

/* For the host's tools: bytes as the guest would read them now, uncounted. False: beyond the end.
 */
bool disk_peek(const struct disk *d, uint64_t at, void *to, uint64_t bytes);
