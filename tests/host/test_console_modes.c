/* What programs set of the console: bytes instead of lines, echo, keys; and whom it is for. */
/* sources: kernel/dev/fdt.c kernel/dev/chardev.c kernel/dev/bootargs.c kernel/lib/string.c */
/* sources: kernel/dev/ns16550.c kernel/dev/sifive_uart.c kernel/dev/sbi_console.c */
/* sources: kernel/tty/lineedit.c kernel/tty/linehistory.c kernel/tty/terminal.c */
/* sources: kernel/tty/input.c kernel/tty/read.c kernel/tty/tty.c */
/* sources: kernel/lib/printf.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c tests/host/uartsim.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "consoleenv.h"

static struct terminal modes;

static void change(void) { assert_int_equal(tty_set_modes(&console, &modes, false, false), 0); }

/* As a line editor or a pager has it. */
static int setup_raw(void **state) {
    setup_with(0, 1, true);
    tty_get_modes(&console, &modes);
    modes.input = modes.local = 0;
    modes.keys[TERMINAL_VMIN] = 1;
    modes.keys[TERMINAL_VTIME] = 0;
    change();
    return 0;
}

static int setup_lines(void **state) {
    setup_with(0, 1, true);
    tty_get_modes(&console, &modes);
    return 0;
}

static size_t read_n(size_t n) {
    size_t done = 77;
    assert_int_equal(console_read(UA(STUB_USER), n, &done), 0);
    return done;
}

static void assert_reads(size_t n, const char *expected, size_t size) {
    assert_int_equal(read_n(n), size);
    assert_memory_equal(stub_user, expected, size);
}

static void assert_shown(const char *expected) {
    sim_finish();
    assert_int_equal(sim.sent_size, strlen(expected));
    assert_memory_equal(sim.sent, expected, sim.sent_size);
}

static const char *next_keys[8]; /* typed one after the other, each when somebody sleeps */
static unsigned next_key;
static void type_next(void) {
    const char *keys = next_keys[next_key];
    if (!keys) {
        alarm_rang = true; /* nothing more comes */
        wakeup(&console.input);
        return;
    }
    next_key++;
    sim_type(keys, strlen(keys));
}

static void type_while_asleep(const char *a, const char *b, const char *c) {
    const char *keys[] = {a, b, c};
    memset(next_keys, 0, sizeof next_keys);
    memcpy(next_keys, keys, sizeof keys);
    next_key = 0;
    stub_idle = type_next;
}

/* ---- bytes */

/* ^C, ^D, ^P, CR and cursor keys among them: nothing is done or shown. */
static void all_bytes_pass(void **state) {
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    sim_type(all, sizeof all);
    assert_reads(1, all, 1);
    assert_reads(300, all + 1, 255);
    TYPE("\x1b[A\x1bOB\x7f");
    assert_reads(100, "\x1b[A\x1bOB\x7f", 7);
    assert_int_equal(interrupts + dumps, 0);
    assert_shown("");
}

/* More than is copied at once, and around the buffer's end. */
static void many_bytes_pass(void **state) {
    static char typed[3000], got[3000];
    for (size_t i = 0; i < sizeof typed; i++)
        typed[i] = (char)host_random_below(256);
    for (int i = 0; i < 5; i++) {
        sim_type(typed, sizeof typed);
        size_t size = 0;
        while (size < sizeof got) {
            size_t n = read_n(MIN(1 + host_random_below(900), sizeof got - size));
            memcpy(got + size, stub_user, n);
            size += n;
        }
        assert_memory_equal(got, typed, sizeof typed);
    }
}

static void too_many_bytes_wait_in_the_uart(void **state) {
    static char typed[3 * TTY_BUFFER];
    for (size_t i = 0; i < sizeof typed; i++)
        typed[i] = (char)i;
    sim_type(typed, sizeof typed);
    assert_true(sim.keys_size > 0);
    for (size_t size = 0; size < sizeof typed; size += 1024) {
        assert_reads(1024, typed + size, 1024);
        sim_raise();
    }
}

static void waits_for_as_many_as_are_asked_for(void **state) {
    modes.keys[TERMINAL_VMIN] = 5;
    change();
    type_while_asleep("ab", "cd", "efg");
    assert_reads(100, "abcdefg", 7);
    assert_int_equal(stub_sleeps, 3);
    TYPE("xy");
    assert_reads(2, "xy", 2); /* no more can be taken */
    assert_int_equal(alarms, 0);
}

