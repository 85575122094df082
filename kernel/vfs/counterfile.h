/* Counters: open files that are a number, to which one adds and which another takes; what threads
 * tell each other by it can be waited for with other files. */
#pragma once
#include "vfs/file.h"

#define COUNTER_MOST (UINT64_MAX - 1)

/* A counter, which begins with count, and one reference. -K_ENFILE, -K_ENOMEM: there is none.
 *
 * A read takes all of it, or, by_one, 1, and gives that as eight bytes; it waits until there is
 * something. A write adds what its eight bytes are, and waits until the sum is no more than
 * COUNTER_MOST. With nonblock (file.h) both are -K_EAGAIN instead. -K_EINVAL: fewer bytes, or the
 * number is UINT64_MAX; -K_EINTR: the count is as it was. -K_EFAULT, -K_ENOMEM: too, but of a read
 * others may have found it smaller meanwhile, and have added so much that COUNTER_MOST cuts off
 * some of what is put back. */
int counter_create(uint64_t count, bool by_one, struct file **out) must_check;
