/* A pipe's ring, for pipe.c, which says how it works, and pipemove.c. */
#pragma once
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame.h"
#include "proc/sleeplock.h"
#include "vfs/pipe.h"
#include "vfs/poll.h"

#define PIPE_FRAMES (PIPE_SIZE / PAGE_SIZE)
#define PIPE_PROMISED 2u /* frames that it can always have */
#define PIPE_KEPT 4u     /* frames that an empty one keeps */
_Static_assert(PIPE_ATOMIC <= PAGE_SIZE, "in two frames, wherever it begins");

struct side {
    uint32_t open;               /* files that are this side */
    uint32_t begun;              /* files that have ever been */
    bool busy;                   /* somebody copies on this side */
    uint32_t waiting;            /* sleepers on changed */
    struct wait_channel changed; /* what this side waits for: bytes or room, or not busy */
    struct watched
        watched; /* as its ready operation says: bytes or room, or the other side's end */
};

struct pipe {
    struct spinlock lock;
    uint64_t head, tail;
    uint64_t wanted; /* bytes that the busy writer has left, when it waits for room */
    uint64_t size;   /* bytes that it may hold: PIPE_SIZE, unless somebody has asked for less */
    uint64_t limit;  /* the same, or less while memory is refused */
    uint32_t both;   /* files that are both sides, and watch the readers' alone */
    bool kept_off;   /* somebody was told that a write would wait, since another writer is busy */
    struct side readers, writers;
    uint8_t *frames[PIPE_FRAMES]; /* NULL: none */
    uint32_t held;                /* of them; the busy writer's, or with the lock */
    struct list link;             /* among the free pipes */
};

/* ---- waiting ---- */

static inline int wait_for(struct pipe *p, struct side *s) {
    if (proc_interrupted())
        return -K_EINTR;
    s->waiting++;
    sleep_on(&s->changed, &p->lock);
    s->waiting--;
    return 0;
}

static inline void wake(struct side *s) {
    if (s->waiting > 0)
        wakeup(&s->changed);
}

static inline void wake_and_tell(struct side *s) {
    wake(s);
    watched_changed(&s->watched);
}

static inline void tell_room(struct pipe *p) {
    ASSERT_LOCKED(&p->lock);
    watched_changed(&p->writers.watched);
    if (p->both)
        watched_changed(&p->readers.watched);
}

/* ---- the ring ---- */

/* The longest piece at position pos of the ring that lies in one frame. */
static inline size_t piece(uint64_t pos, size_t n) {
    return MIN(n, (size_t)(PAGE_SIZE - pos % PAGE_SIZE));
}

static inline uint8_t **slot(struct pipe *p, uint64_t pos) {
    return &p->frames[pos % PIPE_SIZE / PAGE_SIZE];
}

static inline uint8_t *place(struct pipe *p, uint64_t pos) {
    return *slot(p, pos) + pos % PAGE_SIZE;
}

/* The writer's side: what is not in [tail, head) is its own. Sees to frames for n bytes from head
 * on; returns for how many there are. */
size_t pipe_need_some(struct pipe *p, uint64_t tail, uint64_t head, size_t n) seldom;
/* Of an empty pipe in which nobody copies. */
void pipe_keep_few(struct pipe *p) seldom;

static inline size_t need_frames(struct pipe *p, uint64_t tail, uint64_t head, size_t n) {
    return piece(head, n) == n && *slot(p, head) ? n : pipe_need_some(p, tail, head, n);
}

static inline size_t full(const struct pipe *p) { return (size_t)(p->head - p->tail); }
static inline size_t room(const struct pipe *p) { return (size_t)p->limit - full(p); }

/* n bytes were taken out. */
static inline void more_room(struct pipe *p, size_t n) {
    ASSERT_LOCKED(&p->lock);
    size_t before = room(p);
    p->tail += n;
    if (full(p) == 0 && !p->writers.busy) {
        p->head = p->tail = 0;
        if (p->held > PIPE_KEPT)
            pipe_keep_few(p);
    }
    if (__builtin_expect(p->limit < p->size, 0) && full(p) <= p->limit / 2)
        p->limit = p->size;
    if (room(p) >= MIN(p->wanted, p->limit / 2))
        wake(&p->writers);
    if (before < PIPE_ATOMIC && room(p) >= PIPE_ATOMIC)
        tell_room(p);
}
