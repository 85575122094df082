/* Futexes: who is woken, who waits for another word instead, and that nobody is lost on the way. */
/* sources: kernel/proc/futex.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c */
#include "kstub.h"
#include "lib/errno.h"
#include "mm/userword.h"
#include "proc/clock.h"
#include "proc/futex.h"
#include "proc/sched.h"
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define WAITERS 3
#define WORDS 8

const char *ksym_lookup(uint64_t addr, uint64_t *offset) { return NULL; }

/* ---- a space of some words; there are no alarms ---- */

static uint32_t words[WORDS];

static uaddr_t word(unsigned i) { return UA(i * sizeof(uint32_t)); }

int user_word_find(uaddr_t at, struct user_word *out) {
    if (at.v % sizeof(uint32_t))
        return -K_EINVAL;
    *out = (struct user_word){words, at.v};
    return at.v < sizeof(words) ? 0 : -K_EFAULT;
}

int user_word_begin(uaddr_t at, const uint32_t **value) {
    *value = &words[at.v / sizeof(uint32_t)];
    return 0;
}

void user_word_end(void) {}
void clock_set_alarm(uint64_t when) {}
bool clock_end_alarm(void) { return false; }
bool clock_alarm_rang(void) { return false; }
void sched_break(void) {}

static int begin(void **state) {
    kstub_reset();
    futex_init();
    memset(words, 0, sizeof(words));
    return 0;
}

/* ---- each case: the first process wakes, the others wait, one after the other ---- */

static struct proc *waiter(unsigned i) { return kstub_proc(i + 1); }

static int result[WAITERS + 1];

static int wait_in_order(unsigned i, uint32_t bits) {
    futex_waiter_init(&thread_self()->futex);
    if (i > 1)
        kstub_until_asleep(waiter(i - 1));
    return futex_wait(word(0), 0, bits, UINT64_MAX);
}

static uint32_t wake_one(unsigned i, uint32_t bits) {
    uint32_t woken;
    assert_int_equal(futex_wake(word(i), 1, bits, &woken), 0);
    return woken;
}

static bool sleeps(unsigned i) { return kstub_sleeps(waiter(i)); }

/* All of them one bucket has, or not: the words lie in different ones. */
static void move(unsigned to, uint32_t wake, uint32_t n, uint32_t expect_moved) {
    struct futex_move m = {.from = word(0), .to = word(to), .wake = wake, .move = n};
    uint32_t woken, moved;
    assert_int_equal(futex_requeue(&m, &woken, &moved), 0);
    assert_int_equal(woken, wake);
    assert_int_equal(moved, expect_moved);
}

static void by_bits(unsigned i) {
    uint32_t woken;
    if (i > 0) {
        result[i] = wait_in_order(i, 1U << i);
        return;
    }
    kstub_until_asleep(waiter(WAITERS));
    assert_int_equal(futex_wake(word(0), 1, 0, &woken), -K_EINVAL);
    assert_int_equal(wake_one(0, 1), 0);
    assert_int_equal(wake_one(0, 1U << 2 | 1U << 3), 1);
    assert_true(sleeps(1) && !sleeps(2) && sleeps(3));
    assert_int_equal(wake_one(0, FUTEX_ALL), 1);
    assert_true(!sleeps(1) && sleeps(3));
    assert_int_equal(wake_one(0, FUTEX_ALL), 1);
}

static void wakes_by_bits(void **state) {
    kstub_parallel(WAITERS + 1, by_bits);
    assert_int_equal(result[1] | result[2] | result[3], 0);
}

/* The first is woken, the second moved, the third stays. */
static void moved_one(unsigned i) {
    if (i > 0) {
        result[i] = wait_in_order(i, FUTEX_ALL);
        return;
    }
    kstub_until_asleep(waiter(WAITERS));
    move(1, 1, 1, 1);
    assert_true(!sleeps(1) && sleeps(2) && sleeps(3));
    assert_int_equal(wake_one(1, FUTEX_ALL), 1);
    assert_true(!sleeps(2) && sleeps(3));
    assert_int_equal(wake_one(1, FUTEX_ALL), 0);
    move(0, 0, 9, 1); /* to where it is: that ends, too */
    assert_int_equal(wake_one(0, FUTEX_ALL), 1);
}

