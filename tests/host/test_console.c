/* What is typed at the console: lines, ^C, the echo, and lines that are recalled. How a line is
 * edited: test_console_editing.c. */
/* sources: kernel/dev/fdt.c kernel/dev/chardev.c kernel/dev/bootargs.c kernel/lib/string.c */
/* sources: kernel/dev/ns16550.c kernel/dev/sifive_uart.c kernel/dev/sbi_console.c */
/* sources: kernel/tty/lineedit.c kernel/tty/linehistory.c kernel/tty/terminal.c */
/* sources: kernel/tty/input.c kernel/tty/read.c kernel/tty/tty.c */
/* sources: kernel/lib/printf.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c tests/host/uartsim.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "consoleenv.h"
#include "dev/chardev.h"

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

/* What is typed before the driver starts is not lost, whether the firmware has switched the FIFOs
 * on or not, and though no interrupt tells of it. */
static void takes_early_keys(void **state) {
    for (uint8_t fifos = 0; fifos < 2; fifos++) {
        power_on(0, 1, false);
        sim.fcr = fifos;
        sim.keys = "early\n"; /* and no interrupt: nobody is there to take it */
        sim.keys_size = 6;
        start();
        sim_raise();
        assert_string_equal(read_line(100), "early\n");
        power_on(0, 1, false);
        sim.fcr = fifos;
        sim.keys = "\n";
        sim.keys_size = 1;
        start();
        assert_string_equal(read_line(100), "\n");
    }
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
    assert_int_equal(console_read(UA(STUB_USER), 10, &done), -K_EINTR);
    assert_int_equal(done, 0);
}

/* ---- ^C */

