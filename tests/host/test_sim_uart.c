/* The emulator's serial port against the data sheet, and its test finisher. */
/* sources: machine/dev/uart.c machine/dev/finisher.c tests/host/simenv.c */
#include "machine/dev/finisher.h"
#include "machine/dev/uart.h"
#include "simenv.h"

enum { RBR, THR = 0, IER, IIR, FCR = 2, LCR, MCR, LSR, MSR, SCR };
enum { NONE = 1, EMPTY = 2, RECEIVED = 4, LINE = 6, TIMEOUT = 12, FIFOS = 0xc0 };
#define SOURCE 10

static struct uart u;

static int setup(void **state) {
    world_begin(&u, sizeof u);
    u.source = SOURCE;
    uart_reset(&u);
    return 0;
}

static uint8_t get(uint64_t reg) { return (uint8_t)uart_read(&env, &u, reg, 1); }
static void set(uint64_t reg, uint8_t v) { uart_write(&env, &u, reg, 1, v); }
static bool wire(void) { return world.wire[SOURCE]; }

static void as_after_a_reset(void **state) {
    static const uint8_t values[8] = {0, 0, NONE, 0, 0, 0x60, 0xb0, 0};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(get(i), values[i]);
    assert_int_equal(u.source, SOURCE);
}

static void registers_keep_their_bits(void **state) {
    set(SCR, 0xa5);
    assert_int_equal(get(SCR), 0xa5);
    set(MCR, 0xff);
    assert_int_equal(get(MCR), 0x1f);
    set(IER, 0xff);
    assert_int_equal(get(IER), 0x0f);
    set(LCR, 0x83);
    set(0, 0x12);
    set(1, 0x34);
    assert_int_equal(get(0), 0x12);
    assert_int_equal(get(1), 0x34);
    assert_int_equal(get(LCR), 0x83);
    set(LCR, 3);
    assert_int_equal(get(IER), 0x0f); /* is another register */
    assert_int_equal(world.console_size, 0);
}

static void sends_at_once(void **state) {
    for (const char *s = "sent"; *s; s++) {
        assert_int_equal(get(LSR), 0x60);
        set(THR, (uint8_t)*s);
    }
    assert_string_equal(world.console, "sent");
    assert_false(wire());
}

static void the_empty_transmitter_interrupts(void **state) {
    set(IER, 2);
    assert_true(wire());
    assert_int_equal(get(IIR), EMPTY);
    assert_int_equal(get(IIR), NONE); /* it has been told */
    assert_false(wire());
    set(IER, 2); /* it was enabled before */
    assert_false(wire());
    set(THR, 'a');
    assert_true(wire());
    set(IER, 0);
    assert_false(wire());
    assert_int_equal(get(IIR), NONE);
    set(IER, 2);
    assert_int_equal(get(IIR), EMPTY);
}

static void one_character_without_fifos(void **state) {
    assert_true(uart_input(&env, &u, 'a'));
    assert_false(uart_input(&env, &u, 'b'));
    assert_false(wire());
    set(IER, 1);
    assert_true(wire());
    assert_int_equal(get(IIR), RECEIVED);
    assert_int_equal(get(LSR), 0x61);
    assert_int_equal(get(RBR), 'a');
    assert_int_equal(get(LSR), 0x60);
    assert_false(wire());
    assert_int_equal(get(RBR), 0);
    assert_true(uart_input(&env, &u, 'b'));
    assert_int_equal(get(RBR), 'b');
}

static void fifo_in_order_with_its_trigger(void **state) {
    static const uint8_t triggers[] = {1, 4, 8, 14};
    set(IER, 1);
    for (unsigned t = 0; t < 4; t++) {
        set(FCR, (uint8_t)(t << 6 | 1));
        for (unsigned i = 0; i < UART_FIFO; i++) {
            assert_true(uart_input(&env, &u, (uint8_t)(i + t)));
            assert_int_equal(get(IIR), FIFOS | (i + 1 < triggers[t] ? TIMEOUT : RECEIVED));
            assert_true(wire());
        }
        assert_false(uart_input(&env, &u, 99));
        for (unsigned i = 0; i < UART_FIFO; i++)
            assert_int_equal(get(RBR), i + t);
        assert_int_equal(get(IIR), FIFOS | NONE);
        assert_false(wire());
        /* So that the ring does not begin at its start. */
        assert_true(uart_input(&env, &u, 1));
        assert_int_equal(get(RBR), 1);
    }
}

