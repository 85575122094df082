/* Signals that are read from an open file: each read takes some that are pending for the thread
 * that reads, its process's and its own, whoever has made the file. They should be blocked, or
 * their handlers may take them first. It is readable when one is pending for who looks; who waits
 * for that in an event set is told of the signals of the process that has added it. */
#pragma once
#include "vfs/file.h"

/* For these signals. -K_ENFILE, -K_ENOMEM: there is none. */
int signal_file_create(uint64_t set, struct file **out) must_check;
/* Others from now on. -K_EINVAL: f is something else. */
int signal_file_set(struct file *f, uint64_t set) must_check;
