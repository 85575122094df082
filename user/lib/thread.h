/* What the library knows of a thread: a thread-local record, so that it costs a program without
 * threads nothing. A pthread_t points to it. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pthread {
    uint32_t here; /* 1, until the thread has left its stack: thread_exit clears it */
    uint32_t fate; /* FATE_..., atomic */
    int tid;       /* 0: not asked for yet */
    void *(*start)(void *);
    void *arg, *result;
    struct pthread_cleanup *cleanup; /* the innermost handler */
    /* Constant: its stack and thread-local variables. */
    void *memory; /* NULL: the caller's, or the first thread's */
    size_t size;
    bool usual;           /* can be kept for another one */
    struct pthread *next; /* in the list of those that are to be given back */
};

/* Whoever sets the second of ENDED and DETACHED gives back the thread's memory, or sees to it. */
#define FATE_ENDED 1u
#define FATE_DETACHED 2u
#define FATE_JOINED 4u /* somebody joins it */

extern _Thread_local struct pthread thread_record;

int thread_find_number(void);

/* The calling thread's number, which no thread of any other process has: so an owner is known in
 * shared memory, too. */
static inline int thread_number(void) {
    return thread_record.tid ? thread_record.tid : thread_find_number();
}

/* Memory for threads (threadmemory.c). take gives a record whose thread-local variables are as at
 * a program's start; 0, or EAGAIN. give_back is for a thread that has left its stack. */
int thread_memory_take(const pthread_attr_t *attr, struct pthread **out);
void thread_memory_give(struct pthread *t);
/* Where a thread's stack and thread-local variables are, from its record. */
char *thread_pointer_of(struct pthread *t);

/* Calls the destructors of the calling thread's values (threadkey.c). */
void thread_values_end(void);

/* fork, by this call, when there are threads or handlers (threadfork.c). */
pid_t thread_fork(pid_t (*call)(void));
/* In the child of a fork, with thread_lock held: the caller is the only thread. */
void thread_forked(void);

/* What fork has to hold, so that the child finds nothing half done; in the order in which they are
 * taken, if one is taken while another is held. */
extern uint32_t thread_lock, thread_memory_lock, thread_key_lock;
