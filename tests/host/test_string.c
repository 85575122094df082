/* Memory and strings against the obvious loops, for every alignment, size and
 * overlap up to a few rounds of the fast paths. The buffers are allocations of
 * exactly the range, so that the address sanitizer sees every stray access. */
/* sources: kernel/lib/string.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr */
#include "lib/string.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MOST 600

static unsigned char pattern(size_t i) { return (unsigned char)(i * 7 + (i >> 8) + 1); }

/* An allocation whose byte at offset skew from a word's start is the first. */
struct area {
    unsigned char *whole, *p;
};

static struct area area_new(size_t skew, size_t n) {
    struct area a = {malloc(skew + n + 1), NULL};
    assert_non_null(a.whole);
    a.p = a.whole + skew;
    return a;
}

static void copies_for_all_alignments(void **state) {
    for (size_t n = 0; n < MOST; n += n < 80 ? 1 : 13)
        for (size_t ds = 0; ds < 8; ds++)
            for (size_t ss = 0; ss < 8; ss++) {
                unsigned char *dst = malloc(ds + n + 8), *src = malloc(ss + n);
                for (size_t i = 0; i < n; i++)
                    src[ss + i] = pattern(i);
                for (size_t i = 0; i < ds + n + 8; i++)
                    dst[i] = 0xee;
                assert_ptr_equal(memcpy(dst + ds, src + ss, n), dst + ds);
                for (size_t i = 0; i < ds; i++)
                    assert_int_equal(dst[i], 0xee);
                for (size_t i = 0; i < n; i++)
                    assert_int_equal(dst[ds + i], pattern(i));
                for (size_t i = ds + n; i < ds + n + 8; i++)
                    assert_int_equal(dst[i], 0xee);
                free(dst);
                free(src);
            }
}

/* The last byte written and read is the last of its allocation. */
static void copies_stay_inside(void **state) {
    for (size_t n = 0; n < MOST; n++)
        for (size_t ds = 0; ds < 8; ds++)
            for (size_t ss = 0; ss < 8; ss += 3) {
                unsigned char *dst = malloc(ds + n), *src = malloc(ss + n);
                for (size_t i = 0; i < n; i++)
                    src[ss + i] = pattern(i);
                memcpy(dst + ds, src + ss, n);
                memmove(dst + ds, src + ss, n);
                assert_int_equal(memcmp(dst + ds, src + ss, n), 0);
                memset(dst + ds, 0x5a, n);
                free(dst);
                free(src);
            }
}

static void moves_overlapping_ranges(void **state) {
    unsigned char b[MOST + 100], want[MOST + 100];
    for (size_t n = 0; n < MOST; n += n < 40 ? 1 : 47)
        for (size_t from = 0; from < 90; from += 1 + from / 20)
            for (size_t to = 0; to < 90; to += 1 + to / 20) {
                for (size_t i = 0; i < sizeof b; i++)
                    b[i] = want[i] = pattern(i);
                for (size_t i = 0; i < n; i++)
                    want[to + i] = pattern(from + i);
                assert_ptr_equal(memmove(b + to, b + from, n), b + to);
                for (size_t i = 0; i < sizeof b; i++)
                    assert_int_equal(b[i], want[i]);
            }
}

static void fills(void **state) {
    for (size_t n = 0; n < MOST; n++)
        for (size_t skew = 0; skew < 8; skew++) {
            struct area a = area_new(skew, n);
            a.p[n] = 0x33;
            assert_ptr_equal(memset(a.p, 0x1a5, n), a.p); /* converted to unsigned char */
            for (size_t i = 0; i < n; i++)
                assert_int_equal(a.p[i], 0xa5);
            assert_int_equal(a.p[n], 0x33);
            free(a.whole);
        }
}

static void compares(void **state) {
    for (size_t n = 1; n < 90; n++)
        for (size_t skew = 0; skew < 8; skew++)
            for (size_t at = 0; at < n; at++) {
                struct area a = area_new(skew, n), b = area_new((skew * 3) % 8, n);
                for (size_t i = 0; i < n; i++)
                    a.p[i] = b.p[i] = pattern(i);
                assert_int_equal(memcmp(a.p, b.p, n), 0);
                a.p[at] = 0x80;
                b.p[at] = 0x7f; /* unsigned: a is larger */
                for (size_t i = at + 1; i < n; i++)
                    a.p[i] = 0; /* what follows the first difference does not count */
                assert_true(memcmp(a.p, b.p, n) > 0);
                assert_true(memcmp(b.p, a.p, n) < 0);
                assert_int_equal(memcmp(a.p, b.p, at), 0);
                free(a.whole);
                free(b.whole);
            }
}

static void strings(void **state) {
    assert_int_equal(strlen(""), 0);
    assert_int_equal(strlen("four"), 4);
    assert_int_equal(strnlen("four", 4), 4);
    assert_int_equal(strnlen("four", 3), 3);
    assert_int_equal(strnlen("four", 9), 4);
    assert_int_equal(strcmp("a", "a"), 0);
    assert_true(strcmp("a", "b") < 0);
    assert_true(strcmp("ab", "a") > 0);
    assert_true(strcmp("\xff", "a") > 0);
    assert_int_equal(strncmp("abc", "abd", 2), 0);
    assert_true(strncmp("abc", "abd", 3) < 0);
    assert_int_equal(strncmp("a\0x", "a\0y", 3), 0);
    assert_int_equal(strncmp("a", "b", 0), 0);
    assert_true(strncmp("\x80", "\x01", 1) > 0);
    const char *s = "find";
    assert_ptr_equal(strchr(s, 'n'), s + 2);
    assert_ptr_equal(strchr(s, 0), s + 4);
    assert_null(strchr(s, 'x'));
}

static void bounded_copy(void **state) {
    char b[5] = "....";
    assert_int_equal(str_copy(b, "abcdef", 4), 6);
    assert_int_equal(strcmp(b, "abc"), 0);
    assert_int_equal(str_copy(b, "xy", 4), 2);
    assert_int_equal(strcmp(b, "xy"), 0);
    assert_int_equal(str_copy(b, "abc", 4), 3);
    assert_int_equal(strcmp(b, "abc"), 0);
    assert_int_equal(str_copy(b, "z", 1), 1);
    assert_int_equal(b[0], 0);
    assert_int_equal(b[1], 'b');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_for_all_alignments),
        cmocka_unit_test(copies_stay_inside),
        cmocka_unit_test(moves_overlapping_ranges),
        cmocka_unit_test(fills),
        cmocka_unit_test(compares),
        cmocka_unit_test(strings),
        cmocka_unit_test(bounded_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
