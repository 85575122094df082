/* Directories: searching and changing entries. */
#include "fs/dir.h"
#include "fs/data.h"
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

struct dir_name dir_name(const char *bytes, size_t len) {
    union {
        char padded[16];
        struct entry e;
    } u = {.padded = {0}};
    memcpy(u.padded + offsetof(struct fs_dirent, name), bytes, MIN(len, (size_t)ABI_DIRSIZ));
    return (struct dir_name){.first = HEAD_NAME(u.e.head), .rest = u.e.rest};
}

bool dir_name_is_dot(const struct dir_name *name) { return name->first == '.' && name->rest == 0; }

bool dir_name_is_dotdot(const struct dir_name *name) {
    return name->first == ('.' | '.' << 8) && name->rest == 0;
}

static struct entry *entry_at(const struct buf *b, uint32_t within) {
    return (struct entry *)(void *)(b->data + within);
}

/* How many whole entries block i of the contents has. */
static uint32_t entries_in(const struct inode *dp, uint32_t i) {
    uint32_t all = dp->d.size / (uint32_t)sizeof(struct entry);
    return MIN(all - i * (uint32_t)ENTRIES_PER_BLOCK, (uint32_t)ENTRIES_PER_BLOCK);
}

static uint32_t blocks_of(const struct inode *dp) {
    uint32_t all = dp->d.size / (uint32_t)sizeof(struct entry);
    return (all + (uint32_t)ENTRIES_PER_BLOCK - 1) / (uint32_t)ENTRIES_PER_BLOCK;
}

/* Looks for the name among n entries; notes the first free one when there is none
 * yet. The index of the name's entry, or n. */
static uint32_t search(const struct buf *b, uint32_t n, const struct dir_name *name,
                       uint32_t *free_entry) {
    const struct entry *e = entry_at(b, 0);
    for (uint32_t k = 0; k < n; k++, e++) {
        if (HEAD_INUM(e->head) == 0) {
            if (*free_entry == n)
                *free_entry = k;
        } else if (HEAD_NAME(e->head) == name->first && e->rest == name->rest) {
            return k;
        }
    }
    return n;
}

static void fill_slot(struct dir_slot *slot, struct buf *b, uint32_t k) {
    *slot = (struct dir_slot){.buf = b, .within = k * (uint32_t)sizeof(struct entry)};
    slot->inum = HEAD_INUM(entry_at(b, slot->within)->head);
}

int dir_find(struct inode *dp, const struct dir_name *name, struct dir_slot *slot) {
    *slot = (struct dir_slot){.buf = NULL};
    for (uint32_t i = 0; i < blocks_of(dp); i++) {
        struct buf *b;
        int err = data_block(dp, i, &b);
        if (err) {
            dir_slot_put(slot);
            return err;
        }
        if (!b)
            continue;
        uint32_t n = entries_in(dp, i), free_entry = n;
        uint32_t k = search(b, n, name, &free_entry);
        if (k < n) {
            dir_slot_put(slot);
            fill_slot(slot, b, k);
            return 0;
        }
        if (!slot->buf && free_entry < n)
            fill_slot(slot, b, free_entry);
        else
            cache_put(b);
    }
    return -K_ENOENT;
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

/* Gives the slot a buffer: the directory grows by an entry. */
static int append(struct log_op *op, struct inode *dp, struct dir_slot *slot) {
    bool fresh;
    uint32_t end = (uint32_t)ROUND_DOWN(dp->d.size, sizeof(struct entry));
    int err = data_block_for_write(op, dp, end / FS_BLOCK_SIZE, &slot->buf, &fresh);
    if (err)
        return err == -K_EFBIG ? -K_ENOSPC : err;
    slot->within = end % FS_BLOCK_SIZE;
    dp->d.size = end + (uint32_t)sizeof(struct entry);
    inode_save(op, dp);
    return 0;
}

int dir_set(struct log_op *op, struct inode *dp, struct dir_slot *slot, const struct dir_name *name,
            uint32_t inum) {
    if (!slot->buf) {
        int err = append(op, dp, slot);
        if (err)
            return err;
    }
    *entry_at(slot->buf, slot->within) = (struct entry){name->first << 16 | inum, name->rest};
    log_write(op, slot->buf);
    slot->inum = inum;
    inode_touch(dp);
    return 0;
}

void dir_clear(struct log_op *op, struct dir_slot *slot) {
    *entry_at(slot->buf, slot->within) = (struct entry){0, 0};
    log_write(op, slot->buf);
    slot->inum = 0;
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
            struct dir_name name = {HEAD_NAME(e->head), e->rest};
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
