/* Signals that are read from an open file: each read takes some that are pending for the thread
 * that reads, its process's and its own, whoever has made the file. They should be blocked, or
 * their handlers may take them first. It is readable when one is pending for who looks; who waits
 * for that in an event set is told of the signals of the process that has added it. */
#pragma once
#include "vfs/file.h"

#define SIGNAL_FILES_MOST 1024 /* on the machine: a signal tells all who watch with a lock held */

/* For these signals. -K_ENFILE: there are too many; -K_ENOMEM. */
int signal_file_create(uint64_t set, struct file **out) must_check;
bool signal_file_is(const struct file *f) must_check;
/* Others from now on. -K_EINVAL: f is something else. */
int signal_file_set(struct file *f, uint64_t set) must_check;
