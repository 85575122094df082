/* What is remembered of RAM to find races: of each doubleword the last accesses, and what it
 * carries from harts that release to harts that acquire. A page has that once somebody has
 * accessed it. */
#pragma once
#include "machine/sim.h"

/* Up to which instruction (sim_now) something of each hart is known. */
struct clock {
    uint64_t at[SIM_HARTS_MAX];
};
static inline void clock_join(struct clock *to, const struct clock *from) {
    for (unsigned i = 0; i < SIM_HARTS_MAX; i++)
        if (to->at[i] < from->at[i])
            to->at[i] = from->at[i];
}

enum { SHADOW_WORDS = 4096 / 8, ACCESSES = 4 };

struct access_made {
    uint64_t when : 48; /* sim_now; 0: none */
    uint64_t hart : 3;
    uint64_t bytes : 8; /* a bit for each of the doubleword */
    uint64_t store : 1;
    uint64_t beside : 1; /* a store right behind a fence that releases, a load behind a full one */
    uint64_t pc;
};

/* What a doubleword carries. It is never forgotten while the page is the same, so a hart may be
 * thought to know more than it does, never less. */
struct carrier {
    struct clock clock;
    uint8_t atomic; /* the bytes that an atomic instruction has worked on */
};

struct shadow_page {
    uint32_t carriers[SHADOW_WORDS]; /* one more than the index; 0: none */
    struct access_made made[SHADOW_WORDS][ACCESSES];
};

struct shadow {
    uint64_t page_count;
    struct shadow_page **pages; /* NULL: nobody has accessed it */
    uint8_t *shown;             /* for each, 1: to programs; it has no shadow_page then */
    struct carrier *carriers;
    uint32_t carrier_count, carrier_room;
    uint32_t carrier_free; /* one more than a free one, whose clock.at[0] is the next; 0: none */
};

bool shadow_init(struct shadow *shadow, uint64_t page_count);
void shadow_free(struct shadow *shadow);
/* false: no memory, and `to` is empty. */
bool shadow_copy(struct shadow *to, const struct shadow *from);

/* The page, new if need be; NULL: it is shown to programs, or there is no memory. */
struct shadow_page *shadow_page(struct shadow *shadow, uint64_t page);
/* The carrier of a doubleword, or NULL; made if that is wanted. */
struct carrier *shadow_carrier(struct shadow *shadow, struct shadow_page *page, unsigned word,
                               bool make);
/* A program has touched it. */
void shadow_show(struct shadow *shadow, uint64_t page);
/* Nothing is known of the page. */
void shadow_forget(struct shadow *shadow, uint64_t page);
