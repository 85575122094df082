/* vfork, whose child runs in its parent's memory while that one waits, and posix_spawn, which is
 * made of it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static volatile int seen;
static char *volatile made;

static int status_of(pid_t child) {
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

/* What the child does is seen, and it has ended before its parent goes on. */
static void check_memory(void) {
    struct timespec span = {0, 5000000};
    seen = 0;
    pid_t child = vfork();
    if (child == 0) {
        nanosleep(&span, NULL);
        made = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        made[5000] = 9;
        seen = getpid();
        _exit(3);
    }
    CHECK(seen == child && made[5000] == 9 && munmap(made, 8192) == 0);
    CHECK(WEXITSTATUS(status_of(child)) == 3);
}

/* Until it is another program: its memory is then its own. */
static void check_exec(void) {
    seen = 0;
    pid_t child = vfork();
    if (child == 0) {
        seen = 1;
        execl("/linux/vfork", "again", NULL);
        seen = 2;
        _exit(1);
    }
    CHECK(seen == 1 && WEXITSTATUS(status_of(child)) == 4);
    child = vfork();
    if (child == 0) {
        execl("/linux/nosuch", "nosuch", NULL);
        seen = errno;
        _exit(9);
    }
    CHECK(seen == ENOENT && WEXITSTATUS(status_of(child)) == 9);
}

static void check_spawn(void) {
    char *argv[] = {"again", NULL};
    pid_t child;
    CHECK(posix_spawn(&child, "/linux/nosuch", NULL, NULL, argv, NULL) == ENOENT);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    CHECK(posix_spawn(&child, "/linux/vfork", NULL, NULL, argv, NULL) == 0);
    CHECK(WEXITSTATUS(status_of(child)) == 4);
    CHECK(posix_spawnp(&child, "/bin/true", NULL, NULL, argv, NULL) == 0 && status_of(child) == 0);
    CHECK(WEXITSTATUS(system("exit 3")) == 3);
}

/* A child that is killed gives the memory back; one whose parent is killed ends with it. */
static pid_t *grandchild;

static void check_killed(void) {
    pid_t child = vfork();
    if (child == 0) {
        kill(getpid(), SIGKILL);
        _exit(1);
    }
    CHECK(WTERMSIG(status_of(child)) == SIGKILL);
    grandchild = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    child = fork();
    if (child == 0) {
        if (vfork() == 0) {
            __atomic_store_n(grandchild, getpid(), __ATOMIC_RELAXED);
            for (;;)
                pause();
        }
        _exit(1);
    }
    while (!__atomic_load_n(grandchild, __ATOMIC_RELAXED))
        sched_yield();
    CHECK(kill(child, SIGKILL) == 0 && WTERMSIG(status_of(child)) == SIGKILL);
    while (kill(*grandchild, 0) == 0) /* init waits for it */
        sched_yield();
}

/* Others of the parent's threads go on meanwhile. */
static int progress;

static void *make_progress(void *arg) {
    while (__atomic_load_n(&progress, __ATOMIC_RELAXED) >= 0) {
        int now = progress;
        if (now >= 0)
            __atomic_compare_exchange_n(&progress, &now, now + 1, 0, 5, 5);
        sched_yield();
    }
    return arg;
}

static void *stay_in_child(void *arg) {
    if (vfork() == 0)
        for (;;)
            pause();
    return arg;
}

static void check_threads(void) {
    pthread_t t;
    CHECK(pthread_create(&t, NULL, make_progress, NULL) == 0);
    pid_t child = vfork();
    if (child == 0) {
        int before = __atomic_load_n(&progress, __ATOMIC_RELAXED);
        while (__atomic_load_n(&progress, __ATOMIC_RELAXED) < before + 20)
            sched_yield();
        int none = pthread_create(&t, NULL, make_progress, NULL);
        _exit(none == EAGAIN ? 5 : 1);
    }
    CHECK(WEXITSTATUS(status_of(child)) == 5);
    __atomic_store_n(&progress, -1, __ATOMIC_RELAXED);
    CHECK(pthread_join(t, NULL) == 0);
    child = fork();
    if (child == 0) {
        pthread_create(&t, NULL, stay_in_child, NULL);
        _exit(6);
    }
    CHECK(WEXITSTATUS(status_of(child)) == 6);
}

static unsigned long free_frames(void) {
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0);
    return info.freeram;
}

static void check_many(void) {
    unsigned long before = 0;
    for (int i = 0; i < 250; i++) {
        if (i == 50)
            before = free_frames();
        pid_t child = vfork();
        if (child == 0)
            _exit(i % 100);
        if (WEXITSTATUS(status_of(child)) != i % 100)
            failures++;
    }
    CHECK(free_frames() + 32 > before);
}

int main(int argc, char **argv) {
    if (!strcmp(argv[0], "again"))
        return seen == 0 ? 4 : 1;
    check_memory();
    check_exec();
    check_spawn();
    check_killed();
    check_threads();
    check_many();
    return tell_end();
}
