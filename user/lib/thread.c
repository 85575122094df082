/* The life of a thread: see pthread.h and thread.h.
 *
 * The memory of a thread that ends while it is detached cannot be given back by itself, since it
 * runs on it: it puts its record into a list, and who makes or ends a thread later gives back those
 * of the list that have left their stacks. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <trellis.h>
#include "lock.h"
#include "thread.h"
#include "waiting.h"

_Thread_local struct pthread thread_record = {.here = 1};

static uint32_t living = 1; /* threads that have not begun to end */
uint32_t thread_lock;
static struct pthread *leaving; /* detached ones that have ended */

/* The child of a fork has another one: so fork is to forget this. */
int thread_find_number(void) {
    fork_hook = thread_fork;
    return thread_record.tid = sys_thread_self();
}

pthread_t pthread_self(void) { return &thread_record; }

int pthread_equal(pthread_t a, pthread_t b) { return a == b; }

int sched_yield(void) { return sys_yield(); }

/* ---- giving back ------------------------------------------------------------------ */

static bool has_left(struct pthread *t) { return !__atomic_load_n(&t->here, __ATOMIC_ACQUIRE); }

static void wait_until_left(struct pthread *t) {
    while (!has_left(t))
        word_wait(&t->here, 1, CLOCK_MONOTONIC, NULL);
}

static void put_leaving(struct pthread *t) {
    lock_take(&thread_lock);
    t->next = leaving;
    leaving = t;
    lock_give(&thread_lock);
}

static void give_back_those_that_left(void) {
    struct pthread *left = NULL;
    if (!__atomic_load_n(&leaving, __ATOMIC_RELAXED))
        return;
    lock_take(&thread_lock);
    for (struct pthread **link = &leaving, *t; (t = *link);) {
        if (has_left(t)) {
            *link = t->next;
            t->next = left;
            left = t;
        } else {
            link = &t->next;
        }
    }
    lock_give(&thread_lock);
    for (struct pthread *t = left, *next; t; t = next) {
        next = t->next;
        thread_memory_give(t);
    }
}

/* ---- beginning and end -------------------------------------------------------------- */

static void begin(void *arg) {
    struct pthread *t = arg;
    pthread_exit(t->start(t->arg));
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr,
                   void *(*start)(void *), void *restrict arg) {
    struct pthread *t;
    give_back_those_that_left();
    several_threads = true;
    fork_hook = thread_fork;
    int err = thread_memory_take(attr, &t);
    if (err)
        return err;
    t->start = start;
    t->arg = arg;
    t->fate = attr && attr->detached ? FATE_DETACHED : 0;
    *thread = t; /* before it runs, so that it finds it there */
    __atomic_add_fetch(&living, 1, __ATOMIC_RELAXED);
    char *tp = thread_pointer_of(t);
    if (sys_thread_create(begin, t, tp, tp) < 0) {
        __atomic_sub_fetch(&living, 1, __ATOMIC_RELAXED);
        thread_memory_give(t);
        return EAGAIN;
    }
    return 0;
}

static void run_handlers(struct pthread *t) {
    while (t->cleanup) {
        struct pthread_cleanup *handler = t->cleanup;
        t->cleanup = handler->outer;
        handler->fn(handler->arg);
    }
    thread_values_end();
}

void pthread_exit(void *result) {
    struct pthread *t = &thread_record;
    run_handlers(t);
    t->result = result;
    if (__atomic_sub_fetch(&living, 1, __ATOMIC_ACQ_REL) == 0)
        exit(0);
    give_back_those_that_left();
    uint32_t fate = __atomic_fetch_or(&t->fate, FATE_ENDED, __ATOMIC_ACQ_REL);
    if (fate & FATE_DETACHED)
        put_leaving(t);
    sys_thread_exit(&t->here);
}

int pthread_join(pthread_t t, void **result) {
    if (t == &thread_record)
        return EDEADLK;
    uint32_t fate = __atomic_fetch_or(&t->fate, FATE_JOINED, __ATOMIC_ACQ_REL);
    if (fate & (FATE_DETACHED | FATE_JOINED))
        return EINVAL;
    wait_until_left(t);
    if (result)
        *result = t->result;
    thread_memory_give(t);
    return 0;
}

int pthread_detach(pthread_t t) {
    uint32_t fate = __atomic_load_n(&t->fate, __ATOMIC_RELAXED);
    do {
        if (fate & (FATE_DETACHED | FATE_JOINED))
            return EINVAL;
    } while (!__atomic_compare_exchange_n(&t->fate, &fate, fate | FATE_DETACHED, true,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    if (fate & FATE_ENDED) {
        wait_until_left(t);
        thread_memory_give(t);
    }
    return 0;
}

/* The others have not been copied, but what they ran on has. */
void thread_forked(void) {
    living = 1;
    thread_record.tid = 0;
    for (struct pthread *t = leaving; t; t = t->next)
        t->here = 0;
}

/* ---- handlers ------------------------------------------------------------------------ */

void pthread_cleanup_begin(struct pthread_cleanup *handler) {
    handler->outer = thread_record.cleanup;
    thread_record.cleanup = handler;
}

void pthread_cleanup_end(int run) {
    struct pthread_cleanup *handler = thread_record.cleanup;
    thread_record.cleanup = handler->outer;
    if (run)
        handler->fn(handler->arg);
}
