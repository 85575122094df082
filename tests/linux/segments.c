/* Shared memory of System V. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#define PAGE 4096
#define KEY 0x1234

static struct shmid_ds about(int id) {
    struct shmid_ds ds = {0};
    CHECK(shmctl(id, IPC_STAT, &ds) == 0);
    return ds;
}

static void wait_for(pid_t child, int wanted) {
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), wanted);
}

static void check_numbers(void) {
    CHECK(shmget(KEY, PAGE, 0) == -1 && errno == ENOENT);
    CHECK(shmget(KEY, 0, IPC_CREAT | 0600) == -1 && errno == EINVAL);
    int id = shmget(KEY, 3 * PAGE - 5, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(id >= 0 && shmget(KEY, PAGE, 0) == id && shmget(KEY, 0, IPC_CREAT) == id);
    CHECK(shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL) == -1 && errno == EEXIST);
    CHECK(shmget(KEY, 3 * PAGE, 0) == -1 && errno == EINVAL);
    struct shmid_ds ds = about(id);
    CHECK(ds.shm_segsz == 3 * PAGE - 5 && ds.shm_nattch == 0 && ds.shm_cpid == getpid());
    CHECK(ds.shm_perm.mode == 0640 && ds.shm_perm.__key == KEY && ds.shm_lpid == 0);
    ds.shm_perm.mode = 01600;
    CHECK(shmctl(id, IPC_SET, &ds) == 0 && about(id).shm_perm.mode == 0600);
    CHECK(shmctl(id, IPC_STAT, (void *)-8L) == -1 && errno == EFAULT);
    CHECK(shmctl(id, 99, NULL) == -1 && errno == EINVAL);
    CHECK(shmctl(-1, IPC_STAT, &ds) == -1 && errno == EINVAL);
    struct shm_info info;
    int last = shmctl(0, SHM_INFO, (void *)&info), found = 0;
    CHECK(last >= 0 && info.used_ids == 1 && info.shm_tot == 3);
    for (int i = 0; i <= last; i++)
        found += shmctl(i, SHM_STAT, &ds) == id && ds.shm_perm.__key == KEY;
    CHECK(found == 1);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0 && shmget(KEY, PAGE, 0) == -1 && errno == ENOENT);
    CHECK(shmctl(id, IPC_STAT, &ds) == -1 && errno == EINVAL && shmctl(id, IPC_RMID, NULL) == -1);
    CHECK(shmat(id, NULL, 0) == (void *)-1 && errno == EINVAL);
    int other = shmget(KEY, PAGE, IPC_CREAT | 0600);
    CHECK(other >= 0 && other != id && shmctl(other, IPC_RMID, NULL) == 0);
}

static void check_places(void) {
    int id = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
    char *one = shmat(id, NULL, 0), *other = shmat(id, NULL, SHM_RDONLY);
    CHECK(one != (void *)-1 && other != (void *)-1 && one != other);
    strcpy(one + PAGE, "seen");
    CHECK(one[0] == 0 && strcmp(other + PAGE, "seen") == 0 && about(id).shm_nattch == 2);
    CHECK(mprotect(other, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
    CHECK(shmat(id, one, 0) == (void *)-1 && errno == EINVAL);
    CHECK(shmat(id, one + 5, 0) == (void *)-1 && errno == EINVAL);
    CHECK(shmat(id, NULL, SHM_REMAP) == (void *)-1 && errno == EINVAL);
    CHECK(shmat(id, other + 5, SHM_REMAP | SHM_RND) == other && about(id).shm_nattch == 2);
    other[PAGE] = 'S';
    CHECK(strcmp(one + PAGE, "Seen") == 0);
    CHECK(shmdt(one + PAGE) == -1 && errno == EINVAL && shmdt(one + 1) == -1 && errno == EINVAL);
    CHECK(shmdt(&id) == -1 && errno == EINVAL);
    /* In two parts, of which one was unmapped otherwise. */
    CHECK(munmap(other + PAGE, PAGE) == 0 && shmdt(other) == 0 && about(id).shm_nattch == 1);
    CHECK(shmat(id, other, 0) == other);
    CHECK(mprotect(other, PAGE, PROT_READ) == 0 && shmdt(other) == 0);
    CHECK(about(id).shm_nattch == 1 && shmdt(other) == -1 && errno == EINVAL);
    CHECK(about(id).shm_lpid == getpid() && strcmp(one + PAGE, "Seen") == 0);
    /* It goes with the last one who has it. */
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    CHECK((about(id).shm_perm.mode & SHM_DEST) && about(id).shm_perm.__key == IPC_PRIVATE);
    CHECK((other = shmat(id, NULL, 0)) != (void *)-1 && shmdt(one) == 0 && other[PAGE] == 'S');
    CHECK(shmdt(other) == 0 && shmctl(id, IPC_STAT, &(struct shmid_ds){0}) == -1);
    CHECK(errno == EINVAL || errno == 0);
}

/* fork keeps what is attached; exec and the end do not. */
static void check_processes(const char *self) {
    int id = shmget(IPC_PRIVATE, PAGE, 0600);
    volatile int *shared = shmat(id, NULL, 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        *shared = 5;
        _exit(about(id).shm_nattch == 2 ? 3 : 4);
    }
    wait_for(child, 3);
    CHECK(*shared == 5 && about(id).shm_nattch == 1);
    child = fork();
    if (child == 0) {
        char number[12];
        snprintf(number, sizeof(number), "%d", id);
        execl(self, self, "count", number, (char *)NULL);
        _exit(99);
    }
    wait_for(child, 1);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0 && *shared == 5);
    child = fork();
    if (child == 0)
        _exit(*shared);
    wait_for(child, 5);
    CHECK(shmdt((void *)shared) == 0 && shmctl(id, IPC_STAT, &(struct shmid_ds){0}) == -1);
}

/* There is an end of numbers and of memory, and all come back. */
static void check_bounds(void) {
    static int ids[4096];
    int n = 0;
    while (n < 4096 && (ids[n] = shmget(IPC_PRIVATE, PAGE, 0600)) >= 0)
        n++;
    int err = errno;
    CHECK(err == ENOSPC && n >= 64 && n < 4096);
    for (int i = 0; i < n; i++)
        CHECK(shmctl(ids[i], IPC_RMID, NULL) == 0);
    CHECK(shmget(IPC_PRIVATE, 1UL << 37, 0600) == -1 && errno == ENOMEM);
    for (int i = 0; i < 3000; i++) {
        int id = shmget(KEY, 16 * PAGE, IPC_CREAT | 0600);
        char *at = shmat(id, NULL, 0);
        CHECK(at != (void *)-1 && at[i % 16 * PAGE] == 0);
        at[i % 16 * PAGE] = 1;
        CHECK(shmctl(id, IPC_RMID, NULL) == 0 && shmdt(at) == 0);
    }
}

int main(int argc, char **argv) {
    if (argc > 2)
        return (int)about(atoi(argv[2])).shm_nattch;
    check_numbers();
    check_places();
    check_processes(argv[0]);
    check_bounds();
    return tell_end();
}
