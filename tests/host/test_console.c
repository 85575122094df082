/* The console and the UART below it against a simulated NS16550A, with a screen to compare
 * with. */
/* sources: kernel/dev/fdt.c kernel/dev/chardev.c kernel/dev/bootargs.c kernel/lib/string.c */
/* sources: kernel/dev/ns16550.c kernel/dev/sifive_uart.c kernel/dev/sbi_console.c */
/* sources: kernel/lib/printf.c kernel/sync/spinlock.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c tests/host/uartsim.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "dev/console.c" /* themselves, so that each test starts with fresh ones */
#include "dev/uart.c"

#include "devstub.h"
#include "fdtbuild.h"
#include "hostarch.h"
#include "uartsim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "between.h"

/* ---- the machine ---------------------------------------------------------*/

static unsigned dumps;
void proc_dump(void) {
    dumps++;
    kprintf("<dump>"); /* takes the UART's lock: no other may be held that it waits for */
}

/* There are interrupts, and no other console: test_uarts.c. */
void clock_poll(void (*fn)(void)) { fail(); }
void sbi_console_write(const char *text, size_t n) { fail(); }
bool sbi_console_read(char *c) {
    fail();
    return false;
}

static struct proc reader;       /* who reads: a shell or not */
static struct interrupted ended; /* what the next ^C ends */
static unsigned interrupts, interrupts_of_all;
struct interrupted proc_interrupt(bool all) {
    assert_false(spin_held(&console.lock)); /* it looks for whom to end under other locks */
    interrupts++;
    interrupts_of_all += all;
    return ended;
}

static const struct chardev_ops *ops;

static void start(void) {
    fdtb_begin_machine(1);
    fdtb_begin("aliases");
    fdtb_string("serial1", "/serial@10000000");
    fdtb_end();
    fdtb_begin("chosen");
    fdtb_string("stdout-path", "serial1:115200n8");
    fdtb_end();
    fdtb_begin("serial@9000000");
    fdtb_string("compatible", "ns16550a");
    fdtb_cells("reg", 2, 0x9000000u, 0x100u);
    fdtb_end();
    fdtb_begin("serial@10000000");
    fdtb_string("compatible", "ns16550a");
    fdtb_cells("reg", 2, (uint32_t)SIM, (uint32_t)SIM_BYTES);
    fdtb_cells("interrupts", 1, (uint32_t)SIM_IRQ);
    if (sim.shift)
        fdtb_cells("reg-shift", 1, sim.shift);
    if (sim.width != 1)
        fdtb_cells("reg-io-width", 1, sim.width);
    fdtb_end();
    fdtb_end_machine();
    assert_true(uart_init());
    kprintf_set_sink(console_sink, NULL);
    uart_start(console_input);
    ops = &console_ops;
}

/* Before boot: the driver has not looked at the UART. */
static void power_on(uint32_t shift, uint32_t width, bool instant) {
    uart = (__typeof__(uart)){.lock = SPINLOCK_INIT("uart"), .room_lock = SPINLOCK_INIT("room")};
    wait_channel_init(&uart.room);
    console = (__typeof__(console)){.lock = SPINLOCK_INIT("console")};
    wait_channel_init(&console.input);
    dumps = interrupts = interrupts_of_all = 0;
    reader = (struct proc){.depth = 2};
    hart_self()->proc = &reader;
    stub_reset();
    sim_reset(shift, width, instant);
    stub_idle = sim_step;
}

static int setup_with(uint32_t shift, uint32_t width, bool instant) {
    power_on(shift, width, instant);
    start();
    return 0;
}

static void sim_finish(void) {
    for (int i = 0; i < 100000 && (sim.fifo_used || sim_irq()); i++)
        sim_step();
    assert_int_equal(ring_used(), 0);
}

static int setup(void **state) { return setup_with(0, 1, false); }

#define TYPE(literal) sim_type(literal, sizeof(literal) - 1)

