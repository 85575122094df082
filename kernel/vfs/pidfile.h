/* Processes that are open files: each becomes readable when its process has ended. There is nothing
 * to be read. */
#pragma once
#include "vfs/file.h"

/* What is in a file that stands for no process yet, or for one. */
struct pidfile;

/* A file for a process that is yet to be made, with one reference; until pidfile_set it stands for
 * one that has ended and left nothing. -K_ENFILE, -K_ENOMEM: there is none. */
int pidfile_create(struct file **out) must_check;

/* It stands for the process with this number, which may be a zombie, from now on. -K_ESRCH: there
 * is none. Once. */
int pidfile_set(struct file *f, int32_t pid) must_check;

/* The number, which nobody else has while f is there. -K_EBADF: f is something else; -K_ESRCH: it
 * stands for none. */
int pidfile_number(const struct file *f, uint64_t *pid) must_check;
