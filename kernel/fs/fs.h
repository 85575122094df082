/* The file system as a whole: memory at boot, mount, numbers. */
#pragma once
#include "lib/types.h"

struct node;

/* What a format does for the file system that is mounted. The log is common to all (log.h), and so
 * are the caches. */
struct fs_stats {
    uint64_t inodes_free; /* exact, at one moment */
    uint64_t blocks_free;
    uint64_t files_open;
};
struct fs_format {
    const char *name; /* as programs of Linux call it */
    bool read_only;
    int (*root)(struct node **out);      /* with a reference. -K_EIO, -K_ENFILE */
    void (*stats)(struct fs_stats *out); /* what is free */
    void (*quiesced)(void);              /* see log_when_durable; NULL: nothing is to be done */
};

/* It is mounted, with the log. */
void fs_begin(const struct fs_format *format);

/* What is mounted, for who asks. NULL: nothing is. */
const struct fs_format *fs_mounted_format(void);

/* Takes memory for the tables, by the size of RAM. Once at boot, before frame_init.
 * -K_ENOMEM: there is not enough. */
int fs_boot_init(uint64_t ram_bytes) must_check;

/* Mounts the disk as one of xv6's: checks it, recovers what a crash left in its log, frees
 * inodes that have no links. *root has a reference to its root.
 * In the first process, for it sleeps. On error *why is a sentence about the image
 * or the disk: -K_ENODEV no disk, -K_EINVAL not an image that fits it, -K_EIO,
 * -K_ENOMEM. */
int fs_mount(struct node **root, const char **why) must_check;

/* Whether there is a disk that is mounted. The calls below do nothing without. */
bool fs_mounted(void);

/* Waits until all that was done is on the disk. -K_EIO: some of it will never be. */
int fs_sync(void) must_check;

/* Waits until all operations that had begun are on the disk. For a power-off; not
 * needed for a consistent disk. */
void fs_quiesce(void);

/* The flusher's life: writes what has changed to the disk about a second later. In a process
 * of the kernel's own, with the file system mounted. */
void fs_flusher(void) never_returns;

void fs_stats(struct fs_stats *out);
