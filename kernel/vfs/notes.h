/* Notes of what happens to files and names, for programs that watch them (inotify). File systems
 * know nothing of it: what goes through vfs is noted, by whoever does it, afterwards.
 *
 * A queue is an open file, from which notes are read. It watches nodes, each of which is known by a
 * number that is never used again in that queue. A watch keeps its node; it goes when the node has
 * neither a name nor an open file, and with the queue.
 *
 * Lock: one for all queues and watches, a spinlock. Nodes are put without it. */
#pragma once
#include "vfs/node.h"

/* With Linux's numbers. */
enum {
    NOTE_ACCESS = 1,
    NOTE_MODIFY = 2,
    NOTE_ATTRIB = 4,
    NOTE_CLOSE_WRITE = 8,
    NOTE_CLOSE_NOWRITE = 0x10,
    NOTE_OPEN = 0x20,
    NOTE_MOVED_FROM = 0x40,
    NOTE_MOVED_TO = 0x80,
    NOTE_CREATE = 0x100,
    NOTE_DELETE = 0x200,
    NOTE_DELETE_SELF = 0x400,
    NOTE_MOVE_SELF = 0x800,
    NOTE_ALL = 0xfff,
    /* Always told: */
    NOTE_OVERFLOW = 0x4000, /* the queue was full: some are missing */
    NOTE_IGNORED = 0x8000,  /* the watch is no more */
    NOTE_IS_DIR = 0x40000000,
};
#define NOTE_ONCE 0x80000000U /* of a watch: it goes after its first note */

#define NOTES_QUEUED 4096 /* in one queue; one more says that there were more */
#define NOTES_WATCHES 8192

/* An empty queue with one reference. -K_ENFILE, -K_ENOMEM: there is none. */
int notes_create(struct file **out) must_check;
bool notes_is(const struct file *f) must_check;

/* How a watch that is there already is changed. */
enum notes_how { NOTES_REPLACE, NOTES_ADD, NOTES_NEW };
/* *number: of the watch of n, for these; f is a queue. -K_ENOSPC: there are NOTES_WATCHES;
 * -K_ENOMEM; -K_EEXIST: there is one, with NOTES_NEW. Nothing changed. */
int notes_watch(struct file *f, struct node *n, uint32_t wanted, enum notes_how how,
                int32_t *number) must_check;
/* -K_EINVAL: there is no such watch. */
int notes_unwatch(struct file *f, int32_t number) must_check;

/* ---- what has happened; no lock is held, and all may sleep ---- */

extern uint32_t notes_watches; /* atomic */
static inline bool notes_any(void) {
    return __builtin_expect(__atomic_load_n(&notes_watches, __ATOMIC_RELAXED), 0);
}

/* To a node itself, or, with a name, to what has that in a directory. */
void notes_tell(struct node *n, uint32_t what, uint32_t cookie, const struct name *name);

/* Of a name that goes, or changes: before and after. */
struct notes_name {
    struct node *node; /* what has it, with a reference; NULL: nobody asks */
    uint32_t is_dir;   /* NOTE_IS_DIR, or 0 */
};
void notes_name_begin(struct notes_name *n, struct node *dir, const struct name *name);
/* done: it is gone. replaced: by another node, whose notes tell of that. */
void notes_name_end(struct notes_name *n, struct node *dir, const struct name *name, bool done,
                    bool replaced);
/* Its new name; gives the reference back, too. */
void notes_moved(struct notes_name *n, struct node *from, const struct name *old, struct node *to,
                 const struct name *new, bool done);
void notes_made(struct node *dir, const struct name *name, bool is_dir);

/* n, to which the caller has a reference, has lost a name, or the last open file on it: if that was
 * the last of both, it is gone. */
void notes_if_gone(struct node *n);

/* An open file was opened, read, written, cut or closed. Where it was opened by a path its
 * directory is told, too. */
void notes_of_file(struct file *f, uint32_t what);
/* By which path f, which nobody else knows yet, was opened; then that is told, and whether it was
 * cut. */
void notes_opened(struct file *f, struct node *start, const char *path, bool cut);
void notes_forget_place(struct file *f);
/* To what a path leads, and to its directory. */
void notes_of_path(struct node *start, const char *path, struct node *n, uint32_t what);