static void does_not_wait(void **state) {
    modes.keys[TERMINAL_VMIN] = 0;
    change();
    assert_reads(10, "", 0);
    TYPE("ab");
    assert_reads(10, "ab", 2);
    assert_reads(10, "", 0);
    assert_int_equal(stub_sleeps + alarms, 0);
}

static void waits_for_the_first_byte_for_a_time(void **state) {
    modes.keys[TERMINAL_VMIN] = 0;
    modes.keys[TERMINAL_VTIME] = 3;
    change();
    type_while_asleep(NULL, NULL, NULL);
    assert_reads(10, "", 0);
    assert_int_equal(alarm_span, 300000000);
    type_while_asleep("a", NULL, NULL);
    assert_reads(10, "a", 1);
    assert_int_equal(alarms, 2);
    TYPE("b");
    assert_reads(10, "b", 1);
    assert_int_equal(alarms, 2);
}

/* The time begins anew with each byte, and not before the first one. */
static void waits_between_bytes_for_a_time(void **state) {
    modes.keys[TERMINAL_VMIN] = 10;
    modes.keys[TERMINAL_VTIME] = 1;
    change();
    type_while_asleep("a", "b", "c");
    assert_reads(100, "abc", 3);
    assert_int_equal(alarms, 3);
    TYPE("d");
    type_while_asleep("e", NULL, NULL);
    assert_reads(100, "de", 2);
    assert_int_equal(alarms, 5);
    type_while_asleep("abcdefghij", NULL, NULL);
    assert_reads(100, "abcdefghij", 10);
    assert_int_equal(alarms, 5);
}

static void type_and_kill(void) {
    if (next_keys[0])
        sim_type(next_keys[0], strlen(next_keys[0]));
    next_keys[0] = NULL;
    stub_killed = true;
}

static void a_signal_ends_the_wait(void **state) {
    size_t done;
    modes.keys[TERMINAL_VMIN] = 2;
    modes.keys[TERMINAL_VTIME] = 5;
    change();
    stub_idle = kill_now;
    assert_int_equal(console_read(UA(STUB_USER), 10, &done), -K_EINTR);
    stub_killed = false;
    type_while_asleep("a", NULL, NULL);
    stub_idle = type_and_kill;
    assert_reads(10, "a", 1);
}

static void bad_buffer(void **state) {
    size_t done;
    TYPE("abc");
    assert_int_equal(console_read(UA(STUB_USER - 1), 10, &done), -K_EFAULT);
    assert_int_equal(done, 0);
}

/* ---- echo, keys and ends of lines */

static void shows_bytes_if_it_is_to(void **state) {
    modes.local = TERMINAL_ECHO;
    change();
    TYPE("ab\x03");
    assert_shown("ab^C");
    assert_reads(10, "ab\x03", 3);
}

static void hides_lines_if_it_is_to(void **state) {
    modes.local &= ~(uint32_t)TERMINAL_ECHO;
    change();
    TYPE("secrex\x7ft\x1b[D\x1b[C\x0c\x03word\x15pass\n");
    assert_string_equal(read_line(100), "pass\n");
    assert_shown("");
    modes.local |= TERMINAL_ECHO;
    change();
    TYPE("a\n");
    assert_shown("a\n");
}

/* Also not when the shell reads it with echo again. */
static void hidden_lines_are_not_recalled(void **state) {
    reader.depth = 1;
    TYPE("shown\n");
    modes.local &= ~(uint32_t)TERMINAL_ECHO;
    change();
    TYPE("secret\nsec");
    modes.local |= TERMINAL_ECHO;
    change();
    TYPE("ond\n");
    for (int i = 0; i < 3; i++)
        read_line(100);
    TYPE("\x1b[A\x1b[A\n");
    assert_string_equal(read_line(100), "shown\n");
}

static void signals_without_lines(void **state) {
    modes.local = TERMINAL_ISIG;
    change();
    TYPE("lost\x03"
         "ab\x1c\x04");
    assert_int_equal(interrupts, 2);
    assert_int_equal(interrupts_of_all, 1);
    assert_reads(100, "\x04", 1);
    modes.local |= TERMINAL_NOFLSH;
    change();
    TYPE("kept\x03too");
    assert_int_equal(interrupts, 3);
    assert_reads(100, "kepttoo", 7);
    assert_shown("");
}

