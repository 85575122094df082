/* The first line of scripts: what is in it, its limits from both sides, and random lines against
 * the contract said a second time. */
/* sources: kernel/syscall/script.c tests/host/hostarch.c */
#include "hostarch.h"
#include "syscall/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* "name|argument", "name" without one, or "" when it is no script. The bytes are where nothing may
 * be read behind them. */
static const char *parsed(const char *bytes, size_t n) {
    static char text[2 * SCRIPT_LINE];
    static struct script s;
    char *copy = malloc(n ? n : 1);
    memcpy(copy, bytes, n);
    memset(&s, 0xee, sizeof(s));
    script_parse(copy, n, &s);
    free(copy);
    text[0] = '\0';
    if (s.name) {
        strcpy(text, s.line + s.name);
        if (s.argument) {
            strcat(text, "|");
            strcat(text, s.line + s.argument);
        }
    }
    return text;
}

#define CHECK(text, wanted) assert_string_equal(parsed(text, sizeof(text) - 1), wanted)

static void lines(void **state) {
    CHECK("#!/bin/sh\n", "/bin/sh");
    CHECK("#!/bin/sh", "/bin/sh");
    CHECK("#! \t sh \t-e  -x \t\nmore", "sh|-e  -x");
    CHECK("#!sh -e\0-x\n", "sh|-e");
    CHECK("#!sh\0-e\n", "sh");
    CHECK("#!a b", "a|b");
    CHECK("#!a ", "a");
    CHECK("#!", "");
    CHECK("#!\nsh\n", "");
    CHECK("#! \t\n", "");
    CHECK("#", "");
    CHECK("", "");
    CHECK("!#/bin/sh\n", "");
    CHECK("# !/bin/sh\n", "");
}

/* A line of `name` bytes of a path, `blanks`, and as many of an argument; `more` follows. */
static const char *line(unsigned name, unsigned blanks, unsigned argument, const char *more) {
    static char text[1000];
    memset(text, 0, sizeof(text));
    strcpy(text, "#!");
    memset(text + 2, 'n', name);
    memset(text + 2 + name, ' ', blanks);
    memset(text + 2 + name + blanks, 'a', argument);
    strcat(text, more);
    return parsed(text, strlen(text));
}

static void limits(void **state) {
    assert_int_equal(strlen(line(253, 0, 0, "\n")), 253); /* 255 bytes */
    assert_int_equal(strlen(line(253, 0, 0, "")), 253);
    assert_int_equal(strlen(line(253, 1, 0, "\n")), 253);
    assert_string_equal(line(254, 0, 0, "\n"), "");
    assert_string_equal(line(254, 0, 0, ""), "");
    assert_string_equal(line(300, 0, 0, "\n"), "");
    assert_int_equal(strlen(line(100, 1, 152, "\n")), 253); /* all of the argument */
    assert_int_equal(strlen(line(100, 1, 153, "\n")), 253); /* it is cut */
    assert_int_equal(strlen(line(100, 300, 5, "\n")), 100);
}

static void random_lines(void **state) {
    static const char letters[] = "#! \t\nab/\0";
    unsigned scripts = 0;
    for (unsigned i = 0; i < 200000; i++) {
        char text[40] = "#!", name[40] = "";
        size_t n = host_random_below(sizeof(text)), at = 2, end = 2;
        for (size_t j = 2; j < n; j++)
            text[j] = letters[host_random_below(sizeof(letters) - 1)];
        while (end < n && text[end] && text[end] != '\n')
            end++;
        text[end] = '\0';
        at += strspn(text + at, " \t");
        size_t length = at < end ? strcspn(text + at, " \t") : 0;
        memcpy(name, text + at, length);
        const char *found = parsed(text, n);
        assert_int_equal(strncmp(found, name, length), 0);
        assert_true(length ? found[length] == '|' || !found[length] : !*found);
        assert_true(!*found || !strchr(" \t|", found[strlen(found) - 1]));
        scripts += length > 0;
    }
    assert_true(scripts > 10000 && scripts < 199000);
}

int main(void) {
    host_random_seed(20261127);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(limits),
        cmocka_unit_test(random_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
