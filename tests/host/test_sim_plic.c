/* The emulator's interrupt controllers, PLIC and CLINT, against their specifications. */
/* sources: machine/dev/plic.c machine/dev/clint.c tests/host/simenv.c */
#include "machine/dev/clint.h"
#include "machine/dev/plic.h"
#include "simenv.h"

#define PRIORITY(s) (4UL * (s))
#define PENDING(s) (0x1000UL + 4 * ((s) / 32))
#define ENABLE(c, s) (0x2000UL + 0x80 * (c) + 4 * ((s) / 32))
#define THRESHOLD(c) (0x200000UL + 0x1000 * (c))
#define CLAIM(c) (0x200004UL + 0x1000 * (c))

static struct plic p;
static struct clint c;

static int setup(void **state) {
    world_begin(&p, sizeof p);
    memset(&c, 0xff, sizeof c);
    plic_reset(&p);
    clint_reset(&c);
    return 0;
}

static uint32_t get(uint64_t offset) { return (uint32_t)plic_read(&env, &p, offset, 4); }
static void set(uint64_t offset, uint32_t v) { plic_write(&env, &p, offset, 4, v); }

static void enable(unsigned context, unsigned source, bool on) {
    uint32_t bit = 1U << source % 32, word = get(ENABLE(context, source));
    set(ENABLE(context, source), on ? word | bit : word & ~bit);
}

static void enable_with(unsigned context, unsigned source, uint32_t priority) {
    enable(context, source, true);
    set(PRIORITY(source), priority);
}

static bool is_pending(unsigned source) { return get(PENDING(source)) >> source % 32 & 1; }

static void registers_keep_their_bits(void **state) {
    for (unsigned s = 0; s < PLIC_SOURCES; s++)
        set(PRIORITY(s), 0xfffffff0 | s);
    for (unsigned s = 0; s < PLIC_SOURCES; s++)
        assert_int_equal(get(PRIORITY(s)), s % 8); /* 0 for source 0 */
    set(PRIORITY(8), UINT32_MAX);
    set(PRIORITY(0), 7);
    assert_int_equal(get(PRIORITY(8)), 7);
    assert_int_equal(get(PRIORITY(0)), 0);
    for (unsigned i = 0; i < PLIC_CONTEXTS; i++) {
        for (unsigned s = 0; s < 1024; s += 32)
            set(ENABLE(i, s), UINT32_MAX);
        assert_int_equal(get(ENABLE(i, 0)), 0xfffffffe);
        assert_int_equal(get(ENABLE(i, 64)), UINT32_MAX);
        assert_int_equal(get(ENABLE(i, 96)), 0);
        set(THRESHOLD(i), UINT32_MAX);
        assert_int_equal(get(THRESHOLD(i)), 7);
    }
    set(PENDING(0), UINT32_MAX); /* is read-only */
    assert_int_equal(get(PENDING(0)), 0);
    plic_write(&env, &p, THRESHOLD(0), 8, 0);
    plic_write(&env, &p, THRESHOLD(0), 1, 0);
    assert_int_equal(get(THRESHOLD(0)), 7);
    assert_int_equal(plic_read(&env, &p, THRESHOLD(0), 8), 0);
}

static void a_source_goes_its_way(void **state) {
    enable_with(1, 10, 1);
    plic_set(&p, 10, true);
    assert_true(plic_pending(&p, 1));
    assert_false(plic_pending(&p, 0)); /* which has not enabled it */
    assert_int_equal(get(CLAIM(0)), 0);
    assert_true(is_pending(10));
    assert_int_equal(get(CLAIM(1)), 10);
    assert_false(is_pending(10) || plic_pending(&p, 1));
    assert_int_equal(get(CLAIM(1)), 0);
    plic_set(&p, 10, false);
    plic_set(&p, 10, true); /* the gateway is closed */
    assert_false(is_pending(10));
    set(CLAIM(1), 10);
    assert_true(is_pending(10) && plic_pending(&p, 1)); /* the wire is still high */
    assert_int_equal(get(CLAIM(1)), 10);
    plic_set(&p, 10, false);
    set(CLAIM(1), 10);
    assert_false(is_pending(10));
    plic_set(&p, 10, true);
    plic_set(&p, 10, false);
    assert_int_equal(get(CLAIM(1)), 10); /* a request, once made, stays */
}

