/* The contents of an inode: from byte ranges to blocks, and growing and shrinking. */
#include "fs/data.h"
#include "fs/balloc.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/uaccess.h"

/* Where a read goes: to kernel memory or to the user's. */
struct target {
    uint64_t at;
    bool is_user;
};

static const uint8_t zeros[FS_BLOCK_SIZE];

static uint32_t *addrs_of(struct buf *indirect) { return (uint32_t *)(void *)indirect->data; }

/* ---- from block numbers of the contents to blocks of the disk ---- */

/* The block of the disk that is block i of the contents, 0 for a hole. *indirect
 * keeps the indirect block's buffer from call to call; NULL at first, the caller
 * puts it at last. */
static int map_block(struct inode *ip, uint32_t i, struct buf **indirect, uint32_t *block) {
    if (i < FS_NDIRECT) {
        *block = ip->d.addrs[i];
        return 0;
    }
    *block = 0;
    if (ip->d.addrs[FS_NDIRECT] == 0)
        return 0;
    if (!*indirect) {
        int err = cache_get(ip->d.addrs[FS_NDIRECT], indirect);
        if (err)
            return err;
    }
    *block = addrs_of(*indirect)[i - FS_NDIRECT];
    return *block == 0 || super_is_data(*block) ? 0 : -K_EIO;
}

static void put_indirect(struct buf *indirect) {
    if (indirect)
        cache_put(indirect);
}

/* Loads those of the contents' blocks from i on that are not in memory: a reader of one
 * block is likely to read the next. */
static void read_ahead(struct inode *ip, uint32_t i, struct buf **indirect) {
    uint32_t end = (ip->d.size + FS_BLOCK_SIZE - 1) / FS_BLOCK_SIZE;
    uint32_t blocks[CACHE_PREFETCH_MAX], n = 0;
    for (; i < end && n < CACHE_PREFETCH_MAX; i++) {
        uint32_t block;
        if (map_block(ip, i, indirect, &block))
            break;
        if (block != 0)
            blocks[n++] = block;
    }
    cache_prefetch(blocks, n);
}

static int get_mapped(struct inode *ip, uint32_t i, struct buf **indirect, struct buf **out) {
    uint32_t block;
    *out = NULL;
    int err = map_block(ip, i, indirect, &block);
    if (err || block == 0)
        return err;
    *out = cache_peek(block);
    if (*out)
        return 0;
    read_ahead(ip, i, indirect);
    return cache_get(block, out);
}

int data_block(struct inode *ip, uint32_t i, struct buf **out) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct buf *indirect = NULL;
    int err = get_mapped(ip, i, &indirect, out);
    put_indirect(indirect);
    return err;
}

/* ---- reading ---- */

/* Blocks that one copy moves at most. */
#define RUN_MAX 16

static struct kpiece piece_of(const struct buf *b, size_t within, size_t len) {
    return (struct kpiece){(b ? b->data : (uint8_t *)zeros) + within, len};
}

/* As get_mapped, but without waiting. False: the block may not be in memory. */
static bool peek_mapped(struct inode *ip, uint32_t i, struct buf **indirect, struct buf **out) {
    uint32_t block;
    if (i >= FS_NDIRECT && !*indirect)
        return false;
    if (map_block(ip, i, indirect, &block))
        return false;
    *out = block == 0 ? NULL : cache_peek(block);
    return block == 0 || *out;
}

/* Copies to the user a piece that ends with block i - 1 of the contents, and of the
 * blocks from i on those that are in memory, n bytes in all at most.
 *
 * While it holds these buffers it never sleeps. So there is at most one run for each
 * hart, however many processes read, and others always get a buffer of the cache. */
__attribute__((noinline)) static int move_run(struct inode *ip, uint32_t i, struct buf **indirect,
                                              struct kpiece first, uaddr_t dst, size_t n,
                                              size_t *moved) {
    struct kpiece piece[RUN_MAX];
    struct buf *buf[RUN_MAX];
    unsigned count = 1;
    piece[0] = first;
    for (n -= first.bytes; n > 0 && count < RUN_MAX; i++, count++) {
        if (!peek_mapped(ip, i, indirect, &buf[count]))
            break;
        piece[count] = piece_of(buf[count], 0, MIN(n, (size_t)FS_BLOCK_SIZE));
        n -= piece[count].bytes;
    }
    int err = copyout_gather(dst, piece, count, moved);
    while (--count > 0)
        if (buf[count])
            cache_put(buf[count]);
    return err;
}

static int move_out(struct target to, struct kpiece from) {
    if (to.is_user)
        return copyout(UA(to.at), from.start, from.bytes);
    memcpy((void *)to.at, from.start, from.bytes);
    return 0;
}