static const char *read_line(size_t n) {
    static char line[CONSOLE_BUFFER + 1];
    size_t done = 77;
    assert_int_equal(ops->read(UA(STUB_USER), n, &done), 0);
    assert_true(done <= n);
    memcpy(line, stub_user, done);
    line[done] = '\0';
    return line;
}

static int write_text(const char *text, size_t n, size_t *done) {
    assert_true(n <= sizeof stub_user);
    memcpy(stub_user, text, n);
    return ops->write(UA(STUB_USER), n, done);
}

/* ---- output --------------------------------------------------------------*/

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
    assert_int_equal(ops->write(UA(end - 333), 1000, &done), 0);
    assert_int_equal(done, 333);
    sim_finish();
    assert_int_equal(sim.sent_size, 333);
    assert_int_equal(ops->write(UA(end), 10, &done), -K_EFAULT);
    assert_int_equal(done, 0);
    assert_int_equal(ops->write(UA(0), 0, &done), 0);
}

static void kill_now(void) { stub_killed = true; }

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

/* ---- input ---------------------------------------------------------------*/

static void gives_lines(void **state) {
    TYPE("one\rtwo\n\n");
    assert_string_equal(read_line(100), "one\n");
    assert_string_equal(read_line(100), "two\n");
    assert_string_equal(read_line(100), "\n");
    TYPE("abcdef\n");
    assert_string_equal(read_line(4), "abcd");
    assert_string_equal(read_line(1), "e");
    assert_string_equal(read_line(0), "");
    assert_string_equal(read_line(100), "f\n");
    sim_finish();
    assert_memory_equal(sim.sent, "one\ntwo\n\nabcdef\n", sim.sent_size);
}

static const char *later;
static void type_later(void) {
    if (later)
        sim_type(later, strlen(later));
    later = NULL;
}

static void waits_for_the_end_of_the_line(void **state) {
    TYPE("unfin");
    later = "ished\n";
    stub_idle = type_later;
    assert_string_equal(read_line(100), "unfinished\n");
    assert_int_equal(stub_sleeps, 1);
}

/* What is typed before the driver starts is not lost. */
static void takes_early_keys(void **state) {
    power_on(0, 1, false);
    sim.keys = "early\n"; /* and no interrupt: nobody is there to take it */
    sim.keys_size = 6;
    start();
    sim_raise();
    assert_string_equal(read_line(100), "early\n");
}

/* Echo cannot sleep: with the ring full of output it waits for the device. */
static void echo_waits_for_room(void **state) {
    static char text[RING], keys[300];
    memset(text, 'o', sizeof text);
    memset(keys, 'e', sizeof keys);
    size_t done;
    assert_int_equal(write_text(text, sizeof text, &done), 0);
    for (size_t at = 0; at < sizeof keys; at += UART_BATCH / 2)
        console_input(keys + at, MIN(sizeof keys - at, (size_t)UART_BATCH / 2));
    sim_finish();
    assert_int_equal(sim.sent_size, sizeof text + sizeof keys);
    assert_memory_equal(sim.sent, text, sizeof text);
    assert_memory_equal(sim.sent + sizeof text, keys, sizeof keys);
}

static void edits(void **state) {
    TYPE("helx\blo\n");
    assert_string_equal(read_line(100), "hello\n");
    TYPE("\x7f\x7fxy\x7f\x7f\x7f\x7f"
         "ab\n");
    assert_string_equal(read_line(100), "ab\n");
    TYPE("wrong\x15right\n");
    assert_string_equal(read_line(100), "right\n");
    TYPE("done\nagain\x15\x7f\x7f\x15new\n");
    assert_string_equal(read_line(100), "done\n"); /* a finished line is not taken back */
    assert_string_equal(read_line(100), "new\n");
    TYPE("a\xc3\xa9\x7f"
         "b\n"); /* a character of two bytes goes as one */
    assert_string_equal(read_line(100), "ab\n");
    sim_type("a\0b\n", 4);
    assert_string_equal(read_line(100), "ab\n");
}

