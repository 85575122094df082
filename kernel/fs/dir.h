/* Directories: contents that are 16-byte entries, an inode number (0: free) and a
 * name of up to 14 bytes, padded with zeros and not terminated when full.
 *
 * All calls want the directory locked. */
#pragma once
#include "fs/inode.h"

/* A name as an entry has it, in two numbers, so that comparing is cheap. */
#define DIR_NAME_WORDS 2
struct dir_name {
    uint64_t word[DIR_NAME_WORDS]; /* 6 bytes, then 8 */
};

/* The first 14 of len bytes. */
struct dir_name dir_name(const char *bytes, size_t len);
bool dir_name_is_dot(const struct dir_name *name);
bool dir_name_is_dotdot(const struct dir_name *name);

/* Where an entry is. */
struct dir_slot {
    struct buf *buf; /* with a reference; NULL: to be found, by dir_set */
    uint32_t within; /* offset in the buffer */
    uint32_t index;  /* which of the directory's entries it is */
    uint32_t inum;   /* 0: free */
};

/* Looks the name up. 0: slot is its entry, until dir_slot_put. -K_ENOENT: slot is for
 * adding it. -K_EIO: there is no slot. */
int dir_find(struct inode *dp, const struct dir_name *name, struct dir_slot *slot) must_check;
void dir_slot_put(struct dir_slot *slot);

/* dir_find for a caller that wants the number only. -K_ENOENT, -K_EIO. */
int dir_lookup(struct inode *dp, const struct dir_name *name, uint32_t *inum) must_check;

/* Makes the slot of dp, or else the first free entry, (name, inum). dp is edited. Room for
 * data_write_cost(1) blocks. A slot with a buffer: cannot fail. -K_ENOSPC: no block is
 * free, or the directory is as large as can be; -K_EIO. After an error the entry is not
 * there, and the directory is as it was. */
int dir_set(struct log_op *op, struct inode *dp, struct dir_slot *slot, const struct dir_name *name,
            uint32_t inum) must_check;

/* Makes the entry free. */
void dir_clear(struct log_op *op, struct inode *dp, struct dir_slot *slot);

/* Whether there are no entries but "." and "..". -K_EIO. */
int dir_is_empty(struct inode *dp, bool *empty) must_check;

/* Writes "." and ".." into a new directory. -K_ENOSPC, -K_EIO: it may have ".", and its
 * maker gives it back. */
int dir_init(struct log_op *op, struct inode *dp, uint32_t parent) must_check;