static int read_to(struct inode *ip, uint64_t offset, struct target to, size_t n, size_t *done) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct buf *indirect = NULL;
    int err = 0;
    *done = 0;
    if (offset >= ip->d.size)
        return 0;
    n = MIN(n, (size_t)(ip->d.size - offset));
    while (n > 0 && !err) {
        struct buf *b;
        uint32_t i = (uint32_t)(offset / FS_BLOCK_SIZE);
        size_t within = offset % FS_BLOCK_SIZE;
        err = get_mapped(ip, i, &indirect, &b);
        if (err)
            break;
        struct kpiece from = piece_of(b, within, MIN(n, FS_BLOCK_SIZE - within));
        size_t moved = from.bytes;
        if (moved < n && to.is_user)
            err = move_run(ip, i + 1, &indirect, from, UA(to.at), n, &moved);
        else if ((err = move_out(to, from)) != 0)
            moved = 0;
        if (b)
            cache_put(b);
        *done += moved;
        to.at += moved;
        offset += moved;
        n -= moved;
    }
    put_indirect(indirect);
    return err;
}

int data_read_user(struct inode *ip, uint64_t offset, uaddr_t dst, size_t n, size_t *done) {
    return read_to(ip, offset, (struct target){dst.v, true}, n, done);
}

int data_read_kernel(struct inode *ip, uint64_t offset, void *dst, size_t n, size_t *done) {
    return read_to(ip, offset, (struct target){(uint64_t)dst, false}, n, done);
}

/* ---- writing ---- */

/* A block of the contents on its way from allocation to being part of them. */
struct write_block {
    struct buf *buf;
    uint32_t block;
    bool fresh; /* allocated, and not yet part of the contents */
};

uint32_t data_write_cost(uint32_t nblocks) {
    return nblocks + balloc_cost(nblocks + 1) + 2; /* the indirect block, the inode */
}

uint32_t data_write_max(void) {
    uint32_t n = log_op_max();
    while (data_write_cost(n) > log_op_max())
        n--;
    return n;
}

/* Has an indirect block in *indirect, an empty one that is not yet the file's if there is
 * none; put_new_indirect must follow. */
static int need_indirect(struct log_op *op, struct inode *ip, struct buf **indirect) {
    if (*indirect)
        return 0;
    if (ip->d.addrs[FS_NDIRECT] != 0)
        return cache_get(ip->d.addrs[FS_NDIRECT], indirect);
    uint32_t block;
    int err = block_alloc(op, &block);
    if (err)
        return err;
    *indirect = cache_blank(block);
    memset((*indirect)->data, 0, FS_BLOCK_SIZE);
    return 0;
}

/* A new one that nothing was attached to is free again. */
static void put_new_indirect(struct log_op *op, struct inode *ip, struct buf *indirect) {
    if (indirect && ip->d.addrs[FS_NDIRECT] == 0)
        block_unalloc(op, indirect->block);
    put_indirect(indirect);
}

/* Block i of the contents, allocated if need be: then its buffer's contents are
 * undefined, and attach or discard must follow. */
static int prepare(struct log_op *op, struct inode *ip, uint32_t i, struct buf **indirect,
                   struct write_block *wb) {
    wb->fresh = false;
    if (i >= FS_MAX_FILE_BLOCKS)
        return -K_EFBIG;
    int err = map_block(ip, i, indirect, &wb->block);
    if (!err && wb->block != 0)
        return cache_get(wb->block, &wb->buf);
    if (!err && i >= FS_NDIRECT)
        err = need_indirect(op, ip, indirect);
    if (!err)
        err = block_alloc(op, &wb->block);
    if (err)
        return err;
    wb->fresh = true;
    wb->buf = cache_blank(wb->block);
    return 0;
}

/* The block is written: it becomes part of the contents. */
static void attach(struct log_op *op, struct inode *ip, uint32_t i, struct buf *indirect,
                   struct write_block *wb) {
    log_write(op, wb->buf);
    if (wb->fresh && i < FS_NDIRECT) {
        ip->d.addrs[i] = wb->block;
    } else if (wb->fresh) {
        addrs_of(indirect)[i - FS_NDIRECT] = wb->block;
        ip->d.addrs[FS_NDIRECT] = indirect->block;
        log_write(op, indirect);
    }
    cache_put(wb->buf);
}

/* The block could not be written: a fresh one is free again, and its buffer shows
 * nothing of what was in that memory before. */
static void discard(struct log_op *op, struct write_block *wb) {
    if (wb->fresh) {
        memset(wb->buf->data, 0, FS_BLOCK_SIZE);
        block_unalloc(op, wb->block);
    } else {
        log_write(op, wb->buf); /* a part of it may have changed */
    }
    cache_put(wb->buf);
}

static void save_if_changed(struct log_op *op, struct inode *ip, const struct fs_dinode *before) {
    if (memcmp(before, &ip->d, sizeof(*before)) != 0)
        inode_save(op, ip);
}

int data_block_for_write(struct log_op *op, struct inode *ip, uint32_t i, struct buf **out,
                         bool *fresh) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct buf *indirect = NULL;
    struct fs_dinode before = ip->d;
    struct write_block wb;
    int err = prepare(op, ip, i, &indirect, &wb);
    if (!err) {
        if (wb.fresh)
            memset(wb.buf->data, 0, FS_BLOCK_SIZE);
        cache_hold(wb.buf);
        attach(op, ip, i, indirect, &wb);
        *out = wb.buf;
        *fresh = wb.fresh;
    }
    put_new_indirect(op, ip, indirect);
    save_if_changed(op, ip, &before);
    return err;
}

