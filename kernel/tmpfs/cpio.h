/* Archives of files, as a boot loader or emulator hands them over with -initrd: cpio in the format
 * that is called newc (070701; 070702 has a sum, which is not looked at). */
#pragma once
#include "vfs/node.h"

/* Makes all that is in the archive below root, a directory of tmpfs; owners, permissions and times
 * as it says, names that are one file in it one file here. A directory may stand there twice, and
 * be there already. What is no file, directory, link or character device is left out. On error *why
 * is a sentence, and some of it is there: -K_ENOSPC, memory; else the archive is cut off,
 * contradicts itself, or has what there cannot be here. */
int cpio_unpack(const void *data, uint64_t bytes, struct node *root, const char **why) must_check;
