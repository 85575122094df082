/* The contents of an inode: those of directories, in blocks; growing and shrinking. */
#include "fs/data.h"
#include "fs/balloc.h"
#include "fs/blockmap.h"
#include "fs/filedata.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"

static const uint8_t zeros[FS_BLOCK_SIZE];

/* ---- directories, block by block ---- */

/* Loads those of the contents' blocks from i on that are not in memory: a reader of one
 * block is likely to read the next. */
static void read_ahead(struct inode *ip, uint32_t i, struct indirect *in) {
    uint32_t end = (ip->d.size + FS_BLOCK_SIZE - 1) / FS_BLOCK_SIZE;
    uint32_t blocks[CACHE_PREFETCH_MAX], n = 0;
    for (; i < end && n < CACHE_PREFETCH_MAX; i++) {
        uint32_t block;
        if (blockmap_find(ip, i, 1, in, &block))
            break;
        if (block != 0)
            blocks[n++] = block;
    }
    cache_prefetch(blocks, n);
}

static int get_mapped(struct inode *ip, uint32_t i, struct indirect *in, struct buf **out) {
    uint32_t block;
    *out = NULL;
    int err = blockmap_find(ip, i, 1, in, &block);
    if (err || block == 0)
        return err;
    *out = cache_peek(block);
    if (*out)
        return 0;
    read_ahead(ip, i, in);
    return cache_get(block, out);
}

int data_block(struct inode *ip, uint32_t i, struct buf **out) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct indirect in = {0};
    int err = get_mapped(ip, i, &in, out);
    indirect_end(&in);
    return err;
}

int data_block_for_write(struct log_op *op, struct inode *ip, uint32_t i, struct buf **out) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct indirect in = indirect_pinned(ip);
    struct fs_dinode before = ip->d;
    uint32_t block;
    if (i >= FS_MAX_FILE_BLOCKS)
        return -K_EFBIG;
    int err = blockmap_find(ip, i, 1, &in, &block);
    if (!err && block == 0) {
        err = blockmap_add(op, ip, i, 1, &in, &block, NULL);
        if (!err) {
            *out = cache_blank(block);
            memset((*out)->data, 0, FS_BLOCK_SIZE);
        }
    } else if (!err) {
        err = cache_get(block, out);
    }
    if (!err)
        log_write(op, *out);
    indirect_end(&in);
    if (memcmp(&before, &ip->d, sizeof(before)) != 0)
        inode_save(op, ip);
    return err;
}

/* For programs that read a directory as a file. */
static int read_blocks(struct inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
                       size_t *done) {
    int err = 0;
    *done = 0;
    while (offset + *done < ip->d.size && *done < n && !err) {
        struct buf *b;
        uint64_t at = offset + *done;
        size_t within = at % FS_BLOCK_SIZE;
        size_t len = MIN(MIN(n - *done, (size_t)(ip->d.size - at)), FS_BLOCK_SIZE - within);
        err = data_block(ip, (uint32_t)(at / FS_BLOCK_SIZE), &b);
        if (err)
            break;
        const uint8_t *from = (b ? b->data : zeros) + within;
        if (is_user)
            err = copyout_held(UA(dst + *done), from, len);
        else
            memcpy((void *)(dst + *done), from, len);
        if (b)
            cache_put(b);
        *done += err ? 0 : len;
    }
    return err;
}

/* ---- any contents ---- */

static int read_to(struct inode *ip, uint64_t offset, uint64_t dst, bool is_user, size_t n,
                   size_t *done) {
    if (ip->d.type == ABI_T_FILE)
        return filedata_read(ip, offset, dst, is_user, n, done);
    return read_blocks(ip, offset, dst, is_user, n, done);
}

int data_read_user(struct inode *ip, uint64_t offset, uaddr_t dst, size_t n, size_t *done) {
    return read_to(ip, offset, dst.v, true, n, done);
}

int data_read_kernel(struct inode *ip, uint64_t offset, void *dst, size_t n, size_t *done) {
    return read_to(ip, offset, (uint64_t)dst, false, n, done);
}

uint32_t data_write_max;

void data_mount(void) {
    uint32_t room = log_op_max() - 2;
    data_write_max = MAX((room - 1) / 2, room - MIN(room, balloc_cost(UINT32_MAX)));
}

/* ---- shrinking ---- */

uint32_t data_shrink_cost(const struct inode *ip) {
    bool indirect = ip->d.addrs[FS_NDIRECT] != 0;
    uint32_t all = 2 + balloc_cost(indirect ? FS_MAX_FILE_BLOCKS + 1 : FS_NDIRECT);
    return MIN(MAX(all, (uint32_t)DATA_SHRINK_MIN), log_op_max());
}

/* Frees the indirect block's entries from first on, then the block itself when
 * first is 0. *left: how many blocks of the contents remain at least. */
static int shrink_indirect(struct log_op *op, struct inode *ip, uint32_t first, uint32_t *left) {
    struct buf *indirect;
    uint32_t rest;
    int err = cache_get(ip->d.addrs[FS_NDIRECT], &indirect);
    if (err)
        return err;
    log_write(op, indirect);
    err = block_free_list(op, blockmap_addrs(indirect) + first, FS_NINDIRECT - first, &rest);
    cache_put(indirect);
    *left = rest == 0 ? 0 : FS_NDIRECT + first + rest;
    if (err || rest != 0 || first != 0)
        return err;
    ip->pinned.indirect = NULL;
    err = block_free_list(op, &ip->d.addrs[FS_NDIRECT], 1, &rest);
    *left = rest == 0 ? 0 : FS_NDIRECT;
    return err;
}