static void moves(void **state) {
    kstub_parallel(WAITERS + 1, moved_one);
    assert_int_equal(result[1] | result[2] | result[3], 0);
}

/* One that was moved is found where it is now when it gives up. */
static void given_up(unsigned i) {
    if (i > 0) {
        result[i] = wait_in_order(i, FUTEX_ALL);
        return;
    }
    kstub_until_asleep(waiter(WAITERS));
    for (unsigned to = 1; to < WORDS; to++) {
        move(to, 0, 1, 1);
        struct futex_move back = {.from = word(to), .to = word(0), .move = 1};
        uint32_t woken, moved;
        assert_int_equal(futex_requeue(&back, &woken, &moved), 0);
        assert_int_equal(moved, 1);
    }
    move(2, 0, 1, 1);
    kstub_kill(waiter(1)); /* seven times each was the last: it is the second one's turn */
    kstub_kill(waiter(2));
    kstub_kill(waiter(3));
}

static void moved_ones_give_up(void **state) {
    uint32_t woken;
    kstub_parallel(WAITERS + 1, given_up);
    for (unsigned i = 1; i <= WAITERS; i++)
        assert_int_equal(result[i], -K_EINTR);
    for (unsigned i = 0; i < WORDS; i++)
        assert_int_equal(futex_wake(word(i), 9, FUTEX_ALL, &woken) || woken, 0);
}

static void errors(void **state) {
    struct futex_move m = {.from = word(0), .to = word(1), .compares = true, .value = 1};
    uint32_t woken, moved;
    futex_waiter_init(&thread_self()->futex);
    assert_int_equal(futex_requeue(&m, &woken, &moved), -K_EAGAIN);
    m.to = UA(6);
    assert_int_equal(futex_requeue(&m, &woken, &moved), -K_EINVAL);
    m.to = word(WORDS);
    assert_int_equal(futex_requeue(&m, &woken, &moved), -K_EFAULT);
    assert_int_equal(futex_wait(word(0), 1, FUTEX_ALL, UINT64_MAX), -K_EAGAIN);
    assert_int_equal(futex_wait(word(0), 0, 0, UINT64_MAX), -K_EINVAL);
}

/* ---- all at once ---- */

#define ROUNDS 3000
static unsigned ended; /* atomic */

static void push_around(unsigned i) {
    uint32_t n, moved;
    struct futex_move m = {.from = word(i), .to = word(1 - i), .move = 2};
    if (i == 1)
        (void)!futex_wake(word(0), 1, FUTEX_ALL, &n);
    (void)!futex_wake(word(1), 1, FUTEX_ALL, &n);
    (void)!futex_requeue(&m, &n, &moved);
    sched_yield();
}

/* One that is in no list, or in the wrong one, is never woken, and the test does not end. */
static void all_at_once(unsigned i) {
    futex_waiter_init(&thread_self()->futex);
    if (i < 2) {
        while (__atomic_load_n(&ended, __ATOMIC_RELAXED) < WAITERS)
            push_around(i);
        return;
    }
    for (unsigned k = 0; k < ROUNDS; k++)
        assert_int_equal(futex_wait(word((i + k) % 2), 0, FUTEX_ALL, UINT64_MAX), 0);
    __atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
}

static void nobody_is_lost(void **state) {
    ended = 0;
    kstub_parallel(WAITERS + 2, all_at_once);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(wakes_by_bits, begin),      cmocka_unit_test_setup(moves, begin),
        cmocka_unit_test_setup(moved_ones_give_up, begin), cmocka_unit_test_setup(errors, begin),
        cmocka_unit_test_setup(nobody_is_lost, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
