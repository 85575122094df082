/* The user library's environment and getopt, against the host's. */
/* sources: user/lib/environ.c user/lib/getopt.c */
/* rename: environ getenv setenv unsetenv putenv clearenv getopt optarg optind opterr optopt */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "random64.h"

extern char **environ; /* ours; not every header has it */

/* The host's own, which the renaming hides. */
int host_setenv(const char *name, const char *value, int replace) __asm__("setenv");
int host_unsetenv(const char *name) __asm__("unsetenv");
char *host_getenv(const char *name) __asm__("getenv");
int host_clearenv(void) __asm__("clearenv");
int host_getopt(int argc, char *const argv[], const char *options) __asm__("getopt");
extern char *host_optarg __asm__("optarg");
extern int host_optind __asm__("optind"), host_opterr __asm__("opterr"),
    host_optopt __asm__("optopt");
extern char **host_environ __asm__("environ");

/* ---- the environment ----------------------------------------------------- */

static size_t count(char **array) {
    size_t n = 0;
    while (array && array[n])
        n++;
    return n;
}

/* Random calls: both environments have the same values. */
static void changes_as_the_hosts(void **state) {
    static const char *const names[] = {"A", "AB", "B", "LONG_NAME", "C", "ABC"};
    static const char *const values[] = {"", "1", "B=2", "a longer value than the others"};
    static char own[][8] = {"A=own", "B=", "NEW=x"};
    clearenv();
    host_clearenv();
    for (int i = 0; i < 20000; i++) {
        const char *name = names[random64() % 6], *value = values[random64() % 4];
        int replace = random64() % 2;
        char *string = own[random64() % 3];
        switch (random64() % 16) {
        case 0: assert_int_equal(clearenv(), host_clearenv()); break;
        case 1: {
            const char *behind = strchr(string, '=');
            char of_string[8] = "";
            memcpy(of_string, string, (size_t)(behind - string));
            assert_int_equal(putenv(string), 0);
            assert_ptr_equal(getenv(of_string), behind + 1);
            host_setenv(of_string, behind + 1, 1);
            break;
        }
        case 2:
        case 3:
        case 4: assert_int_equal(unsetenv(name), host_unsetenv(name)); break;
        default: assert_int_equal(setenv(name, value, replace), host_setenv(name, value, replace));
        }
        assert_int_equal(count(environ), count(host_environ));
        for (size_t k = 0; k < 6; k++) {
            const char *ours = getenv(names[k]), *expected = host_getenv(names[k]);
            assert_int_equal(!ours, !expected);
            if (ours)
                assert_string_equal(ours, expected);
        }
    }
    clearenv();
}

/* What exec has put there: it is not written to, and not freed. */
static void begins_with_what_exec_gave(void **state) {
    char first[] = "A=1", second[] = "B=2", third[] = "A=3";
    char *given[] = {first, second, third, NULL};
    environ = given;
    assert_string_equal(getenv("B"), "2");
    assert_null(getenv("C"));
    assert_int_equal(setenv("B", "new", 0), 0);
    assert_string_equal(getenv("B"), "2");
    assert_int_equal(setenv("C", "3", 1), 0);
    assert_ptr_not_equal(environ, given);
    assert_int_equal(count(given), 3);
    assert_int_equal(unsetenv("A"), 0); /* each of them */
    assert_null(getenv("A"));
    assert_int_equal(count(environ), 2);
    assert_int_equal(clearenv(), 0);
    assert_null(environ);
    assert_null(getenv("B"));
    assert_int_equal(setenv("D", "4", 1), 0);
    assert_string_equal(environ[0], "D=4");
    clearenv();
}

static void refuses_names_that_are_none(void **state) {
    char none[] = "none", empty[] = "=x";
    assert_int_equal(setenv("", "x", 1), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(setenv("a=b", "x", 1), -1);
    assert_int_equal(unsetenv("a=b"), -1);
    assert_int_equal(unsetenv(""), -1);
    errno = 0;
    assert_int_equal(putenv(none), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(putenv(empty), -1);
    assert_null(environ);
}

/* ---- getopt --------------------------------------------------------------- */

/* Each answer for one command line; opts is POSIX's form, for the host with + before it. */
static void same_options(int argc, char *argv[], const char *options) {
    char for_host[16];
    snprintf(for_host, sizeof for_host, "+%s", options);
    optind = host_optind = 0;
    opterr = host_opterr = 0;
    for (int i = 0, ours = 0; ours != -1; i++) {
        ours = getopt(argc, argv, options);
        assert_int_equal(ours, host_getopt(argc, argv, for_host));
        assert_int_equal(optind, host_optind);
        if (ours != -1 && ours != '?' && ours != ':')
            assert_ptr_equal(optarg, host_optarg);
        else if (ours != -1)
            assert_int_equal(optopt, host_optopt);
        assert_true(i < 100);
    }
}

static void options_as_the_hosts(void **state) {
    static char words[][8] = {"-a", "-b",  "-abc", "-bx", "-ab", "--",  "-",  "x", "-d",
                              "-",  "-ad", "-:",   "",    "-c",  "-cb", "-b", "-"};
    static const char *const lists[] = {"ab:c", ":ab:c", "", ":", "b:"};
    for (int i = 0; i < 20000; i++) {
        char *argv[8] = {"program"};
        int argc = 1 + (int)(random64() % 6);
        for (int k = 1; k < argc; k++)
            argv[k] = words[random64() % (sizeof words / sizeof words[0])];
        same_options(argc, argv, lists[random64() % 5]);
    }
}

static void begins_at_the_first_word(void **state) {
    char *argv[] = {"program", "-ab", "value", "-", "-c", NULL};
    optind = 1;
    assert_int_equal(getopt(5, argv, "ab:c"), 'a');
    assert_int_equal(optind, 1);
    assert_int_equal(getopt(5, argv, "ab:c"), 'b');
    assert_string_equal(optarg, "value");
    assert_int_equal(getopt(5, argv, "ab:c"), -1);
    assert_int_equal(optind, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_names_that_are_none), cmocka_unit_test(changes_as_the_hosts),
        cmocka_unit_test(begins_with_what_exec_gave),  cmocka_unit_test(begins_at_the_first_word),
        cmocka_unit_test(options_as_the_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
