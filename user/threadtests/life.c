/* POSIX threads: their lives, what each has of its own, and the C library among them. */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../lib/stream.h"
#include "../tests/test.h"

#define THREADS 8

static pthread_t thread[THREADS];
static sem_t go, done;
static unsigned counter;

static void *number(uint64_t n) { return (void *)n; }

static void start_all(void *(*fn)(void *)) {
    for (uint64_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&thread[i], NULL, fn, number(i)), 0);
}

static void join_all(void) {
    for (uint64_t i = 0; i < THREADS; i++) {
        void *result = NULL;
        CHECK_EQ(pthread_join(thread[i], &result), 0);
        CHECK_EQ((uint64_t)result, i + 100);
    }
}

/* ---- beginning and end ---- */

static void *give_number(void *arg) {
    uint64_t i = (uint64_t)arg;
    CHECK(pthread_equal(pthread_self(), thread[i]));
    if (i % 2)
        pthread_exit(number(i + 100));
    return number(i + 100);
}

static void joined(void) {
    start_all(give_number);
    join_all();
}

static void *wait_for_go(void *arg) {
    CHECK_EQ(sem_wait(&go), 0);
    return arg;
}

static void *join_it(void *arg) { return number((uint64_t)pthread_join(arg, NULL)); }

static void wrong_joins(void) {
    pthread_t a, b, c;
    void *err;
    CHECK_EQ(pthread_join(pthread_self(), NULL), EDEADLK);
    CHECK_EQ(pthread_create(&a, NULL, wait_for_go, NULL), 0);
    CHECK_EQ(pthread_create(&b, NULL, join_it, a), 0);
    CHECK_EQ(pthread_create(&c, NULL, join_it, a), 0);
    CHECK_EQ(sem_post(&go), 0);
    CHECK_EQ(pthread_join(b, &err), 0);
    uint64_t sum = (uint64_t)err;
    CHECK_EQ(pthread_join(c, &err), 0);
    CHECK_EQ(sum + (uint64_t)err, EINVAL); /* one of them has joined it */
    CHECK_EQ(pthread_create(&a, NULL, wait_for_go, NULL), 0);
    CHECK_EQ(pthread_detach(a), 0);
    CHECK_EQ(pthread_join(a, NULL), EINVAL);
    CHECK_EQ(pthread_detach(a), EINVAL);
    CHECK_EQ(sem_post(&go), 0);
}

static void *touch_stack(void *arg) {
    size_t n = (size_t)arg;
    volatile char *low = (char *)__builtin_frame_address(0) - n;
    for (size_t i = 0; i < n; i += PAGE)
        low[i] = 1;
    return NULL;
}

static void *touch_at_go(void *arg) {
    wait_for_go(NULL);
    return touch_stack(arg);
}

/* With memory below the guard, so that it is the guard that is found. */
static void overflow_stack(uint64_t n) {
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, touch_at_go, number(n)), 0);
    CHECK(mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    CHECK_EQ(sem_post(&go), 0);
    pthread_join(t, NULL);
}

static void attributes(void) {
    pthread_attr_t attr;
    int state;
    size_t size;
    CHECK_EQ(pthread_attr_init(&attr), 0);
    CHECK(pthread_attr_getdetachstate(&attr, &state) == 0 && state == PTHREAD_CREATE_JOINABLE);
    CHECK_EQ(pthread_attr_setdetachstate(&attr, 2), EINVAL);
    CHECK_EQ(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN - 1), EINVAL);
    CHECK_EQ(pthread_attr_setstacksize(&attr, MB), 0);
    CHECK(pthread_attr_getstacksize(&attr, &size) == 0 && size == MB);
    CHECK_EQ(pthread_create(&thread[0], &attr, touch_stack, number(MB - PAGE)), 0);
    CHECK_EQ(pthread_join(thread[0], NULL), 0);
    CHECK_EQ(pthread_attr_setstacksize(&attr, 1ull << 50), 0);
    CHECK_EQ(pthread_create(&thread[0], &attr, touch_stack, NULL), EAGAIN);
    CHECK_EQ(pthread_attr_setstack(&attr, scratch, sizeof(scratch)), 0);
    CHECK_EQ(pthread_create(&thread[0], &attr, touch_stack, number(PAGE)), 0);
    CHECK_EQ(pthread_join(thread[0], NULL), 0);
    CHECK_EQ(run_child(overflow_stack, 120 * 1024), 0);
    CHECK_EQ(run_child(overflow_stack, 136 * 1024), KILLED); /* the guard */
}

static void *say_done(void *arg) {
    __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
    CHECK_EQ(sem_post(&done), 0);
    return NULL;
}

