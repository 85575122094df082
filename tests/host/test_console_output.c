/* What processes and the kernel write to the console: all of it arrives, in order, whatever
 * becomes of interrupts. */
/* sources: kernel/dev/fdt.c kernel/dev/chardev.c kernel/dev/bootargs.c kernel/lib/string.c */
/* sources: kernel/dev/ns16550.c kernel/dev/sifive_uart.c kernel/dev/sbi_console.c */
/* sources: kernel/tty/lineedit.c kernel/tty/linehistory.c kernel/tty/terminal.c */
/* sources: kernel/tty/input.c kernel/tty/read.c kernel/tty/tty.c */
/* sources: kernel/lib/printf.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c tests/host/uartsim.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "consoleenv.h"

static void long_output_arrives_in_order(void **state) {
    for (int instant = 0; instant < 2; instant++) {
        setup_with(0, 1, instant);
        static char text[40000];
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)host_random();
        size_t done;
        assert_int_equal(write_text(text, sizeof text, &done), 0);
        assert_int_equal(done, sizeof text);
        sim_finish();
        assert_int_equal(sim.sent_size, sizeof text);
        assert_memory_equal(sim.sent, text, sizeof text);
        assert_true(instant || stub_sleeps > 0);
        assert_int_equal(sim.ier, SIM_IER_RECEIVED); /* no interrupt for nothing */
    }
}

static void other_register_layouts(void **state) {
    setup_with(2, 4, false);
    size_t done;
    assert_int_equal(write_text("hello\n", 6, &done), 0);
    sim_finish();
    assert_memory_equal(sim.sent, "hello\n", 6);
    setup_with(2, 1, false);
    assert_int_equal(write_text("hello\n", 6, &done), 0);
    sim_finish();
    assert_memory_equal(sim.sent, "hello\n", 6);
}

/* The next writer gets the device going again. */
static void a_lost_interrupt_stops_no_later_writer(void **state) {
    for (int round = 0; round < 50; round++) {
        setup(NULL);
        static char text[RING + 500];
        memset(text, 'x', sizeof text);
        size_t done, before = host_random_below(RING);
        assert_int_equal(write_text(text, before, &done), 0);
        sim.lose_next = true;
        while (sim.fifo_used)
            sim_send_one();
        sim_raise();
        assert_int_equal(write_text(text, sizeof text, &done), 0);
        sim_finish();
        assert_int_equal(sim.sent_size, before + sizeof text);
    }
}

static void step_or_key(void) {
    if (host_random_below(10) == 0)
        sim.lose_next = true;
    sim_step();
    if (host_random_below(10) == 0)
        TYPE("\0");
}

/* Writers that sleep when it gets lost are served at any other interrupt. */
static void a_lost_interrupt_hangs_no_sleeper(void **state) {
    static char text[3 * RING];
    memset(text, 'x', sizeof text);
    stub_idle = step_or_key;
    for (int round = 0; round < 10; round++) {
        size_t done;
        assert_int_equal(write_text(text, sizeof text, &done), 0);
        assert_int_equal(done, sizeof text);
    }
    uart_drain();
    assert_int_equal(sim.sent_size, 10 * sizeof text);
}

/* The kernel's own lines come after what was written before, and wake the writer. */
static void kernel_messages_keep_the_order(void **state) {
    size_t done;
    char text[600], want[1400];
    memset(text, 'u', sizeof text);
    memset(want, 'u', sizeof text);
    assert_int_equal(write_text(text, sizeof text, &done), 0);
    assert_true(ring_used() > 0);
    kprintf("[kernel %d]\n", 42);
    assert_int_equal(ring_used(), 0);
    assert_int_equal(write_text(text, 5, &done), 0);
    sim_finish();
    strcpy(want + sizeof text, "[kernel 42]\nuuuuu");
    assert_int_equal(sim.sent_size, strlen(want));
    assert_memory_equal(sim.sent, want, strlen(want));
}

static void print_while_writer_sleeps(void) {
    kprintf("K"); /* empties the ring; only the device's interrupt can wake the writer now */
    stub_idle = sim_step;
}

static void kernel_messages_lose_no_writer(void **state) {
    static char text[RING + 100];
    memset(text, 'w', sizeof text);
    stub_idle = print_while_writer_sleeps;
    size_t done;
    assert_int_equal(write_text(text, sizeof text, &done), 0);
    assert_int_equal(stub_sleeps, 1);
    sim_finish();
    assert_int_equal(sim.sent_size, sizeof text + 1);
}

static void print_something(void) { kprintf("with a lock"); }

/* Only a panic prints with a spinlock held: it may come from anywhere. */
static void a_panic_below_the_lock_prints(void **state) {
    spin_lock(&uart.lock);
    assert_true(HOST_PANICS(print_something()));
    kprintf_break_lock();
    kprintf("held by this hart");
    spin_unlock(&uart.lock);
    host_hart_be(1);
    spin_lock(&uart.lock);
    host_hart_be(0);
    kprintf(", held by another");
    uart_drain();
    assert_memory_equal(sim.sent, "held by this hart, held by another", 34);
    host_hart_be(1);
    spin_unlock(&uart.lock);
    host_hart_be(0);
}

static void writes_all_before_a_bad_page(void **state) {
    size_t done;
    memset(stub_user, 'b', sizeof stub_user);
    uint64_t end = STUB_USER + STUB_USER_SIZE;
    assert_int_equal(tty_write(&console, UA(end - 333), 1000, true, &done), 0);
    assert_int_equal(done, 333);
    sim_finish();
    assert_int_equal(sim.sent_size, 333);
    assert_int_equal(tty_write(&console, UA(end), 10, true, &done), -K_EFAULT);
    assert_int_equal(done, 0);
    assert_int_equal(tty_write(&console, UA(0), 0, true, &done), 0);
}

static void killed_writers_stop(void **state) {
    static char text[RING + 4000];
    size_t done;
    stub_idle = kill_now;
    assert_int_equal(write_text(text, sizeof text, &done), 0);
    assert_between(done, RING, RING + SIM_FIFO + 1);
    assert_int_equal(write_text(text, 1000, &done), -K_EINTR);
    assert_int_equal(done, 0);
}

static void draining_waits_for_all(void **state) {
    size_t done;
    char text[100];
    memset(text, 'd', sizeof text);
    assert_int_equal(write_text(text, sizeof text, &done), 0);
    uart_drain();
    assert_int_equal(sim.sent_size, sizeof text);
    assert_int_equal(sim.fifo_used, 0);
}

/* All is sent, and nothing else than waiting for the device has happened. */
static void flushing_waits_for_the_device(void **state) {
    static char text[RING];
    size_t done;
    memset(text, 'o', sizeof text);
    assert_int_equal(write_text(text, sizeof text, &done), 0);
    assert_true(ring_used() > 0);
    uart_flush();
    assert_int_equal(ring_used(), 0);
    assert_int_equal(stub_sleeps, 0);
    sim_finish();
    assert_int_equal(sim.sent_size, sizeof text);
}

int main(void) {
    host_random_seed(3);
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(long_output_arrives_in_order),
        T(other_register_layouts),
        T(a_lost_interrupt_stops_no_later_writer),
        T(a_lost_interrupt_hangs_no_sleeper),
        T(kernel_messages_keep_the_order),
        T(kernel_messages_lose_no_writer),
        T(writes_all_before_a_bad_page),
        T(killed_writers_stop),
        T(draining_waits_for_all),
        T(flushing_waits_for_the_device),
        T(a_panic_below_the_lock_prints), /* last: kprintf's lock stays broken */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
