/* The root of the tree of files, at boot. */
#pragma once
#include "lib/types.h"

/* In the first process: the root is the disk; or, where there is an archive of files in memory
 * (ramdisk.h), a file system in memory with these, and the disk is mounted on its directory xv6 or
 * disk, if it has one and there is a disk; with the boot argument mount=PATH, the second disk there
 * in its place. On error *why is a sentence, and *what says of what. */
int root_mount(const char **what, const char **why) must_check;