/* The memory of one is given to the next, so it does not grow by all of them. */
static void detached_in_turn(void) {
    struct abi_procinfo before, after;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    CHECK_EQ(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED), 0);
    info_of_self(&before);
    for (unsigned i = 0; i < 2000; i++) {
        CHECK_EQ(pthread_create(&thread[0], &attr, say_done, NULL), 0);
        CHECK_EQ(sem_wait(&done), 0);
    }
    info_of_self(&after);
    CHECK_EQ(counter, 2000);
    CHECK(after.size - before.size < 8 * MB);
}

static void *detach_itself(void *arg) {
    CHECK_EQ(pthread_detach(pthread_self()), 0);
    return say_done(arg);
}

static void detached_late(void) {
    for (unsigned i = 0; i < 400; i++) {
        CHECK_EQ(pthread_create(&thread[0], NULL, i % 2 ? detach_itself : say_done, NULL), 0);
        if (i % 2 == 0)
            CHECK_EQ(pthread_detach(thread[0]), 0);
        CHECK_EQ(sem_wait(&done), 0);
    }
}

static void flush_and_tell(void) { sys_exit(42); }

static void *join_first(void *arg) {
    CHECK_EQ(pthread_join(arg, NULL), 0);
    return NULL; /* the last one: exit(0) */
}

static void first_leaves(uint64_t arg) {
    atexit(flush_and_tell);
    CHECK_EQ(pthread_create(&thread[0], NULL, join_first, pthread_self()), 0);
    pthread_exit(NULL);
}

static void the_last_one_exits(void) { CHECK_EQ(run_child(first_leaves, 0), 42); }

static void *exit_7(void *arg) {
    wait_for_go(arg);
    exit(7);
}

static void tell_late(void) {
    for (unsigned i = 0; i < 100; i++)
        sched_yield();
    sys_exit(42);
}

/* The one that is first ends it, when the handlers are done. */
static void several_exit(uint64_t arg) {
    atexit(tell_late);
    start_all(exit_7);
    for (unsigned i = 0; i < THREADS; i++)
        sem_post(&go);
    pthread_exit(NULL);
}

static void exit_at_once(void) { CHECK_EQ(run_child(several_exit, 0), 42); }

static void create_one(void) {
    if (pthread_create(&thread[0], NULL, exit_7, NULL) == EAGAIN)
        return;
    CHECK_EQ(sem_post(&go), 0);
    pthread_join(thread[0], NULL);
}

static void without_memory(void) { CHECK_EQ(with_growing_memory(create_one, 128), 7); }

/* ---- what each has of its own ---- */

static _Thread_local uint64_t begins_as_7 = 7, begins_as_0;
static _Thread_local char large[3000];
static _Thread_local char aligned[10] __attribute__((aligned(64)));

static void *look_at_own(void *arg) {
    CHECK(begins_as_7 == 7 && begins_as_0 == 0 && errno == 0);
    CHECK(all_zero(large, sizeof(large)) && all_zero(aligned, sizeof(aligned)));
    CHECK_EQ((uint64_t)aligned % 64, 0);
    for (uint64_t i = (uint64_t)arg, n = 0; n < 200; n++) {
        begins_as_7 = begins_as_0 = i;
        fill(large, sizeof(large), (unsigned)i);
        CHECK_EQ(i % 2 ? close(-1) : chdir("nowhere"), -1);
        sched_yield();
        CHECK(begins_as_7 == i && begins_as_0 == i && filled(large, sizeof(large), (unsigned)i));
        CHECK_EQ(errno, i % 2 ? EBADF : ENOENT);
    }
    return number((uint64_t)arg + 100);
}

/* The second time on memory that the first ones have written. */
static void own_variables(void) {
    errno = 0;
    begins_as_0 = 5;
    for (unsigned round = 0; round < 2; round++) {
        start_all(look_at_own);
        join_all();
    }
    CHECK(begins_as_7 == 7 && begins_as_0 == 5 && errno == 0);
}

static pthread_key_t key, other_key;

static void count_up(void *value) { counter += (unsigned)(uint64_t)value; }

/* Sets it again, for as long as it is asked. */
static void set_again(void *value) {
    counter++;
    CHECK_EQ(pthread_getspecific(other_key), NULL);
    CHECK_EQ(pthread_setspecific(other_key, value), 0);
}

static void *have_values(void *arg) {
    CHECK(!pthread_getspecific(key) && !pthread_getspecific(other_key));
    CHECK_EQ(pthread_setspecific(key, number(5)), 0);
    CHECK_EQ(pthread_getspecific(key), 5);
    if (arg)
        CHECK_EQ(pthread_setspecific(other_key, arg), 0);
    return NULL;
}