/* Fills the pieces from the user's memory or, when src is NULL, with zeros. *moved: the bytes
 * of those before the one that failed. */
static int fill(const struct kpiece *piece, unsigned count, const uaddr_t *src, size_t *moved) {
    if (src)
        return copyin_scatter(piece, count, *src, moved);
    *moved = 0;
    for (unsigned k = 0; k < count; *moved += piece[k++].bytes)
        memset(piece[k].start, 0, piece[k].bytes);
    return 0;
}

/* Writes as many blocks as one copy moves, n bytes at most. It may wait for a buffer while
 * it holds others: all of them are counted in the operation's part of the log. */
static int write_run(struct log_op *op, struct inode *ip, uint64_t offset, const uaddr_t *src,
                     size_t n, struct buf **indirect, size_t *moved) {
    struct write_block wb[RUN_MAX];
    struct kpiece piece[RUN_MAX];
    unsigned count = 0;
    int err = 0;
    for (uint64_t at = offset; at < offset + n && count < RUN_MAX; at += piece[count++].bytes) {
        size_t within = at % FS_BLOCK_SIZE, len = MIN(offset + n - at, FS_BLOCK_SIZE - within);
        err = prepare(op, ip, (uint32_t)(at / FS_BLOCK_SIZE), indirect, &wb[count]);
        if (err)
            break;
        if (wb[count].fresh && len < FS_BLOCK_SIZE)
            memset(wb[count].buf->data, 0, FS_BLOCK_SIZE);
        piece[count] = (struct kpiece){wb[count].buf->data + within, len};
    }
    int failed = fill(piece, count, src, moved);
    uint32_t i = (uint32_t)(offset / FS_BLOCK_SIZE);
    size_t end = 0;
    for (unsigned k = 0; k < count; k++, i++) {
        end += piece[k].bytes;
        if (end <= *moved)
            attach(op, ip, i, *indirect, &wb[k]);
        else
            discard(op, &wb[k]);
    }
    return failed ? failed : err;
}

static int write_from(struct log_op *op, struct inode *ip, uint64_t offset, const uaddr_t *src,
                      size_t n, size_t *done) {
    struct buf *indirect = NULL;
    struct fs_dinode before = ip->d;
    int err = 0;
    *done = 0;
    if (offset > ip->d.size)
        return -K_EINVAL;
    while (*done < n && !err) {
        size_t moved;
        uaddr_t from = UA(src ? src->v + *done : 0);
        err = write_run(op, ip, offset, src ? &from : NULL, n - *done, &indirect, &moved);
        *done += moved;
        offset += moved;
        ip->d.size = MAX(ip->d.size, (uint32_t)offset);
    }
    put_new_indirect(op, ip, indirect);
    if (op->wrote) {
        inode_touch(ip);
        inode_changed(op, ip);
    }
    save_if_changed(op, ip, &before);
    return err;
}

int data_write_user(struct log_op *op, struct inode *ip, uint64_t offset, uaddr_t src, size_t n,
                    size_t *done) {
    return write_from(op, ip, offset, &src, n, done);
}

int data_write_zeros(struct log_op *op, struct inode *ip, size_t n, size_t *done) {
    return write_from(op, ip, ip->d.size, NULL, n, done);
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
    err = block_free_list(op, addrs_of(indirect) + first, FS_NINDIRECT - first, &rest);
    cache_put(indirect);
    *left = rest == 0 ? 0 : FS_NDIRECT + first + rest;
    if (err || rest != 0 || first != 0)
        return err;
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
    inode_touch(ip);
    inode_save(op, ip); /* takes its room before the bitmap's blocks do */
    int err = shrink_blocks(op, ip, keep, &left);
    *done = !err && left == 0;
    if (*done || left != 0) /* else nothing was freed */
        ip->d.size = MIN(ip->d.size, (uint32_t)MAX(size, (uint64_t)left * FS_BLOCK_SIZE));
    inode_save(op, ip);
    return err;
}

/* ---- any size ---- */

static bool has_blocks(const struct inode *ip) {
    for (uint32_t i = 0; i < ARRAY_LEN(ip->d.addrs); i++)
        if (ip->d.addrs[i] != 0)
            return true;
    return false;
}

/* One operation's part of data_set_size. */
static int resize_step(struct log_op *op, struct inode *ip, uint64_t size, bool *finished) {
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
        size_t done, room = (size_t)(data_write_max() - 1) * FS_BLOCK_SIZE;
        err = data_write_zeros(op, ip, MIN((size_t)(size - ip->d.size), room), &done);
        *finished = !err && ip->d.size == size;
    }
    inode_unlock(ip);
    return err;
}

static int resize(struct inode *ip, uint64_t size, uint32_t cost) {
    bool finished = false;
    int err = 0;
    while (!finished && !err) {
        struct log_op op;
        err = log_begin(&op, cost);
        if (err)
            break;
        err = resize_step(&op, ip, size, &finished);
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
    err = resize(ip, size, cost);
    if (err == -K_ENOSPC && resize(ip, before, log_op_max()) != 0)
        return -K_EIO;
    return err;
}
