/* bench's operations on threads; they come last, since the library takes locks from the first
 * thread on. A partner takes turns with the caller on the one hart that is counted on. */
#pragma once
#include <sched.h>
#include "benchturns.h"
#include "benchuse.h"

#define LOCK_PAIRS 100

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void one_thread(void) {
    pthread_t thread;
    start_thread(&thread, end_at_once, NULL);
    join_thread(thread);
}

static void one_mutex(void) {
    for (int i = 0; i < LOCK_PAIRS; i++) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
    }
}

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
    start_thread(&partner, lock_in_turn, NULL);
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