static void ends_files(void **state) {
    TYPE("\x04");
    assert_string_equal(read_line(100), "");
    TYPE("text\x04next\n");
    assert_string_equal(read_line(100), "text");
    assert_string_equal(read_line(100), "");
    assert_string_equal(read_line(100), "next\n");
    TYPE("abc\x04");
    assert_string_equal(read_line(3), "abc");
    assert_string_equal(read_line(3), "");
}

static void prints_the_process_list(void **state) {
    TYPE("a\x10"
         "b\n");
    assert_int_equal(dumps, 1);
    assert_string_equal(read_line(100), "ab\n");
    sim_finish();
    assert_non_null(strstr(sim.sent, "<dump>"));
}

static void killed_readers_stop(void **state) {
    stub_idle = kill_now;
    size_t done;
    assert_int_equal(ops->read(UA(STUB_USER), 10, &done), -K_EINTR);
    assert_int_equal(done, 0);
}

/* ---- ^C */

static void drops_what_nobody_has_read(void **state) {
    ended = (struct interrupted){.killed = 1, .managed = true};
    TYPE("before\nabc\x03"
         "after\n");
    assert_int_equal(interrupts, 1);
    assert_int_equal(interrupts_of_all, 0);
    assert_string_equal(read_line(100), "after\n");
    sim_finish();
    assert_memory_equal(sim.sent, "before\nabc^C\nafter\n", 20);
    TYPE("\x1c");
    assert_int_equal(interrupts_of_all, 1);
}

static void type_interrupt(void) {
    static bool done;
    if (!done)
        TYPE("abc\x03");
    else
        TYPE("next\n");
    done = !done;
}

/* It drops the line, whether there was somebody else to end or not. */
static void ends_the_read_of_a_shell_that_manages_jobs(void **state) {
    for (uint32_t killed = 0; killed < 2; killed++) {
        setup(NULL);
        ended = (struct interrupted){.killed = killed, .managed = true};
        reader.manages_jobs = true;
        stub_idle = type_interrupt;
        size_t done;
        assert_int_equal(ops->read(UA(STUB_USER), 10, &done), -K_EINTR);
        assert_int_equal(done, 0);
        assert_string_equal(read_line(100), "next\n");
    }
}

static void is_an_empty_line_for_another_shell(void **state) {
    for (uint32_t killed = 0; killed < 2; killed++) {
        setup(NULL);
        ended = (struct interrupted){.killed = killed};
        reader.depth = 1;
        stub_idle = type_interrupt;
        assert_string_equal(read_line(100), "\n");
        assert_string_equal(read_line(100), "next\n");
    }
}

/* The shell has printed its prompt, and has not got to reading when ^C comes. */
static void is_kept_for_a_shell_that_is_about_to_read(void **state) {
    ended = (struct interrupted){.managed = true};
    TYPE("abc\x03");
    size_t done;
    reader.manages_jobs = true;
    assert_int_equal(ops->read(UA(STUB_USER), 10, &done), -K_EINTR);
    TYPE("next\n");
    assert_string_equal(read_line(100), "next\n");
}

static void is_not_for_who_reads_in_the_foreground(void **state) {
    ended = (struct interrupted){.managed = true};
    TYPE("\x03line\n");
    assert_string_equal(read_line(100), "line\n");
}

/* Type-ahead has filled the buffer up to where the device would be told to wait. */
static void makes_room(void **state) {
    ended = (struct interrupted){.killed = 1, .managed = true};
    for (int i = 0; i < 3 * CONSOLE_BUFFER / 100; i++) {
        for (int j = 0; j < 100; j++)
            TYPE("x");
        if (i % 30 == 29)
            TYPE("\x03");
    }
    assert_int_equal(sim.keys_size, 0);
    TYPE("\x03line\n");
    assert_string_equal(read_line(100), "line\n");
}

static void bad_read_buffers(void **state) {
    size_t done;
    TYPE("abc\n");
    assert_int_equal(ops->read(UA(STUB_USER - 1), 10, &done), -K_EFAULT);
    assert_int_equal(done, 0);
}

