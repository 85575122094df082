/* Opening: from a path to an open file. */
#pragma once
#include "fs/file.h"

/* Opens path with the flags ABI_O_*: *out has one reference. O_CREATE makes a file
 * if nothing has the name, and opens what is there if it is a file or a device.
 * O_TRUNC empties a file, as the last step. -K_EISDIR: a directory, and mode is not
 * O_RDONLY; -K_ETXTBSY: it is to be written or emptied, and is a program that somebody runs;
 * -K_ENODEV: a device number that cannot be; -K_ENFILE; and the errors of
 * path_lookup, names_create and data_set_size. On error nothing is open, but a file
 * that was created is there. */
int file_open(const char *path, uint32_t mode, struct file **out) must_check;

/* Makes f a file on what *ip is; takes over the reference. Implemented by
 * inodefile.c (files and directories) and devfile.c (devices, whose number is in
 * ip->d). */
struct inode;
void inodefile_init(struct file *f, struct inode *ip);
void devfile_init(struct file *f, struct inode *ip);

/* What fstat says about an inode; inode locks are free. -K_EIO. */
int inode_stat(struct inode *ip, struct abi_stat *st) must_check;
