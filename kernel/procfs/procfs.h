/* A file system that tells of processes and of the machine, as programs of Linux look for it in
 * /proc. Nothing in it can be changed.
 *
 * A file's contents are made when it is opened, and stay so until it is closed. What is said of a
 * process is gathered under its locks, a little at a time, and may be that of several moments; one
 * that ends meanwhile has what was gathered before, or is not there (-K_ESRCH). */
#pragma once
#include "vfs/node.h"

/* A root, with a reference: there may be several. dev: the file system's number. -K_ENOMEM. */
int procfs_create(uint32_t dev, struct node **root) must_check;

/* Whose folder n is, which may be of any file system; 0: no process's. */
int32_t procfs_process(struct node *n);
