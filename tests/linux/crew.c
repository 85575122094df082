/* A program with threads as those that people write: work handed out through a queue, phases behind
 * barriers, threads that are cancelled wherever they are, waits that end by the clock, and threads
 * that fork. What comes out is the same however they are scheduled. It has nothing that only one C
 * library has: it is linked with glibc and with musl. */
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include "threads.h"

#define CREW 4

static pthread_t crew[CREW];

static void all_do(void *(*fn)(void *)) {
    for (long i = 0; i < CREW; i++)
        crew[i] = begin(fn, (void *)i);
    for (long i = 0; i < CREW; i++)
        CHECK(end_of(crew[i]) == (void *)i);
}

/* ---- a queue: a lock, and two conditions ---- */

#define WORK 600
#define ROOM 7

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t has_some = PTHREAD_COND_INITIALIZER, has_room = PTHREAD_COND_INITIALIZER;
static unsigned queue[ROOM], first, used;
static uint64_t total, parts;

static void put(unsigned number) {
    pthread_mutex_lock(&lock);
    while (used == ROOM)
        pthread_cond_wait(&has_room, &lock);
    queue[(first + used++) % ROOM] = number;
    pthread_cond_signal(&has_some);
    pthread_mutex_unlock(&lock);
}

static unsigned take(void) {
    pthread_mutex_lock(&lock);
    while (used == 0)
        pthread_cond_wait(&has_some, &lock);
    unsigned number = queue[first];
    first = (first + 1) % ROOM;
    used--;
    pthread_cond_signal(&has_room);
    pthread_mutex_unlock(&lock);
    return number;
}

static void *add_up(void *arg) {
    uint64_t sum = 0, n = 0;
    for (unsigned number; (number = take()) != 0; n++)
        sum += number;
    pthread_mutex_lock(&lock);
    total += sum;
    parts += n;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void check_queue(void) {
    for (long i = 0; i < CREW; i++)
        crew[i] = begin(add_up, (void *)i);
    for (unsigned i = 1; i <= WORK; i++)
        put(i);
    for (int i = 0; i < CREW; i++)
        put(0);
    for (long i = 0; i < CREW; i++)
        CHECK(end_of(crew[i]) == (void *)i);
    CHECK(parts == WORK && total == (uint64_t)WORK * (WORK + 1) / 2);
}

/* ---- phases: a barrier, memory that each has for itself, and a page that comes and goes ---- */

#define PHASES 12

static pthread_barrier_t barrier;
static volatile long said[CREW];
static int last_ones; /* atomic */
static _Thread_local long own[3] = {1, 2, 3};
static _Thread_local char wide[64] __attribute__((aligned(64)));

static void *go_through_phases(void *arg) {
    long me = (long)arg;
    CHECK(own[0] == 1 && own[2] == 3 && (uintptr_t)wide % 64 == 0 && !wide[63]);
    own[1] = me;
    for (long phase = 0; phase < PHASES; phase++) {
        long *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(page != MAP_FAILED && *page == 0);
        *page = said[me] = phase * CREW + me;
        int is_last = pthread_barrier_wait(&barrier);
        if (is_last == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_add_fetch(&last_ones, 1, __ATOMIC_RELAXED);
        else
            CHECK_EQ(is_last, 0);
        long next = (me + 1) % CREW;
        CHECK(said[next] == phase * CREW + next && *page == phase * CREW + me && own[1] == me);
        CHECK(munmap(page, 4096) == 0);
        pthread_barrier_wait(&barrier);
    }
    return arg;
}

static void check_phases(void) {
    CHECK(pthread_barrier_init(&barrier, NULL, CREW) == 0);
    all_do(go_through_phases);
    CHECK(last_ones == PHASES && pthread_barrier_destroy(&barrier) == 0 && own[1] == 2);
}

/* ---- a pair that is always equal, for those who read and those who write; and once ---- */

static pthread_rwlock_t pair_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static volatile unsigned left, right, onces;

static void do_once(void) { onces = onces + 1; }

static void *read_and_write(void *arg) {
    CHECK(pthread_once(&once, do_once) == 0 && onces == 1);
    for (int i = 0; i < 50; i++) {
        CHECK(pthread_rwlock_rdlock(&pair_lock) == 0 && left == right);
        pthread_rwlock_unlock(&pair_lock);
        CHECK(pthread_rwlock_wrlock(&pair_lock) == 0);
        left = left + 1;
        right = right + 1;
        pthread_rwlock_unlock(&pair_lock);
    }
    return arg;
}

static void check_pair(void) {
    all_do(read_and_write);
    CHECK(left == CREW * 50 && right == left);
}

/* ---- cancelled: in a call that waits, in a wait for a condition, and in none ---- */

static int pipe_ends[2], cleaned; /* atomic */
static sem_t is_there;

static void clean(void *arg) { __atomic_add_fetch(&cleaned, (int)(long)arg, __ATOMIC_RELAXED); }

static void clean_lock(void *arg) {
    clean((void *)10L);
    pthread_mutex_unlock(arg); /* it has it again: else this is an error, or the next one waits */
}

static void *read_for_ever(void *arg) {
    char byte;
    pthread_cleanup_push(clean, (void *)1L);
    sem_post(&is_there);
    while (read(pipe_ends[0], &byte, 1))
        continue;
    pthread_cleanup_pop(0);
    return arg;
}

static void *wait_for_ever(void *arg) {
    pthread_mutex_lock(&lock);
    pthread_cleanup_push(clean_lock, &lock);
    sem_post(&is_there);
    for (;;)
        pthread_cond_wait(&has_some, &lock);
    pthread_cleanup_pop(0);
    return arg;
}

static void *compute_for_ever(void *arg) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    pthread_cleanup_push(clean, (void *)100L);
    sem_post(&is_there);
    for (volatile unsigned n = 0;; n++)
        continue;
    pthread_cleanup_pop(0);
    return arg;
}

static void *cannot_be_cancelled(void *arg) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    sem_post(&is_there);
    while (sem_wait(arg) < 0)
        continue;
    return arg;
}

