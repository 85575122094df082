/* A file system of ext2 or ext3 as the root, on the host, in memdisk.h's disk. Images are made by
 * mke2fs, and what the kernel leaves is checked by e2fsck: without these programs tests are
 * skipped. */
#pragma once
#include "fsenv.h"

/* Whether the programs are there; if not, that is said. */
bool ext2env_can(void);

/* A folder on the host, empty, for what mke2fs is to put on the disk; the same at each call, and a
 * file in it. */
const char *ext2env_folder(void);
const char *ext2env_path(const char *name);

/* A new image of so many KiB, with mke2fs's options; with what is in the folder. */
void ext2env_make(const char *options, unsigned kib, bool with_folder);
/* The same, empty, and mounted: what is done is durable by and by. */
void ext2env_fresh(const char *options, unsigned kib);
/* Has debugfs change the image that memdisk has. */
void ext2env_debugfs(const char *commands);

/* From boot on: mounts what memdisk has. */
int ext2env_mount(const char **why);
void ext2env_mount_ok(void);
/* All that was done is on the disk, in order, and it is mounted again. */
void ext2env_remount(void);

/* Fails the test if e2fsck -fn has anything to say about an image. */
void ext2env_check(const uint8_t *image);
/* The same about what memdisk has, when all is on it. */
void ext2env_check_disk(void);
/* Has e2fsck recover an image, in place, as it does before a mount; returns its status. */
int ext2env_recover(uint8_t *image, const char *how);

/* A number that all names and contents below the root make, and all that is known of them but times
 * of access. */
uint64_t ext2env_digest(void);

/* A symbolic link. 0, or a negative errno. */
int t_symlink(const char *target, const char *path);

/* How often somebody was told that pages are cut off. */
extern unsigned ext2env_taken_away;

int ext2env_teardown(void **state);
