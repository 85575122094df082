/* For bench and benchharts: threads, and a partner that takes turns with the caller by a futex. */
#pragma once
#include <pthread.h>
#include "bench.h"

static void start_thread(pthread_t *thread, void *(*fn)(void *), void *arg) {
    need(pthread_create(thread, NULL, fn, arg) == 0, "pthread_create");
}

static void join_thread(pthread_t thread) { need(pthread_join(thread, NULL) == 0, "pthread_join"); }

static void *end_at_once(void *arg) { return arg; }

static pthread_t partner;
static uint32_t turn; /* of the partner: 1; it ends: 2 */

static uint32_t get_turn(void) { return __atomic_load_n(&turn, __ATOMIC_ACQUIRE); }

static void give_turn(uint32_t value) {
    __atomic_store_n(&turn, value, __ATOMIC_RELEASE);
    futex_wake(&turn, 1);
}

static void await_turn(uint32_t while_it_is) {
    while (get_turn() == while_it_is)
        sys_futex_wait(&turn, while_it_is, UINT64_MAX);
}

static void *give_back_turn(void *arg) {
    for (await_turn(0); get_turn() != 2; await_turn(0))
        give_turn(0);
    return arg;
}

static void begin_partner(void) {
    turn = 0;
    start_thread(&partner, give_back_turn, NULL);
}

static void one_turn(void) {
    give_turn(1);
    await_turn(1);
}

static void end_partner(void) {
    give_turn(2);
    join_thread(partner);
}
