/* The names in one directory: see dir.h. */
#include "ext2/dir.h"
#include "lib/errno.h"
#include "lib/string.h"

static uint16_t needed(size_t name_length) {
    return (uint16_t)ROUND_UP(sizeof(struct ext2_dirent) + name_length, 4UL);
}

static struct ext2_dirent *entry_at(const struct buf *b, uint32_t offset) {
    return (struct ext2_dirent *)(void *)(b->data + offset);
}

/* Bytes of the entry that are in use. */
static uint16_t used(const struct ext2_dirent *e) { return e->inode ? needed(e->name_length) : 0; }

static bool is_sound(const struct buf *b, uint32_t offset) {
    if (ext2.block_bytes - offset < sizeof(struct ext2_dirent))
        return false;
    const struct ext2_dirent *e = entry_at(b, offset);
    return e->bytes >= sizeof(*e) && e->bytes % 4 == 0 && e->bytes <= ext2.block_bytes - offset &&
           e->bytes >= used(e) && (e->inode == 0 || e->name_length > 0);
}

static bool has_name(const struct ext2_dirent *e, const struct name *name) {
    return e->inode && e->name_length == name->length &&
           !memcmp(e->name, name->bytes, name->length);
}

/* Block i of the directory; *out is NULL when it is a hole. */
static int get_block(struct ext2_inode *dp, uint64_t i, struct ext2_leaf *leaf, struct buf **out) {
    uint32_t block;
    *out = NULL;
    int err = ext2_map_find(dp, i, 1, leaf, &block);
    if (err || !block || (*out = cache_peek(block)))
        return err;
    ext2_leaf_end(leaf); /* who waits for a buffer has none */
    return cache_get(block, out);
}

/* ---- find ---- */

/* In one block: what it has of the name, or the first room for it. True: *at is the name's. */
static int find_in(const struct buf *b, const struct name *name, uint32_t *at, bool *found,
                   bool *room) {
    uint32_t step;
    *found = *room = false;
    for (uint32_t o = 0; o < ext2.block_bytes; o += step) {
        if (!is_sound(b, o))
            return -K_EIO;
        const struct ext2_dirent *e = entry_at(b, o);
        step = e->bytes;
        *found = has_name(e, name);
        bool fits = e->bytes - used(e) >= needed(name->length);
        if (*found || (fits && !*room))
            *at = o;
        *room |= fits;
        if (*found)
            return 0;
    }
    return 0;
}

int ext2_dir_find(struct ext2_inode *dp, const struct name *name, struct ext2_slot *s) {
    struct ext2_leaf leaf = {0};
    uint64_t n = dp->d.size / ext2.block_bytes;
    bool found = false;
    int err = 0;
    *s = (struct ext2_slot){0};
    for (uint64_t i = 0; i < n && !err && !found; i++) {
        struct buf *b;
        uint32_t at = 0;
        bool room = false;
        err = get_block(dp, i, &leaf, &b);
        if (err || !b)
            continue;
        err = find_in(b, name, &at, &found, &room);
        if (err || !(found || (room && !s->buf))) {
            cache_put(b);
            continue;
        }
        ext2_slot_end(s);
        *s = (struct ext2_slot){b, at, found ? entry_at(b, at)->inode : 0};
    }
    ext2_leaf_end(&leaf);
    if (err)
        ext2_slot_end(s);
    return err ? err : found ? 0 : -K_ENOENT;
}

/* ---- change ---- */

static uint8_t type_of(const struct ext2_inode *ip) {
    if (!(ext2.incompat & EXT2_INCOMPAT_FILETYPE))
        return 0;
    switch (ext2_mode_type(ip)) {
    case EXT2_MODE_FILE: return EXT2_TYPE_FILE;
    case EXT2_MODE_DIR: return EXT2_TYPE_DIR;
    case EXT2_MODE_CHAR: return EXT2_TYPE_CHAR;
    case EXT2_MODE_BLOCK: return EXT2_TYPE_BLOCK;
    case EXT2_MODE_FIFO: return EXT2_TYPE_FIFO;
    case EXT2_MODE_SOCKET: return EXT2_TYPE_SOCKET;
    case EXT2_MODE_LINK: return EXT2_TYPE_LINK;
    }
    return 0;
}

static void set_entry(struct ext2_dirent *e, uint32_t inum, uint8_t type, const char *name,
                      size_t length) {
    e->inode = inum;
    e->name_length = (uint8_t)length;
    e->type = type;
    memcpy(e->name, name, length);
}

/* One block more, of which all is free. */
static int add_block(struct log_op *op, struct ext2_inode *dp, struct ext2_slot *s) {
    struct ext2_leaf leaf = {0};
    uint32_t block;
    bool fresh;
    uint64_t i = dp->d.size / ext2.block_bytes;
    if (dp->d.size > UINT32_MAX - ext2.block_bytes)
        return -K_ENOSPC;
    int err = 0;
    uint32_t there = 0;
    err = ext2_map_find(dp, i, 1, &leaf, &there);
    if (!err && there)
        err = -K_EIO; /* a block behind the end */
    if (!err)
        err = ext2_map_add(op, dp, i, false, &leaf, &block, &fresh);
    ext2_leaf_end(&leaf);
    if (err)
        return err;
    s->buf = cache_blank(block); /* the log has it */
    s->offset = 0;
    entry_at(s->buf, 0)->bytes = (uint16_t)ext2.block_bytes;
    dp->d.size += ext2.block_bytes;
    return 0;
}

