/* The emulator's real-time clock. */
/* sources: machine/dev/rtc.c tests/host/simenv.c */
#include "machine/dev/rtc.h"
#include "simenv.h"

enum { TIME, ALARM = 8, ENABLED = 0x10, CLEAR_ALARM = 0x14, ARMED = 0x18, CLEAR = 0x1c };
#define SOURCE 11
#define START 0x17e0123fffff0000

static struct rtc r;

static int setup(void **state) {
    world_begin(&r, sizeof r);
    r.source = SOURCE;
    r.start = START;
    rtc_reset(&r);
    return 0;
}

static uint32_t get(uint64_t reg) { return (uint32_t)rtc_read(&env, &r, reg, 4); }
static void set(uint64_t reg, uint32_t v) { rtc_write(&env, &r, reg, 4, v); }
static uint64_t get_pair(uint64_t reg) {
    uint64_t low = get(reg);
    return low | (uint64_t)get(reg + 4) << 32;
}
static void set_pair(uint64_t reg, uint64_t v) {
    set(reg + 4, (uint32_t)(v >> 32));
    set(reg, (uint32_t)v);
}

static void time_is_latched(void **state) {
    assert_int_equal(get_pair(TIME), START);
    world.now = 0xffff;
    assert_int_equal(get(TIME), 0xffffffff);
    world.now = 0x10000;
    assert_int_equal(get(TIME + 4), 0x17e0123f);
    assert_int_equal(get(TIME), 0);
    assert_int_equal(get(TIME + 4), 0x17e01240);
    assert_int_equal(rtc_read(&env, &r, TIME, 8), 0);
}

static void time_is_set(void **state) {
    world.now = 12345;
    set_pair(TIME, 0x123456789abcdef0);
    assert_int_equal(get_pair(TIME), 0x123456789abcdef0);
    world.now += 16;
    assert_int_equal(get_pair(TIME), 0x123456789abcdf00);
    assert_int_equal(rtc_time(&env, &r), 0x123456789abcdf00);
    rtc_write(&env, &r, TIME, 8, 0);
    assert_int_equal(get_pair(TIME), 0x123456789abcdf00);
    rtc_reset(&r);
    assert_int_equal(get_pair(TIME), START + world.now);
}

static void the_alarm_goes_off(void **state) {
    assert_int_equal(rtc_next_ns(&env, &r), UINT64_MAX);
    set(ENABLED, 1);
    set_pair(ALARM, START + 5000);
    assert_int_equal(get_pair(ALARM), START + 5000);
    assert_int_equal(get(ARMED), 1);
    assert_int_equal(rtc_next_ns(&env, &r), 5000);
    world.now = 4999;
    rtc_run(&env, &r);
    assert_false(world.wire[SOURCE]);
    world.now = 5000;
    rtc_run(&env, &r);
    assert_true(world.wire[SOURCE]);
    assert_int_equal(get(ARMED), 0);
    assert_int_equal(rtc_next_ns(&env, &r), UINT64_MAX);
    set(ENABLED, 0);
    assert_false(world.wire[SOURCE]);
    set(ENABLED, 1);
    assert_true(world.wire[SOURCE]);
    set(CLEAR, 1);
    assert_false(world.wire[SOURCE]);
    set_pair(ALARM, START); /* is past */
    assert_true(world.wire[SOURCE]);
    set(CLEAR, 1);
    set_pair(ALARM, START + 9000);
    set(CLEAR_ALARM, 1);
    world.now = 10000;
    rtc_run(&env, &r);
    assert_false(world.wire[SOURCE]);
    set_pair(ALARM, UINT64_MAX);
    assert_int_equal(rtc_next_ns(&env, &r), UINT64_MAX - START);
}

static void any_guest(void **state) {
    unsigned raised = 0;
    for (int i = 0; i < 100000; i++) {
        struct access a = any_access(0x1000);
        if (a.write)
            rtc_write(&env, &r, a.offset, a.size, a.value);
        else if (a.size != 4 || a.offset > 0x1c)
            assert_int_equal(rtc_read(&env, &r, a.offset, a.size), 0);
        else
            assert_between(rtc_read(&env, &r, a.offset, a.size), 0, UINT32_MAX);
        uint64_t next = rtc_next_ns(&env, &r);
        assert_true(next >= world.now);
        assert_int_equal(world.wire[SOURCE], r.fired && r.enabled);
        raised += world.wire[SOURCE];
        world.now += random64() % 1000;
        rtc_run(&env, &r);
        assert_true(!r.armed || world.now < next);
    }
    assert_true(raised > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(time_is_latched, setup),
        cmocka_unit_test_setup(time_is_set, setup),
        cmocka_unit_test_setup(the_alarm_goes_off, setup),
        cmocka_unit_test_setup(any_guest, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
