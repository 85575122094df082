/* What a process and its children have used: time, faults, memory. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

#define PAGE 4096L
#define PAGES 600L
#define KIB_PAGE (PAGE / 1024)

static struct rusage used(int who) {
    struct rusage u;
    CHECK(getrusage(who, &u) == 0);
    return u;
}

static long long microseconds(const struct rusage *u) {
    return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000LL + u->ru_utime.tv_usec +
           u->ru_stime.tv_usec;
}

/* Until this clock has gone on so far. */
static void work(clockid_t clock, long milliseconds) {
    struct timespec start, now;
    CHECK(clock_gettime(clock, &start) == 0);
    do {
        CHECK(clock_gettime(clock, &now) == 0);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
             milliseconds);
}

static void touch(long pages) {
    char *at = mmap(NULL, (size_t)(pages * PAGE), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    for (long i = 0; i < pages; i++)
        at[i * PAGE] = 1;
    CHECK(munmap(at, (size_t)(pages * PAGE)) == 0);
}

static void check_own(void) {
    struct rusage before = used(RUSAGE_SELF);
    work(CLOCK_PROCESS_CPUTIME_ID, 20);
    touch(PAGES / 4);
    touch(PAGES / 8);
    struct rusage after = used(RUSAGE_SELF);
    CHECK(microseconds(&after) - microseconds(&before) >= 20000);
    CHECK(after.ru_minflt >= before.ru_minflt + 2);
    CHECK(after.ru_maxrss >= PAGES / 4 * KIB_PAGE && after.ru_maxrss < PAGES * KIB_PAGE);
    CHECK(getrusage(7, &after) == -1 && errno == EINVAL);
}

static long long cpu_of_children(void) {
    struct rusage u = used(RUSAGE_CHILDREN);
    return microseconds(&u);
}

/* What a child has used its parent has when it has waited for it, and not before; and that of the
 * child's own children with it. */
static void check_children(void) {
    struct rusage before = used(RUSAGE_CHILDREN), told;
    struct tms tms_before, tms_after;
    int status;
    CHECK(times(&tms_before) != (clock_t)-1);
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            work(CLOCK_PROCESS_CPUTIME_ID, 30);
            touch(PAGES);
            _exit(3);
        }
        wait(NULL);
        work(CLOCK_PROCESS_CPUTIME_ID, 30);
        _exit(5);
    }
    siginfo_t info;
    CHECK(pid > 0);
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == ENOSYS &&
           wait4(pid, &status, WNOHANG | WUNTRACED, &told) == 0)
        usleep(1000);
    if (errno != ENOSYS) {
        CHECK(cpu_of_children() == microseconds(&before));
        CHECK(wait4(pid, &status, 0, &told) == pid);
    }
    CHECK(WEXITSTATUS(status) == 5);
    CHECK(microseconds(&told) >= 60000 && told.ru_maxrss >= PAGES * KIB_PAGE);
    struct rusage after = used(RUSAGE_CHILDREN);
    CHECK(microseconds(&after) >= microseconds(&before) + microseconds(&told));
    CHECK(after.ru_minflt >= before.ru_minflt + told.ru_minflt && told.ru_minflt > 0);
    CHECK(after.ru_maxrss >= PAGES * KIB_PAGE);
    CHECK(times(&tms_after) != (clock_t)-1);
    CHECK(tms_after.tms_cutime - tms_before.tms_cutime >= 5);
    CHECK(used(RUSAGE_SELF).ru_maxrss < PAGES * KIB_PAGE);
}

/* Nobody is told of a child whose usage cannot be told: it can be waited for again. */
static void check_wrong_address(void) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(9);
    CHECK(wait4(pid, &status, 0, (void *)8) == -1 && errno == EFAULT);
    CHECK(wait4(pid, &status, 0, NULL) == pid && WEXITSTATUS(status) == 9);
}

static void *worker(void *arg) {
    work(CLOCK_THREAD_CPUTIME_ID, 20);
    return arg;
}

/* A thread's time is its own, and the process's has that of all. */
static void check_threads(void) {
    struct timespec t;
    pthread_t thread;
    struct rusage before = used(RUSAGE_SELF), own = used(RUSAGE_THREAD);
    CHECK(pthread_create(&thread, NULL, worker, NULL) == 0 && pthread_join(thread, NULL) == 0);
    struct rusage own_after = used(RUSAGE_THREAD), after = used(RUSAGE_SELF);
    long long ours = microseconds(&own_after) - microseconds(&own);
    CHECK(microseconds(&after) - microseconds(&before) >= ours + 20000);
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    CHECK(t.tv_sec * 1000000LL + t.tv_nsec / 1000 >= microseconds(&own_after));
}

#define LOOKS 20000
#define IDLE 40 /* threads that are looked at meanwhile */
static int ends[2][2];

static void *idle(void *barrier) {
    pthread_barrier_wait(barrier);
    return barrier;
}

