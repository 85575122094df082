/* The flattened device tree (Devicetree Specification 0.4, chapter 5).
 *
 * The structure block is a sequence of tokens of 32-bit big-endian words. Every
 * access goes through token_at or the checks of fdt_init, and every walk moves
 * forward, so no content can lead it out of the blob or round in circles. */
#include "dev/fdt.h"
#include "lib/errno.h"
#include "lib/string.h"

#define FDT_MAGIC 0xd00dfeed
#define FDT_VERSION 17
#define MAX_DEPTH 32

/* 5.2: the header, by word. */
enum {
    H_MAGIC,
    H_TOTALSIZE,
    H_OFF_STRUCT,
    H_OFF_STRINGS,
    H_OFF_RESERVATIONS,
    H_VERSION,
    H_LAST_COMPATIBLE,
    H_SIZE_STRINGS = 8,
    H_SIZE_STRUCT,
    H_WORDS
};

/* 5.4.1 */
enum { T_BEGIN_NODE = 1, T_END_NODE, T_PROP, T_NOP, T_END = 9 };

static struct {
    const uint8_t *blob;
    uint32_t size;
    const uint8_t *structure;
    uint32_t structure_size;
    const char *strings;
    uint32_t strings_size;
    uint32_t reservations; /* offset in the blob */
} tree;

struct token {
    uint32_t kind;
    uint32_t at, next;   /* its offset and that of what follows */
    const char *name;    /* of a node or property */
    const uint8_t *data; /* of a property */
    uint32_t length;
};

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be64(const uint8_t *p) { return (uint64_t)be32(p) << 32 | be32(p + 4); }

static bool inside(uint64_t offset, uint64_t size, uint64_t total) {
    return offset <= total && size <= total - offset;
}

int fdt_init(const void *p, size_t max) {
    const uint8_t *blob = p;
    if (!blob || max < H_WORDS * 4)
        return -K_EINVAL;
    uint32_t h[H_WORDS];
    for (int i = 0; i < H_WORDS; i++)
        h[i] = be32(blob + 4 * i);
    uint32_t size = h[H_TOTALSIZE];
    if (h[H_MAGIC] != FDT_MAGIC || h[H_VERSION] < FDT_VERSION ||
        h[H_LAST_COMPATIBLE] > FDT_VERSION || size > max || size > INT32_MAX ||
        size < H_WORDS * 4 || !inside(h[H_OFF_STRUCT], h[H_SIZE_STRUCT], size) ||
        !inside(h[H_OFF_STRINGS], h[H_SIZE_STRINGS], size) ||
        !inside(h[H_OFF_RESERVATIONS], 0, size))
        return -K_EINVAL;
    tree.blob = blob;
    tree.size = size;
    tree.structure = blob + h[H_OFF_STRUCT];
    tree.structure_size = h[H_SIZE_STRUCT];
    tree.strings = (const char *)blob + h[H_OFF_STRINGS];
    tree.strings_size = h[H_SIZE_STRINGS];
    tree.reservations = h[H_OFF_RESERVATIONS];
    return 0;
}

uint32_t fdt_size(void) { return tree.size; }

/* The string at s, which must end before max bytes are over; else NULL. */
static const char *bounded_string(const char *s, uint64_t max) {
    return strnlen(s, max) < max ? s : NULL;
}

static bool read_begin_node(struct token *t) {
    uint32_t start = t->at + 4;
    t->name = bounded_string((const char *)tree.structure + start, tree.structure_size - start);
    if (!t->name)
        return false;
    t->next = (uint32_t)ROUND_UP(start + strlen(t->name) + 1, 4);
    return true;
}

static bool read_property(struct token *t) {
    uint32_t start = t->at + 4;
    if (!inside(start, 8, tree.structure_size))
        return false;
    t->length = be32(tree.structure + start);
    uint32_t name = be32(tree.structure + start + 4);
    if (!inside(start + 8, t->length, tree.structure_size) || name >= tree.strings_size)
        return false;
    t->data = tree.structure + start + 8;
    t->name = bounded_string(tree.strings + name, tree.strings_size - name);
    t->next = (uint32_t)ROUND_UP(start + 8 + t->length, 4);
    return t->name;
}

/* Reads the token at this offset, or behind NOPs there. False at the end of the
 * tree and where it is damaged. */
static bool token_at(uint32_t offset, struct token *t) {
    for (; inside(offset, 4, tree.structure_size); offset += 4) {
        t->kind = be32(tree.structure + offset);
        t->at = offset;
        t->next = offset + 4;
        switch (t->kind) {
        case T_NOP: continue;
        case T_BEGIN_NODE: return read_begin_node(t);
        case T_PROP: return read_property(t);
        case T_END_NODE: return true;
        default: return false;
        }
    }
    return false;
}

static bool node_begin(fdt_node node, struct token *t) {
    return node >= 0 && token_at((uint32_t)node, t) && t->kind == T_BEGIN_NODE;
}

fdt_node fdt_child(fdt_node parent) {
    struct token t;
    if (!node_begin(parent, &t))
        return FDT_NONE;
    while (token_at(t.next, &t))
        if (t.kind != T_PROP)
            return t.kind == T_BEGIN_NODE ? (fdt_node)t.at : FDT_NONE;
    return FDT_NONE;
}

fdt_node fdt_sibling(fdt_node node) {
    struct token t;
    if (!node_begin(node, &t))
        return FDT_NONE;
    uint32_t depth = 1; /* nodes that are open, from this one on */
    while (token_at(t.next, &t)) {
        if (t.kind == T_BEGIN_NODE) {
            if (depth == 0)
                return (fdt_node)t.at;
            depth++;
        } else if (t.kind == T_END_NODE) {
            if (depth == 0)
                return FDT_NONE;
            depth--;
        }
    }
    return FDT_NONE;
}

