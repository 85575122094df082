/* Disk images for tests: see fsimage.h. */
#include "fsimage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BS FS_BLOCK_SIZE

static const struct fs_superblock *super_of(const uint8_t *data) {
    return (const struct fs_superblock *)(data + BS);
}

struct fs_dinode *fsimage_inode(const uint8_t *data, uint32_t inum) {
    return (struct fs_dinode *)(data + (uint64_t)super_of(data)->inodestart * BS) + inum;
}

static bool bit(const uint8_t *data, uint32_t block) {
    return data[(uint64_t)super_of(data)->bmapstart * BS + block / 8] >> block % 8 & 1;
}

static uint32_t first_data(const uint8_t *data) {
    return super_of(data)->size - super_of(data)->nblocks;
}

uint8_t *fsimage_block(const uint8_t *data, const struct fs_dinode *d, uint32_t i) {
    uint32_t block = 0;
    if (i < FS_NDIRECT)
        block = d->addrs[i];
    else if (d->addrs[FS_NDIRECT] != 0)
        block = ((const uint32_t *)(data + (uint64_t)d->addrs[FS_NDIRECT] * BS))[i - FS_NDIRECT];
    return block == 0 ? NULL : (uint8_t *)data + (uint64_t)block * BS;
}

/* ---- making ---- */

struct fsimage fsimage_make(uint32_t size, uint32_t nlog, uint32_t ninodes) {
    uint32_t inode_blocks = ninodes / 16 + 1, bitmap_blocks = size / (BS * 8) + 1;
    uint32_t meta = 2 + nlog + inode_blocks + bitmap_blocks;
    struct fsimage im = {.data = calloc(size, BS), .bytes = (uint64_t)size * BS};
    im.sb = (struct fs_superblock *)(im.data + BS);
    *im.sb = (struct fs_superblock){FS_MAGIC, size, size - meta, ninodes,
                                    nlog,     2,    2 + nlog,    2 + nlog + inode_blocks};
    struct fs_dinode *root = fsimage_inode(im.data, FS_ROOT_INODE);
    *root = (struct fs_dinode){.type = ABI_T_DIR, .nlink = 1, .size = BS, .addrs = {meta}};
    struct fs_dirent *entries = (struct fs_dirent *)(im.data + (uint64_t)meta * BS);
    entries[0] = (struct fs_dirent){FS_ROOT_INODE, "."};
    entries[1] = (struct fs_dirent){FS_ROOT_INODE, ".."};
    for (uint32_t block = 0; block <= meta; block++)
        im.data[(uint64_t)im.sb->bmapstart * BS + block / 8] |= 1 << block % 8;
    return im;
}

void fsimage_free(struct fsimage *im) {
    free(im->data);
    im->data = NULL;
}

/* ---- checking ---- */

struct check {
    const uint8_t *data;
    const struct fs_superblock *sb;
    uint8_t *used;      /* blocks: how often referred to */
    uint32_t *links;    /* inodes: entries that name them, but for "." and ".." */
    uint32_t *children; /* directories: directories in them */
    uint32_t *parent;   /* directories */
    char complaint[200];
};

#define COMPLAIN(c, ...) (snprintf((c)->complaint, sizeof(c)->complaint, __VA_ARGS__), false)

static bool use_block(struct check *c, uint32_t inum, uint32_t block) {
    if (block < first_data(c->data) || block >= c->sb->size)
        return COMPLAIN(c, "inode %u has block %u, which is no data block", inum, block);
    if (c->used[block]++)
        return COMPLAIN(c, "block %u is used twice, by inode %u too", block, inum);
    if (!bit(c->data, block))
        return COMPLAIN(c, "block %u of inode %u is free in the bitmap", block, inum);
    return true;
}

static bool check_blocks(struct check *c, uint32_t inum) {
    const struct fs_dinode *d = fsimage_inode(c->data, inum);
    if (d->size > FS_MAX_FILE_BLOCKS * BS)
        return COMPLAIN(c, "inode %u has size %u", inum, d->size);
    for (uint32_t i = 0; i <= FS_NDIRECT; i++)
        if (d->addrs[i] != 0 && !use_block(c, inum, d->addrs[i]))
            return false;
    for (uint32_t i = 0; i < FS_MAX_FILE_BLOCKS; i++) {
        uint8_t *b = fsimage_block(c->data, d, i);
        if (b && i >= FS_NDIRECT && !use_block(c, inum, (uint32_t)((b - c->data) / BS)))
            return false;
        if ((b != NULL) != (i < (d->size + BS - 1) / BS))
            return COMPLAIN(c, "inode %u of size %u: block %u is %s", inum, d->size, i,
                            b ? "behind the end" : "a hole");
    }
    return true;
}

