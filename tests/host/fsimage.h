/* Disk images for tests, without the kernel's code: making them, checking them,
 * and saying what is in them. Written from the format alone (lib/abi.h), so that
 * it is a second opinion. */
#pragma once
#include "lib/abi.h"
#include "lib/types.h"

struct fsimage {
    uint8_t *data;
    uint64_t bytes;
    struct fs_superblock *sb;
};

/* An empty file system (a root directory) of size blocks with a log of nlog. */
struct fsimage fsimage_make(uint32_t size, uint32_t nlog, uint32_t ninodes);
void fsimage_free(struct fsimage *im);
struct fs_dinode *fsimage_inode(const uint8_t *data, uint32_t inum);

/* NULL, or what is wrong: a number used twice or out of range, a bitmap, a link
 * count or a directory that does not agree with the rest, an inode or a block that
 * nobody can reach, a log that is not empty. */
const char *fsimage_complaint(const uint8_t *data, uint64_t bytes);

/* A number for the whole tree: names, types, links, sizes, contents. Independent
 * of where things lie. The image must be without complaint. */
uint64_t fsimage_digest(const uint8_t *data);

uint32_t fsimage_free_blocks(const uint8_t *data);
uint32_t fsimage_free_inodes(const uint8_t *data);

/* The inode that an absolute path names; 0: none. */
uint32_t fsimage_find(const uint8_t *data, const char *path);
/* Block i of an inode's contents, NULL if there is none. */
uint8_t *fsimage_block(const uint8_t *data, const struct fs_dinode *d, uint32_t i);
