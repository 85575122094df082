/* What world.c, which checks, and worldops.c, which acts, know of the model. */
#pragma once
#include "hostarch.h"
#include "mm/design.h"
#include "world.h"
#include <string.h>

#define PAGES (MIB(32) / PAGE_SIZE)

enum kind { NONE_GRANTED, OF_FILE, OF_ZEROS, OF_SHARED };

/* Memory that spaces share: it lives as long as a page of it is granted to somebody. */
#define SHARED_PAGES 512
struct shared {
    struct object *object;
    uint64_t pages;
    uint64_t word[SHARED_PAGES][2]; /* at the ends of each page */
};

struct page {
    uint8_t kind, perm, limit;
    bool owns;
    uint16_t index;        /* of a program file's page, or of shared memory's */
    struct object *zeros;  /* of these */
    struct shared *shared; /* or of this */
    uint64_t word[2];      /* at its ends; not of shared memory */
};

/* What one process was granted. */
struct world {
    unsigned program;
    uint64_t brk, heap_end;
    uint64_t pages; /* none is granted from here on */
    struct page page[PAGES];
};
extern struct world worlds[ENV_PROCS];

static inline struct world *world_of(const struct env_proc *p) { return &worlds[p - env_procs]; }

static inline uint64_t *words_of(struct page *page) {
    return page->kind == OF_SHARED ? page->shared->word[page->index] : page->word;
}

/* Any page: granted or not. */
static inline bool any_granted(const struct world *w, uint64_t start, uint64_t end) {
    for (uint64_t i = start / PAGE_SIZE; i < MIN(end / PAGE_SIZE, w->pages); i++)
        if (w->page[i].kind != NONE_GRANTED)
            return true;
    return false;
}

void model_grant(struct world *w, uint64_t start, uint64_t end, struct page like);
void model_remove(struct world *w, uint64_t start, uint64_t end);

/* A failure must have a reason: one was asked for, or need frames are not there. */
bool failure_is_due(uint64_t need, bool asked);

/* worldmaps.c. The space's mappings are the model's, and as few as can be. */
void check_mappings(const struct env_proc *p);
/* Shared memory that is in use: its frames but for those of its pages, and its promises; each
 * page is told to count. */
uint64_t count_shared(uint64_t *committed, void (*count)(uint64_t pa));
/* One random operation on mappings. */
void some_mapping(struct env_proc *p);

/* The frames that a space must have promised for this. */
uint64_t world_commitment(const struct world *w);

#define MUST(cond, fmt, ...) \
    do { \
        if (!(cond)) \
            env_fail("%s: " fmt " (%s)", design_at(0)->name, ##__VA_ARGS__, #cond); \
    } while (0)

typedef unsigned long ul;