static const struct fs_dirent *entry(const struct check *c, const struct fs_dinode *d, uint32_t k) {
    return (const struct fs_dirent *)fsimage_block(c->data, d, k / 64) + k % 64;
}

static bool check_entry(struct check *c, uint32_t inum, const struct fs_dirent *e, uint32_t k) {
    static const char zeros[ABI_DIRSIZ];
    size_t len = strnlen(e->name, ABI_DIRSIZ);
    if (memcmp(e->name + len, zeros, ABI_DIRSIZ - len) != 0)
        return COMPLAIN(c, "directory %u entry %u: the name is not padded", inum, k);
    if (e->inum >= c->sb->ninodes || fsimage_inode(c->data, e->inum)->type == 0)
        return COMPLAIN(c, "directory %u names free inode %u", inum, e->inum);
    if (k == 0 && (strcmp(e->name, ".") != 0 || e->inum != inum))
        return COMPLAIN(c, "directory %u: no \".\"", inum);
    if (k == 1 && strcmp(e->name, "..") != 0)
        return COMPLAIN(c, "directory %u: no \"..\"", inum);
    if (k == 1)
        c->parent[inum] = e->inum;
    if (k < 2)
        return true;
    if (len == 0)
        return COMPLAIN(c, "directory %u entry %u: no name", inum, k);
    c->links[e->inum]++;
    if (fsimage_inode(c->data, e->inum)->type == ABI_T_DIR)
        c->children[inum]++;
    return true;
}

static bool check_directory(struct check *c, uint32_t inum) {
    const struct fs_dinode *d = fsimage_inode(c->data, inum);
    if (d->size % 16 != 0 || d->size < 32)
        return COMPLAIN(c, "directory %u has size %u", inum, d->size);
    for (uint32_t k = 0; k < d->size / 16; k++) {
        const struct fs_dirent *e = entry(c, d, k);
        if (e->inum != 0 && !check_entry(c, inum, e, k))
            return false;
        for (uint32_t other = 0; e->inum != 0 && other < k; other++) {
            const struct fs_dirent *o = entry(c, d, other);
            if (o->inum != 0 && strncmp(o->name, e->name, ABI_DIRSIZ) == 0)
                return COMPLAIN(c, "directory %u has %.14s twice", inum, e->name);
        }
    }
    return true;
}

static bool check_links(struct check *c, uint32_t inum) {
    const struct fs_dinode *d = fsimage_inode(c->data, inum);
    uint32_t expected = c->links[inum];
    if (d->type == ABI_T_DIR) {
        if (c->links[inum] != (inum != FS_ROOT_INODE))
            return COMPLAIN(c, "directory %u is in %u directories", inum, c->links[inum]);
        expected = 1 + c->children[inum];
        /* Up to the root: no rings, and each parent names us (counted above). */
        uint32_t at = inum, steps = 0;
        for (; at != FS_ROOT_INODE && steps < c->sb->ninodes; steps++)
            at = c->parent[at];
        if (at != FS_ROOT_INODE)
            return COMPLAIN(c, "directory %u does not hang on the root", inum);
    }
    if (expected == 0)
        return COMPLAIN(c, "inode %u has no name", inum);
    if (d->nlink < 0 || (uint32_t)d->nlink != expected)
        return COMPLAIN(c, "inode %u has %d links, not %u", inum, d->nlink, expected);
    return true;
}

static bool check_parents(struct check *c, uint32_t inum) {
    const struct fs_dinode *d = fsimage_inode(c->data, inum);
    for (uint32_t k = 2; k < d->size / 16; k++) {
        const struct fs_dirent *e = entry(c, d, k);
        if (e->inum != 0 && fsimage_inode(c->data, e->inum)->type == ABI_T_DIR &&
            c->parent[e->inum] != inum)
            return COMPLAIN(c, "\"..\" of directory %u is not %u", e->inum, inum);
    }
    return true;
}

