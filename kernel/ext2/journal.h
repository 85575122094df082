/* The journal of ext3 (the format of Linux's jbd): the log on the disk.
 *
 * It is a file. Its first block is a super block, which says where the first transaction begins
 * that is to be replayed, and its number; the others are a ring. A transaction is, one after the
 * other, descriptors   which block each of those that follow is a copy of copies a commit      with
 * the same number: without it, what stands before was never done and there may be revocations:
 * blocks whose older copies are not to be replayed. Linux leaves many transactions there; Trellis
 * one, always at the ring's start: descriptors and copies -> journal      flush commit -> journal
 * flush     committed the copies             -> where they live  flush the number of the next ->
 * super block  flush     the ring may be used again so no block is in two of them, and it revokes
 * nothing. While the file system is in use its super block says that it needs recovery, and e2fsck
 * and Linux do it as well.
 *
 * Without a journal blocks are written to where they live, all at once, after the contents of
 * files: what a power cut leaves then is for e2fsck to mend. */
#pragma once
#include "ext2/super.h"

/* Replays what a crash left, before the file system is mounted: what is in the block cache then is
 * not as it is on the disk. *replayed: transactions. -K_EINVAL, -K_EIO, -K_ENOMEM with a
 * sentence. */
int ext2_journal_replay(uint32_t *replayed, const char **why) must_check;

/* The log of the file system, which is mounted to be written. -K_EIO, -K_EINVAL: with a sentence.
 */
int ext2_journal_mount(struct log_disk *disk, const char **why) must_check;

/* All is on the disk: nothing needs to be recovered, until the next commit. */
void ext2_journal_clean(void);
