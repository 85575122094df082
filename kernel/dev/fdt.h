/* The flattened device tree (Devicetree Specification 0.4, chapter 5): where
 * the machine's memory, harts and devices are. Read only, in place; every offset
 * is checked, so that a damaged blob gives errors and no stray access. */
#pragma once
#include "lib/types.h"

/* A node: its offset in the structure block. 0 is the root, negative: none. */
typedef int32_t fdt_node;
#define FDT_NONE (-1)

struct fdt_reg {
    uint64_t start, size;
};

/* Takes the blob at p, of at most max bytes. -K_EINVAL: not a device tree that
 * we can read (magic, version 17 compatible, blocks inside totalsize). */
int fdt_init(const void *p, size_t max) must_check;
uint32_t fdt_size(void); /* totalsize, in bytes */

/* Walk: the first child, the next sibling, the node by path ("/cpus"), each
 * FDT_NONE when there is none. A name in a path matches with or without its
 * unit address. */
fdt_node fdt_child(fdt_node parent);
fdt_node fdt_sibling(fdt_node node);
fdt_node fdt_path(const char *path);
/* The node around this one; FDT_NONE for the root, and 32 levels below it. */
fdt_node fdt_parent(fdt_node node);

/* The next node after prev (FDT_NONE: from the start), at any depth, whose
 * "compatible" list has this string and whose "status" is absent, "ok" or
 * "okay". */
fdt_node fdt_next_compatible(fdt_node prev, const char *compatible);

/* A property's bytes, or NULL. */
const void *fdt_prop(fdt_node node, const char *name, uint32_t *len);
/* A property that is one terminated string; NULL when absent or not terminated. */
const char *fdt_string(fdt_node node, const char *name);
/* Cell i of a property of 32-bit cells. -K_ENOENT: no such property or cell. */
int fdt_cell(fdt_node node, const char *name, uint32_t i, uint32_t *out) must_check;
/* A property that is a number of one or two cells. -K_ENOENT: none. */
int fdt_number(fdt_node node, const char *name, uint64_t *out) must_check;
/* Entry i of "reg", with the parent's #address-cells and #size-cells; "ranges"
 * on the way up are taken as identity. -K_ENOENT: no such entry. */
int fdt_reg(fdt_node node, uint32_t i, struct fdt_reg *out) must_check;
/* Entry i of the memory reservation block (5.3). -K_ENOENT: past the end. */
int fdt_reservation(uint32_t i, struct fdt_reg *out) must_check;