/* Works for a moment, and lets the other one do so: each round is a sleep, which is a switch. */
static void *take_turns(void *number) {
    int me = number != NULL;
    for (char c = 0; read(ends[me][0], &c, 1) == 1 && write(ends[!me][1], &c, 1) == 1;)
        for (volatile int i = 0; i < 2000; i++)
            ;
    return number;
}

/* While other threads come and go on other harts. */
static void check_never_back(void) {
    struct timespec t;
    struct rusage u;
    pthread_t threads[2], others[IDLE];
    pthread_barrier_t barrier;
    int back = 0;
    CHECK(pthread_barrier_init(&barrier, NULL, IDLE + 1) == 0);
    for (int i = 0; i < IDLE; i++)
        CHECK(pthread_create(&others[i], NULL, idle, &barrier) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pipe(ends[i]) == 0);
    for (long i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, take_turns, i ? &back : NULL) == 0);
    CHECK(write(ends[0][1], "x", 1) == 1);
    long long before = 0, now;
    for (int i = 0; i < LOOKS; i++, before = now) {
        if (i % 2 == 0) {
            CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
            now = t.tv_sec * 1000000LL + t.tv_nsec / 1000;
        } else {
            CHECK(getrusage(RUSAGE_SELF, &u) == 0);
            now = microseconds(&u);
        }
        back += now < before;
    }
    CHECK_EQ(back, 0);
    for (int i = 0; i < 2; i++)
        CHECK(close(ends[i][1]) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < IDLE; i++)
        CHECK(pthread_join(others[i], NULL) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(close(ends[i][0]) == 0);
}

static sem_t has_worked, may_end;

static void *waiting_worker(void *arg) {
    work(CLOCK_THREAD_CPUTIME_ID, 20);
    CHECK(sem_post(&has_worked) == 0 && sem_wait(&may_end) == 0);
    return arg;
}

static long long nanoseconds(clockid_t clock) {
    struct timespec t = {-1, 0};
    CHECK(clock_gettime(clock, &t) == 0);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The clocks of another thread, which stands while that waits, and of another process. */
static void check_clocks_of_others(void) {
    pthread_t thread;
    clockid_t its, childs;
    int ends[2];
    struct timespec t;
    CHECK(sem_init(&has_worked, 0, 0) == 0 && sem_init(&may_end, 0, 0) == 0);
    CHECK(pthread_create(&thread, NULL, waiting_worker, NULL) == 0 && sem_wait(&has_worked) == 0);
    CHECK(pthread_getcpuclockid(thread, &its) == 0);
    long long first = nanoseconds(its);
    work(CLOCK_THREAD_CPUTIME_ID, 50);
    CHECK(first >= 20000000 && nanoseconds(its) < first + 40000000);
    CHECK(clock_getres(its, &t) == 0 && sem_post(&may_end) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(clock_gettime(its, &t) == -1 && errno == EINVAL);
    CHECK(pthread_getcpuclockid(pthread_self(), &its) == 0);
    CHECK(nanoseconds(its) <= nanoseconds(CLOCK_THREAD_CPUTIME_ID));
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        work(CLOCK_PROCESS_CPUTIME_ID, 20);
        CHECK(write(ends[1], "", 1) == 1 && pause() == 0);
    }
    CHECK(read(ends[0], &t, 1) == 1 && clock_getcpuclockid(child, &childs) == 0);
    CHECK(nanoseconds(childs) >= 20000000 && kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, NULL, 0) == child && clock_gettime(childs, &t) == -1 && errno == EINVAL);
    CHECK(clock_getcpuclockid(0, &its) == 0 && nanoseconds(its) > 20000000);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* /proc tells the same: faults are the tenth number of stat. */
static void check_proc(void) {
    char line[400];
    long faults = 0, peak = 0;
    FILE *f = fopen("/proc/self/stat", "r");
    CHECK(f && fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %*d %ld", &faults) == 1);
    CHECK(f && fclose(f) == 0 && faults > 2 && faults <= used(RUSAGE_SELF).ru_minflt);
    f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f))
        (void)sscanf(line, "VmHWM: %ld", &peak);
    CHECK(f && fclose(f) == 0 && peak == used(RUSAGE_SELF).ru_maxrss);
}

/* exec goes on with what the process had used. */
static void check_exec(char *self) {
    int status;
    struct rusage told;
    if (fork() == 0) {
        touch(PAGES);
        work(CLOCK_PROCESS_CPUTIME_ID, 20);
        execl(self, self, "after-exec", (char *)NULL);
        _exit(1);
    }
    CHECK(wait4(-1, &status, 0, &told) > 0 && WEXITSTATUS(status) == 6);
    CHECK(microseconds(&told) >= 20000 && told.ru_maxrss >= PAGES * KIB_PAGE);
}

int main(int argc, char *argv[]) {
    if (argc > 1)
        return used(RUSAGE_SELF).ru_maxrss >= PAGES * KIB_PAGE ? 6 : 7;
    check_own();
    check_exec(argv[0]);
    check_children();
    check_wrong_address();
    check_threads();
    check_never_back();
    check_clocks_of_others();
    check_proc();
    return tell_end();
}
