/* What the parts of threadworld.h know of each other: threadturns.c, who is held up where, and who
 * goes on; threadfile.c, the file; threadchanges.c, changes of mappings; threadops.c, all else that
 * a thread does. */
#pragma once
#include "fibers.h"
#include "threadworld.h"

#define NOWHERE UINT64_MAX
#define LOGGED 256 /* stores during a fork */

enum change_kind { NONE, MAP, UNMAP, PROTECT, DROP, SBRK, GRANTED, FORK };

/* A change of mappings that a thread makes; it counts when its turn ends. */
struct change {
    enum change_kind kind;
    bool counted;
    int expected; /* then known */
    uint64_t start, end, began;
    struct page like; /* MAP, PROTECT */
    bool replace, all;
    int64_t delta;
    uint64_t old; /* the break before */
    /* FORK: what was stored over meanwhile, so that the child may have either. */
    struct env_proc *child;
    unsigned logged;
    struct {
        uint64_t page, value;
        unsigned which;
    } log[LOGGED];
};

struct thread {
    struct env_proc *p; /* NULL: of none just now */
    int hart;           /* -1: none */
    bool busy;
    const uint32_t *waits; /* for a turn, */
    bool woken;            /* which may have come */
    uint64_t page;         /* that it accesses; or NOWHERE */
    uint64_t last;         /* that it has accessed last */
    bool unsure;           /* and what is changed meanwhile */
    uint64_t held;         /* the physical address that a copy of it has */
    struct change change;
};
extern struct thread threads[FIBERS];

/* ---- threadturns.c ---- */

uint64_t choose(uint64_t n);
struct thread *self(void); /* NULL: the test itself */
/* With TRACE in the environment: what the thread does. */
void trace(const char *fmt, ...) printf_like(1, 2);
/* Another one goes on; this one keeps its hart, or has left it. */
void pause_on_hart(void);
void maybe_on_hart(void);
void leave_hart(void);
void maybe_leave_hart(void);

/* ---- threadfile.c ---- */

void new_file(void);
bool is_of_file(const struct page *page);
/* Page by page: nobody has it any more. */
void forget_page(uint64_t index);
void cut(uint64_t end);
void grow(void);
void forbid(uint64_t index);

/* ---- threadchanges.c ---- */

/* Whether one thread changes what another one accesses. */
bool changes(const struct thread *t, const struct thread *by);
/* Its turn has ended: from now on the model has the change. */
void count_change(struct thread *t);
/* A store: a fork that is under way may have copied the page before. */
void log_for_forks(const struct env_proc *p, uint64_t page, unsigned which, uint64_t value);

void some_range(uint64_t *start, uint64_t *end);
void map(struct thread *t, uint64_t start, uint64_t end);
void protect(struct thread *t, uint64_t start, uint64_t end);
void unmap(struct thread *t, uint64_t start, uint64_t end);
void drop(struct thread *t, uint64_t start, uint64_t end);
void ask_granted(struct thread *t, uint64_t start, uint64_t end);
void sbrk_some(struct thread *t);
void fork_some(struct thread *t);
void exit_some(struct thread *t);
void forget_shared_objects(void);
void map_first_pages(struct env_proc *p); /* so that there is something */

/* ---- threadops.c ---- */

void do_something(struct thread *t);