static void cancel(void *(*fn)(void *), int adds) {
    int before = cleaned;
    pthread_t t = begin(fn, NULL);
    CHECK(sem_wait(&is_there) == 0 && pthread_cancel(t) == 0);
    CHECK(end_of(t) == PTHREAD_CANCELED && cleaned == before + adds);
}

static void check_cancel(void) {
    sem_t go_on;
    CHECK(pipe(pipe_ends) == 0 && sem_init(&is_there, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    for (int i = 0; i < 3; i++) {
        cancel(read_for_ever, 1);
        cancel(wait_for_ever, 10);
        cancel(compute_for_ever, 100);
    }
    pthread_t t = begin(cannot_be_cancelled, &go_on);
    CHECK(sem_wait(&is_there) == 0 && pthread_cancel(t) == 0 && sem_post(&go_on) == 0);
    CHECK(end_of(t) == &go_on);
    CHECK(pthread_mutex_trylock(&lock) == 0 && pthread_mutex_unlock(&lock) == 0);
    CHECK(close(pipe_ends[0]) == 0 && close(pipe_ends[1]) == 0);
}

/* ---- waits that end by the clock: not before it ---- */

#define SOON 3000000L /* nanoseconds */

static struct timespec soon(clockid_t clock) { return after(clock, SOON); }

static int is_over(clockid_t clock, struct timespec until) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec > until.tv_sec ||
           (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec);
}

static void *try_what_is_held(void *arg) {
    struct timespec until = soon(CLOCK_REALTIME);
    CHECK(pthread_mutex_timedlock(&lock, &until) == ETIMEDOUT && is_over(CLOCK_REALTIME, until));
    until = soon(CLOCK_REALTIME);
    CHECK(pthread_rwlock_timedrdlock(&pair_lock, &until) == ETIMEDOUT);
    CHECK(is_over(CLOCK_REALTIME, until));
    return arg;
}

static void check_timed_waits(void) {
    pthread_condattr_t a;
    pthread_cond_t never;
    sem_t none;
    CHECK(pthread_condattr_init(&a) == 0 && pthread_condattr_setclock(&a, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&never, &a) == 0 && sem_init(&none, 0, 0) == 0);
    pthread_mutex_lock(&lock);
    pthread_rwlock_wrlock(&pair_lock);
    all_do(try_what_is_held);
    pthread_rwlock_unlock(&pair_lock);
    struct timespec until = soon(CLOCK_MONOTONIC);
    int status;
    while ((status = pthread_cond_timedwait(&never, &lock, &until)) == 0)
        continue;
    CHECK(status == ETIMEDOUT && is_over(CLOCK_MONOTONIC, until));
    pthread_mutex_unlock(&lock);
    until = soon(CLOCK_REALTIME);
    CHECK(sem_timedwait(&none, &until) == -1 && errno == ETIMEDOUT);
    CHECK(is_over(CLOCK_REALTIME, until));
}

/* ---- threads that fork, and whose children have threads, while others use the heap ---- */

static void *one_more(void *arg) { return (char *)arg + 1; }

static void have_a_thread(void) {
    long *mine = malloc(100000); /* what others were doing with the heap is done, or not begun */
    void *end = NULL;
    pthread_t t;
    *mine = own[1];
    if (pthread_create(&t, NULL, one_more, (void *)*mine) == 0)
        pthread_join(t, &end);
    _exit((int)(long)end);
}

static void *fork_and_allocate(void *arg) {
    own[1] = 20 + (long)arg; /* which the child has from the thread that forks */
    for (int i = 0; i < 2; i++) {
        for (size_t size = 24; size < 40000; size *= 3)
            free(realloc(malloc(size), 2 * size));
        int status = status_of(have_a_thread);
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), 21 + (int)(long)arg);
    }
    return arg;
}

int main(void) {
    check_queue();
    check_phases();
    check_pair();
    check_cancel();
    check_timed_waits();
    all_do(fork_and_allocate);
    return tell_end();
}
