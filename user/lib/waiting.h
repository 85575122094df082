/* Waiting for a word, as the calls of pthread.h and semaphore.h do. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Sleeps while nobody wakes the word, if it has this value now; it may return for no reason. until:
 * by that clock; NULL: for ever. 0, or ETIMEDOUT: it is that late. */
int word_wait(uint32_t *word, uint32_t value, clockid_t clock, const struct timespec *until);
void word_wake(uint32_t *word, uint32_t n);

bool valid_time(const struct timespec *time);

/* A count of those that are inside of a call that sleeps, so that the object is not destroyed
 * under them. users_wait returns when nobody is; the count means nothing then. */
void users_enter(uint32_t *users);
void users_leave(uint32_t *users);
void users_wait(uint32_t *users);