int ext2_dir_enter(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                   struct ext2_slot *s, const struct ext2_inode *ip) {
    int err = s->buf ? 0 : add_block(op, dp, s);
    if (err)
        return err;
    struct ext2_dirent *e = entry_at(s->buf, s->offset);
    uint16_t taken = used(e), bytes = e->bytes;
    if (bytes > ext2.block_bytes - s->offset || bytes < taken + needed(name->length)) {
        ext2_slot_end(s);
        return -K_EIO; /* it has changed since: the image uses the block for something else, too */
    }
    if (taken) {
        e->bytes = taken;
        e = entry_at(s->buf, s->offset + taken);
        e->bytes = (uint16_t)(bytes - taken);
    }
    set_entry(e, ip->inum, type_of(ip), name->bytes, name->length);
    log_write(op, s->buf);
    ext2_slot_end(s);
    dp->d.flags &= ~(uint32_t)EXT2_FLAG_INDEX;
    ext2_touch(dp, true);
    return 0;
}

/* The entry before it in its block takes over its bytes. */
void ext2_dir_remove(struct log_op *op, struct ext2_slot *s) {
    struct ext2_dirent *e = entry_at(s->buf, s->offset), *before = NULL;
    for (uint32_t o = 0; o < s->offset; o += MAX(before->bytes, (uint16_t)4))
        before = entry_at(s->buf, o);
    if (before)
        before->bytes = (uint16_t)(before->bytes + e->bytes);
    else
        e->inode = 0;
    log_write(op, s->buf);
}

void ext2_dir_change(struct log_op *op, struct ext2_slot *s, const struct ext2_inode *ip) {
    struct ext2_dirent *e = entry_at(s->buf, s->offset);
    e->inode = ip->inum;
    e->type = type_of(ip);
    log_write(op, s->buf);
}

int ext2_dir_init(struct log_op *op, struct ext2_inode *ip, uint32_t parent) {
    struct ext2_slot s = {0};
    int err = add_block(op, ip, &s);
    if (err)
        return err;
    struct ext2_dirent *self = entry_at(s.buf, 0), *up = entry_at(s.buf, needed(1));
    self->bytes = needed(1);
    up->bytes = (uint16_t)(ext2.block_bytes - needed(1));
    set_entry(self, ip->inum, type_of(ip), ".", 1);
    set_entry(up, parent, type_of(ip), "..", 2);
    ext2_slot_end(&s);
    return 0;
}

/* ---- all of them ---- */

/* The entries of a block from offset `from` on. False: emit wants no more; *at is where that was.
 */
static int list_block(const struct buf *b, uint32_t from, uint32_t *at, bool *more,
                      ext2_list_fn emit, void *ctx) {
    uint32_t step;
    for (uint32_t o = 0; o < ext2.block_bytes; o += step) {
        if (!is_sound(b, o))
            return -K_EIO;
        const struct ext2_dirent *e = entry_at(b, o);
        step = e->bytes;
        if (o < from || !e->inode)
            continue;
        *at = o;
        *more = emit(ctx, e, ext2.incompat & EXT2_INCOMPAT_FILETYPE ? e->type : 0);
        if (!*more)
            return 0;
    }
    *at = ext2.block_bytes;
    return 0;
}

/* Names that come or go meanwhile may move the borders between entries, but not the names. */
int ext2_dir_list(struct ext2_inode *dp, uint64_t *offset, ext2_list_fn emit, void *ctx) {
    struct ext2_leaf leaf = {0};
    bool more = true;
    int err = 0;
    while (more && !err && *offset < dp->d.size) {
        struct buf *b;
        uint32_t at = ext2.block_bytes, from = (uint32_t)(*offset % ext2.block_bytes);
        uint64_t start = *offset - from;
        err = get_block(dp, start / ext2.block_bytes, &leaf, &b);
        if (err)
            break;
        if (b) {
            err = list_block(b, from, &at, &more, emit, ctx);
            cache_put(b);
        }
        if (!err)
            *offset = start + at;
    }
    ext2_leaf_end(&leaf);
    return err;
}

static bool is_special(void *ctx, const struct ext2_dirent *e, uint32_t type) {
    bool *only_special = ctx;
    *only_special = e->name[0] == '.' &&
                    (e->name_length == 1 || (e->name_length == 2 && e->name[1] == '.'));
    return *only_special;
}

int ext2_dir_must_be_empty(struct ext2_inode *dp) {
    uint64_t offset = 0;
    bool empty = true;
    int err = ext2_dir_list(dp, &offset, is_special, &empty);
    return err ? err : empty ? 0 : -K_ENOTEMPTY;
}
