/* Which hart goes on, when rare interleavings are looked for: by priorities that change at random
 * accesses ("A randomized scheduler with probabilistic guarantees of finding bugs", Burckhardt,
 * Kothari, Musuvathi, Nagarakatte, ASPLOS 2010).
 *
 * The harts have random priorities, and the one with the highest that can go on does so. An access
 * of the kernel to memory is a step, but for one that repeats the hart's last one, as in a loop
 * that waits. At so many random steps of a length the hart in hand gets the
 * lowest priority, after its access. A mistake that shows itself when d - 1 such changes come at
 * the right places is found with a probability of at least 1 / (harts * length^(d - 1)).
 *
 * A hart that waits for another in a loop would do so for ever: it gets the lowest priority after
 * a `pause`, or after PREEMPT_ALONE instructions in which another could have gone on. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;
struct hart;

enum { PREEMPT_ALONE = 20000 };

struct preempt {
    bool on;
    uint64_t *points; /* the steps of changes, rising; they are as the options say, for ever */
    uint32_t count, next;
    uint64_t steps; /* done */
    struct {
        uint64_t pc, va;
    } last[8];
    int64_t priority[8], lowest;
    unsigned hart;  /* the one that goes on */
    uint64_t since; /* so many instructions were executed when it began */
};

/* Begins; false: no memory, which error says. */
bool preempt_init(struct sim *sim, char *error, size_t error_size);
void preempt_free(struct sim *sim);

/* The kernel accesses memory. */
void preempt_step(struct sim *sim, struct hart *hart, uint64_t va);
/* The hart says that it waits for another (Zihintpause). */
void preempt_pause(struct sim *sim, struct hart *hart);
/* The hart whose turn is next; NULL: all wait. */
struct hart *preempt_choose(struct sim *sim);
