/* The strings that exec hands to a program: its arguments, and behind them those of its
 * environment, gathered before the program's file is looked at.
 *
 * They lie one behind the other, each terminated and padded with zeros to a multiple of 16 bytes,
 * in frames that are seen as one range of offsets. */
#pragma once
#include "arch/layout.h"
#include "lib/types.h"

#define ARGUMENTS_MAX KIB(128) /* bytes, with the padding */
#define ARGUMENTS_FRAMES (ARGUMENTS_MAX / PAGE_SIZE)

struct arguments {
    paddr_t frame[ARGUMENTS_FRAMES]; /* those that are not needed yet are 0 */
    uint64_t bytes;                  /* of all strings */
    uint64_t count;                  /* of strings */
    uint64_t argc, argument_bytes;   /* of the arguments alone */
    bool environment;                /* the program gets one, empty or not */
};

/* None yet. -K_ENOMEM: there is nothing to be ended. */
int arguments_begin(struct arguments *a) must_check;
void arguments_end(struct arguments *a);

/* One more. -K_E2BIG: there is no room; -K_ENOMEM. */
int arguments_add(struct arguments *a, const char *string) must_check;
/* Those of an array in user memory, up to a NULL. Also -K_EFAULT, and what else copyin gives. */
int arguments_add_array(struct arguments *a, uaddr_t array) must_check;
/* What follows is the environment. */
void arguments_begin_environment(struct arguments *a);

/* Puts n strings in the place of the first argument, if there is one, when all are there. -K_E2BIG,
 * -K_ENOMEM: nothing changed. */
int arguments_replace_first(struct arguments *a, const char *const string[], unsigned n) must_check;

/* Where the string behind the one at this offset is. */
uint64_t arguments_next(const struct arguments *a, uint64_t offset);

static inline char *arguments_at(const struct arguments *a, uint64_t offset) {
    return (char *)pa_ptr(a->frame[offset / PAGE_SIZE]) + offset % PAGE_SIZE;
}
