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

/* Whether an entry can be so with `left` bytes from its beginning to the end of its block. */
always_inline bool is_sound(const struct ext2_dirent *e, size_t left) {
    return left >= sizeof(*e) && e->bytes - sizeof(*e) <= left - sizeof(*e) && e->bytes % 4 == 0 &&
           (e->inode == 0 || e->name_length - 1UL < e->bytes - sizeof(*e));
}

/* The last byte first: names in a row differ there. */
always_inline bool has_name(const struct ext2_dirent *e, const struct name *name) {
    return e->name_length == name->length && e->inode &&
           e->name[name->length - 1] == name->bytes[name->length - 1] &&
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

/* ---- the name cache ---- */

struct key {
    uint64_t word[EXT2_KEY_WORDS];
};

/* The bytes at the end, where names differ most. False: it has too many. */
static bool key_of(const struct name *name, struct key *key) {
    if (name->length > sizeof(*key))
        return false;
    *key = (struct key){{0}};
    memcpy((char *)(key + 1) - name->length, name->bytes, name->length);
    return true;
}

const struct known_name *ext2_dir_look(const struct ext2_inode *dp, const struct name *name) {
    static const uint64_t none;
    struct key key;
    bool has_key = key_of(name, &key);
    return namecache_look(has_key ? &dp->names : &none, key.word);
}

/* It is so from now on. */
static void know(struct ext2_inode *dp, const struct name *name, const struct ext2_slot *s) {
    struct key key;
    if (dp->d.links == 0 || !key_of(name, &key))
        return;
    uint32_t at = s->inum ? s->block * ext2.block_bytes + s->offset : 0;
    namecache_put(&dp->names, key.word, (struct known_name){s->inum, at});
}

void ext2_dir_forget(const struct ext2_inode *dp, const struct name *name) {
    struct key key;
    if (key_of(name, &key))
        namecache_forget(&dp->names, key.word);
}

/* ---- find ---- */

/* The slot is for the entry there in block i, whose buffer it takes over. */
static void fill_slot(struct ext2_slot *s, struct buf *b, uint32_t i, uint32_t offset) {
    *s = (struct ext2_slot){b, i, offset, entry_at(b, offset)->inode};
}

/* In one block. */
static int find_in(const struct buf *b, const struct name *name, uint32_t *at, bool *found) {
    const uint8_t *p = b->data, *end = p + ext2.block_bytes;
    *found = false;
    while (p < end) {
        const struct ext2_dirent *e = (const struct ext2_dirent *)(const void *)p;
        if (!is_sound(e, (size_t)(end - p)))
            return -K_EIO;
        if (has_name(e, name)) {
            *at = (uint32_t)(p - b->data);
            *found = true;
            return 0;
        }
        p += e->bytes;
    }
    return 0;
}

/* Looks where it was; the slot stays empty when it is not there any more: an image may use a block
 * twice. */
static int look_at(struct ext2_inode *dp, uint32_t where, const struct name *name,
                   struct ext2_slot *s) {
    struct ext2_leaf leaf = {0};
    struct buf *b;
    uint32_t i = where / ext2.block_bytes, o = where % ext2.block_bytes;
    int err = get_block(dp, i, &leaf, &b);
    ext2_leaf_end(&leaf);
    if (err || !b)
        return err;
    if (is_sound(entry_at(b, o), ext2.block_bytes - o) && has_name(entry_at(b, o), name))
        fill_slot(s, b, i, o);
    else
        cache_put(b);
    return 0;
}

static int search(struct ext2_inode *dp, const struct name *name, struct ext2_slot *s) {
    struct ext2_leaf leaf = {0};
    uint32_t n = dp->d.size / ext2.block_bytes;
    int err = 0;
    for (uint32_t i = 0; i < n && !err && !s->buf; i++) {
        struct buf *b;
        uint32_t at = 0;
        bool found = false;
        err = get_block(dp, i, &leaf, &b);
        if (err || !b)
            continue;
        err = find_in(b, name, &at, &found);
        if (found)
            fill_slot(s, b, i, at);
        else
            cache_put(b);
    }
    ext2_leaf_end(&leaf);
    return err;
}

int ext2_dir_find(struct ext2_inode *dp, const struct name *name, struct ext2_slot *s) {
    struct known_name known;
    struct key key;
    *s = (struct ext2_slot){0};
    if (key_of(name, &key) && namecache_get(&dp->names, key.word, &known)) {
        int err = known.inum ? look_at(dp, known.where, name, s) : -K_ENOENT;
        if (err || s->buf)
            return err;
    }
    int err = search(dp, name, s);
    if (err)
        return err;
    know(dp, name, s);
    return s->buf ? 0 : -K_ENOENT;
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
    uint32_t i = dp->d.size / ext2.block_bytes;
    if (dp->d.size > UINT32_MAX - ext2.block_bytes)
        return -K_ENOSPC;
    uint32_t there = 0;
    int err = ext2_map_find(dp, i, 1, &leaf, &there);
    if (!err && there)
        err = -K_EIO; /* a block behind the end */
    if (!err)
        err = ext2_map_add(op, dp, i, false, &leaf, &block, &fresh);
    ext2_leaf_end(&leaf);
    if (err)
        return err;
    *s = (struct ext2_slot){.buf = cache_blank(block), .block = i}; /* the log has it */
    entry_at(s->buf, 0)->bytes = (uint16_t)ext2.block_bytes;
    dp->d.size += ext2.block_bytes;
    return 0;
}

/* The first entry of a block with so much room behind it. */
static int room_in(const struct buf *b, uint16_t bytes, uint32_t *at, bool *found) {
    uint32_t size = ext2.block_bytes, o = 0;
    *found = false;
    while (o < size && !*found) {
        const struct ext2_dirent *e = entry_at(b, o);
        if (!is_sound(e, size - o))
            return -K_EIO;
        *at = o;
        *found = e->bytes - used(e) >= bytes;
        o += e->bytes;
    }
    return 0;
}

/* Where entries of about that size begin to look for room: behind blocks that had none for one of
 * them. What smaller ones of a class might still use there stays free until a name goes. */
static uint32_t *first_room(struct ext2_inode *dp, uint16_t bytes) {
    static const uint16_t most[EXT2_NAME_CLASSES - 1] = {16, 32, 64};
    unsigned c = 0;
    while (c < ARRAY_LEN(most) && bytes > most[c])
        c++;
    return &dp->room[c];
}

/* The slot is for the entry that has room for one of so many bytes behind it. */
static int find_room(struct log_op *op, struct ext2_inode *dp, uint16_t bytes,
                     struct ext2_slot *s) {
    struct ext2_leaf leaf = {0};
    uint32_t *first = first_room(dp, bytes), n = dp->d.size / ext2.block_bytes;
    int err = 0;
    *s = (struct ext2_slot){0};
    while (*first < n && !err && !s->buf) {
        struct buf *b;
        uint32_t at = 0;
        bool found = false;
        err = get_block(dp, *first, &leaf, &b);
        if (!err && b) {
            err = room_in(b, bytes, &at, &found);
            if (found)
                fill_slot(s, b, *first, at);
            else
                cache_put(b);
        }
        *first += !err && !found;
    }
    ext2_leaf_end(&leaf);
    return err || s->buf ? err : add_block(op, dp, s);
}

/* There is room in block i again. */
static void has_room(struct ext2_inode *dp, uint32_t i) {
    for (unsigned c = 0; c < EXT2_NAME_CLASSES; c++)
        dp->room[c] = MIN(dp->room[c], i);
}

int ext2_dir_enter(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                   const struct ext2_inode *ip) {
    struct ext2_slot s;
    int err = find_room(op, dp, needed(name->length), &s);
    if (err)
        return err;
    struct ext2_dirent *e = entry_at(s.buf, s.offset);
    uint16_t taken = used(e), bytes = e->bytes;
    if (taken) {
        e->bytes = taken;
        s.offset += taken;
        e = entry_at(s.buf, s.offset);
        e->bytes = (uint16_t)(bytes - taken);
    }
    set_entry(e, ip->inum, type_of(ip), name->bytes, name->length);
    log_write(op, s.buf);
    s.inum = ip->inum;
    know(dp, name, &s);
    ext2_slot_end(&s);
    dp->d.flags &= ~(uint32_t)EXT2_FLAG_INDEX;
    ext2_touch(dp, true);
    return 0;
}

/* The entry before it in its block takes over its bytes. */
void ext2_dir_remove(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                     struct ext2_slot *s) {
    struct ext2_dirent *e = entry_at(s->buf, s->offset), *before = NULL;
    for (uint32_t o = 0; o < s->offset; o += MAX(before->bytes, (uint16_t)4))
        before = entry_at(s->buf, o);
    if (before)
        before->bytes = (uint16_t)(before->bytes + e->bytes);
    else
        e->inode = 0;
    log_write(op, s->buf);
    s->inum = 0;
    has_room(dp, s->block);
    know(dp, name, s);
}

void ext2_dir_change(struct log_op *op, struct ext2_inode *dp, const struct name *name,
                     struct ext2_slot *s, const struct ext2_inode *ip) {
    struct ext2_dirent *e = entry_at(s->buf, s->offset);
    e->inode = s->inum = ip->inum;
    e->type = type_of(ip);
    log_write(op, s->buf);
    know(dp, name, s);
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
        const struct ext2_dirent *e = entry_at(b, o);
        if (!is_sound(e, ext2.block_bytes - o))
            return -K_EIO;
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