static void drops_what_nobody_has_read(void **state) {
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

/* It drops the line that is being typed. */
static void ends_the_read_of_a_shell_that_manages_jobs(void **state) {
    reader.manages_jobs = true;
    stub_idle = type_interrupt;
    size_t done;
    assert_int_equal(console_read(UA(STUB_USER), 10, &done), -K_EINTR);
    assert_int_equal(done, 0);
    assert_string_equal(read_line(100), "next\n");
}

static void is_an_empty_line_for_another_shell(void **state) {
    reader.depth = 1;
    stub_idle = type_interrupt;
    assert_string_equal(read_line(100), "\n");
    assert_string_equal(read_line(100), "next\n");
}

/* The shell has printed its prompt, and has not got to reading when ^C comes. */
static void is_kept_for_a_shell_that_is_about_to_read(void **state) {
    TYPE("abc\x03");
    size_t done;
    reader.manages_jobs = true;
    assert_int_equal(console_read(UA(STUB_USER), 10, &done), -K_EINTR);
    TYPE("next\n");
    assert_string_equal(read_line(100), "next\n");
}

static void write_prompt(void) {
    size_t done;
    assert_int_equal(write_text("$ ", 2, &done), 0);
}

/* What ^C ends has ended, and the shell writes its prompt before the handler goes on. */
static void is_no_news_for_a_shell_that_writes_its_prompt_after_it(void **state) {
    for (int manages = 0; manages < 2; manages++) {
        setup(NULL);
        reader.depth = 1;
        reader.manages_jobs = manages;
        on_interrupt = write_prompt;
        TYPE("abc\x03");
        later = "next\n";
        stub_idle = type_later;
        assert_string_equal(read_line(100), "next\n");
        stub_idle = sim_step;
        sim_finish();
        assert_memory_equal(sim.sent, "abc^C\n$ next\n", sim.sent_size);
    }
}

static void is_not_for_who_reads_in_the_foreground(void **state) {
    TYPE("\x03line\n");
    assert_string_equal(read_line(100), "line\n");
}

/* Type-ahead has filled the buffer up to where the device would be told to wait. */
static void makes_room(void **state) {
    for (int i = 0; i < 3 * TTY_BUFFER / 100; i++) {
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
    assert_int_equal(console_read(UA(STUB_USER - 1), 10, &done), -K_EFAULT);
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
        assert_between(sizeof typed - sim.keys_size, TTY_BUFFER - UART_BATCH, TTY_BUFFER);
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

/* ---- recalling lines */

static void recalls_what_a_shell_has_read(void **state) {
    setup_with(0, 1, true);
    TYPE("for another program\n");
    read_line(100);
    reader.depth = 1;
    TYPE("\x1b[A\x1b[Bnothing\n\nfirst\nfirst\nsecond\n\x04");
    assert_string_equal(read_line(100), "nothing\n");
    assert_string_equal(read_line(100), "\n");
    assert_string_equal(read_line(3), "fir"); /* in pieces, it is one line */
    assert_string_equal(read_line(100), "st\n");
    assert_string_equal(read_line(100), "first\n");
    assert_string_equal(read_line(100), "second\n");
    assert_string_equal(read_line(100), "");
    TYPE("draft\x1b[A\x1b[A\x1b[A\n"); /* the two that are the same are one */
    assert_string_equal(read_line(100), "nothing\n");
    TYPE("draft\x1bOA\x1bOA\x1bOA x\x1bOB\x1bOB\x1bOB\x1bOB.\n");
    assert_string_equal(read_line(100), "draft.\n");
    TYPE("\x1b[A\x1b[A\x1b[A!\n"); /* a line that was recalled can be changed */
    assert_string_equal(read_line(100), "second!\n");
    TYPE("\x1b[A\x03\x1b[A\x1b[A\n");
    assert_string_equal(read_line(100), "draft.\n");
    for (int i = 0; i < 20; i++) /* nothing is before the oldest one */
        TYPE("\x1b[A");
    TYPE("\n");
    assert_string_equal(read_line(100), "nothing\n");
}

/* Of many lines the last ones stay; what is too long is not kept, and not recalled when there is
 * no room for it. */
static void forgets_the_oldest_lines(void **state) {
    char line[HISTORY_LINE + 2], expected[20];
    setup_with(0, 1, true);
    reader.depth = 1;
    for (int i = 0; i < 2000; i++) {
        snprintf(line, sizeof line, "number %d\n", i);
        sim_type(line, strlen(line));
        read_line(100);
    }
    for (int i = 0; i < 2000; i++)
        TYPE("\x1b[A");
    TYPE("\n");
    snprintf(expected, sizeof expected, "number %d\n", 2000 - HISTORY_BYTES / 12);
    assert_string_equal(read_line(100), expected);
    memset(line, 'x', HISTORY_LINE);
    for (int extra = 0; extra < 2; extra++) {
        sim_type(line, HISTORY_LINE);
        sim_type("y\n" + !extra, 1 + (size_t)extra);
        assert_int_equal(strlen(read_line(HISTORY_LINE + 10)), HISTORY_LINE + 1 + extra);
        TYPE("\x1b[A\n");
        assert_int_equal(strlen(read_line(HISTORY_LINE + 10)), HISTORY_LINE + 1);
    }
    for (int i = 0; i < 6; i++) { /* nearly as much waits as there can be */
        sim_type(line, HISTORY_LINE);
        TYPE("\n");
    }
    TYPE("\x1b[A\n");
    sim_type(line, 400);
    TYPE("\x1b[A\n");
    for (int i = 0; i < 7; i++)
        assert_int_equal(strlen(read_line(HISTORY_LINE + 10)), HISTORY_LINE + 1);
    assert_int_equal(strlen(read_line(HISTORY_LINE + 10)), 401);
}

static void clears_the_screen(void **state) {
    static const char expected[] = "begin\n$ abc\b\033[H\033[2J$ abc\b";
    setup_with(0, 1, true);
    reader.depth = 1;
    size_t done;
    assert_int_equal(write_text("begin\n$ ", 8, &done), 0);
    TYPE("abc\x1b[D\x0c");
    sim_finish();
    assert_int_equal(sim.sent_size, sizeof expected - 1);
    assert_memory_equal(sim.sent, expected, sizeof expected - 1);
    TYPE("\n");
    assert_string_equal(read_line(100), "abc\n");
    sim.sent_size = 0;
    assert_int_equal(write_text("> ", 2, &done), 0);
    TYPE("\x0c");
    sim_finish();
    assert_memory_equal(sim.sent, "> \033[H\033[2J> ", 11);
}

static void devices_are_found_by_number(void **state) {
    static const struct chardev_ops some;
    chardev_register(MAJOR_CONSOLE, &some);
    assert_ptr_equal(chardev_find(MAJOR_CONSOLE), &some);
    assert_null(chardev_find(0));
    assert_null(chardev_find(-1));
    assert_null(chardev_find(NMAJOR));
    assert_null(chardev_find(32767));
    assert_true(HOST_PANICS(chardev_register(MAJOR_CONSOLE, &some)));
}

int main(void) {
    host_random_seed(3);
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
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
        T(is_no_news_for_a_shell_that_writes_its_prompt_after_it),
        T(is_not_for_who_reads_in_the_foreground),
        T(makes_room),
        T(bad_read_buffers),
        T(keeps_what_nobody_reads),
        T(recalls_what_a_shell_has_read),
        T(forgets_the_oldest_lines),
        T(clears_the_screen),
        T(devices_are_found_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