static void lines_without_signals(void **state) {
    modes.local &= ~(uint32_t)TERMINAL_ISIG;
    change();
    TYPE("a\x03\x1a\n");
    assert_string_equal(read_line(100), "a\x03\x1a\n");
    assert_int_equal(interrupts, 0);
}

static void other_keys(void **state) {
    modes.keys[TERMINAL_VINTR] = 'i' & 31;
    modes.keys[TERMINAL_VQUIT] = 0;
    modes.keys[TERMINAL_VERASE] = '#';
    modes.keys[TERMINAL_VKILL] = '@';
    modes.keys[TERMINAL_VEOF] = '%';
    change();
    TYPE("x\x1c\x03\t");
    assert_int_equal(interrupts, 1);
    assert_int_equal(interrupts_of_all, 0);
    TYPE("lost@helx#lo\n");
    assert_string_equal(read_line(100), "hello\n");
    TYPE("a\x04\x15\x7f"
         "b%");
    assert_string_equal(read_line(100), "ab");
    sim_type("\0%", 2);
    assert_string_equal(read_line(100), "");
    assert_int_equal(interrupts, 1);
}

static void ends_of_lines(void **state) {
    TYPE("a\rb\n");
    assert_string_equal(read_line(100), "a\n");
    assert_string_equal(read_line(100), "b\n");
    modes.input = 0;
    change();
    TYPE("a\rb\n");
    assert_string_equal(read_line(100), "a\rb\n");
    modes.input = TERMINAL_IGNCR | TERMINAL_ICRNL;
    change();
    TYPE("a\rb\n");
    assert_string_equal(read_line(100), "ab\n");
    modes.input = TERMINAL_INLCR;
    modes.local = 0;
    modes.keys[TERMINAL_VMIN] = 1;
    change();
    TYPE("a\nb\r");
    assert_reads(100, "a\rb\r", 4);
}

/* ---- changes */

static void what_was_typed_of_a_line_is_there(void **state) {
    TYPE("part");
    modes.local = 0;
    modes.keys[TERMINAL_VMIN] = 1;
    change();
    assert_int_equal(tty_bytes_ready(&console), 4);
    assert_reads(100, "part", 4);
    TYPE("raw");
    tty_make_sane(&console);
    assert_string_equal(read_line(100), "raw");
    TYPE("line\n");
    assert_string_equal(read_line(100), "line\n");
    TYPE("x\x03");
    assert_int_equal(interrupts, 1);
}

static void make_raw(void) {
    modes.local = 0;
    change();
    TYPE("k");
}

/* Another program changes what a reader waits for. */
static void a_reader_of_lines_gets_bytes(void **state) {
    stub_idle = make_raw;
    assert_string_equal(read_line(100), "k");
}

static unsigned told;
static void count(struct watch *w) { told++; }

static void ask_for_one(void) {
    modes.keys[TERMINAL_VMIN] = 1;
    change();
}

/* What is there is enough from now on: who reads and who polls learn of it. */
static void fewer_bytes_are_enough(void **state) {
    struct watch w = {.changed = count};
    modes.keys[TERMINAL_VMIN] = 5;
    change();
    TYPE("abc");
    assert_int_equal(tty_ready(&console, &w), READY_WRITABLE);
    told = 0;
    stub_idle = ask_for_one;
    assert_reads(100, "abc", 3);
    assert_int_equal(stub_sleeps, 1);
    assert_true(told > 0);
    watch_end(&w);
}

/* A shell's read of bytes would wait: ^C is news for one of lines alone. */
static void a_shell_has_no_news_without_lines(void **state) {
    reader.depth = 1;
    modes.local = TERMINAL_ISIG;
    change();
    TYPE("\x03");
    assert_int_equal(interrupts, 1);
    assert_int_equal(tty_ready(&console, NULL), READY_WRITABLE);
    tty_make_sane(&console);
    assert_int_equal(tty_ready(&console, NULL), READY_WRITABLE | READY_READABLE);
}

