/* What the calls that change directories (entries.h) begin and end with, where the lock order
 * stands. */
#pragma once
#include "fs/inode.h"

#define NLINK_MAX INT16_MAX

/* Reservations: how many blocks an operation may write at most. */
uint32_t nameop_create_cost(void);
uint32_t nameop_mkdir_cost(void);
uint32_t nameop_rename_cost(void);
#define NAMEOP_UNLINK_COST 3 /* the entry, the directory, the inode */

/* Begins an operation of the log and takes the name lock. -K_EROFS: did neither. */
int nameop_begin(struct log_op *op, uint32_t cost) must_check;
/* Ends both; the result of the call is err, or else the commit's. */
int nameop_end(struct log_op *op, int err) must_check;

/* Locks a directory to change it, and edits it. -K_ENOTDIR; -K_ENOENT: it has been removed;
 * -K_EIO. After an error it is not locked. */
int nameop_lock_dir(struct inode *dp) must_check;
/* Locks and edits another inode than those that are locked already (locked2 may be NULL).
 * -K_EIO: it is one of them, since an image may give one inode two places; or as above. */
int nameop_lock_other(struct inode *ip, const struct inode *locked,
                      const struct inode *locked2) must_check;
