/* POSIX threads, and children that run a function: what the programs about threads have in common.
 */
#pragma once
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static inline pthread_t begin(void *(*fn)(void *), void *arg) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, fn, arg) == 0);
    return t;
}

static inline void *end_of(pthread_t t) {
    void *result;
    CHECK(pthread_join(t, &result) == 0);
    return result;
}

/* So long from now on, by that clock. */
static inline struct timespec after(clockid_t clock, long nanoseconds) {
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += nanoseconds;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* How a child ends that calls fn: 1, if that returns. */
static inline int status_of(void (*fn)(void)) {
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        fn();
        _exit(1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}
