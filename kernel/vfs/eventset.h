/* Event sets: files that are watched for long, and what has happened to them.
 *
 * poll (poll.h) looks at each file that it is given, each time. A set keeps the files that it
 * watches, and a list of those that may be ready, to which the files themselves add: so who waits
 * looks at these alone, however many there are. A set is an open file itself, and can be watched,
 * also by another set.
 *
 * An event is one file of a set, under a number of the caller's. It has no reference to the file:
 * when the file's last reference goes, so do its events (file.h). */
#pragma once
#include "vfs/file.h"
#include "vfs/poll.h"

/* What is wanted of a file. */
struct event_wanted {
    unsigned ready;      /* READY_...; 0: nothing, nor is it told of anything */
    bool edge;           /* it is told once for each change, not as long as it is ready */
    bool once;           /* when it has been told, nothing more is wanted */
    uint64_t asked, tag; /* the caller's */
};

struct event_set;

#define EVENT_NESTED 5     /* sets in one another */
#define EVENT_PLACES 512   /* sets that one file may be in, and numbers in these */
#define EVENT_PLACES_SET 8 /* the same of a set: each change is told on all ways outwards */

/* An open file that is an empty set, with one reference. -K_ENFILE, -K_ENOMEM: there is none. */
int event_set_create(struct file **out) must_check;

/* The set that f is; NULL: it is something else. */
struct event_set *event_set_of(const struct file *f);

/* The file f, under a number, is one of s's from now on. If it is ready already, that is the first
 * change. On error nothing changed: -K_EEXIST, it is one already; -K_EPERM: it is always ready,
 * and so cannot be watched; -K_ELOOP: f is a set that s is in, or s itself, or more than
 * EVENT_NESTED would be in one another; -K_ENOSPC: it is in too many places; -K_ENOMEM. */
int event_add(struct event_set *s, struct file *f, int number,
              const struct event_wanted *wanted) must_check;

/* Something else is wanted of it from now on; if it is that already, that is a change.
 * -K_ENOENT: it is none of s's. */
int event_change(struct event_set *s, struct file *f, int number,
                 const struct event_wanted *wanted) must_check;

/* It is none of s's any more; who is about to tell of it has done so, or does not. -K_ENOENT. */
int event_remove(struct event_set *s, struct file *f, int number) must_check;

/* Tells the caller of the i-th file that is ready, and what it is of what was wanted: may sleep. An
 * error ends the wait, and the file stays ready. */
typedef int (*event_tell_fn)(void *ctx, unsigned i, const struct event_wanted *wanted,
                             unsigned found);

/* Waits until some are what is wanted of them, or cpu_time has reached `until` (as poll_wait), and
 * tells of up to `most`, each once, the longest ready first. *told of them. Several threads may
 * wait: each change wakes one of them, and it wakes the next if there is more. -K_EINTR: a signal
 * came while it waited; and the error of `tell`, if that was the first one. */
int event_wait(struct event_set *s, uint64_t until, unsigned most, event_tell_fn tell, void *ctx,
               unsigned *told) must_check;
