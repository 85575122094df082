/* Timers that are open files: they become readable at a time, and every so often from then on. */
#pragma once
#include "vfs/file.h"

struct timer_file;

/* A timer that does not run, with one reference. by_date: its absolute times are dates, else they
 * are since boot. -K_ENFILE, -K_ENOMEM: there is none.
 *
 * A read gives as eight bytes how often it has rung since the last one, and waits until it has;
 * with nonblock (file.h) it is -K_EAGAIN instead. -K_EINVAL: fewer bytes; -K_EINTR, -K_EFAULT,
 * -K_ENOMEM: it has rung as often as before. */
int timer_file_create(bool by_date, struct file **out) must_check;

/* The timer that f is; NULL: it is something else. */
struct timer_file *timer_file_of(const struct file *f);

/* It has not rung, and runs so from now on. absolute: first is a time, which may be over. */
void timer_file_set(struct timer_file *t, const struct timer_setting *s, bool absolute);
/* How it runs. One that rings once and has rung does not. */
struct timer_setting timer_file_get(struct timer_file *t);
