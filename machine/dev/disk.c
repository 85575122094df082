/* The medium. `durable` with all of the cache upon it is `now`. */
#include "machine/dev/disk.h"
#include "machine/dev/draw.h"
#include <stdlib.h>
#include <string.h>

/* A sector as it was written; copies of a disk share it. */
struct cached_sector {
    uint32_t holders;
    uint64_t request; /* its number */
    uint64_t sector;
    uint8_t bytes[DISK_SECTOR];
};

static uint64_t min(uint64_t a, uint64_t b) { return a < b ? a : b; }

static bool fill(struct blocks *b, const uint8_t *image, uint64_t bytes) {
    static const uint8_t zeros[BLOCK_BYTES];
    for (uint64_t at = 0; at < bytes; at += BLOCK_BYTES) {
        size_t n = (size_t)min(bytes - at, BLOCK_BYTES);
        if (memcmp(image + at, zeros, n) != 0 && !blocks_write(b, at, image + at, n))
            return false;
    }
    return true;
}

bool disk_open(struct disk *d, const void *image, uint64_t bytes, uint64_t sectors) {
    if (sectors > UINT64_MAX / DISK_SECTOR || bytes > sectors * DISK_SECTOR)
        return false;
    *d = (struct disk){.sectors = sectors};
    blocks_init(&d->durable, sectors * DISK_SECTOR);
    if (!fill(&d->durable, image, bytes)) {
        disk_close(d);
        return false;
    }
    blocks_copy(&d->now, &d->durable);
    return true;
}

/* Removes the oldest sectors of the cache. */
static void forget(struct disk *d, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (--d->cache[i]->holders == 0)
            free(d->cache[i]);
    d->cached -= n;
    if (n && d->cached)
        memmove(d->cache, d->cache + n, d->cached * sizeof(struct cached_sector *));
}

void disk_close(struct disk *d) {
    forget(d, d->cached);
    free(d->cache);
    blocks_drop(&d->now);
    blocks_drop(&d->durable);
    *d = (struct disk){0};
}

bool disk_copy(struct disk *dst, const struct disk *src) {
    struct cached_sector **cache = NULL;
    if (dst == src)
        return true;
    if (src->cached && !(cache = malloc(src->cached * sizeof(struct cached_sector *))))
        return false;
    disk_close(dst);
    *dst = *src;
    dst->now = dst->durable = (struct blocks){0};
    blocks_copy(&dst->now, &src->now);
    blocks_copy(&dst->durable, &src->durable);
    for (uint32_t i = 0; i < src->cached; i++) {
        cache[i] = src->cache[i];
        cache[i]->holders++;
    }
    dst->cache = cache;
    dst->cache_room = src->cached;
    return true;
}

static bool must_fail(const struct disk *d, enum disk_op op, uint64_t first, uint64_t count) {
    if (d->requests == d->fail_request)
        return true;
    if (op == DISK_FLUSH)
        return false;
    if (first > d->sectors || count > d->sectors - first)
        return true;
    bool touches = first < d->fail_to && first + count > d->fail_from;
    return touches && (op == DISK_READ ? d->fail_reads : d->fail_writes);
}

bool disk_request(struct disk *d, enum disk_op op, uint64_t first, uint64_t count) {
    d->requests++;
    d->reads += op == DISK_READ;
    d->writes += op == DISK_WRITE;
    d->flushes += op == DISK_FLUSH;
    bool fails = must_fail(d, op, first, count);
    d->failed += fails;
    return !fails;
}

void disk_get(const struct disk *d, uint64_t sector, uint8_t to[DISK_SECTOR]) {
    blocks_read(&d->now, sector * DISK_SECTOR, to, DISK_SECTOR);
}

/* Makes the oldest sectors of the cache durable, or those of them that are chosen. */
static bool settle(struct disk *d, uint32_t n, const bool *chosen) {
    for (uint32_t i = 0; i < n; i++) {
        const struct cached_sector *s = d->cache[i];
        if ((!chosen || chosen[i]) &&
            !blocks_write(&d->durable, s->sector * DISK_SECTOR, s->bytes, DISK_SECTOR))
            return false;
    }
    forget(d, n);
    return true;
}

bool disk_flush(struct disk *d, uint64_t written) {
    if (written < d->written) {
        uint64_t newer = d->written - written;
        return newer >= d->cached || settle(d, d->cached - (uint32_t)newer, NULL);
    }
    blocks_copy(&d->durable, &d->now);
    forget(d, d->cached);
    return true;
}

/* Makes room for one more in the cache. */
static bool reserve(struct disk *d) {
    if (d->cached == DISK_CACHE_SECTORS)
        return settle(d, DISK_CACHE_SECTORS / 2, NULL);
    if (d->cached < d->cache_room)
        return true;
    uint32_t room = d->cache_room ? d->cache_room * 2 : 64;
    struct cached_sector **cache = realloc(d->cache, room * sizeof(struct cached_sector *));
    if (!cache)
        return false;
    d->cache = cache;
    d->cache_room = room;
    return true;
}

static bool put_cached(struct disk *d, uint64_t sector, const uint8_t from[DISK_SECTOR]) {
    struct cached_sector *s;
    if (!reserve(d) || !(s = malloc(sizeof(*s))))
        return false;
    if (!blocks_write(&d->now, sector * DISK_SECTOR, from, DISK_SECTOR)) {
        free(s);
        return false;
    }
    *s = (struct cached_sector){.holders = 1, .request = d->requests, .sector = sector};
    memcpy(s->bytes, from, DISK_SECTOR);
    d->cache[d->cached++] = s;
    d->written++;
    return true;
}

bool disk_put(struct disk *d, uint64_t sector, const uint8_t from[DISK_SECTOR], bool durable) {
    if (!durable)
        return put_cached(d, sector, from);
    return blocks_write(&d->now, sector * DISK_SECTOR, from, DISK_SECTOR) &&
           disk_flush(d, UINT64_MAX);
}

static void choose_in_order(const struct disk *d, uint64_t *seed, bool *chosen) {
    uint64_t end = draw_below(seed, (uint64_t)d->cached + 1);
    for (uint32_t i = 0; i < d->cached; i++)
        if (end == d->cached || d->cache[i]->request < d->cache[end]->request)
            chosen[i] = true;
        else if (d->cache[i]->request == d->cache[end]->request)
            chosen[i] = draw(seed) & 1;
}

static void choose_any(const struct disk *d, uint64_t *seed, bool *chosen) {
    uint64_t of_8 = draw_below(seed, 9);
    for (uint32_t i = 0; i < d->cached; i++)
        chosen[i] = draw_below(seed, 8) < of_8;
}

bool disk_cut(struct disk *d, uint64_t seed) {
    if (d->cached == 0)
        return true;
    bool *chosen = calloc(d->cached, sizeof(*chosen));
    if (!chosen)
        return false;
    if (draw(&seed) & 1)
        choose_in_order(d, &seed, chosen);
    else
        choose_any(d, &seed, chosen);
    bool settled = settle(d, d->cached, chosen);
    free(chosen);
    blocks_copy(&d->now, &d->durable);
    return settled;
}

bool disk_peek(const struct disk *d, uint64_t at, void *to, uint64_t bytes) {
    uint64_t size = d->sectors * DISK_SECTOR;
    if (at > size || bytes > size - at)
        return false;
    for (uint8_t *p = to; bytes;) {
        size_t n = (size_t)min(bytes, BLOCK_BYTES - at % BLOCK_BYTES);
        blocks_read(&d->now, at, p, n);
        p += n;
        at += n;
        bytes -= n;
    }
    return true;
}
