/* The heap of alarms: against a table of what is set, and that no way through it is long. */
/* sources: kernel/proc/alarm.c */
#include "proc/alarm.h"
#include "random64.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define MANY 4095 /* of a way of twelve steps at most */
#define STEPS 12
static struct alarm alarm[MANY];
static struct alarms all;

static int begin(void **state) {
    memset(alarm, 0, sizeof(alarm));
    all.first = NULL;
    return 0;
}

/* The number of alarms from a down; that they are a heap, lean, and know what is above them. */
static unsigned check(const struct alarm *a, const struct alarm *above) {
    if (!a)
        return 0;
    assert_ptr_equal(a->above, above);
    assert_true(!above || above->at <= a->at);
    uint32_t far[2] = {a->below[0] ? a->below[0]->far : 0, a->below[1] ? a->below[1]->far : 0};
    assert_true(far[0] >= far[1]);
    assert_int_equal(a->far, far[1] + 1);
    return 1 + check(a->below[0], a) + check(a->below[1], a);
}

static void is_whole(unsigned n) {
    unsigned steps = 0;
    assert_int_equal(check(all.first, NULL), n);
    for (const struct alarm *a = all.first; a; a = a->below[1])
        steps++;
    assert_true(steps <= STEPS);
}

static void add(unsigned i, uint64_t at) {
    alarm[i].at = at;
    alarms_add(&all, &alarm[i]);
    assert_true(alarm_is_set(&alarm[i]));
}

/* Takes all out, the soonest first. */
static void empty(unsigned n) {
    uint64_t last = 0;
    for (; n > 0; n--) {
        struct alarm *a = all.first;
        assert_true(a && a->at >= last);
        last = a->at;
        alarms_remove(&all, a);
        assert_false(alarm_is_set(a));
        if (n % 64 == 0)
            is_whole(n - 1);
    }
    assert_null(all.first);
}

static void in_order(void **state) {
    for (unsigned i = 0; i < MANY; i++)
        add(i, i);
    is_whole(MANY);
    empty(MANY);
}

static void backwards(void **state) {
    for (unsigned i = 0; i < MANY; i++)
        add(i, MANY - i);
    is_whole(MANY);
    empty(MANY);
}

static void all_at_once(void **state) {
    for (unsigned i = 0; i < MANY; i++)
        add(i, 7);
    is_whole(MANY);
    empty(MANY);
}

static void twice_is_harmless(void **state) {
    add(0, 1);
    add(1, 2);
    alarms_remove(&all, &alarm[0]);
    alarms_remove(&all, &alarm[0]);
    assert_ptr_equal(all.first, &alarm[1]);
    is_whole(1);
}

static uint64_t soonest(void) {
    uint64_t at = UINT64_MAX;
    for (unsigned i = 0; i < MANY; i++)
        if (alarm_is_set(&alarm[i]) && alarm[i].at < at)
            at = alarm[i].at;
    return at;
}

/* Sets and takes out any, and at times the first. */
static void at_random(void **state) {
    unsigned n = 0;
    for (unsigned round = 0; round < 40000; round++) {
        struct alarm *a = &alarm[random64() % MANY];
        if (all.first && random64() % 8 == 0)
            a = all.first;
        if (alarm_is_set(a)) {
            alarms_remove(&all, a);
            n--;
        } else {
            add((unsigned)(a - alarm), random64() % 1000);
            n++;
        }
        if (round % 500 == 0) {
            is_whole(n);
            assert_true(n == 0 || all.first->at == soonest());
        }
    }
    empty(n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in_order, begin),
        cmocka_unit_test_setup(backwards, begin),
        cmocka_unit_test_setup(all_at_once, begin),
        cmocka_unit_test_setup(twice_is_harmless, begin),
        cmocka_unit_test_setup(at_random, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
