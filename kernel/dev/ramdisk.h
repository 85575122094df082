/* A disk image that the firmware or the emulator has put into memory (QEMU: -initrd). It
 * is the disk where there is no other; what is written stays in memory. */
#pragma once
#include "dev/fdt.h"

/* An image that is an archive of files (cpio, newc) is no disk. Its bytes, mapped; NULL: there is
 * none. At boot. */
const void *ramdisk_archive(uint64_t *bytes);

/* Where it is, as /chosen says: physical bytes. -K_ENOENT: there is none. */
int ramdisk_where(struct fdt_reg *out) must_check;
