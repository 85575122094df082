/* fork in a program with threads. The child has the calling thread alone: so that it finds nothing
 * half done, the library's locks are taken before and given back after, in both. A stream that
 * another thread is in the middle of is free in the child, and its buffer as it was. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include "lock.h"
#include "stream.h"
#include "thread.h"

#define HANDLERS 32

static struct handlers {
    void (*prepare)(void), (*parent)(void), (*child)(void);
} handlers[HANDLERS];
static unsigned count; /* atomic: it counts one when that is there */

/* One that holds a lock of these takes none that stands before it. */
static uint32_t *const locks[] = {&thread_lock, &thread_memory_lock, &thread_key_lock,
                                  &exit_lock,   &streams_lock,       &malloc_lock};
#define LOCKS (sizeof(locks) / sizeof(locks[0]))

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    lock_take(&thread_lock);
    bool room = count < HANDLERS;
    if (room) {
        handlers[count] = (struct handlers){prepare, parent, child};
        __atomic_store_n(&count, count + 1, __ATOMIC_RELEASE);
    }
    lock_give(&thread_lock);
    fork_hook = thread_fork;
    return room ? 0 : ENOMEM;
}

static void call_if(void (*fn)(void)) {
    if (fn)
        fn();
}

static pid_t fork_with_locks(pid_t (*call)(void)) {
    for (unsigned i = 0; i < LOCKS; i++)
        lock_take(locks[i]);
    pid_t pid = call();
    if (pid == 0) {
        thread_forked();
        streams_forked();
    }
    for (unsigned i = LOCKS; i-- > 0;)
        lock_give(locks[i]);
    return pid;
}

pid_t thread_fork(pid_t (*call)(void)) {
    unsigned n = __atomic_load_n(&count, __ATOMIC_ACQUIRE);
    for (unsigned i = n; i-- > 0;)
        call_if(handlers[i].prepare);
    pid_t pid = fork_with_locks(call);
    for (unsigned i = 0; i < n; i++)
        call_if(pid == 0 ? handlers[i].child : handlers[i].parent);
    return pid;
}
