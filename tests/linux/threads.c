/* POSIX threads of glibc's: locks and conditions, what each has of its own, numbers, beginning and
 * end, and scheduling. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdbool.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include "threads.h"

#define THREADS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* ---- locks and conditions ---- */

static unsigned counter, whose_turn;

static void *count(void *arg) {
    for (int i = 0; i < 500; i++) {
        pthread_mutex_lock(&mutex);
        unsigned before = counter;
        if (i % 64 == 0)
            sched_yield();
        counter = before + 1;
        pthread_mutex_unlock(&mutex);
    }
    return arg;
}

static void *take_turns(void *arg) {
    unsigned me = (unsigned)(long)arg;
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&mutex);
        while (whose_turn % THREADS != me)
            pthread_cond_wait(&changed, &mutex);
        whose_turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return arg;
}

static void check_locks(void *(*fn)(void *)) {
    pthread_t t[THREADS];
    for (long i = 0; i < THREADS; i++)
        t[i] = begin(fn, (void *)i);
    for (long i = 0; i < THREADS; i++)
        CHECK(end_of(t[i]) == (void *)i);
}

static void check_timed_wait(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    pthread_mutex_lock(&mutex);
    CHECK(pthread_cond_timedwait(&changed, &mutex, &until) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

/* ---- what each has of its own ---- */

static __thread int own = 7;
static pthread_key_t key;
static int destroyed; /* atomic */

static void destroy(void *value) { __atomic_add_fetch(&destroyed, (int)(long)value, 5); }

static void *look_at_own(void *arg) {
    int before = own;
    own = (int)(long)arg;
    double kept = own / 8.0;
    pthread_setspecific(key, (void *)1L);
    sched_yield();
    return (void *)(long)(before == 7 && own == (int)(long)arg && kept * 8 == own &&
                          gettid() != getpid());
}

static void check_own(void) {
    pthread_t t[THREADS];
    CHECK(pthread_key_create(&key, destroy) == 0);
    for (long i = 0; i < THREADS; i++)
        t[i] = begin(look_at_own, (void *)(i + 10));
    for (long i = 0; i < THREADS; i++)
        CHECK(end_of(t[i]) == (void *)1L);
    CHECK(own == 7 && destroyed == THREADS);
}

/* ---- beginning and end, very often ---- */

static void *nothing(void *arg) { return arg; }

static unsigned long free_frames(void) {
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0);
    return info.freeram;
}

static void check_many(void) {
    unsigned long before = 0;
    for (long i = 0; i < 1200; i++) {
        if (i == 200)
            before = free_frames();
        CHECK(end_of(begin(nothing, (void *)i)) == (void *)i);
    }
    CHECK(free_frames() + 64 > before);
}

static void *tell_number(void *arg) {
    *(pid_t *)arg = gettid();
    return NULL;
}

static void check_numbers(void) {
    pid_t tid = 0;
    CHECK(gettid() == getpid());
    CHECK(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0);
    CHECK(syscall(SYS_tkill, gettid(), 0) == 0);
    CHECK(syscall(SYS_tkill, -1, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_tgkill, getpid(), 0, 0) == -1 && errno == EINVAL);
    end_of(begin(tell_number, &tid));
    CHECK(tid > 0 && tid != getpid());
    CHECK(kill(tid, 0) == -1 && errno == ESRCH);
}

/* ---- the end of a process ---- */

static void *outlive_first(void *arg) {
    while (syscall(SYS_tgkill, getpid(), getpid(), 0) == 0)
        sched_yield();
    syscall(SYS_exit, 5);
    return arg;
}

static void first_ends(void) {
    begin(outlive_first, NULL);
    syscall(SYS_exit, 3);
}

static void *end_all(void *arg) { _exit(6); }

static void other_ends_all(void) {
    begin(end_all, NULL);
    for (;;)
        pause();
}

static void *run_another(void *arg) {
    char number[16];
    snprintf(number, sizeof(number), "%d", getpid());
    execl("/linux/threads", "again", number, NULL);
    return arg;
}

static void other_execs(void) {
    begin(run_another, NULL);
    for (;;)
        pause();
}

static void end_eight(void) { _exit(gettid() == getpid() ? 8 : 1); }

static void *fork_from_here(void *arg) { return (void *)(long)status_of(end_eight); }

static void check_ends(void) {
    int status = status_of(first_ends);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    status = status_of(other_ends_all);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
    status = status_of(other_execs);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = (int)(long)end_of(begin(fork_from_here, NULL));
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 8);
}

/* ---- names ---- */

static bool is_named(const char *name) {
    char now[16] = "";
    return pthread_getname_np(pthread_self(), now, sizeof(now)) == 0 && !strcmp(now, name);
}

static void *has_makers_name(void *arg) { return is_named("maker") ? arg : NULL; }

static void child_has_makers_name(void) {
    char comm[16] = "";
    FILE *f = fopen("/proc/self/comm", "r");
    bool same = f && fgets(comm, sizeof(comm), f) && !strcmp(comm, "maker\n");
    _exit(same && is_named("maker") ? 0 : 1);
}

static void *take_and_hand_on(void *arg) {
    CHECK(pthread_setname_np(pthread_self(), "maker") == 0);
    CHECK(end_of(begin(has_makers_name, arg)) == arg);
    CHECK_EQ(status_of(child_has_makers_name), 0);
    return arg;
}

static void check_names(void) { end_of(begin(take_and_hand_on, &counter)); }

/* ---- scheduling ---- */

static void *take_name(void *arg) {
    char name[16];
    CHECK(pthread_setname_np(pthread_self(), arg) == 0);
    sched_yield();
    CHECK(pthread_getname_np(pthread_self(), name, sizeof(name)) == 0 && !strcmp(name, arg));
    return NULL;
}

static void check_scheduling(void) {
    struct sched_param param = {1};
    cpu_set_t harts;
    char name[16];
    pthread_t a = begin(take_name, "one"), b = begin(take_name, "another");
    end_of(a);
    end_of(b);
    CHECK(pthread_getname_np(pthread_self(), name, sizeof(name)) == 0 && !strcmp(name, "threads"));
    CHECK(pthread_getaffinity_np(pthread_self(), sizeof(harts), &harts) == 0);
    CHECK(CPU_COUNT(&harts) == sysconf(_SC_NPROCESSORS_ONLN) && CPU_ISSET(sched_getcpu(), &harts));
    CHECK(sched_setaffinity(0, sizeof(harts), &harts) == 0);
    CPU_ZERO(&harts);
    CHECK(sched_setaffinity(0, sizeof(harts), &harts) == -1 && errno == EINVAL);
    CHECK(sched_getscheduler(0) == SCHED_OTHER && sched_getparam(0, &param) == 0);
    CHECK(param.sched_priority == 0 && sched_get_priority_max(SCHED_OTHER) == 0);
    CHECK(sched_setscheduler(0, SCHED_FIFO, &param) == -1 && errno == EINVAL);
}

int main(int argc, char **argv) {
    if (!strcmp(argv[0], "again"))
        return atoi(argv[1]) == getpid() && gettid() == getpid() ? 7 : 1;
    check_locks(count);
    CHECK(counter == THREADS * 500);
    check_locks(take_turns);
    CHECK(whose_turn == THREADS * 50);
    check_timed_wait();
    check_own();
    check_many();
    check_numbers();
    check_ends();
    check_names();
    check_scheduling();
    return tell_end();
}
