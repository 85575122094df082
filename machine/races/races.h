/* Races: two harts access the same bytes of RAM, one of them stores, and nothing orders the two.
 *
 * What is looked at are loads and stores of the kernel, in S-mode and M-mode, to pages that no
 * program has touched since they were handed out. What orders them is what RVWMO gives a kernel
 * (unprivileged specification, chapter 14, and A.5):
 *
 * - A clock of a hart says up to which instruction it knows of each other hart: a vector clock,
 *   whose components are instants of sim_now.
 * - A release (a fence from writes to writes, or .rl) makes what the hart knows go with what it
 *   stores from then on. A word that was stored right after such a fence, or by an atomic
 *   instruction, carries it.
 * - An acquire (a fence from reads to reads, or .aq) makes the hart know what the words carried
 *   that it has loaded until then.
 * - An interrupt that another hart asked for, a fence that it asked the firmware for, and the start
 *   of a hart order as well.
 *
 * Bytes that an atomic instruction has ever worked on are nobody's race. Nor are two accesses that
 * both stand beside a fence, as a release store and an acquire load do: RACES_BESIDE. */
#pragma once
#include "machine/races/shadow.h"

struct sim;
struct hart;

/* So many bytes of code at most are between a fence and the access that it belongs to. */
enum { RACES_BESIDE = 16 };

struct races_hart {
    struct clock now;      /* what it knows */
    struct clock released; /* what its stores carry */
    struct clock loaded;   /* what it knows after its next acquire */
    struct clock asked;    /* what it knows after its next interrupt by software */
    uint64_t release_pc;   /* of its last fence that releases; 0: none */
    uint64_t full_pc;      /* of its last full fence, if that stood right behind a store; 0: none */
    uint64_t store_pc;     /* of its last store */
};

enum { JUDGED = 1024 };

struct races {
    bool on;
    uint64_t judged[JUDGED]; /* pairs of places that were told, or are nobody's race: hashes */
    struct shadow shadow;
    struct races_hart harts[SIM_HARTS_MAX];
};

/* Begins; false: no memory, or a profile that was given has a racy file that the kernel's lines do
 * not know; error says it. */
bool races_init(struct sim *sim, char *error, size_t error_size);

/* A load or a store of at most 8 bytes in one doubleword, before it is done. One of a program shows
 * that its page is no matter of the kernel's alone: it is looked at no more. */
void races_access(struct sim *sim, struct hart *hart, uint64_t va, uint64_t pa, unsigned size,
                  bool store);
/* What an atomic instruction does: LR loads, SC that succeeds stores, others do
 * both. */
struct races_atomic {
    uint64_t pa;
    unsigned size;
    bool loads, stores, acquires, releases;
};
void races_atomic(struct sim *sim, const struct hart *hart, const struct races_atomic *atomic);
/* A FENCE with this word (2.7). */
void races_fence(struct sim *sim, const struct hart *hart, uint32_t word);

/* The page is handed out: what was done to it before is another's. */
void races_new_page(struct sim *sim, uint64_t pa);
/* `to` knows from now on what `from` knows. */
void races_order(struct sim *sim, unsigned from, unsigned to);
/* The same for both: each has done what the other asked for, and told it so. */
void races_meet(struct sim *sim, unsigned a, unsigned b);
/* `from` asks for an interrupt of `to`; the hart sees those that are pending. */
void races_ask(struct sim *sim, unsigned from, unsigned to);
void races_asked(struct sim *sim, const struct hart *hart);