static void run_one(void *(*fn)(void *), void *arg) {
    CHECK_EQ(pthread_create(&thread[0], NULL, fn, arg), 0);
    CHECK_EQ(pthread_join(thread[0], NULL), 0);
}

static void keys(void) {
    pthread_key_t more[PTHREAD_KEYS_MAX], one_more;
    CHECK_EQ(pthread_key_create(&key, count_up), 0);
    CHECK_EQ(pthread_key_create(&other_key, set_again), 0);
    CHECK_EQ(pthread_setspecific(key, number(1)), 0);
    run_one(have_values, NULL);
    CHECK_EQ(counter, 5);
    run_one(have_values, number(1));
    CHECK_EQ(counter, 10 + PTHREAD_DESTRUCTOR_ITERATIONS);
    CHECK_EQ(pthread_getspecific(key), 1);
    for (unsigned i = 2; i < PTHREAD_KEYS_MAX; i++)
        CHECK_EQ(pthread_key_create(&more[i], NULL), 0);
    CHECK_EQ(pthread_key_create(&one_more, NULL), EAGAIN);
    CHECK_EQ(pthread_key_delete(key), 0);
    CHECK_EQ(pthread_key_delete(key), EINVAL);
    CHECK_EQ(pthread_setspecific(key, number(1)), EINVAL);
    CHECK(pthread_key_create(&one_more, NULL) == 0 && one_more == key);
    CHECK_EQ(pthread_getspecific(one_more), NULL); /* not the deleted one's */
    CHECK_EQ(pthread_setspecific(PTHREAD_KEYS_MAX, NULL), EINVAL);
}

static void *push_and_exit(void *arg) {
    pthread_cleanup_push(count_up, number(1));
    pthread_cleanup_push(count_up, number(10));
    pthread_cleanup_push(count_up, number(100));
    pthread_cleanup_pop(1);
    pthread_cleanup_push(count_up, number(1000));
    pthread_cleanup_pop(0);
    pthread_exit(NULL);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
}

static void cleanup(void) {
    run_one(push_and_exit, NULL);
    CHECK_EQ(counter, 111);
}

/* ---- the library among threads ---- */

static void *allocate(void *arg) {
    unsigned seed = (unsigned)(uint64_t)arg;
    uint32_t random = seed + 1;
    unsigned char *block[16] = {0};
    unsigned size[16] = {0};
    for (unsigned n = 0; n < 2000; n++) {
        unsigned i = next_random(&random) % 16;
        CHECK(!block[i] || filled(block[i], size[i], seed + i));
        unsigned larger = size[i] + 200;
        if (n % 3 == 0 && larger < 4000) {
            block[i] = realloc(block[i], larger);
            CHECK(block[i] && (size[i] == 0 || filled(block[i], size[i], seed + i)));
            size[i] = larger;
        } else {
            free(block[i]);
            size[i] = next_random(&random) % 500 + 1;
            block[i] = malloc(size[i]);
        }
        CHECK(block[i]);
        fill(block[i], size[i], seed + i);
    }
    for (unsigned i = 0; i < 16; i++)
        free(block[i]);
    return number((uint64_t)arg + 100);
}

static void heap(void) {
    start_all(allocate);
    join_all();
}

#define LINES 200

static FILE *stream;
static pthread_barrier_t all_here;

static void *print_lines(void *arg) {
    pthread_barrier_wait(&all_here);
    for (unsigned i = 0; i < LINES; i++) {
        CHECK(fprintf(stream, "<%u %.3f>", (unsigned)(uint64_t)arg, (double)i / 8) > 0);
        flockfile(stream);
        CHECK(fputs("[", stream) >= 0 && fprintf(stream, "%u", i) > 0);
        CHECK(putc_unlocked(']', stream) == ']' && fputc('\n', stream) == '\n');
        funlockfile(stream);
    }
    return number((uint64_t)arg + 100);
}

static void *hold_stream(void *arg) {
    CHECK_EQ(ftrylockfile(stream), arg ? -1 : 0);
    if (!arg)
        funlockfile(stream);
    return NULL;
}

static void *convert(void *arg) {
    char text[40];
    pthread_barrier_wait(&all_here);
    for (unsigned i = 0; i < LINES; i++) {
        double value = ((double)(uint64_t)arg + 1) / (i + 1);
        snprintf(text, sizeof(text), "%.17g", value);
        CHECK(strtod(text, NULL) == value);
    }
    return number((uint64_t)arg + 100);
}

/* Each has its own large numbers. */
static void conversions(void) {
    CHECK_EQ(pthread_barrier_init(&all_here, NULL, THREADS), 0);
    start_all(convert);
    join_all();
}