static void drops_input(void **state) {
    TYPE("one\ntwo");
    assert_int_equal(tty_set_modes(&console, &modes, false, true), 0);
    TYPE("three\n");
    assert_string_equal(read_line(100), "three\n");
    TYPE("four\nfive");
    assert_int_equal(tty_drop(&console, true, false), 0);
    assert_int_equal(tty_bytes_ready(&console), 0);
    TYPE("six\n");
    assert_string_equal(read_line(100), "six\n");
}

static void tells_what_was_set(void **state) {
    struct terminal told;
    modes.control = 0x1234;
    modes.output = 0;
    modes.keys[18] = 99;
    change();
    tty_get_modes(&console, &told);
    assert_memory_equal(&told, &modes, sizeof told);
}

/* ---- whom it is for */

static void refuses_the_background(void **state) {
    size_t done;
    TYPE("line\n");
    for (int i = 0; i < 2; i++) {
        background = i ? -K_EIO : -K_EINTR;
        assert_int_equal(console_read(UA(STUB_USER), 10, &done), background);
        assert_int_equal(background_signal, ABI_SIGTTIN);
        assert_int_equal(tty_set_modes(&console, &modes, false, true), background);
        assert_int_equal(background_signal, ABI_SIGTTOU);
        background_signal = 0;
        assert_int_equal(tty_drop(&console, true, false), background);
        assert_int_equal(background_signal, ABI_SIGTTOU);
    }
    background_signal = 0;
    assert_int_equal(write_text("a", 1, &done), 0);
    assert_int_equal(background_signal, 0); /* not asked */
    background = 0;
    modes.local |= TERMINAL_TOSTOP;
    change();
    background = -K_EINTR;
    assert_int_equal(write_text("b", 1, &done), -K_EINTR);
    assert_int_equal(background_signal, ABI_SIGTTOU);
    background = 0;
    assert_string_equal(read_line(100), "line\n");
    assert_shown("line\na");
}

/* With O_NONBLOCK: what is there, or that nothing is; where no read would wait, that is no error.
 */
static void without_waiting(void **state) {
    size_t done = 77;
    modes.keys[TERMINAL_VMIN] = 5;
    change();
    assert_int_equal(tty_read(&console, UA(STUB_USER), 9, false, &done), -K_EAGAIN);
    assert_int_equal(done, 0);
    TYPE("ab");
    assert_int_equal(tty_read(&console, UA(STUB_USER), 9, false, &done), 0);
    assert_true(done == 2 && !memcmp(stub_user, "ab", 2));
    modes.keys[TERMINAL_VMIN] = 0;
    change();
    assert_int_equal(tty_read(&console, UA(STUB_USER), 9, false, &done), 0);
    assert_int_equal(done, 0);
    modes.local |= TERMINAL_ICANON;
    change();
    TYPE("half");
    assert_int_equal(tty_read(&console, UA(STUB_USER), 9, false, &done), -K_EAGAIN);
    TYPE("\n");
    assert_int_equal(tty_read(&console, UA(STUB_USER), 9, false, &done), 0);
    assert_true(done == 5 && !memcmp(stub_user, "half\n", 5));
}

int main(void) {
    host_random_seed(5);
    const struct CMUnitTest tests[] = {
#define RAW(name) cmocka_unit_test_setup(name, setup_raw)
#define LINES(name) cmocka_unit_test_setup(name, setup_lines)
        RAW(all_bytes_pass),
        RAW(many_bytes_pass),
        RAW(too_many_bytes_wait_in_the_uart),
        RAW(waits_for_as_many_as_are_asked_for),
        RAW(does_not_wait),
        RAW(waits_for_the_first_byte_for_a_time),
        RAW(waits_between_bytes_for_a_time),
        RAW(a_signal_ends_the_wait),
        RAW(bad_buffer),
        RAW(shows_bytes_if_it_is_to),
        LINES(hides_lines_if_it_is_to),
        LINES(hidden_lines_are_not_recalled),
        RAW(signals_without_lines),
        LINES(lines_without_signals),
        LINES(other_keys),
        LINES(ends_of_lines),
        LINES(what_was_typed_of_a_line_is_there),
        LINES(a_reader_of_lines_gets_bytes),
        RAW(fewer_bytes_are_enough),
        RAW(a_shell_has_no_news_without_lines),
        LINES(drops_input),
        LINES(tells_what_was_set),
        LINES(refuses_the_background),
        RAW(without_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