static bool check_all(struct check *c) {
    const struct fs_superblock *sb = c->sb;
    if (*(const int32_t *)(c->data + (uint64_t)sb->logstart * BS) != 0)
        return COMPLAIN(c, "the log is not empty");
    for (uint32_t inum = 1; inum < sb->ninodes; inum++) {
        const struct fs_dinode *d = fsimage_inode(c->data, inum);
        if (d->type < 0 || d->type > ABI_T_DEVICE)
            return COMPLAIN(c, "inode %u has type %d", inum, d->type);
        if (d->type != 0 && !check_blocks(c, inum))
            return false;
    }
    for (uint32_t inum = 1; inum < sb->ninodes; inum++)
        if (fsimage_inode(c->data, inum)->type == ABI_T_DIR && !check_directory(c, inum))
            return false;
    for (uint32_t inum = 1; inum < sb->ninodes; inum++) {
        int16_t type = fsimage_inode(c->data, inum)->type;
        if ((type == ABI_T_DIR && !check_parents(c, inum)) || (type != 0 && !check_links(c, inum)))
            return false;
    }
    for (uint32_t block = 0; block < sb->size; block++)
        if (bit(c->data, block) != (block < first_data(c->data) || c->used[block]))
            return COMPLAIN(c, "block %u: the bitmap says %d", block, bit(c->data, block));
    return true;
}

const char *fsimage_complaint(const uint8_t *data, uint64_t bytes) {
    static char text[200];
    const struct fs_superblock *sb = super_of(data);
    if (sb->magic != FS_MAGIC || (uint64_t)sb->size * BS > bytes)
        return "the super block is damaged";
    struct check c = {.data = data, .sb = sb};
    c.used = calloc(sb->size, 1);
    c.links = calloc(sb->ninodes, sizeof(uint32_t));
    c.children = calloc(sb->ninodes, sizeof(uint32_t));
    c.parent = calloc(sb->ninodes, sizeof(uint32_t));
    bool ok = check_all(&c);
    free(c.used);
    free(c.links);
    free(c.children);
    free(c.parent);
    memcpy(text, c.complaint, sizeof text);
    return ok ? NULL : text;
}

/* ---- looking ---- */

static uint64_t mix(uint64_t h, const void *p, size_t n) {
    const uint8_t *b = p;
    while (n-- > 0)
        h = (h ^ *b++) * 0x100000001b3ULL;
    return h;
}

static uint64_t digest(const uint8_t *data, uint32_t inum) {
    const struct fs_dinode *d = fsimage_inode(data, inum);
    uint64_t h = mix(0xcbf29ce484222325ULL, &d->type, 8);
    if (d->type != ABI_T_DIR) {
        h = mix(h, &d->size, sizeof d->size);
        for (uint32_t at = 0; at < d->size; at += BS)
            h = mix(h, fsimage_block(data, d, at / BS), d->size - at < BS ? d->size - at : BS);
        return h;
    }
    for (uint32_t k = 2; k < d->size / 16; k++) {
        struct fs_dirent *e = (struct fs_dirent *)fsimage_block(data, d, k / 64) + k % 64;
        if (e->inum != 0) /* a sum: the order of entries does not count */
            h += mix(digest(data, e->inum), e->name, ABI_DIRSIZ);
    }
    return h;
}

uint64_t fsimage_digest(const uint8_t *data) { return digest(data, FS_ROOT_INODE); }

uint32_t fsimage_free_blocks(const uint8_t *data) {
    uint32_t n = 0;
    for (uint32_t block = first_data(data); block < super_of(data)->size; block++)
        n += !bit(data, block);
    return n;
}

uint32_t fsimage_free_inodes(const uint8_t *data) {
    uint32_t n = 0;
    for (uint32_t inum = 1; inum < super_of(data)->ninodes; inum++)
        n += fsimage_inode(data, inum)->type == 0;
    return n;
}

uint32_t fsimage_find(const uint8_t *data, const char *path) {
    uint32_t inum = FS_ROOT_INODE;
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        const struct fs_dinode *d = fsimage_inode(data, inum);
        uint32_t found = 0;
        for (uint32_t k = 0; len > 0 && d->type == ABI_T_DIR && k < d->size / 16; k++) {
            struct fs_dirent *e = (struct fs_dirent *)fsimage_block(data, d, k / 64) + k % 64;
            if (e->inum != 0 && strnlen(e->name, 14) == len && memcmp(e->name, path, len) == 0)
                found = e->inum;
        }
        if (len > 0 && found == 0)
            return 0;
        inum = len > 0 ? found : inum;
        path += len + (path[len] == '/');
    }
    return inum;
}
