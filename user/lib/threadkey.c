/* Values of threads under keys. A thread has room for them from its first one on; a value counts
 * if it was set for the same key, and not for an earlier one that had its place. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include "lock.h"
#include "thread.h"

struct key {
    uint32_t number; /* of those made in this place; odd: it is one now; atomic */
    void (*destructor)(void *);
};

struct value {
    uint32_t number;
    void *value;
};

static struct key keys[PTHREAD_KEYS_MAX];
uint32_t thread_key_lock;
static _Thread_local struct value *values; /* PTHREAD_KEYS_MAX; NULL: none was set */

static uint32_t number_of(pthread_key_t key) {
    return __atomic_load_n(&keys[key].number, __ATOMIC_ACQUIRE);
}

static bool is_key(pthread_key_t key) { return key < PTHREAD_KEYS_MAX && number_of(key) % 2; }

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    lock_take(&thread_key_lock);
    pthread_key_t i = 0;
    while (i < PTHREAD_KEYS_MAX && keys[i].number % 2)
        i++;
    if (i < PTHREAD_KEYS_MAX) {
        keys[i].destructor = destructor;
        __atomic_store_n(&keys[i].number, keys[i].number + 1, __ATOMIC_RELEASE);
        *key = i;
    }
    lock_give(&thread_key_lock);
    return i < PTHREAD_KEYS_MAX ? 0 : EAGAIN;
}

int pthread_key_delete(pthread_key_t key) {
    lock_take(&thread_key_lock);
    bool was = is_key(key);
    if (was)
        __atomic_store_n(&keys[key].number, keys[key].number + 1, __ATOMIC_RELEASE);
    lock_give(&thread_key_lock);
    return was ? 0 : EINVAL;
}

void *pthread_getspecific(pthread_key_t key) {
    if (!values || !is_key(key) || values[key].number != number_of(key))
        return NULL;
    return values[key].value;
}

int pthread_setspecific(pthread_key_t key, const void *value) {
    if (!is_key(key))
        return EINVAL;
    if (!values && !(values = calloc(PTHREAD_KEYS_MAX, sizeof(*values))))
        return ENOMEM;
    values[key] = (struct value){number_of(key), (void *)value};
    return 0;
}

/* Whether a destructor was called. */
static bool end_value(pthread_key_t key) {
    lock_take(&thread_key_lock);
    void *value = pthread_getspecific(key);
    void (*destructor)(void *) = keys[key].destructor;
    lock_give(&thread_key_lock);
    values[key].value = NULL;
    if (!value || !destructor)
        return false;
    destructor(value);
    return true;
}

void thread_values_end(void) {
    if (!values)
        return;
    bool more = true;
    for (unsigned round = 0; more && round < PTHREAD_DESTRUCTOR_ITERATIONS; round++) {
        more = false;
        for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++)
            more |= end_value(key);
    }
    free(values);
    values = NULL;
}