/* What one call writes stays together, and what is written between flockfile and funlockfile. */
static void share_stream(void) {
    unsigned at[THREADS] = {0}, pairs = 0, lines = 0, who, n;
    double value;
    stream = fopen("lines", "w+");
    CHECK(stream);
    CHECK_EQ(pthread_barrier_init(&all_here, NULL, THREADS), 0);
    start_all(print_lines);
    join_all();
    flockfile(stream);
    run_one(hold_stream, number(1));
    funlockfile(stream);
    run_one(hold_stream, NULL);
    rewind(stream);
    for (int c; (c = getc(stream)) != EOF;) {
        if (c == '<') {
            CHECK_EQ(fscanf(stream, "%u %lf>", &who, &value), 2);
            CHECK(who < THREADS && value == at[who]++ / 8.0);
            pairs++;
        } else {
            CHECK(c == '[' && fscanf(stream, "%u]", &n) == 1 && n < LINES && getc(stream) == '\n');
            lines++;
        }
    }
    CHECK(pairs == LINES * THREADS && lines == LINES * THREADS);
    CHECK_EQ(fclose(stream), 0);
}

static void *open_another(void *arg) {
    flockfile(stream);
    CHECK(fputs("x", stream) >= 0);
    CHECK_EQ(sem_post(&go), 0);
    while (__atomic_load_n(&stream->lock, __ATOMIC_ACQUIRE) != 2) /* the flusher waits for it */
        sys_yield();
    FILE *f = fopen("another", "w");
    CHECK(f && fclose(f) == 0);
    funlockfile(stream);
    return arg;
}

static void *flush_all(void *arg) {
    CHECK_EQ(sem_wait(&go), 0);
    CHECK_EQ(fflush(NULL), 0);
    __atomic_store_n(&counter, 1, __ATOMIC_RELEASE);
    return arg;
}

/* Who flushes all streams waits for one whose holder opens and closes another. */
static void flush_beside_open(void) {
    pthread_t a, b;
    stream = fopen("held", "w");
    CHECK(stream);
    CHECK_EQ(pthread_create(&a, NULL, open_another, NULL), 0);
    CHECK_EQ(pthread_create(&b, NULL, flush_all, NULL), 0);
    WAIT_UNTIL(__atomic_load_n(&counter, __ATOMIC_ACQUIRE));
    CHECK(pthread_join(a, NULL) == 0 && pthread_join(b, NULL) == 0);
    CHECK_EQ(fclose(stream), 0);
    must_unlink("another");
    must_unlink("held");
}

/* A file has a largest size, so it begins again and again. */
static void *churn(void *arg) {
    for (unsigned i = 0; !__atomic_load_n(&counter, __ATOMIC_RELAXED); i++) {
        free(malloc(100));
        fprintf(stream, "%d\n", 1);
        if (i % 1000 == 0)
            rewind(stream);
    }
    return number((uint64_t)arg + 100);
}

static void *nothing(void *arg) { return arg; }

static int order;
static void before_fork(void) { order = order * 10 + 1; }
static void in_parent(void) { order = order * 10 + 2; }
static void in_child(void) { order = order * 10 + 3; }

/* Whatever the others are in the middle of, the child can go on. */
static void forks(void) {
    stream = fopen("numbers", "w");
    CHECK_EQ(pthread_atfork(before_fork, in_parent, in_child), 0);
    start_all(churn);
    for (unsigned i = 0; i < 20; i++) {
        order = 0;
        int pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            CHECK_EQ(order, 13);
            free(malloc(100));
            run_one(nothing, NULL);
            sys_exit(fprintf(stream, "%d\n", 2) == 2 ? 0 : 1);
        }
        CHECK_EQ(order, 12);
        CHECK_EQ(reap(pid), 0);
    }
    __atomic_store_n(&counter, 1, __ATOMIC_RELAXED);
    join_all();
}

const struct test life_tests[] = {
    {"joined", joined, false},
    {"wrong_joins", wrong_joins, false},
    {"attributes", attributes, false},
    {"detached_in_turn", detached_in_turn, false},
    {"detached_late", detached_late, false},
    {"the_last_one_exits", the_last_one_exits, false},
    {"exit_at_once", exit_at_once, false},
    {"without_memory", without_memory, false},
    {"own_variables", own_variables, false},
    {"keys", keys, false},
    {"cleanup", cleanup, false},
    {"heap", heap, false},
    {"conversions", conversions, false},
    {"streams", share_stream, false},
    {"flush_beside_open", flush_beside_open, false},
    {"forks", forks, false},
    {0},
};