static void completion_needs_the_enable_bit(void **state) {
    enable_with(1, 40, 3);
    plic_set(&p, 40, true);
    assert_int_equal(get(CLAIM(1)), 40);
    set(CLAIM(3), 40);
    assert_false(is_pending(40));
    enable(1, 40, false);
    set(CLAIM(1), 40);
    assert_false(is_pending(40));
    enable(3, 40, true);
    set(CLAIM(3), 40); /* whoever claimed it */
    assert_true(is_pending(40) && plic_pending(&p, 3));
    set(CLAIM(3), 0);
    set(CLAIM(3), 96);
    set(CLAIM(3), UINT32_MAX);
    assert_int_equal(get(CLAIM(3)), 40);
}

static void priorities_and_thresholds(void **state) {
    enable_with(2, 5, 2);
    enable_with(2, 33, 3);
    enable_with(2, 95, 3);
    enable_with(2, 7, 0);
    static const unsigned sources[] = {5, 7, 33, 95};
    for (unsigned i = 0; i < 4; i++)
        plic_set(&p, sources[i], true);
    set(THRESHOLD(2), 3);
    assert_false(plic_pending(&p, 2));
    set(THRESHOLD(2), 2);
    assert_true(plic_pending(&p, 2));
    assert_int_equal(get(CLAIM(2)), 33); /* the lowest of equals */
    assert_int_equal(get(CLAIM(2)), 95);
    assert_false(plic_pending(&p, 2));
    assert_int_equal(get(CLAIM(2)), 5); /* a claim does not ask for the threshold */
    assert_int_equal(get(CLAIM(2)), 0); /* priority 0 is never */
    set(PRIORITY(7), 3);
    assert_true(plic_pending(&p, 2));
}

static void sources_that_are_not_there(void **state) {
    plic_set(&p, 0, true);
    plic_set(&p, 96, true);
    plic_set(&p, UINT32_MAX, true);
    for (unsigned s = 0; s < 1024; s += 32)
        assert_int_equal(get(PENDING(s)), 0);
    assert_false(plic_pending(&p, PLIC_CONTEXTS));
}

/* What is pending in a context, by the definition. */
static bool by_definition(unsigned context) {
    for (unsigned s = 1; s < PLIC_SOURCES; s++)
        if (is_pending(s) && get(ENABLE(context, s)) >> s % 32 & 1 &&
            get(PRIORITY(s)) > get(THRESHOLD(context)))
            return true;
    return false;
}

static void any_guest(void **state) {
    unsigned raised = 0;
    for (int i = 0; i < 100000; i++) {
        static const uint64_t areas[] = {0, 0x1000, 0x2000, 0x200000, 0x210000, 0x5ffff0};
        struct access a = any_access(0x400);
        a.offset += areas[random64() % 6];
        a.size = a.value & 1 ? 4 : a.size;
        if (a.write)
            plic_write(&env, &p, a.offset, a.size, a.value);
        else
            assert_between(plic_read(&env, &p, a.offset, a.size), 0, UINT32_MAX);
        plic_set(&p, (unsigned)(random64() % 100), random64() & 1);
        unsigned context = (unsigned)(random64() % PLIC_CONTEXTS);
        assert_int_equal(plic_pending(&p, context), by_definition(context));
        raised += plic_pending(&p, context);
        if (i % 1000 == 0)
            plic_reset(&p);
    }
    assert_true(raised > 1000 && raised < 99000);
}

/* ---- CLINT ------------------------------------------------------------------- */

static uint64_t cget(uint64_t offset, unsigned size) { return clint_read(&env, &c, offset, size); }
static void cset(uint64_t offset, unsigned size, uint64_t v) {
    clint_write(&env, &c, offset, size, v);
}

static void time_goes_on(void **state) {
    world.now = 12345678900;
    assert_int_equal(cget(0xbff8, 8), 123456789);
    assert_int_equal(clint_mtime(&env, &c), 123456789);
    cset(0xbff8, 8, 0x1234567890);
    assert_int_equal(cget(0xbff8, 8), 0x1234567890);
    assert_int_equal(cget(0xbff8, 4), 0x34567890);
    assert_int_equal(cget(0xbffc, 4), 0x12);
    world.now += 1000;
    assert_int_equal(cget(0xbff8, 8), 0x123456789a);
    cset(0xbffc, 4, 0xabcdef);
    assert_int_equal(cget(0xbff8, 8), 0xabcdef3456789a);
    cset(0xbff8, 4, 5);
    assert_int_equal(cget(0xbff8, 8), 0xabcdef00000005);
    cset(0xbff8, 8, 0);
    world.now += 100;
    assert_int_equal(cget(0xbff8, 8), 1);
}

