/* Reads numbers and strings out of bytes that nobody has checked. What would pass the end reads as
 * zero, moves nothing, and leaves `bad` set: so a caller may look once, after many reads. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const uint8_t *at;
    uint64_t left;
    bool bad;
};

static inline struct reader reader_of(const uint8_t *bytes, uint64_t size) {
    return (struct reader){.at = bytes, .left = size};
}

static inline bool reader_skip(struct reader *r, uint64_t count) {
    if (r->bad || count > r->left) {
        r->bad = true;
        return false;
    }
    if (count) { /* at may be NULL */
        r->at += count;
        r->left -= count;
    }
    return true;
}

/* The next `count` bytes as a reader of their own; a bad one when there are fewer. */
static inline struct reader reader_part(struct reader *r, uint64_t count) {
    const uint8_t *start = r->at;
    return reader_skip(r, count) ? reader_of(start, count) : (struct reader){.bad = true};
}

/* A little-endian number of 1 to 8 bytes. */
static inline uint64_t reader_number(struct reader *r, unsigned bytes) {
    const uint8_t *start = r->at;
    if (!reader_skip(r, bytes))
        return 0;
    uint64_t v = 0;
    for (unsigned i = bytes; i-- > 0;)
        v = v << 8 | start[i];
    return v;
}

static inline uint8_t reader_u8(struct reader *r) { return (uint8_t)reader_number(r, 1); }
static inline uint16_t reader_u16(struct reader *r) { return (uint16_t)reader_number(r, 2); }
static inline uint32_t reader_u32(struct reader *r) { return (uint32_t)reader_number(r, 4); }
static inline uint64_t reader_u64(struct reader *r) { return reader_number(r, 8); }

/* LEB128 numbers (DWARF 5, 7.6), modulo 2^64. */
static inline uint64_t reader_leb(struct reader *r, unsigned *bits, bool *negative) {
    uint64_t v = 0;
    uint8_t byte = 0x80;
    for (*bits = 0; byte & 0x80 && !r->bad; *bits += *bits < 64 ? 7 : 0) {
        byte = reader_u8(r);
        if (*bits < 64)
            v |= (uint64_t)(byte & 0x7f) << *bits;
    }
    *negative = byte & 0x40;
    return r->bad ? 0 : v;
}

static inline uint64_t reader_uleb(struct reader *r) {
    unsigned bits;
    bool negative;
    return reader_leb(r, &bits, &negative);
}

static inline int64_t reader_sleb(struct reader *r) {
    unsigned bits;
    bool negative;
    uint64_t v = reader_leb(r, &bits, &negative);
    return (int64_t)(negative && bits < 64 ? v | ~0ull << bits : v);
}

/* A string with its end, which stays where it is; "" when no end comes. */
static inline const char *reader_string(struct reader *r) {
    const uint8_t *start = r->at;
    const uint8_t *end = r->bad || r->left == 0 ? NULL : memchr(start, 0, (size_t)r->left);
    if (!end) {
        r->bad = true;
        return "";
    }
    reader_skip(r, (uint64_t)(end - start) + 1);
    return (const char *)start;
}
