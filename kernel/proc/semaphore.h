/* Semaphores of System V, in sets that have a number and stay without a process (ipc.h).
 *
 * Lock: the table's, a spinlock, guards all sets and who waits at them. A set that is removed stays
 * in memory until those who wait have left. */
#pragma once
#include "proc/ipc.h"
#include "proc/proc.h"

#define SEMAPHORES_MOST 250U  /* in a set */
#define SEMAPHORE_STEPS 64U   /* in one operation */
#define SEMAPHORE_VALUE 32767 /* that one has at most */

struct semaphore {
    uint16_t value, wait_more, wait_zero; /* how many wait for it to grow, and to be 0 */
    int32_t last;                         /* process */
};

struct semaphores_about {
    struct ipc_thing common;
    uint32_t n;
    int64_t operated_at;
};

/* One step: to be 0, or more by so much, or less, when that can be. */
struct semaphore_step {
    uint16_t number;
    int16_t change;
    bool nowait, undone; /* undone: when the process ends */
};

/* Finds or makes a set of n. -K_EINVAL: none, too many, or more than there are; -K_ENOENT,
 * -K_EEXIST; -K_ENOSPC: there are as many sets as there can be; -K_ENOMEM. */
int semaphores_get(const struct ipc_wish *w, uint32_t n, int32_t *id) must_check;

/* All steps in order, or none. Waits until they can be done, or cpu_time has reached `until`
 * (UINT64_MAX: for ever). -K_EFBIG: there is no such semaphore; -K_ERANGE: it would be too much;
 * -K_EAGAIN: not now, or not till then; -K_EINVAL: no such set; -K_EIDRM: it was removed meanwhile;
 * -K_EINTR; -K_ENOMEM: what is to be undone cannot be kept. After an error nothing changed. */
int semaphores_do(int32_t id, const struct semaphore_step *step, unsigned n,
                  uint64_t until) must_check;

/* -K_EINVAL: there is no such set, or no such semaphore in it. */
int semaphores_look(int32_t id, bool by_place, struct semaphores_about *out) must_check;
int semaphores_one(int32_t id, uint32_t number, struct semaphore *out) must_check;
/* From `first` on, count of them. What others would undo of these is nothing
 * from then on. -K_ERANGE: a value is too large. */
int semaphores_set_values(int32_t id, uint32_t first, uint32_t count,
                          const uint16_t *value) must_check;
int semaphores_values(int32_t id, uint16_t value[SEMAPHORES_MOST]) must_check;
int semaphores_set(int32_t id, uint32_t uid, uint32_t gid, uint32_t mode) must_check;
int semaphores_remove(int32_t id) must_check;
/* How many sets, and semaphores in them; the highest place in use. */
void semaphores_count(uint32_t *sets, uint32_t *all, uint32_t *places);

/* p, the running process, is ending: what it has asked to be undone is. */
void semaphores_end(struct proc *p);
