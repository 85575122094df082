/* The boot arguments: options, their values, and the command behind "--". */
/* sources: kernel/dev/bootargs.c kernel/dev/fdt.c kernel/lib/string.c tests/host/fdtbuild.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr */
#include "dev/bootargs.h"
#include "dev/fdt.h"
#include "fdtbuild.h"
#include "lib/errno.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void given(const char *text) {
    fdtb_begin_machine(1);
    if (text) {
        fdtb_begin("chosen");
        fdtb_string("bootargs", text);
        fdtb_end();
    }
    fdtb_end_machine();
}

static const char *value_of(const char *name) {
    static char value[32];
    memset(value, '#', sizeof value);
    return bootarg(name, value, sizeof value) ? value : "(none)";
}

static void none(void **state) {
    static const char *const texts[] = {NULL, "", "   ", "--", "-- "};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        given(texts[i]);
        assert_false(bootarg("a", NULL, 0));
        assert_false(bootarg("--", NULL, 0));
        assert_null(bootargs_command());
    }
}

static void options(void **state) {
    given("  panic=exit quiet  x=1 x=22 empty= panics=no a=b=c");
    assert_string_equal(value_of("panic"), "exit");
    assert_string_equal(value_of("panics"), "no");
    assert_string_equal(value_of("quiet"), "");
    assert_string_equal(value_of("x"), "22");
    assert_string_equal(value_of("empty"), "");
    assert_string_equal(value_of("a"), "b=c");
    assert_string_equal(value_of("pani"), "(none)");
    assert_string_equal(value_of("exit"), "(none)");
    assert_string_equal(value_of("quie"), "(none)");
    assert_string_equal(value_of("quiets"), "(none)");
    assert_true(bootarg("panic", NULL, 0));
    assert_null(bootargs_command());
    char small[3];
    assert_true(bootarg("panic", small, sizeof small));
    assert_string_equal(small, "ex");
    assert_true(bootarg("panic", small, 1));
    assert_string_equal(small, "");
}

static void command(void **state) {
    given("panic=exit -- usertests -q  panic=no -- x");
    assert_string_equal(bootargs_command(), "usertests -q  panic=no -- x");
    assert_string_equal(value_of("panic"), "exit");
    assert_string_equal(value_of("-q"), "(none)");
    given("-- ls");
    assert_string_equal(bootargs_command(), "ls");
    given("--  ls");
    assert_string_equal(bootargs_command(), " ls"); /* verbatim */
    given("a--b --c ---");
    assert_null(bootargs_command());
    assert_true(bootarg("--c", NULL, 0));
}

static void numbers(void **state) {
    static const struct {
        const char *text;
        int error;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"42", 0, 42},
        {"0x10", 0, 16},
        {"0XfF", 0, 255},
        {"64K", 0, 65536},
        {"3m", 0, 3 << 20},
        {"2G", 0, 2ULL << 30},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -K_EINVAL, 0},
        {"0x10000000000000000", -K_EINVAL, 0},
        {"17179869184G", -K_EINVAL, 0},
        {"17179869183G", 0, 17179869183ULL << 30},
        {"", -K_EINVAL, 0},
        {"K", -K_EINVAL, 0},
        {"0x", -K_EINVAL, 0},
        {"-1", -K_EINVAL, 0},
        {"1KB", -K_EINVAL, 0},
        {"12a", -K_EINVAL, 0},
        {"1 ", 0, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[80] = "n=";
        given(strcat(text, cases[i].text));
        uint64_t v = 777;
        assert_int_equal(bootarg_number("n", &v), cases[i].error);
        assert_true(v == (cases[i].error ? 777 : cases[i].value));
    }
    uint64_t v = 777;
    assert_int_equal(bootarg_number("m", &v), -K_ENOENT);
    assert_true(v == 777);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none),
        cmocka_unit_test(options),
        cmocka_unit_test(command),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