static const char *name_of(fdt_node node) {
    struct token t;
    return node_begin(node, &t) ? t.name : "";
}

/* Whether a node of this name is meant by the first n bytes of a path. */
static bool name_matches(const char *name, const char *component, size_t n) {
    if (strncmp(name, component, n) != 0)
        return false;
    return name[n] == '\0' || name[n] == '@';
}

fdt_node fdt_path(const char *path) {
    fdt_node node = 0;
    struct token t;
    if (*path != '/' || !node_begin(node, &t))
        return FDT_NONE;
    for (;;) {
        while (*path == '/')
            path++;
        if (!*path)
            return node;
        const char *end = strchr(path, '/');
        size_t n = end ? (size_t)(end - path) : strlen(path);
        for (node = fdt_child(node); node != FDT_NONE; node = fdt_sibling(node))
            if (name_matches(name_of(node), path, n))
                break;
        if (node == FDT_NONE)
            return FDT_NONE;
        path += n;
    }
}

const void *fdt_prop(fdt_node node, const char *name, uint32_t *len) {
    struct token t;
    if (!node_begin(node, &t))
        return NULL;
    while (token_at(t.next, &t) && t.kind == T_PROP)
        if (strcmp(t.name, name) == 0) {
            if (len)
                *len = t.length;
            return t.data;
        }
    return NULL;
}

const char *fdt_string(fdt_node node, const char *name) {
    uint32_t len;
    const char *s = fdt_prop(node, name, &len);
    return s ? bounded_string(s, len) : NULL;
}

int fdt_cell(fdt_node node, const char *name, uint32_t i, uint32_t *out) {
    uint32_t len;
    const uint8_t *cells = fdt_prop(node, name, &len);
    if (!cells || i >= len / 4)
        return -K_ENOENT;
    *out = be32(cells + 4 * (uint64_t)i);
    return 0;
}

static bool is_compatible(fdt_node node, const char *compatible) {
    uint32_t len;
    const char *list = fdt_prop(node, "compatible", &len);
    while (list && len > 0) {
        size_t n = strnlen(list, len);
        if (n == len)
            return false;
        if (strcmp(list, compatible) == 0)
            return true;
        list += n + 1;
        len -= (uint32_t)n + 1;
    }
    return false;
}

static bool is_enabled(fdt_node node) {
    if (!fdt_prop(node, "status", NULL))
        return true;
    const char *status = fdt_string(node, "status");
    return status && (strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0);
}

fdt_node fdt_next_compatible(fdt_node prev, const char *compatible) {
    struct token t = {.next = 0};
    if (prev != FDT_NONE && !node_begin(prev, &t))
        return FDT_NONE;
    while (token_at(t.next, &t))
        if (t.kind == T_BEGIN_NODE && is_compatible((fdt_node)t.at, compatible) &&
            is_enabled((fdt_node)t.at))
            return (fdt_node)t.at;
    return FDT_NONE;
}

fdt_node fdt_parent(fdt_node node) {
    fdt_node open[MAX_DEPTH];
    uint32_t depth = 0;
    struct token t = {.next = 0};
    while (token_at(t.next, &t)) {
        if (t.kind == T_BEGIN_NODE) {
            if ((fdt_node)t.at == node)
                return depth > 0 ? open[depth - 1] : FDT_NONE;
            if (depth == MAX_DEPTH)
                return FDT_NONE;
            open[depth++] = (fdt_node)t.at;
        } else if (t.kind == T_END_NODE) {
            if (depth == 0)
                return FDT_NONE;
            depth--;
        }
    }
    return FDT_NONE;
}

/* A number of n cells, 0 to 2. */
static uint64_t read_cells(const uint8_t *p, uint32_t n) {
    return n == 0 ? 0 : n == 1 ? be32(p) : be64(p);
}

int fdt_number(fdt_node node, const char *name, uint64_t *out) {
    uint32_t len;
    const uint8_t *cells = fdt_prop(node, name, &len);
    if (!cells || (len != 4 && len != 8))
        return -K_ENOENT;
    *out = read_cells(cells, len / 4);
    return 0;
}

int fdt_reg(fdt_node node, uint32_t i, struct fdt_reg *out) {
    fdt_node parent = fdt_parent(node);
    uint32_t address_cells, size_cells;
    if (fdt_cell(parent, "#address-cells", 0, &address_cells))
        address_cells = 2; /* 2.3.5: the defaults */
    if (fdt_cell(parent, "#size-cells", 0, &size_cells))
        size_cells = 1;
    if (address_cells < 1 || address_cells > 2 || size_cells > 2)
        return -K_ENOENT;
    uint32_t entry = 4 * (address_cells + size_cells);
    uint32_t len;
    const uint8_t *reg = fdt_prop(node, "reg", &len);
    if (!reg || i >= len / entry)
        return -K_ENOENT;
    reg += (uint64_t)i * entry;
    out->start = read_cells(reg, address_cells);
    out->size = read_cells(reg + 4 * address_cells, size_cells);
    return 0;
}

int fdt_reservation(uint32_t i, struct fdt_reg *out) {
    uint64_t offset = tree.reservations;
    for (uint32_t n = 0; inside(offset, 16, tree.size); n++, offset += 16) {
        struct fdt_reg r = {be64(tree.blob + offset), be64(tree.blob + offset + 8)};
        if (r.start == 0 && r.size == 0)
            break;
        if (n == i) {
            *out = r;
            return 0;
        }
    }
    return -K_ENOENT;
}
