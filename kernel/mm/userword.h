/* Words of user memory by which threads wait for each other (proc/futex.h): 4 bytes, aligned, of
 * the running process's space. */
#pragma once
#include "lib/types.h"

/* Which word it is: of a shared mapping where in its object, else where in the space. When that
 * object has gone, another may come in its place. */
struct user_word {
    const void *what;
    uint64_t where;
};
static inline bool user_word_same(const struct user_word *a, const struct user_word *b) {
    return a->what == b->what && a->where == b->where;
}

/* 32 bits, for a table. */
static inline uint64_t user_word_hash(const struct user_word *w) {
    return (((uint64_t)w->what ^ w->where) * 0x9e3779b97f4a7c15 /* 2^64 / phi */) >> 32;
}

/* -K_EINVAL: misaligned; -K_EFAULT: nothing is mapped there. */
int user_word_find(uaddr_t word, struct user_word *out) must_check;

/* Where the kernel can read the word, until user_word_end: meanwhile the caller does not sleep,
 * fault or take the space's lock. May sleep before. -K_EFAULT: it cannot be read, and what else a
 * fault there gives (aspace_fault). */
int user_word_begin(uaddr_t word, const uint32_t **value) must_check;
/* The same to change it, atomically. */
int user_word_begin_change(uaddr_t word, uint32_t **value) must_check;
void user_word_end(void);

/* Stores `to` there if the word is `from`, in one step that others cannot interrupt, behind all
 * that the caller has done before (a release). *was: what it was before. -K_EINVAL: misaligned;
 * -K_EFAULT: it cannot be written, and what else a fault there gives; nothing changed. May sleep.
 */
int user_word_exchange(uaddr_t word, uint32_t from, uint32_t to, uint32_t *was) must_check;
