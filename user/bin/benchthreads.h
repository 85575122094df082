/* bench's operations on threads; they come last, since the library takes locks from the first
 * thread on. A partner takes turns with the caller on the one hart that is counted on. */
#pragma once
#include <pthread.h>
#include <sched.h>
#include "benchuse.h"

#define LOCK_PAIRS 100

static pthread_t partner;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint32_t turn; /* of the partner: 1; it ends: 2 */

static void start_thread(pthread_t *thread, void *(*fn)(void *)) {
    need(pthread_create(thread, NULL, fn, NULL) == 0, "pthread_create");
}

static void join_thread(pthread_t thread) { need(pthread_join(thread, NULL) == 0, "pthread_join"); }

static void *end_at_once(void *arg) { return arg; }

static void one_thread(void) {
    pthread_t thread;
    start_thread(&thread, end_at_once);
    join_thread(thread);
}

static void one_mutex(void) {
    for (int i = 0; i < LOCK_PAIRS; i++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
}

static int get_turn(void) { return __atomic_load_n(&turn, __ATOMIC_ACQUIRE); }

/* ---- a mutex that another one waits for ---- */

static void *lock_in_turn(void *arg) {
    while (get_turn() != 2) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
        sched_yield();
    }
    return arg;
}

static void begin_contended(void) {
    turn = 0;
    start_thread(&partner, lock_in_turn);
    sched_yield();
}

/* The partner finds it held and sleeps; it is woken, and has it when it runs again. */
static void one_contended(void) {
    pthread_mutex_lock(&mutex);
    sched_yield();
    pthread_mutex_unlock(&mutex);
    sched_yield();
}

static void end_contended(void) {
    __atomic_store_n(&turn, 2, __ATOMIC_RELEASE);
    join_thread(partner);
}

/* ---- a word that goes to and fro ---- */

static void give_turn(int value) {
    __atomic_store_n(&turn, value, __ATOMIC_RELEASE);
    futex_wake(&turn, 1);
}

static void await_turn(int while_it_is) {
    while (get_turn() == while_it_is)
        sys_futex_wait(&turn, while_it_is, UINT64_MAX);
}

static void *give_back_turn(void *arg) {
    for (await_turn(0); get_turn() != 2; await_turn(0))
        give_turn(0);
    return arg;
}

static void begin_futex(void) {
    turn = 0;
    start_thread(&partner, give_back_turn);
}

static void one_futex(void) {
    give_turn(1);
    await_turn(1);
}

static void end_futex(void) {
    give_turn(2);
    join_thread(partner);
}
