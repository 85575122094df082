/* The log's part of the disk: a header and room for blocks.
 *
 * Header: {int32 n; int32 block[n]}; n = 0: nothing to recover. One transaction stands there at
 * a time, from its first write to the cleared header; one thread does all of it. */
#pragma once
#include "fs/super.h"

#define LOG_MAX (FS_BLOCK_SIZE / 4 - 1) /* blocks that a header can name */

/* Boot: takes memory for the copies of a transaction's blocks. -K_ENOMEM. */
int logdisk_boot_init(void) must_check;

/* Mount: see log_mount. */
int logdisk_mount(const struct super *sb, const char **why) must_check;

/* Copies a block: number i of a transaction's, in order of block numbers. */
void logdisk_set(uint32_t i, uint32_t block, const uint8_t *data);
/* Commits the first n of them; NULL, or what failed. */
const char *logdisk_commit(uint32_t n) must_check;
