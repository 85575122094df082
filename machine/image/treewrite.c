/* Writes flattened device trees: see treewrite.h. */
#include "machine/image/treewrite.h"
#include <stdio.h>
#include <string.h>

#define FDT_MAGIC 0xd00dfeed
#define FDT_VERSION 17
#define FDT_OLDEST_READER 16
#define HEADER_BYTES 40
#define RESERVATIONS_BYTES 16 /* the entry that ends them */

enum { FDT_BEGIN_NODE = 1, FDT_END_NODE = 2, FDT_PROP = 3, FDT_END = 9 };

static void store(uint8_t *at, uint32_t v) {
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Bytes of the structure block, padded to whole words. */
static void put(struct tree *t, const void *bytes, size_t count) {
    size_t padded = (count + 3) & ~(size_t)3;
    if (t->full || padded < count || padded > t->strings - t->at) {
        t->full = true;
        return;
    }
    memset(t->out + t->at, 0, padded);
    if (count)
        memcpy(t->out + t->at, bytes, count);
    t->at += padded;
}

static void put_word(struct tree *t, uint32_t v) {
    uint8_t word[4];
    store(word, v);
    put(t, word, sizeof(word));
}

/* Where a name is, counted back from the end of the strings: the only offset that does not change
 * when more of them come. */
static uint32_t put_name(struct tree *t, const char *name) {
    size_t bytes = strlen(name) + 1;
    for (size_t at = t->strings; at < t->end; at += strlen((char *)t->out + at) + 1) {
        if (strcmp((char *)t->out + at, name) == 0)
            return (uint32_t)(t->end - at);
    }
    if (t->full || bytes > t->strings - t->at) {
        t->full = true;
        return 0;
    }
    t->strings -= bytes;
    memcpy(t->out + t->strings, name, bytes);
    return (uint32_t)(t->end - t->strings);
}

void tree_start(struct tree *t, uint8_t *out, size_t room) {
    *t = (struct tree){.out = out, .strings = room, .end = room};
    t->at = HEADER_BYTES + RESERVATIONS_BYTES;
    t->full = room < t->at || room > UINT32_MAX;
    if (!t->full)
        memset(out, 0, t->at);
}

/* Makes the offsets of names count from the start of the strings. */
static void settle_names(struct tree *t, uint32_t strings_bytes) {
    size_t at = HEADER_BYTES + RESERVATIONS_BYTES;
    while (at < t->at) {
        uint8_t *token = t->out + at;
        at += 4;
        if (token[3] == FDT_BEGIN_NODE) {
            at += (strlen((char *)token + 4) + 4) & ~(size_t)3;
        } else if (token[3] == FDT_PROP) {
            uint32_t bytes = 0, name = 0;
            for (unsigned i = 0; i < 4; i++) {
                bytes = bytes << 8 | token[4 + i];
                name = name << 8 | token[8 + i];
            }
            store(token + 8, strings_bytes - name);
            at += 8 + (((size_t)bytes + 3) & ~(size_t)3);
        }
    }
}

int64_t tree_finish(struct tree *t) {
    put_word(t, FDT_END);
    size_t strings_bytes = t->end - t->strings;
    size_t total = (t->at + strings_bytes + 7) & ~(size_t)7;
    if (t->full || total > t->end)
        return -1;
    settle_names(t, (uint32_t)strings_bytes);
    memmove(t->out + t->at, t->out + t->strings, strings_bytes);
    memset(t->out + t->at + strings_bytes, 0, total - t->at - strings_bytes);
    size_t structure = HEADER_BYTES + RESERVATIONS_BYTES;
    const uint32_t header[HEADER_BYTES / 4] = {
        FDT_MAGIC,
        (uint32_t)total,
        (uint32_t)structure,
        (uint32_t)t->at,
        HEADER_BYTES, /* where the reservations are */
        FDT_VERSION,
        FDT_OLDEST_READER,
        0, /* the hart that boots */
        (uint32_t)strings_bytes,
        (uint32_t)(t->at - structure),
    };
    for (unsigned i = 0; i < HEADER_BYTES / 4; i++)
        store(t->out + 4 * i, header[i]);
    return (int64_t)total;
}

void tree_begin(struct tree *t, const char *node) {
    put_word(t, FDT_BEGIN_NODE);
    put(t, node, strlen(node) + 1);
}

void tree_begin_at(struct tree *t, const char *node, uint64_t unit) {
    char name[48];
    snprintf(name, sizeof(name), "%s@%llx", node, (unsigned long long)unit);
    tree_begin(t, name);
}

void tree_end(struct tree *t) { put_word(t, FDT_END_NODE); }

void tree_bytes(struct tree *t, const char *name, const void *bytes, size_t count) {
    uint32_t at = put_name(t, name);
    put_word(t, FDT_PROP);
    put_word(t, (uint32_t)count);
    put_word(t, at);
    put(t, bytes, count);
}

void tree_empty(struct tree *t, const char *name) { tree_bytes(t, name, NULL, 0); }

void tree_string(struct tree *t, const char *name, const char *value) {
    tree_bytes(t, name, value, strlen(value) + 1);
}

void tree_cells(struct tree *t, const char *name, const uint32_t *cells, unsigned count) {
    uint32_t at = put_name(t, name);
    put_word(t, FDT_PROP);
    put_word(t, 4 * count);
    put_word(t, at);
    for (unsigned i = 0; i < count; i++)
        put_word(t, cells[i]);
}

void tree_cell(struct tree *t, const char *name, uint32_t cell) { tree_cells(t, name, &cell, 1); }

void tree_number(struct tree *t, const char *name, uint64_t number) {
    const uint32_t cells[] = {(uint32_t)(number >> 32), (uint32_t)number};
    tree_cells(t, name, cells, 2);
}

void tree_numbers(struct tree *t, const char *name, uint64_t first, uint64_t second) {
    const uint32_t cells[] = {(uint32_t)(first >> 32), (uint32_t)first, (uint32_t)(second >> 32),
                              (uint32_t)second};
    tree_cells(t, name, cells, 4);
}
