/* Semaphores (POSIX) without names. A call that fails returns -1 and sets errno, and changes
 * nothing. A semaphore in memory that processes share is one for all of them.
 *
 * sem_init: EINVAL, the value is above SEM_VALUE_MAX
 * sem_trywait: EAGAIN, it is 0
 * sem_timedwait: ETIMEDOUT; EINVAL, until is no time
 * sem_post: EOVERFLOW, it is SEM_VALUE_MAX
 * sem_destroy: EBUSY, somebody waits */
#pragma once
#include <limits.h>
#include <stdint.h>
#include <time.h>

#define SEM_VALUE_MAX INT_MAX

typedef struct {
    uint64_t state; /* the value; from bit 32 on, how many wait */
} sem_t;

int sem_init(sem_t *sem, int shared, unsigned value);
int sem_destroy(sem_t *sem);
int sem_wait(sem_t *sem);
int sem_trywait(sem_t *sem);
int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict until);
int sem_post(sem_t *sem);
int sem_getvalue(sem_t *restrict sem, int *restrict value);
