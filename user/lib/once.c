/* pthread_once. */
#include <pthread.h>
#include <stdint.h>
#include "waiting.h"

enum { NEW, RUNNING, AWAITED /* and somebody waits */, DONE };

int pthread_once(pthread_once_t *once, void (*init)(void)) {
    uint32_t seen = __atomic_load_n(&once->state, __ATOMIC_ACQUIRE);
    while (seen != DONE) {
        uint32_t next = seen == NEW ? RUNNING : AWAITED;
        if (!__atomic_compare_exchange_n(&once->state, &seen, next, false, __ATOMIC_ACQUIRE,
                                         __ATOMIC_ACQUIRE))
            continue;
        if (next == RUNNING) {
            init();
            if (__atomic_exchange_n(&once->state, DONE, __ATOMIC_RELEASE) == AWAITED)
                word_wake(&once->state, UINT32_MAX);
            return 0;
        }
        word_wait(&once->state, AWAITED, CLOCK_MONOTONIC, NULL);
        seen = __atomic_load_n(&once->state, __ATOMIC_ACQUIRE);
    }
    return 0;
}
