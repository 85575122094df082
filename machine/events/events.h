/* Events: what a machine that was made with options.events has met on its way. Traps, values of
 * satp, and changes of page tables; sim.h has what a user sees of them.
 *
 * They are numbered from 0 on. How many there have been is a part of the machine, and goes back
 * with it; what they were is kept beside it (struct events_own), so that a machine that was taken
 * back still knows what is to come. When it comes again it is not recorded again.
 *
 * Page tables are known from the values that satp has had lately: a root, and what can be reached
 * from it, is marked (struct table_mark, tables.c), and its page is PAGE_SHOWN, so that each store
 * to it comes to events_written. A table that is built before satp leads to it is not seen to
 * change. Without options.events all of this costs a test at a trap, and nothing else. */
#pragma once
#include "machine/sim.h"

struct hart;

enum { EVENTS_KEPT = 1 << 16 };

/* A page of RAM as a page table. */
struct table_mark {
    uint32_t refs; /* entries of marked tables that point to it, and one for each root that it is */
    uint8_t level; /* one more than the level of its entries; 0: it is none */
};

/* What does not go back with the machine. */
struct events_own {
    struct sim_event *kept;   /* EVENTS_KEPT of them; number n stands at n % EVENTS_KEPT */
    uint64_t first, known;    /* numbers from first on and below known are recorded */
    struct table_mark *marks; /* one for each page of RAM; a snapshot has a copy of them */
    uint64_t function;        /* where sim_watch_function waits, physically; 0: nowhere */
    uint64_t calls_left;
    uint64_t called; /* when; UINT64_MAX: not yet */
};

struct events {
    bool on;
    uint64_t count; /* events until now */
    struct sim_root roots[SIM_ROOTS_MAX];
    unsigned roots_count;
    uint64_t before; /* the entry that is about to be stored to */
    struct events_own own;
};

/* Begins, if the options say so. false: no memory. */
bool events_init(struct sim *sim);
void events_free(struct sim *sim);

/* A trap is about to be taken; satp is about to get another value. */
void events_trap(struct sim *sim, const struct hart *hart, uint64_t cause, uint64_t value);
void events_satp(struct sim *sim, const struct hart *hart, uint64_t value);
/* The hook of the function that is waited for. */
void events_hook(struct sim *sim, uint64_t pa);
void events_record(struct sim *sim, const struct sim_event *event);

/* ---- tables.c ---- */
/* A page that is PAGE_SHOWN is about to be stored to, and has been: at most 8 bytes, aligned. */
void events_before(struct sim *sim, uint64_t pa);
void events_written(struct sim *sim, uint64_t pa);
/* satp has this value from now on, and its tables are marked. */
void events_root(struct sim *sim, unsigned hart, uint64_t satp);
/* The page was given back to the kernel's allocator: it is no root any more. */
void events_freed(struct sim *sim, uint64_t pa);