static void fifo_is_cleared(void **state) {
    set(IER, 1);
    set(FCR, 1);
    for (unsigned i = 0; i < 5; i++)
        assert_true(uart_input(&env, &u, 'x'));
    set(FCR, 1);
    assert_int_equal(get(LSR), 0x61);
    set(FCR, 3);
    assert_int_equal(get(LSR), 0x60);
    assert_false(wire());
    assert_true(uart_input(&env, &u, 'x'));
    set(FCR, 0);
    assert_int_equal(get(LSR), 0x60);
    assert_int_equal(get(IIR), NONE);
}

static void received_comes_before_empty(void **state) {
    set(IER, 3);
    assert_true(uart_input(&env, &u, 'x'));
    assert_int_equal(get(IIR), RECEIVED);
    assert_int_equal(get(IIR), RECEIVED); /* and EMPTY has not been told by that */
    assert_int_equal(get(RBR), 'x');
    assert_true(wire());
    assert_int_equal(get(IIR), EMPTY);
    assert_false(wire());
}

static void loopback(void **state) {
    set(MCR, 0x1a); /* loop, OUT2, RTS */
    assert_int_equal(get(MSR), 0x90);
    set(MCR, 0x15);
    assert_int_equal(get(MSR), 0x60);
    assert_false(uart_input(&env, &u, 'a'));
    set(IER, 4);
    set(THR, 'b');
    assert_false(wire());
    set(THR, 'c');
    assert_int_equal(get(IIR), LINE);
    assert_int_equal(get(LSR), 0x63);
    assert_int_equal(get(LSR), 0x61);
    assert_false(wire());
    assert_int_equal(get(RBR), 'b');
    assert_int_equal(world.console_size, 0);
}

static void any_guest(void **state) {
    for (int i = 0; i < 200000; i++) {
        struct access a = any_access(0x100);
        if (a.write)
            uart_write(&env, &u, a.offset, a.size, a.value);
        else
            assert_between(uart_read(&env, &u, a.offset, a.size), 0, a.offset < 8 ? 0xff : 0);
        if (a.value % 16 == 0)
            uart_input(&env, &u, (uint8_t)i);
        assert_between(u.count, 0, UART_FIFO);
        assert_between(u.first, 0, UART_FIFO - 1);
    }
}

static struct finisher finish(unsigned size, uint64_t offset, uint64_t value) {
    struct finisher f;
    finisher_reset(&f);
    finisher_write(&env, &f, offset, size, value);
    assert_int_equal(finisher_read(&env, &f, offset, size), 0);
    return f;
}

static void the_machine_ends(void **state) {
    assert_int_equal(finish(4, 0, 0x5555).asked, FINISHER_PASS);
    assert_int_equal(finish(2, 0, 0x5555).asked, FINISHER_PASS);
    assert_int_equal(finish(4, 0, 0x7777).asked, FINISHER_RESET);
    struct finisher f = finish(4, 0, 0xfffffff012343333);
    assert_int_equal(f.asked, FINISHER_FAIL);
    assert_int_equal(f.code, 0x1234);
    f = finish(2, 0, 0x12343333);
    assert_int_equal(f.asked, FINISHER_FAIL);
    assert_int_equal(f.code, 0);
    assert_int_equal(finish(1, 0, 0x5555).asked, FINISHER_NOTHING);
    assert_int_equal(finish(8, 0, 0x5555).asked, FINISHER_NOTHING);
    assert_int_equal(finish(4, 4, 0x5555).asked, FINISHER_NOTHING);
    assert_int_equal(finish(4, 0, 0).asked, FINISHER_NOTHING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(as_after_a_reset, setup),
        cmocka_unit_test_setup(registers_keep_their_bits, setup),
        cmocka_unit_test_setup(sends_at_once, setup),
        cmocka_unit_test_setup(the_empty_transmitter_interrupts, setup),
        cmocka_unit_test_setup(one_character_without_fifos, setup),
        cmocka_unit_test_setup(fifo_in_order_with_its_trigger, setup),
        cmocka_unit_test_setup(fifo_is_cleared, setup),
        cmocka_unit_test_setup(received_comes_before_empty, setup),
        cmocka_unit_test_setup(loopback, setup),
        cmocka_unit_test_setup(any_guest, setup),
        cmocka_unit_test_setup(the_machine_ends, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
