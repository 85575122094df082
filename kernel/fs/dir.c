/* Directories: searching and changing entries. */
#include "fs/dir.h"
#include "fs/data.h"
#include "fs/namecache.h"
#include "lib/errno.h"
#include "lib/string.h"

#define ENTRIES_PER_BLOCK (FS_BLOCK_SIZE / sizeof(struct fs_dirent))

/* An entry as two little-endian numbers: inum and 6 bytes of the name, then 8. */
struct entry {
    uint64_t head, rest;
};
_Static_assert(sizeof(struct entry) == sizeof(struct fs_dirent), "an entry is two numbers");
#define HEAD_INUM(head) ((uint16_t)(head))
#define HEAD_NAME(head) ((head) >> 16)

static struct dir_name name_of(const struct entry *e) {
    return (struct dir_name){{HEAD_NAME(e->head), e->rest}};
}

struct dir_name dir_name(const char *bytes, size_t len) {
    union {
        char padded[16];
        struct entry e;
    } u = {.padded = {0}};
    memcpy(u.padded + offsetof(struct fs_dirent, name), bytes, MIN(len, (size_t)ABI_DIRSIZ));
    return name_of(&u.e);
}

bool dir_name_is_dot(const struct dir_name *name) {
    return name->word[0] == '.' && name->word[1] == 0;
}

bool dir_name_is_dotdot(const struct dir_name *name) {
    return name->word[0] == ('.' | '.' << 8) && name->word[1] == 0;
}

static struct entry *entry_at(const struct buf *b, uint32_t within) {
    return (struct entry *)(void *)(b->data + within);
}

static uint32_t entries_of(const struct inode *dp) {
    return dp->d.size / (uint32_t)sizeof(struct entry);
}

/* How many whole entries block i of the contents has. */
static uint32_t entries_in(const struct inode *dp, uint32_t i) {
    uint32_t before = i * (uint32_t)ENTRIES_PER_BLOCK;
    return MIN(entries_of(dp) - before, (uint32_t)ENTRIES_PER_BLOCK);
}

static uint32_t blocks_of(const struct inode *dp) {
    return (entries_of(dp) + (uint32_t)ENTRIES_PER_BLOCK - 1) / (uint32_t)ENTRIES_PER_BLOCK;
}

static bool is_named(const struct entry *e, const struct dir_name *name) {
    return HEAD_NAME(e->head) == name->word[0] && e->rest == name->word[1] &&
           HEAD_INUM(e->head) != 0;
}

/* The number, from k on, of the first of n entries that has the name, or with NULL is free;
 * or n. */
static uint32_t search(const struct buf *b, uint32_t k, uint32_t n, const struct dir_name *name) {
    const struct entry *e = entry_at(b, 0) + k;
    for (; k < n; k++, e++)
        if (name ? is_named(e, name) : HEAD_INUM(e->head) == 0)
            break;
    return k;
}

/* The slot of entry k of block i, whose buffer the caller hands over. */
static void fill_slot(struct dir_slot *slot, struct buf *b, uint32_t i, uint32_t k) {
    *slot = (struct dir_slot){.buf = b, .within = k * (uint32_t)sizeof(struct entry)};
    slot->index = i * (uint32_t)ENTRIES_PER_BLOCK + k;
    slot->inum = HEAD_INUM(entry_at(b, slot->within)->head);
}

/* Looks at one entry; slot->buf stays NULL when it has another name, or none. */
static int look_at(struct inode *dp, uint32_t index, const struct dir_name *name,
                   struct dir_slot *slot) {
    uint32_t i = index / (uint32_t)ENTRIES_PER_BLOCK, k = index % (uint32_t)ENTRIES_PER_BLOCK;
    struct buf *b;
    int err = data_block(dp, i, &b);
    if (err || !b)
        return err;
    if (is_named(entry_at(b, 0) + k, name))
        fill_slot(slot, b, i, k);
    else
        cache_put(b);
    return 0;
}

/* Looks at all entries from one on for the name, or with NULL for a free one; slot->buf stays
 * NULL when there is none. */
static int search_all(struct inode *dp, uint32_t from, const struct dir_name *name,
                      struct dir_slot *slot) {
    uint32_t k = from % (uint32_t)ENTRIES_PER_BLOCK;
    for (uint32_t i = from / (uint32_t)ENTRIES_PER_BLOCK; i < blocks_of(dp); i++, k = 0) {
        struct buf *b;
        int err = data_block(dp, i, &b);
        if (err)
            return err;
        if (!b)
            continue;
        uint32_t n = entries_in(dp, i);
        k = search(b, k, n, name);
        if (k < n) {
            fill_slot(slot, b, i, k);
            return 0;
        }
        cache_put(b);
    }
    return 0;
}

