/* A file system in memory: what is in it is gone when the machine is switched off. Files of any
 * size, names of 255 bytes, symbolic links, devices; permissions, owners and times are kept, and
 * told, but forbid nothing. It takes the memory that its contents need, and says ENOSPC when that
 * cannot be promised. */
#pragma once
#include "vfs/node.h"

struct file;

/* Boot: takes memory for the table of names, by the size of RAM. -K_ENOMEM. */
int tmpfs_boot_init(uint64_t ram_bytes) must_check;

/* An empty file without a name, open for reading and writing; it is gone when nobody has it any
 * more. seals: those that it has (vfs/file.h), FILE_SEAL_SEAL if it is to get no others. -K_ENFILE,
 * -K_ENOMEM: there is none. */
int tmpfs_open_unnamed(uint16_t mode, uint32_t seals, struct file **out) must_check;

/* An empty one; *root has a reference, with mode's permissions. When the last reference from
 * outside goes, all that is in it does. dev: its number. -K_ENOMEM. */
int tmpfs_create(uint32_t dev, uint16_t mode, struct node **root) must_check;