/* Far more than the buffer holds, before anybody reads: it waits in the UART. */
static void keeps_what_nobody_reads(void **state) {
    static char typed[60000], got[60000];
    for (int lines = 0; lines < 2; lines++) {
        setup_with(0, 1, true);
        for (size_t i = 0; i < sizeof typed; i++)
            typed[i] = lines && host_random_below(50) == 0 ? '\n' : (char)('a' + i % 26);
        typed[sizeof typed - 1] = '\n';
        sim_type(typed, sizeof typed);
        assert_between(sizeof typed - sim.keys_size, CONSOLE_BUFFER - UART_BATCH, CONSOLE_BUFFER);
        size_t total = 0;
        while (total < sizeof typed) {
            const char *line = read_line(1 + host_random_below(300));
            assert_true(total + strlen(line) <= sizeof got);
            memcpy(got + total, line, strlen(line));
            total += strlen(line);
            sim_raise();
        }
        assert_memory_equal(got, typed, sizeof typed);
        assert_memory_equal(sim.sent, typed, sizeof typed); /* and was echoed */
    }
}

/* What stands on the screen in the line after these characters. */
static size_t screen_line(const char *sent, size_t n, char *line) {
    size_t column = 0, length = 0;
    for (size_t i = 0; i < n; i++) {
        if (sent[i] == '\b') {
            assert_true(column > 0); /* never to the left of what was typed */
            column--;
        } else if (sent[i] == '\n') {
            column = length = 0;
        } else {
            line[column++] = sent[i];
            length = column > length ? column : length;
        }
    }
    while (length > column && line[length - 1] == ' ')
        length--;
    assert_int_equal(column, length);
    line[length] = '\0';
    return length;
}

/* Random keys; the screen shows what the reader will get. */
static void screen_shows_the_line(void **state) {
    static const char keys[] = "abc \t\x01\x1b\x7f\b\x7f\x15";
    for (int round = 0; round < 300; round++) {
        setup_with(0, 1, true);
        char typed[60], screen[200], shown[200] = "";
        size_t n = host_random_below(sizeof typed);
        for (size_t i = 0; i < n; i++)
            typed[i] = keys[host_random_below(host_random_below(4) ? 10 : sizeof keys - 1)];
        sim_type(typed, n);
        screen_line(sim.sent, sim.sent_size, screen);
        TYPE("\n");
        const char *line = read_line(100);
        for (size_t at = 0; *line != '\n'; line++) {
            if (*line == '\t')
                shown[at++] = ' ';
            else if (*line < ' ')
                shown[at++] = '^', shown[at++] = *line + '@';
            else
                shown[at++] = *line;
        }
        assert_string_equal(screen, shown);
    }
}

static void registers_itself(void **state) {
    uart = (__typeof__(uart)){.lock = SPINLOCK_INIT("uart"), .room_lock = SPINLOCK_INIT("room")};
    wait_channel_init(&uart.room);
    console_init();
    assert_ptr_equal(chardev_find(MAJOR_CONSOLE), &console_ops);
    assert_null(chardev_find(0));
    assert_null(chardev_find(-1));
    assert_null(chardev_find(NMAJOR));
    assert_null(chardev_find(32767));
    assert_true(HOST_PANICS(chardev_register(MAJOR_CONSOLE, &console_ops)));
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
        T(gives_lines),
        T(takes_early_keys),
        T(echo_waits_for_room),
        T(waits_for_the_end_of_the_line),
        T(edits),
        T(ends_files),
        T(prints_the_process_list),
        T(killed_readers_stop),
        T(drops_what_nobody_has_read),
        T(ends_the_read_of_a_shell_that_manages_jobs),
        T(is_an_empty_line_for_another_shell),
        T(is_kept_for_a_shell_that_is_about_to_read),
        T(is_not_for_who_reads_in_the_foreground),
        T(makes_room),
        T(bad_read_buffers),
        T(keeps_what_nobody_reads),
        T(screen_shows_the_line),
        T(registers_itself),
        T(a_panic_below_the_lock_prints), /* last: kprintf's lock stays broken */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
