/* What a hart asks of the firmware about itself at boot: who made it, and who does its misaligned
 * loads, with firmware that counts them, and with such that does not. */
/* sources: tests/host/hostarch.c */
#include "arch/made.c"
#include "arch/sbi.c" /* itself: what a call gives is known to it alone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { NOT_SUPPORTED = -2, INVALID = -3 };
#define COUNTERS 35
#define TAKEN 19 /* the counter that is free */

static struct {
    bool no_base, no_pmu, none_free, unreadable; /* what the firmware does not do */
    bool hart_does, firmware_does;               /* misaligned loads */
    bool running;
    uint64_t count;
    unsigned tries, stops;
} machine;

bool probe_misaligned(const void *at) {
    assert_int_equal((uint64_t)at % 64, 0);
    machine.tries++;
    machine.count += machine.running && !machine.hart_does && machine.firmware_does ? 2 : 0;
    return machine.hart_does || machine.firmware_does;
}

static struct sbi_result base(uint64_t fn) {
    assert_true(fn >= 4 && fn <= 6);
    return machine.no_base ? (struct sbi_result){NOT_SUPPORTED, 77}
                           : (struct sbi_result){0, 100 + fn};
}

struct sbi_result sbi_call4(uint64_t ext, uint64_t fn, uint64_t x, uint64_t y, uint64_t z,
                            uint64_t w) {
    if (ext == 0x10)
        return base(fn);
    assert_int_equal(ext, 0x504d55);
    if (machine.no_pmu)
        return (struct sbi_result){NOT_SUPPORTED, 0};
    switch (fn) {
    case 0: return (struct sbi_result){0, COUNTERS};
    case 2:
        assert_int_equal(x, 0);
        assert_int_equal(y, (1UL << COUNTERS) - 1); /* one more would be invalid */
        assert_int_equal(z, 6);
        assert_int_equal(w, 0xf0000); /* the first event of the firmware's */
        if (machine.none_free)
            return (struct sbi_result){NOT_SUPPORTED, 0};
        machine.running = true;
        machine.count = 0;
        return (struct sbi_result){0, TAKEN};
    case 4:
        assert_true(x == TAKEN && y == 1 && z == 1);
        machine.stops += machine.running;
        machine.running = false;
        return (struct sbi_result){0, 0};
    case 5:
        assert_int_equal(x, TAKEN);
        return machine.unreadable ? (struct sbi_result){INVALID, 0}
                                  : (struct sbi_result){0, machine.count};
    default: fail(); return (struct sbi_result){NOT_SUPPORTED, 0};
    }
}

static enum misaligned found(void) {
    static struct hart hart = {.index = 3};
    host_hart = &hart;
    machine.tries = machine.stops = 0;
    hart_made[3] = (struct hart_made){{9, 9, 9}, 9};
    hart_made_init();
    assert_false(machine.running);
    return hart_made[3].misaligned;
}

static void who_does_them(void **state) {
    machine.hart_does = true;
    machine.firmware_does = false;
    assert_int_equal(found(), MISALIGNED_HART);
    machine.firmware_does = true;
    assert_int_equal(found(), MISALIGNED_HART);
    machine.hart_does = false;
    assert_int_equal(found(), MISALIGNED_FIRMWARE);
    machine.firmware_does = false;
    assert_int_equal(found(), MISALIGNED_TRAPS);
    assert_true(machine.tries == 1 && machine.stops == 1);
}

/* And none is tried where nobody would count it. */
static void nobody_counts(void **state) {
    machine.hart_does = true;
    machine.no_pmu = true;
    assert_int_equal(found(), MISALIGNED_UNKNOWN);
    assert_int_equal(machine.tries, 0);
    machine.no_pmu = false;
    machine.none_free = true;
    assert_int_equal(found(), MISALIGNED_UNKNOWN);
    assert_int_equal(machine.tries, 0);
    machine.none_free = false;
    machine.unreadable = true;
    assert_int_equal(found(), MISALIGNED_UNKNOWN);
    assert_int_equal(machine.stops, 1);
    machine.unreadable = false;
}

static void who_made_it(void **state) {
    (void)found();
    assert_int_equal(hart_made[3].maker.vendor, 104);
    assert_int_equal(hart_made[3].maker.architecture, 105);
    assert_int_equal(hart_made[3].maker.implementation, 106);
    machine.no_base = true;
    (void)found();
    assert_int_equal(hart_made[3].maker.vendor, 0);
    machine.no_base = false;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_them),
        cmocka_unit_test(nobody_counts),
        cmocka_unit_test(who_made_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
