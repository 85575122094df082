/* Waiting for a word: see waiting.h. */
#include "waiting.h"
#include <errno.h>
#include <trellis.h>

#define SECOND 1000000000L
#define FAR 1000000000L /* seconds that no wait lasts */

bool valid_time(const struct timespec *time) {
    return time->tv_nsec >= 0 && time->tv_nsec < SECOND;
}

/* Nanoseconds until then; 0: it is past. */
static uint64_t time_left(clockid_t clock, const struct timespec *until) {
    struct timespec now;
    sys_clock_gettime(clock, &now);
    if (until->tv_sec < now.tv_sec)
        return 0;
    uint64_t seconds = (uint64_t)until->tv_sec - (uint64_t)now.tv_sec;
    int64_t left = (int64_t)(seconds < FAR ? seconds : FAR) * SECOND + until->tv_nsec - now.tv_nsec;
    return left > 0 ? (uint64_t)left : 0;
}

int word_wait(uint32_t *word, uint32_t value, clockid_t clock, const struct timespec *until) {
    uint64_t left = until ? time_left(clock, until) : UINT64_MAX;
    if (left == 0)
        return ETIMEDOUT;
    return sys_futex_wait(word, value, left) == -ETIMEDOUT ? ETIMEDOUT : 0;
}

void word_wake(uint32_t *word, uint32_t n) { sys_futex_wake(word, n); }

#define SOMEBODY_WAITS (1u << 31)

void users_enter(uint32_t *users) { __atomic_add_fetch(users, 1, __ATOMIC_SEQ_CST); }

/* Whoever waits may take the word away once it has been counted down: so it is woken by address. */
void users_leave(uint32_t *users) {
    if (__atomic_sub_fetch(users, 1, __ATOMIC_SEQ_CST) == SOMEBODY_WAITS)
        word_wake(users, 1);
}

void users_wait(uint32_t *users) {
    uint32_t now = __atomic_or_fetch(users, SOMEBODY_WAITS, __ATOMIC_SEQ_CST);
    while (now != SOMEBODY_WAITS) {
        sys_futex_wait(users, now, UINT64_MAX);
        now = __atomic_load_n(users, __ATOMIC_ACQUIRE);
    }
}
