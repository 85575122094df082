/* The order in which threads run on a hart that is always busy: who waits how long. */
/* sources: kernel/proc/runqueue.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/kstub.c tests/host/hostarch.c */
#include "proc/group.h"
#include "proc/runqueue.h"
#include "proc/thread.h"
#include "between.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define THREADS 64
#define TURNS 10000

/* As proc_in_reserve has it: the shell, two of its commands, and what runs beside them. */
static struct proc shell = {.depth = 1}, command = {.depth = 2}, other = {.depth = 2},
                   background = {.depth = 3};
static struct thread threads[THREADS];
static struct run_queue q;
static unsigned waits[THREADS]; /* turns since it was queued */

static int begin(void **state) {
    memset(threads, 0, sizeof(threads));
    memset(waits, 0, sizeof(waits));
    run_queue_init(&q);
    return 0;
}

static struct thread *of(unsigned i, struct proc *p) {
    threads[i].proc = p;
    return &threads[i];
}

static bool add(struct thread *t, bool woken) {
    waits[t - threads] = 0;
    return run_queue_add(&q, t, woken);
}

/* The next one; the others have waited one turn more. */
static struct thread *turn(void) {
    struct thread *t = run_queue_take(&q);
    assert_non_null(t);
    for (unsigned i = 0; i < THREADS; i++)
        waits[i]++;
    return t;
}

/* Whether it will be the next one. */
static void test_tells_who_is_first(void **state) {
    assert_true(add(of(0, &background), true));
    assert_false(add(of(1, &background), true));
    assert_true(add(of(2, &command), true));
    assert_false(add(of(3, &command), false));
    assert_ptr_equal(turn(), &threads[2]);
    assert_ptr_equal(turn(), &threads[0]);
}

static void test_in_order(void **state) {
    assert_null(run_queue_take(&q));
    for (unsigned i = 0; i < THREADS; i++)
        add(of(i, &background), i % 2);
    assert_int_equal(run_queue_length(&q), THREADS);
    for (unsigned i = 0; i < THREADS; i++)
        assert_ptr_equal(turn(), &threads[i]);
    assert_null(run_queue_take(&q));
    assert_int_equal(run_queue_length(&q), 0);
}

/* Threads from the second on are p's, and wake each other for ever: each one that runs wakes the
 * one that has waited longest, and sleeps. Some are in the queue at any time. */
static void begin_waking(struct proc *p, unsigned asleep) {
    for (unsigned i = 1; i < THREADS; i++)
        of(i, p);
    for (unsigned i = 1 + asleep; i < THREADS; i++)
        add(&threads[i], false);
}

/* Thread 0 is woken from time to time: the most turns that it waits. */
static unsigned longest_wait(struct proc *of_first, struct proc *of_waking, unsigned asleep) {
    struct thread *sleeping[THREADS];
    unsigned longest = 0, from = 0;
    of(0, of_first);
    begin_waking(of_waking, asleep);
    for (unsigned i = 0; i < asleep; i++)
        sleeping[i] = &threads[1 + i];
    bool waits_now = false;
    for (unsigned n = 0; n < TURNS; n++) {
        if (!waits_now && n % 7 == 0) {
            add(&threads[0], true);
            waits_now = true;
        }
        struct thread *t = turn();
        if (t == &threads[0]) {
            longest = waits[0] > longest ? waits[0] : longest;
            waits_now = false;
            continue;
        }
        add(sleeping[from], true);
        sleeping[from] = t;
        from = (from + 1) % asleep;
    }
    return longest;
}

/* A command of many threads that wake each other, and its shell, and another command. */
static void test_the_shell_among_threads_that_wake_each_other(void **state) {
    assert_int_equal(longest_wait(&shell, &command, 8), 1);
}

static void test_another_command_among_them(void **state) {
    assert_int_equal(longest_wait(&other, &command, 8), 1);
}

/* All that always run are reached, though others are woken all the time. */
static void test_nobody_waits_for_ever(void **state) {
    struct proc *sessions[] = {&shell, &command, &other};
    for (unsigned i = 0; i < 3; i++)
        of(i, sessions[i]);
    for (unsigned i = 3; i < THREADS; i++)
        add(of(i, &background), false);
    for (unsigned n = 0; n < TURNS; n++) {
        for (unsigned i = 0; i < 3; i++)
            if (n == 0 || threads[i].state == T_SLEEPING) {
                threads[i].state = T_RUNNABLE;
                add(&threads[i], true);
            }
        struct thread *t = turn();
        assert_between(waits[t - threads], 1, 5 * THREADS);
        if (t->proc == &background)
            add(t, false);
        else
            t->state = T_SLEEPING;
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_between(waits[i], 0, 5 * THREADS);
}

/* And what was woken does not stand behind them. */
static void test_woken_ones_go_first(void **state) {
    assert_int_equal(longest_wait(&shell, &background, 8), 1);
    begin(state);
    assert_int_equal(longest_wait(&command, &background, 8), 1);
    begin(state);
    assert_between(longest_wait(&background, &background, 8), THREADS / 2, THREADS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_in_order, begin),
        cmocka_unit_test_setup(test_tells_who_is_first, begin),
        cmocka_unit_test_setup(test_the_shell_among_threads_that_wake_each_other, begin),
        cmocka_unit_test_setup(test_another_command_among_them, begin),
        cmocka_unit_test_setup(test_nobody_waits_for_ever, begin),
        cmocka_unit_test_setup(test_woken_ones_go_first, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
