/* How large the screen is: told at boot, and by programs. */
/* sources: kernel/dev/fdt.c kernel/dev/chardev.c kernel/dev/bootargs.c kernel/lib/string.c */
/* sources: kernel/dev/ns16550.c kernel/dev/sifive_uart.c kernel/dev/sbi_console.c */
/* sources: kernel/tty/lineedit.c kernel/tty/linehistory.c kernel/tty/terminal.c */
/* sources: kernel/tty/input.c kernel/tty/read.c kernel/tty/tty.c */
/* sources: kernel/lib/printf.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c tests/host/uartsim.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "consoleenv.h"

static void assert_size(uint16_t rows, uint16_t columns) {
    assert_int_equal(tty_size(&console).rows, rows);
    assert_int_equal(tty_size(&console).columns, columns);
}

static void size_of_the_screen(void **state) {
    assert_size(24, 80);
    tty_set_size(&console, (struct screen_size){24, 80});
    assert_int_equal(window_changes, 0);
    tty_set_size(&console, (struct screen_size){50, 80});
    tty_set_size(&console, (struct screen_size){50, 132});
    assert_int_equal(window_changes, 2);
    assert_size(50, 132);
}

static void size_from_the_boot_arguments(void **state) {
    static const struct {
        const char *words;
        uint16_t rows, columns;
    } cases[] = {{"rows=40 columns=100", 40, 100},
                 {"columns=0 rows=65536", 24, 80},
                 {"rows columns=x", 24, 80},
                 {"rows=65535 -- columns=9", 65535, 80}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        power_on(0, 1, true);
        fdtb_begin_machine(1);
        fdtb_begin("chosen");
        fdtb_string("bootargs", cases[i].words);
        fdtb_end();
        fdtb_end_machine();
        console_find_size();
        assert_size(cases[i].rows, cases[i].columns);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(size_of_the_screen, setup),
        cmocka_unit_test_setup(size_from_the_boot_arguments, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
