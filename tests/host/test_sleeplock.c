/* Sleeplocks: one holder at a time, and nobody who waits is forgotten. */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "kstub.h"
#include "proc/sleeplock.h"
#include <sched.h>

#define PROCS 4
#define ROUNDS 100000

static struct sleeplock lock;
static unsigned inside; /* atomic; processes that have the lock */
static uint64_t count;  /* guarded by it */

static int begin(void **state) {
    kstub_reset();
    sleeplock_init(&lock, RANK_INODE);
    inside = 0;
    count = 0;
    return 0;
}

static void once(bool yields) {
    sleeplock_acquire(&lock);
    assert_int_equal(__atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED), 1);
    assert_true(sleeplock_held(&lock));
    count++;
    if (yields)
        sched_yield();
    assert_int_equal(__atomic_sub_fetch(&inside, 1, __ATOMIC_RELAXED), 0);
    sleeplock_release(&lock);
}

static void again_and_again(unsigned i) {
    for (unsigned k = 0; k < ROUNDS; k++)
        once(k % 16 == i);
}

/* kstub finds the one who sleeps for ever. */
static void all_get_it(void **state) {
    kstub_parallel(PROCS, again_and_again);
    assert_int_equal(count, PROCS * ROUNDS);
    assert_false(sleeplock_held(&lock));
    assert_int_equal(lock.waiting, 0);
}

/* Two processes alone, so that each release meets somebody who is just beginning to wait. */
static void begins_to_wait_at_the_end(void **state) {
    for (unsigned round = 0; round < 5; round++)
        kstub_parallel(2, again_and_again);
    assert_int_equal(count, 5 * 2 * ROUNDS);
    assert_int_equal(lock.waiting, 0);
}

/* While the first has it the others sleep; it wakes them all. */
static void hold_or_sleep(unsigned i) {
    if (i == 0) {
        sleeplock_acquire(&lock);
        for (unsigned k = 1; k < PROCS; k++)
            kstub_until_asleep(kstub_proc(k + 1));
        assert_int_equal(lock.waiting, PROCS - 1);
        assert_int_equal(count, 0);
        sleeplock_release(&lock);
    } else {
        while (!__atomic_load_n(&lock.holder, __ATOMIC_RELAXED))
            sched_yield();
        once(false);
    }
}

static void sleepers_are_woken(void **state) {
    kstub_parallel(PROCS, hold_or_sleep);
    assert_int_equal(count, PROCS - 1);
    assert_int_equal(lock.waiting, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_get_it, begin),
        cmocka_unit_test_setup(begins_to_wait_at_the_end, begin),
        cmocka_unit_test_setup(sleepers_are_woken, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
