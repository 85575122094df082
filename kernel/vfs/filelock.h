/* Locks on ranges of files, which forbid nothing but each other.
 *
 * Who has one: a process (POSIX; it loses all that it has on a file when it closes any descriptor
 * of that), or an open file (until it is closed for good). A range is held by any who share it, or
 * by one alone. What an owner asks for replaces what it has there. */
#pragma once
#include "vfs/file.h"

void filelock_boot_init(void); /* at boot */

/* Locks of different families do not meet. */
enum lock_family { LOCK_RANGES, LOCK_WHOLE };

enum lock_sort { LOCK_SHARED, LOCK_ALONE, LOCK_NONE };

struct lock_request {
    enum lock_family family;
    enum lock_sort sort;
    bool of_process; /* else the open file's */
    bool waits;
    uint64_t start, end; /* bytes [start, end]; UINT64_MAX: without end */
};

/* Ranges that are locked at once, of all owners: lists of them are looked through with a spinlock.
 * One that another sort cuts in two is two. */
#define FILELOCKS_ON_FILE 512   /* on one file */
#define FILELOCKS_TOGETHER 2048 /* on the files that have a list in common (a 64th of all) */

/* Takes the lock for f, or gives it back (LOCK_NONE). -K_EAGAIN: others have it, and it does not
 * wait; -K_EDEADLK: it would wait for a process that waits for this one, by way of 14 others at
 * most; -K_EINTR; -K_ENOLCK: no memory, or there would be too many. After an error all is as it
 * was, but who waits for LOCK_WHOLE has given back what it had of it. */
int filelock_set(struct file *f, const struct lock_request *r) must_check;

/* A lock that keeps this one out. */
struct lock_found {
    enum lock_sort sort; /* LOCK_NONE: there is none */
    uint64_t start, end;
    int32_t pid; /* whose; -1: an open file's */
};
void filelock_find(struct file *f, const struct lock_request *r, struct lock_found *found);

/* The running process closes a descriptor of f, which is still there. */
void filelock_closed(struct file *f);
/* f is closed for good. */
void filelock_file_ended(struct file *f);
/* p ends. */
void filelock_process_ended(struct proc *p);
