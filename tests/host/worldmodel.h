/* What world.c, which checks, and worldops.c, which acts, know of the model. */
#pragma once
#include "hostarch.h"
#include "mm/design.h"
#include "world.h"
#include <string.h>

#define PAGES (MIB(32) / PAGE_SIZE)

enum kind { NONE_GRANTED, OF_IMAGE, OF_ZEROS };

struct page {
    uint8_t kind, perm;
    uint16_t image_page;
    uint64_t first, last; /* the words at its ends */
};

/* What one process was granted. */
struct world {
    unsigned program;
    uint64_t brk;
    uint64_t pages; /* none is granted from here on */
    struct page page[PAGES];
};
extern struct world worlds[ENV_PROCS];

static inline struct world *world_of(const struct env_proc *p) { return &worlds[p - env_procs]; }

/* The frames that a space must have promised for this. */
uint64_t world_commitment(const struct world *w);

#define MUST(cond, fmt, ...) \
    do { \
        if (!(cond)) \
            env_fail("%s: " fmt " (%s)", design_at(0)->name, ##__VA_ARGS__, #cond); \
    } while (0)

typedef unsigned long ul;
