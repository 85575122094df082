/* The log's part of the disk: a header and room for blocks.
 *
 * Header: {int32 n; int32 block[n]}; n = 0: nothing to recover. One transaction stands there at
 * a time, from its first write to the cleared header; one thread does all of it. */
#pragma once
#include "fs/log.h"
#include "fs/super.h"

/* Mount: replays what a crash left in the log of this image. *blocks: how many a transaction may
 * have. Failure: -K_EIO, or -K_EINVAL when the header is nonsense; *why says more. */
int logdisk_mount(const struct super *sb, uint32_t *blocks, const char **why) must_check;

/* See struct log_disk. */
const char *logdisk_commit(const uint32_t *block, uint8_t *copies, uint32_t n) must_check;