/* It is so from now on, for the name cache. */
static void know(struct inode *dp, const struct dir_name *name, uint32_t inum, uint32_t index) {
    if (dp->d.nlink > 0)
        namecache_put(&dp->names, name->word, (struct known_name){inum, index});
}

int dir_find(struct inode *dp, const struct dir_name *name, struct dir_slot *slot) {
    struct known_name known;
    *slot = (struct dir_slot){.buf = NULL};
    if (namecache_get(&dp->names, name->word, &known)) {
        if (known.inum == 0)
            return -K_ENOENT;
        int err = look_at(dp, known.where, name, slot);
        if (err || slot->buf) /* else the image uses a block twice */
            return err;
    }
    int err = search_all(dp, 0, name, slot);
    if (err)
        return err;
    know(dp, name, slot->inum, slot->index);
    return slot->buf ? 0 : -K_ENOENT;
}

void dir_slot_put(struct dir_slot *slot) {
    if (slot->buf)
        cache_put(slot->buf);
    slot->buf = NULL;
}

int dir_lookup(struct inode *dp, const struct dir_name *name, uint32_t *inum) {
    struct dir_slot slot;
    int err = dir_find(dp, name, &slot);
    *inum = slot.inum;
    dir_slot_put(&slot);
    return err;
}

/* Gives the slot a buffer at the end of the directory, which grows by an entry. */
static int append(struct log_op *op, struct inode *dp, struct dir_slot *slot) {
    uint32_t end = (uint32_t)ROUND_DOWN(dp->d.size, sizeof(struct entry));
    int err = data_block_for_write(op, dp, end / FS_BLOCK_SIZE, &slot->buf);
    if (err)
        return err == -K_EFBIG ? -K_ENOSPC : err;
    slot->within = end % FS_BLOCK_SIZE;
    slot->index = end / (uint32_t)sizeof(struct entry);
    dp->d.size = end + (uint32_t)sizeof(struct entry);
    inode_save(op, dp);
    return 0;
}

/* Gives the slot the first free entry, or a new one. */
static int need_entry(struct log_op *op, struct inode *dp, struct dir_slot *slot) {
    int err = search_all(dp, dp->first_free, NULL, slot);
    if (!err && !slot->buf)
        err = append(op, dp, slot);
    if (!err)
        dp->first_free = slot->index + 1;
    return err;
}

int dir_set(struct log_op *op, struct inode *dp, struct dir_slot *slot, const struct dir_name *name,
            uint32_t inum) {
    if (!slot->buf) {
        int err = need_entry(op, dp, slot);
        if (err)
            return err;
    }
    *entry_at(slot->buf, slot->within) = (struct entry){name->word[0] << 16 | inum, name->word[1]};
    log_write(op, slot->buf);
    slot->inum = inum;
    inode_changed(op, dp);
    know(dp, name, inum, slot->index);
    return 0;
}

void dir_clear(struct log_op *op, struct inode *dp, struct dir_slot *slot) {
    struct entry *e = entry_at(slot->buf, slot->within);
    struct dir_name name = name_of(e);
    *e = (struct entry){0, 0};
    log_write(op, slot->buf);
    slot->inum = 0;
    dp->first_free = MIN(dp->first_free, slot->index);
    inode_changed(op, dp);
    know(dp, &name, 0, 0);
}

int dir_is_empty(struct inode *dp, bool *empty) {
    *empty = true;
    for (uint32_t i = 0; i < blocks_of(dp) && *empty; i++) {
        struct buf *b;
        int err = data_block(dp, i, &b);
        if (err)
            return err;
        if (!b)
            continue;
        const struct entry *e = entry_at(b, 0);
        for (uint32_t k = 0; k < entries_in(dp, i); k++, e++) {
            struct dir_name name = name_of(e);
            if (HEAD_INUM(e->head) != 0 && !dir_name_is_dot(&name) && !dir_name_is_dotdot(&name))
                *empty = false;
        }
        cache_put(b);
    }
    return 0;
}

static int add(struct log_op *op, struct inode *dp, const char *text, uint32_t inum) {
    struct dir_slot slot = {.buf = NULL};
    struct dir_name name = dir_name(text, strlen(text));
    int err = dir_set(op, dp, &slot, &name, inum);
    dir_slot_put(&slot);
    return err;
}

int dir_init(struct log_op *op, struct inode *dp, uint32_t parent) {
    int err = add(op, dp, ".", dp->inum);
    return err ? err : add(op, dp, "..", parent);
}
