/* Semaphores of System V. */
#include "lib/errno.h"
#include "linux/ipc.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/semaphore.h"

int linux_semget(const uint64_t arg[6], uint64_t *result) {
    struct ipc_wish w = linux_ipc_wish(arg[0], arg[2]);
    int32_t id;
    if ((int32_t)arg[1] < 0)
        return -K_EINVAL;
    int err = semaphores_get(&w, (uint32_t)arg[1], &id);
    *result = (uint64_t)id;
    return err;
}

struct sembuf {
    uint16_t number;
    int16_t change, flags;
};
#define SEM_UNDO 010000

static int operate(const uint64_t arg[6], uint64_t until) {
    struct semaphore_step step[SEMAPHORE_STEPS];
    uint64_t n = (uint32_t)arg[2];
    struct sembuf one;
    int err = 0;
    if (n == 0 || (int32_t)arg[0] < 0)
        return -K_EINVAL;
    if (n > SEMAPHORE_STEPS)
        return -K_E2BIG;
    for (uint64_t i = 0; i < n && !err; i++) {
        err = copyin(&one, UA(arg[1] + i * sizeof(one)), sizeof(one));
        step[i] = (struct semaphore_step){.number = one.number,
                                          .change = one.change,
                                          .nowait = (one.flags & LINUX_IPC_NOWAIT) || until == 0,
                                          .undone = (one.flags & SEM_UNDO) != 0};
    }
    return err ? err : semaphores_do((int32_t)arg[0], step, (unsigned)n, until);
}

int linux_semop(const uint64_t arg[6], uint64_t *result) { return operate(arg, UINT64_MAX); }

int linux_semtimedop(const uint64_t arg[6], uint64_t *result) {
    uint64_t until;
    int err = linux_time_limit(arg[3], &until);
    return err ? err : operate(arg, until);
}

/* ---- semctl ---- */

enum {
    GETPID = 11,
    GETVAL,
    GETALL,
    GETNCNT,
    GETZCNT,
    SETVAL,
    SETALL,
    SEM_STAT,
    SEM_INFO,
    SEM_STAT_ANY
};

struct semid_ds {
    struct linux_ipc_perm perm;
    int64_t operated_at, changed_at;
    uint64_t n, unused[2];
};
_Static_assert(sizeof(struct semid_ds) == 88, "struct semid64_ds");

static int tell(const uint64_t arg[6], bool by_place, uint64_t *result) {
    struct semaphores_about s;
    int err = semaphores_look((int32_t)arg[0], by_place, &s);
    if (err)
        return err;
    struct semid_ds ds = {.perm = linux_ipc_perm(&s.common),
                          .operated_at = s.operated_at,
                          .changed_at = s.common.changed,
                          .n = s.n};
    *result = by_place ? (uint64_t)s.common.id : 0;
    return copyout(UA(arg[3]), &ds, sizeof(ds));
}

/* Of both: the last fields but one are what there is, for SEM_INFO. */
static int tell_limits(uint64_t address, bool now, uint64_t *result) {
    uint32_t n, all, places;
    semaphores_count(&n, &all, &places);
    const int32_t told[10] = {[1] = IPC_MOST,
                              [2] = IPC_MOST * SEMAPHORES_MOST,
                              [3] = IPC_MOST * SEMAPHORES_MOST,
                              [4] = SEMAPHORES_MOST,
                              [5] = SEMAPHORE_STEPS,
                              [6] = SEMAPHORE_STEPS,
                              [7] = now ? (int32_t)n : 20,
                              [8] = SEMAPHORE_VALUE,
                              [9] = now ? (int32_t)all : SEMAPHORE_VALUE};
    *result = places ? places - 1 : 0;
    return copyout(UA(address), told, sizeof(told));
}

static int tell_one(const uint64_t arg[6], uint64_t *result) {
    struct semaphore one;
    int err = semaphores_one((int32_t)arg[0], (uint32_t)arg[1], &one);
    switch ((int32_t)arg[2]) {
    case GETPID: *result = (uint64_t)one.last; break;
    case GETVAL: *result = one.value; break;
    case GETNCNT: *result = one.wait_more; break;
    default: *result = one.wait_zero; break;
    }
    return err;
}

static int all_values(const uint64_t arg[6], bool set) {
    uint16_t value[SEMAPHORES_MOST];
    struct semaphores_about s;
    int32_t id = (int32_t)arg[0];
    int err = semaphores_look(id, false, &s);
    if (!err)
        err = set ? copyin(value, UA(arg[3]), s.n * sizeof(value[0]))
                  : semaphores_values(id, value);
    if (err)
        return err;
    return set ? semaphores_set_values(id, 0, s.n, value)
               : copyout(UA(arg[3]), value, s.n * sizeof(value[0]));
}

static int set_one(const uint64_t arg[6]) {
    int32_t value = (int32_t)arg[3];
    uint16_t small = (uint16_t)value;
    if (value < 0 || value > SEMAPHORE_VALUE)
        return -K_ERANGE;
    return semaphores_set_values((int32_t)arg[0], (uint32_t)arg[1], 1, &small);
}

static int set_about(const uint64_t arg[6]) {
    struct linux_ipc_perm perm;
    int err = copyin(&perm, UA(arg[3]), sizeof(perm));
    return err ? err
               : semaphores_set((int32_t)arg[0], perm.uid, perm.gid, perm.mode & LINUX_IPC_MODE);
}

int linux_semctl(const uint64_t arg[6], uint64_t *result) {
    if ((int32_t)arg[0] < 0)
        return -K_EINVAL;
    switch ((int32_t)arg[2]) {
    case LINUX_IPC_RMID: return semaphores_remove((int32_t)arg[0]);
    case LINUX_IPC_SET: return set_about(arg);
    case LINUX_IPC_STAT: return tell(arg, false, result);
    case SEM_STAT:
    case SEM_STAT_ANY: return tell(arg, true, result);
    case LINUX_IPC_INFO: return tell_limits(arg[3], false, result);
    case SEM_INFO: return tell_limits(arg[3], true, result);
    case GETPID:
    case GETVAL:
    case GETNCNT:
    case GETZCNT: return tell_one(arg, result);
    case GETALL: return all_values(arg, false);
    case SETALL: return all_values(arg, true);
    case SETVAL: return set_one(arg);
    default: return -K_EINVAL;
    }
}