/* *left as above; 0 and no error: nothing at or behind block keep remains. */
static int shrink_blocks(struct log_op *op, struct inode *ip, uint32_t keep, uint32_t *left) {
    int err = 0;
    *left = 0;
    if (ip->d.addrs[FS_NDIRECT] != 0)
        err = shrink_indirect(op, ip, keep > FS_NDIRECT ? keep - FS_NDIRECT : 0, left);
    if (err || *left != 0 || keep >= FS_NDIRECT)
        return err;
    uint32_t rest;
    err = block_free_list(op, ip->d.addrs + keep, FS_NDIRECT - keep, &rest);
    *left = rest == 0 ? 0 : keep + rest;
    return err;
}

int data_shrink(struct log_op *op, struct inode *ip, uint64_t size, bool *done) {
    uint32_t keep = (uint32_t)((size + FS_BLOCK_SIZE - 1) / FS_BLOCK_SIZE), left;
    uint32_t old_size = ip->d.size;
    inode_save(op, ip); /* takes its room before the bitmap's blocks do */
    int err = shrink_blocks(op, ip, keep, &left);
    *done = !err && left == 0;
    if (*done || left != 0) /* else nothing was freed */
        ip->d.size = MIN(ip->d.size, (uint32_t)MAX(size, (uint64_t)left * FS_BLOCK_SIZE));
    ip->written = MIN(ip->written, ip->d.size);
    inode_save(op, ip);
    if (ip->d.type == ABI_T_FILE) {
        filemap_cut(&ip->mapped, ROUND_UP((uint64_t)ip->d.size, PAGE_SIZE) / PAGE_SIZE);
        filedata_cut(op, ip, old_size);
    }
    return err;
}

/* ---- any size ---- */

static bool has_blocks(const struct inode *ip) {
    for (uint32_t i = 0; i < ARRAY_LEN(ip->d.addrs); i++)
        if (ip->d.addrs[i] != 0)
            return true;
    return false;
}

/* A file that becomes longer by zeros. Between two operations others may write behind them, and
 * into them (ip->written). */
struct growth {
    uint64_t start; /* of those zeros that nothing else lies behind */
    uint64_t end;   /* of them: the file's, when the last operation left it */
};

static int grow_step(struct log_op *op, struct inode *ip, uint64_t size, struct growth *g) {
    size_t done, room = (size_t)(data_write_max - 1) * FS_BLOCK_SIZE;
    size_t n = MIN((size_t)(size - ip->d.size), room);
    if (ip->d.size != g->end)
        g->start = ip->d.size;
    int err = filedata_fill(op, ip, ip->d.size, n, &done);
    g->end = ip->d.size;
    return err;
}

/* One operation's part of data_set_size. */
static int resize_step(struct log_op *op, struct inode *ip, uint64_t size, struct growth *g,
                       bool *finished) {
    int err = inode_lock(ip);
    if (err)
        return err;
    err = inode_edit(ip);
    if (err) {
        /* unlocked below */
    } else if (size <= ip->d.size) {
        *finished = size == ip->d.size && size != 0;
        if (!*finished)
            err = data_shrink(op, ip, size, finished);
    } else {
        err = grow_step(op, ip, size, g);
        *finished = !err && ip->d.size == size;
    }
    inode_unlock(ip);
    return err;
}

/* The zeros go again, from the last on, as far as nobody has written into or behind them. */
static int ungrow_step(struct log_op *op, struct inode *ip, struct growth *g, bool *finished) {
    int err = inode_lock(ip);
    if (err)
        return err;
    err = inode_edit(ip);
    uint64_t start = MAX(g->start, (uint64_t)ip->written);
    *finished = ip->d.size != g->end || start == g->end;
    if (!err && !*finished)
        err = data_shrink(op, ip, start, finished);
    g->end = ip->d.size;
    inode_unlock(ip);
    return err;
}

/* As many operations as it takes. back: what has grown is taken back. */
static int resize(struct inode *ip, uint64_t size, uint32_t cost, struct growth *g, bool back) {
    uint32_t pages = size ? filedata_pages((size_t)data_write_max * FS_BLOCK_SIZE) : 0;
    bool finished = false;
    int err = 0;
    while (!finished && !err) {
        struct log_op op;
        err = log_begin_pages(&op, cost, pages);
        if (err)
            break;
        err = back ? ungrow_step(&op, ip, g, &finished) : resize_step(&op, ip, size, g, &finished);
        int end_err = log_end(&op);
        err = err ? err : end_err;
    }
    return err;
}

int data_set_size(struct inode *ip, uint64_t size) {
    if (size > DATA_MAX_SIZE)
        return -K_EFBIG;
    int err = inode_lock(ip);
    if (err)
        return err;
    uint64_t before = ip->d.size;
    uint32_t cost = size == 0 ? data_shrink_cost(ip) : log_op_max();
    bool nothing = size == before && (size != 0 || !has_blocks(ip));
    inode_unlock(ip);
    if (nothing)
        return 0;
    struct growth g = {before, before};
    err = resize(ip, size, cost, &g, false);
    if (err == -K_ENOSPC && resize(ip, g.start, log_op_max(), &g, true) != 0)
        return -K_EIO;
    return err;
}
