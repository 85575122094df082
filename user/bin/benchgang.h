/* For bench and benchharts: threads that wait at a gate, work at once, and say when all have. */
#pragma once
#include <pthread.h>
#include <sched.h>
#include "bench.h"

#define GANG_MAX 8

static struct gang {
    pthread_t thread[GANG_MAX];
    int size, repeat;
    void (*work)(int member, int repeat);
    uint32_t ready, gate, working, done;
} gang;

static void *gang_member(void *arg) {
    __atomic_add_fetch(&gang.ready, 1, __ATOMIC_RELAXED);
    while (!__atomic_load_n(&gang.gate, __ATOMIC_ACQUIRE))
        sys_futex_wait(&gang.gate, 0, UINT64_MAX);
    gang.work((int)(intptr_t)arg, gang.repeat);
    if (__atomic_sub_fetch(&gang.working, 1, __ATOMIC_ACQ_REL) == 0) {
        __atomic_store_n(&gang.done, 1, __ATOMIC_RELEASE);
        futex_wake(&gang.done, 1);
    }
    return NULL;
}

/* They stand at the gate. */
static void gang_begin(int size, void (*work)(int member, int repeat), int repeat) {
    gang = (struct gang){.size = size, .repeat = repeat, .work = work, .working = (uint32_t)size};
    for (int i = 0; i < size; i++)
        need(pthread_create(&gang.thread[i], NULL, gang_member, (void *)(intptr_t)i) == 0,
             "pthread_create");
    while (__atomic_load_n(&gang.ready, __ATOMIC_RELAXED) < (uint32_t)size)
        sched_yield();
}

/* It is opened, and all have done their work. */
static void gang_go(void) {
    __atomic_store_n(&gang.gate, 1, __ATOMIC_RELEASE);
    futex_wake(&gang.gate, gang.size);
    while (!__atomic_load_n(&gang.done, __ATOMIC_ACQUIRE))
        sys_futex_wait(&gang.done, 0, UINT64_MAX);
}

static void gang_end(void) {
    for (int i = 0; i < gang.size; i++)
        need(pthread_join(gang.thread[i], NULL) == 0, "pthread_join");
}
