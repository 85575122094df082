/* What a hart notes for those who ask later what has happened: its last exceptions, and who took
 * which lock. The kernel does not notice any of it. */
#pragma once
#include "machine/sim.h"

struct sim;
struct hart;

enum { NOTED_EXCEPTIONS = 32, NOTED_LOCKS = 256 };

/* The last exceptions of a hart; one that comes again and again is one of them. */
struct noted_exceptions {
    struct sim_exception list[NOTED_EXCEPTIONS]; /* a ring */
    unsigned count;                              /* of all that were put into it */
    bool called;                                 /* an environment call has come since the last */
    uint64_t user_satp;                          /* satp at the last one of U-mode */
};

/* Words that an atomic instruction has changed from 0, by their addresses' hash. */
struct noted_locks {
    struct sim_lock list[NOTED_LOCKS]; /* pa 0: none */
};

/* An exception is about to be taken by the hart. */
void note_exception(struct sim *sim, struct hart *hart, uint64_t cause, uint64_t value);
/* An atomic instruction of the hart has changed the word at pa from 0, if options.locks is set. */
void note_lock(struct sim *sim, struct hart *hart, uint64_t pa);
