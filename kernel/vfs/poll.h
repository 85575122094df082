/* Waiting until one of several files is ready. */
#pragma once
#include "proc/watch.h"
#include "vfs/file.h"

/* What f is now; w: and it is watched from before this look on (watch.h). */
static inline unsigned file_ready(struct file *f, struct watch *w) {
    return f->ops->ready ? f->ops->ready(f, w) : READY_READABLE | READY_WRITABLE;
}

/* One file of a wait. */
struct polled {
    struct polled *next;
    struct file *file;      /* with a reference */
    unsigned wanted, found; /* READY_... */
    uint64_t tag;           /* the caller's */
    struct watch watch;
};

/* Files to be waited for, in the order in which they were added. */
struct poll_set {
    struct polled *first, **end;
};

static inline void poll_begin(struct poll_set *s) {
    s->first = NULL;
    s->end = &s->first;
}

/* One more; it takes a reference of its own. -K_ENOMEM: it was not added. */
int poll_add(struct poll_set *s, struct file *f, unsigned wanted, uint64_t tag) must_check;

/* Waits until one is what is wanted of it, or cpu_time has reached `until` (UINT64_MAX: for ever;
 * 0: it does not wait). *ready files are, and each one's `found` says what of that. -K_EINTR: none
 * was when a signal came, or had come already;
 * -K_ENOMEM. */
int poll_wait(struct poll_set *s, uint64_t until, unsigned *ready) must_check;

/* Gives all back; also after an error. */
void poll_end(struct poll_set *s);
