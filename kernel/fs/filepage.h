/* The pages of one of xv6's files, as pagefile.h has them, for filedata.c and filewrite.c. */
#pragma once
#include "fs/blockmap.h"
#include "fs/pagefile.h"

struct filepages {
    struct pagefile file;
    struct inode *ip;
    struct indirect in;
};

extern const struct pagefile_ops filepage_ops;

/* in: what is known of the indirect block. */
static inline struct filepages filepages_begin(struct inode *ip, struct indirect in) {
    return (struct filepages){{&filepage_ops, ip->inum, FS_BLOCK_SIZE}, ip, in};
}
static inline void filepages_end(struct filepages *f) { indirect_end(&f->in); }

/* Bytes of the page that are in the file. */
static inline size_t filepage_bytes(const struct inode *ip, uint32_t index) {
    return pagefile_bytes(ip->d.size, index);
}

/* Of its blocks. */
static inline unsigned filepage_blocks(const struct inode *ip, uint32_t index) {
    return (unsigned)((filepage_bytes(ip, index) + FS_BLOCK_SIZE - 1) / FS_BLOCK_SIZE);
}

/* Looks up where the page's blocks live. -K_EIO: the indirect block cannot be read. */
static inline int filepage_find_blocks(struct filepages *f, struct page *p) {
    return blockmap_find(f->ip, p->index * PAGE_BLOCKS, PAGE_BLOCKS, &f->in, p->block);
}
