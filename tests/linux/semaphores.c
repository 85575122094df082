/* flags: -static -pthread */
/* Semaphores of System V. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>
#include "threads.h"

#define KEY 0x77

union semun {
    int val;
    struct semid_ds *buf;
    unsigned short *array;
    struct seminfo *info;
};

static int set;

static int step(int number, int change, int flags) {
    struct sembuf s = {(unsigned short)number, (short)change, (short)flags};
    return semop(set, &s, 1);
}

static int value(int number) { return semctl(set, number, GETVAL); }
static int set_value(int number, int v) {
    return semctl(set, number, SETVAL, (union semun){.val = v});
}

static void check_sets(void) {
    struct semid_ds ds;
    CHECK(semget(KEY, 1, 0) == -1 && errno == ENOENT);
    CHECK(semget(KEY, 0, IPC_CREAT) == -1 && errno == EINVAL);
    CHECK(semget(KEY, 100000, IPC_CREAT) == -1 && errno == EINVAL);
    int id = semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(id >= 0 && semget(KEY, 2, 0) == id && semget(KEY, 0, 0) == id);
    CHECK(semget(KEY, 4, 0) == -1 && errno == EINVAL);
    CHECK(semget(KEY, 3, IPC_CREAT | IPC_EXCL) == -1 && errno == EEXIST);
    CHECK(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}) == 0 && ds.sem_nsems == 3);
    CHECK(ds.sem_perm.__key == KEY && ds.sem_perm.mode == 0640 && ds.sem_otime == 0);
    CHECK(semctl(id, 3, GETVAL) == -1 && errno == EINVAL);
    CHECK(semctl(id, 0, SETVAL, (union semun){.val = 40000}) == -1 && errno == ERANGE);
    unsigned short all[3] = {4, 5, 6}, seen[3];
    CHECK(semctl(id, 0, SETALL, (union semun){.array = all}) == 0);
    CHECK(semctl(id, 0, GETALL, (union semun){.array = seen}) == 0);
    CHECK(memcmp(all, seen, sizeof(all)) == 0 && semctl(id, 0, GETPID) == getpid());
    CHECK(semctl(id, 0, GETALL, (union semun){.array = (void *)-8L}) == -1 && errno == EFAULT);
    CHECK(semctl(id, 0, IPC_RMID) == 0 && semctl(id, 0, GETVAL) == -1 && errno == EINVAL);
    CHECK(semget(KEY, 3, 0) == -1 && errno == ENOENT);
}

static void check_steps(void) {
    CHECK(step(0, -1, IPC_NOWAIT) == -1 && errno == EAGAIN && step(0, 0, 0) == 0);
    CHECK(step(0, 3, 0) == 0 && value(0) == 3 && step(0, 0, IPC_NOWAIT) == -1 && errno == EAGAIN);
    CHECK(step(9, 1, 0) == -1 && errno == EFBIG && step(0, 32767, 0) == -1 && errno == ERANGE);
    /* All or none. */
    struct sembuf s[3] = {{0, -2, 0}, {1, 1, 0}, {2, -1, IPC_NOWAIT}};
    CHECK(semop(set, s, 3) == -1 && errno == EAGAIN && value(0) == 3 && value(1) == 0);
    CHECK(set_value(2, 1) == 0 && semop(set, s, 3) == 0 && value(0) == 1 && value(1) == 1);
    CHECK(value(2) == 0 && semop(set, s, 0) == -1 && errno == EINVAL);
    CHECK(semop(set, s, 100000) == -1 && errno == E2BIG);
    CHECK(semop(set, (void *)-8L, 1) == -1 && errno == EFAULT);
    CHECK(semop(-1, s, 1) == -1 && errno == EINVAL);
    struct timespec soon = {0, 20000000}, wrong_time = {0, -1};
    s[0] = (struct sembuf){2, -1, 0};
    CHECK(semtimedop(set, s, 1, &soon) == -1 && errno == EAGAIN);
    CHECK(semtimedop(set, s, 1, &wrong_time) == -1 && errno == EINVAL);
    CHECK(set_value(0, 0) == 0 && set_value(1, 0) == 0);
}

/* Two take turns. */
#define ROUNDS 300
static void *answer(void *unused) {
    for (int i = 0; i < ROUNDS; i++)
        if (step(0, -1, 0) || step(1, 1, 0))
            return NULL;
    return &set;
}

static void check_turns(void) {
    pthread_t t = begin(answer, NULL);
    for (int i = 0; i < ROUNDS; i++)
        CHECK(step(0, 1, 0) == 0 && step(1, -1, 0) == 0);
    CHECK(end_of(t) == &set && value(0) == 0 && value(1) == 0);
}

static void takes_and_ends(void) {
    if (step(0, -1, SEM_UNDO) || step(0, -1, SEM_UNDO) || step(1, 2, SEM_UNDO) || step(1, 1, 0))
        _exit(2);
    _exit(0);
}

static void is_killed(void) {
    if (step(0, -1, SEM_UNDO))
        _exit(2);
    raise(SIGKILL);
}

static void check_undo(void) {
    CHECK(set_value(0, 2) == 0 && status_of(takes_and_ends) == 0);
    CHECK(value(0) == 2 && value(1) == 1);
    CHECK(WIFSIGNALED(status_of(is_killed)) && value(0) == 2);
    CHECK(set_value(0, 0) == 0 && set_value(1, 0) == 0);
}

static void no_op(int signal) {}
static void *waits(void *result) {
    errno = 0;
    *(int *)result = step(2, -1, 0) ? errno : 0;
    return NULL;
}

/* A signal ends a wait, though its handler says that calls go on; so does the end of the set. */
static void check_ends(void) {
    struct sigaction a = {.sa_handler = no_op, .sa_flags = SA_RESTART};
    int why = 0;
    CHECK(sigaction(SIGUSR1, &a, NULL) == 0);
    pthread_t t = begin(waits, &why);
    while (semctl(set, 2, GETNCNT) != 1)
        sched_yield();
    CHECK(pthread_kill(t, SIGUSR1) == 0);
    end_of(t);
    CHECK(why == EINTR && semctl(set, 2, GETNCNT) == 0);
    t = begin(waits, &why);
    while (semctl(set, 2, GETNCNT) != 1)
        sched_yield();
    CHECK(semctl(set, 0, IPC_RMID) == 0);
    end_of(t);
    CHECK(why == EIDRM);
}

static void check_bounds(void) {
    static int ids[4096];
    int n = 0;
    while (n < 4096 && (ids[n] = semget(IPC_PRIVATE, 200, 0600)) >= 0)
        n++;
    int err = errno;
    CHECK(err == ENOSPC && n >= 64 && n < 4096);
    struct seminfo info;
    CHECK(semctl(0, 0, SEM_INFO, (union semun){.info = &info}) == n - 1 && info.semusz == n);
    for (int i = 0; i < n; i++)
        CHECK(semctl(ids[i], 0, IPC_RMID) == 0);
}

int main(void) {
    check_sets();
    set = semget(IPC_PRIVATE, 3, 0600);
    check_steps();
    check_turns();
    check_undo();
    check_ends();
    check_bounds();
    return tell_end();
}
