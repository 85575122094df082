/* ext2 and ext3 on the disk: docs/ext2.md. */
#pragma once
#include "lib/types.h"

struct node;

/* Whether the disk has this format. -K_EIO. */
int ext2_there(bool *there) must_check;

/* Mounts it: checks it, replays its journal, frees orphans. *root has a reference to its root. In
 * the first process, for it sleeps. On error *why is a sentence about the image or the disk:
 * -K_EINVAL not an image that fits it, or one with features that are not known, -K_EIO, -K_ENOMEM,
 * -K_EROFS. */
int ext2_mount(struct node **root, const char **why) must_check;
