/* Queues of notes and watches: what notes.c and notefile.c do for each other. */
#pragma once
#include "lib/list.h"
#include "vfs/notes.h"
#include "vfs/poll.h"

struct note {
    struct list link;
    int32_t number; /* of the watch; -1: of none */
    uint32_t what, cookie;
    uint16_t length; /* of the name; 0: none */
    char name[];
};

struct note_queue {
    struct list notes;
    uint32_t count;
    uint64_t bytes; /* that a program would read */
    int32_t last_number;
    struct list watches; /* by_queue */
    struct wait_channel changed;
    struct watched watched;
    struct note *overflow; /* is kept for that; NULL: it is among the notes */
};

struct note_watch {
    struct list by_queue;
    struct note_watch *next; /* of the same hash */
    struct note_queue *queue;
    struct node *node; /* with a reference */
    uint32_t wanted;
    int32_t number;
    uint32_t serial; /* in the order in which they came, of all queues */
};

extern struct spinlock notes_lock;

/* NULL: no memory. */
struct note *note_new(const struct name *name);
void note_free(struct note *e);

/* At the end of the queue. What is not used, or NULL. */
struct note *note_post_locked(struct note_queue *q, struct note *e) must_check;
/* The watch leaves its queue and the table, and is the caller's to give back. */
void note_watch_leave_locked(struct note_watch *w);
void note_watch_free(struct note_watch *w);