static void timers_fire(void **state) {
    world.now = 1000050;
    for (unsigned hart = 0; hart < CLINT_HARTS; hart++) {
        assert_int_equal(clint_next_ns(&env, &c, hart), UINT64_MAX);
        assert_false(clint_timer_pending(&env, &c, hart));
        cset(0x4000 + 8 * hart, 8, 10005 + hart);
        assert_int_equal(cget(0x4000 + 8 * hart, 8), 10005 + hart);
        assert_int_equal(clint_next_ns(&env, &c, hart), 1000500 + 100 * hart);
    }
    world.now = 1000499;
    assert_false(clint_timer_pending(&env, &c, 0));
    world.now = 1000500;
    assert_true(clint_timer_pending(&env, &c, 0));
    assert_false(clint_timer_pending(&env, &c, 1));
    assert_int_equal(clint_next_ns(&env, &c, 0), world.now);
    cset(0x4004, 4, 1); /* the upper half */
    assert_false(clint_timer_pending(&env, &c, 0));
    assert_int_equal(cget(0x4000, 8), 0x100000000 + 10005);
    cset(0xbff8, 8, 0x100000000); /* 5 ticks more, mtime's included */
    assert_int_equal(clint_next_ns(&env, &c, 0), 1000500 + 10005 * 100);
    cset(0x4000, 8, UINT64_MAX - 1); /* past the last nanosecond */
    assert_int_equal(clint_next_ns(&env, &c, 0), UINT64_MAX);
}

static void the_next_time_is_the_first(void **state) {
    for (int i = 0; i < 10000; i++) {
        world.now = random64() >> (random64() % 64);
        cset(0xbff8, 8, random64() >> (random64() % 64));
        cset(0x4000, 8, random64() >> (random64() % 64));
        uint64_t start = world.now, next = clint_next_ns(&env, &c, 0);
        bool pending = clint_timer_pending(&env, &c, 0);
        assert_int_equal(next == start, pending);
        if (pending || next == UINT64_MAX)
            continue;
        world.now = next;
        assert_true(clint_timer_pending(&env, &c, 0));
        world.now = next - 1;
        assert_false(clint_timer_pending(&env, &c, 0));
    }
}

static void software_interrupts(void **state) {
    cset(12, 4, UINT32_MAX);
    assert_int_equal(cget(12, 4), 1);
    for (unsigned hart = 0; hart < CLINT_HARTS; hart++)
        assert_int_equal(clint_software_pending(&c, hart), hart == 3);
    cset(16, 4, 1);
    cset(16, 8, 0); /* would be two registers */
    assert_int_equal(cget(16, 8), 0);
    assert_true(clint_software_pending(&c, 4));
    cset(16, 4, 0);
    cset(12, 1, 0);
    assert_true(clint_software_pending(&c, 3));
    cset(12, 4, 2);
    assert_false(clint_software_pending(&c, 3));
    cset(32, 4, 1); /* hart 8 */
    assert_int_equal(cget(32, 4), 0);
}

static void any_guest_of_the_clint(void **state) {
    for (int i = 0; i < 100000; i++) {
        static const uint64_t areas[] = {0, 0x3ff0, 0x4030, 0xbfe0, 0xfff0};
        struct access a = any_access(0x10000);
        a.offset += areas[random64() % 5];
        if (a.write)
            clint_write(&env, &c, a.offset, a.size, a.value);
        else if (a.size < 4 || a.offset % a.size)
            assert_int_equal(clint_read(&env, &c, a.offset, a.size), 0);
        else
            assert_between(clint_read(&env, &c, a.offset, a.size), 0,
                           a.size == 4 ? UINT32_MAX : UINT64_MAX);
        world.now += random64() % 1000;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(registers_keep_their_bits, setup),
        cmocka_unit_test_setup(a_source_goes_its_way, setup),
        cmocka_unit_test_setup(completion_needs_the_enable_bit, setup),
        cmocka_unit_test_setup(priorities_and_thresholds, setup),
        cmocka_unit_test_setup(sources_that_are_not_there, setup),
        cmocka_unit_test_setup(any_guest, setup),
        cmocka_unit_test_setup(time_goes_on, setup),
        cmocka_unit_test_setup(timers_fire, setup),
        cmocka_unit_test_setup(the_next_time_is_the_first, setup),
        cmocka_unit_test_setup(software_interrupts, setup),
        cmocka_unit_test_setup(any_guest_of_the_clint, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
