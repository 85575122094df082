/* The user library's printf, scanf and numbers from text, against the host's. */
/* sources: user/lib/format.c user/lib/strto.c user/lib/string.c */
/* sources: user/lib/scan.c user/lib/malloc.c */
/* rename: malloc free calloc realloc sbrk strtol strtoul strtoll strtoull strtod atoi atol */
/* rename: atoll atof qsort bsearch snprintf vsnprintf sprintf vsprintf sscanf vsscanf fscanf */
/* rename: vfscanf scanf memchr memcmp memcpy memmove memset strcat strchr strcmp strcasecmp */
/* rename: strcpy strcspn strdup strlcat strlcpy strlen strncat strncasecmp strncmp strncpy */
/* rename: strndup strnlen strpbrk strrchr strspn strstr strtok strtok_r */
#include <errno.h>
#include <limits.h>
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
#include "../../user/lib/lock.h"

/* The host's own, which the renaming hides. */
int host_snprintf(char *s, size_t n, const char *fmt, ...) __asm__("snprintf");
double host_strtod(const char *s, char **end) __asm__("strtod");
int host_memcmp(const void *a, const void *b, size_t n) __asm__("memcmp");
long host_strtol(const char *s, char **end, int base) __asm__("strtol");

void *sbrk(intptr_t n) { return (void *)-1; } /* nothing here takes memory */

/* One thread: no lock is taken. */
bool several_threads;
void lock_take_called(uint32_t *lock) { fail(); }
void lock_give_called(uint32_t *lock) { fail(); }

static double random_double(void) {
    uint64_t bits = random64();
    double d;
    if (random64() % 2) { /* an everyday size */
        d = (double)(int64_t)bits / (double)(1ULL << (random64() % 64));
        return random64() % 4 ? d : (double)(int64_t)d;
    }
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* ---- printf -------------------------------------------------------------- */

#define SAME(...) \
    do { \
        char ours[2048], theirs[2048]; \
        int n = snprintf(ours, sizeof ours, __VA_ARGS__); \
        int m = host_snprintf(theirs, sizeof theirs, __VA_ARGS__); \
        assert_string_equal(ours, theirs); \
        assert_int_equal(n, m); \
    } while (0)

static void test_printf_integers(void **state) {
    static const char *const flags[] = {"", "-", "0", "+", " ", "#", "+0", "-#", "#0", "- "};
    static const char *const sizes[] = {"", "1", "5", "20", ".0", ".1", ".7", "12.5", "3.9"};
    static const char kinds[] = "diuxXo";
    static const long values[] = {0, 1, -1, 9, 10, 255, -128, INT_MAX, INT_MIN, LONG_MAX, LONG_MIN};
    for (size_t f = 0; f < 10; f++)
        for (size_t s = 0; s < 9; s++)
            for (const char *k = kinds; *k; k++)
                for (size_t v = 0; v < 11; v++) {
                    char fmt[32];
                    host_snprintf(fmt, sizeof fmt, "<%%%s%sl%c>", flags[f], sizes[s], *k);
                    SAME(fmt, values[v]);
                    host_snprintf(fmt, sizeof fmt, "<%%%s%s%c>", flags[f], sizes[s], *k);
                    SAME(fmt, (int)values[v]);
                    host_snprintf(fmt, sizeof fmt, "<%%%s%shh%c>", flags[f], sizes[s], *k);
                    SAME(fmt, (int)values[v]);
                }
}

static void test_printf_text(void **state) {
    SAME("%s|%10s|%-10s|%.2s|%5.1s|", "abc", "abc", "abc", "abc", "abc");
    SAME("%c%5c%-5c|%%|%5d%%", 'x', 'y', 'z', 7);
    SAME("%*d|%-*d|%*d|%.*s|%.*s", 6, 1, 6, 2, -6, 3, 2, "abcdef", -1, "abc");
    SAME("%p", (void *)0x1234abcd);
    SAME("%zu %zd %jd %td %hd %hu", (size_t)-1, (ssize_t)-1, (intmax_t)-5, (ptrdiff_t)-6, 65535,
         -1);
    char small[4];
    assert_int_equal(snprintf(small, sizeof small, "%d", 123456), 6);
    assert_string_equal(small, "123");
    assert_int_equal(snprintf(NULL, 0, "%s", "hello"), 5);
    assert_int_equal(snprintf(small, 1, "x"), 1);
    assert_string_equal(small, "");
}

static void test_printf_doubles(void **state) {
    static const char *const formats[] = {
        "%f",    "%.0f", "%.1f", "%.3f",  "%12.4f", "%-12.2f|", "%+.2f", "%012.3f", "%#.0f",
        "%.20f", "%e",   "%.0e", "%.3e",  "%.17e",  "%15.2e",   "%#.0e", "%E",      "%g",
        "%.0g",  "%.1g", "%.3g", "%.17g", "%#g",    "%#.3g",    "%G",    "%020g",   "% g"};
    static const double special[] = {0.0,
                                     -0.0,
                                     0.5,
                                     1.5,
                                     2.5,
                                     0.125,
                                     9.5,
                                     99.5,
                                     999999.5,
                                     0.05,
                                     0.0001,
                                     0.00001,
                                     1e5,
                                     1e6,
                                     123456,
                                     1234567,
                                     1e15,
                                     1e16,
                                     1e17,
                                     5e-324,
                                     2.2250738585072014e-308,
                                     1.7976931348623157e308,
                                     0.1,
                                     1.0 / 3,
                                     100,
                                     1e21,
                                     1e22,
                                     1e23,
                                     9.999999e9,
                                     0.99999999};
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
            if (special[i] == 999999.5 && strstr(formats[f], "#") && strstr(formats[f], "g"))
                continue; /* some versions of glibc drop the zeros here */
            SAME(formats[f], special[i]);
            SAME(formats[f], -special[i]);
        }
        SAME(formats[f], __builtin_inf());
        SAME(formats[f], -__builtin_inf());
        for (int i = 0; i < 300; i++) {
            double d = random_double();
            SAME(formats[f], d);
        }
    }
    char text[32];
    snprintf(text, sizeof text, "%#g", 999999.5);
    assert_string_equal(text, "1.00000e+06");
    SAME("%f %F %g %5.1f", __builtin_nan(""), __builtin_nan(""), __builtin_inf(), -__builtin_inf());
}

/* ---- numbers from text --------------------------------------------------- */

static void same_double(const char *text) {
    char *end, *host_end;
    double a = strtod(text, &end), b = host_strtod(text, &host_end);
    if (host_memcmp(&a, &b, sizeof a) != 0 || end != host_end)
        fail_msg("strtod(\"%.60s\"): %a, %d characters, not %a, %d", text, a, (int)(end - text), b,
                 (int)(host_end - text));
}

static void test_strtod(void **state) {
    static const char *const texts[] = {"0",
                                        "-0",
                                        "1",
                                        " +1.5e3x",
                                        "1e",
                                        "1e+",
                                        ".5",
                                        "5.",
                                        ".",
                                        "-.e1",
                                        "",
                                        "abc",
                                        "1e400",
                                        "-1e400",
                                        "1e-400",
                                        "4.9406564584124654e-324",
                                        "2.4703282292062327e-324",
                                        "2.4703282292062328e-324",
                                        "2.2250738585072011e-308",
                                        "1.7976931348623157e308",
                                        "1.7976931348623158e308",
                                        "1.7976931348623159e308",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "9007199254740993.0000001",
                                        "0.1",
                                        "123456789012345678901234567890",
                                        "1e22",
                                        "1e23",
                                        "8.41e21",
                                        "inf",
                                        "-Infinity",
                                        "infx",
                                        "6.5e-1",
                                        "1e99999999999",
                                        "0e99999999999",
                                        "1e-99999999999",
                                        "00001.25"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        same_double(texts[i]);
    for (int i = 0; i < 4000; i++) {
        char text[1200];
        host_snprintf(text, sizeof text, "%.*e", (int)(random64() % 30), random_double());
        if (text[0] != 'n' && text[1] != 'n')
            same_double(text);
    }
    for (int i = 0; i < 300; i++) { /* half-way between two doubles, and one digit beside */
        char text[1200];
        uint64_t bits = random64() % 0x7fe0000000000000ULL;
        double d, above;
        memcpy(&d, &bits, sizeof d);
        bits++;
        memcpy(&above, &bits, sizeof above);
        long double middle = ((long double)d + above) / 2;
        int n = host_snprintf(text, sizeof text, "%.780Le", middle);
        same_double(text);
        assert_true(n < 1100);
        for (int k = n - 1; k > 0; k--)
            if (text[k] == 'e' && text[k - 1] == '0') {
                text[k - 1] = '1';
                same_double(text);
            }
    }
}

static void test_strtol(void **state) {
    static const char *const texts[] = {"0",
                                        "12",
                                        "-12",
                                        "+12",
                                        "  7x",
                                        "x",
                                        "",
                                        "-",
                                        "0x1f",
                                        "0X1F",
                                        "0x",
                                        "0xg",
                                        "077",
                                        "08",
                                        "9223372036854775807",
                                        "9223372036854775808",
                                        "-9223372036854775808",
                                        "-9223372036854775809",
                                        "99999999999999999999",
                                        "zz",
                                        "-0x10"};
    static const int bases[] = {0, 10, 16, 8, 2, 36};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t b = 0; b < 6; b++) {
            char *end, *host_end;
            errno = 0;
            long ours = strtol(texts[i], &end, bases[b]);
            int error = errno;
            errno = 0;
            assert_int_equal(ours, host_strtol(texts[i], &host_end, bases[b]));
            assert_int_equal(error, errno);
            assert_ptr_equal(end, host_end);
        }
    }
    assert_true(strtoul("18446744073709551615", NULL, 10) == ULONG_MAX);
    errno = 0;
    assert_true(strtoul("18446744073709551616", NULL, 10) == ULONG_MAX);
    assert_int_equal(errno, ERANGE);
    assert_true(strtoul("-1", NULL, 10) == ULONG_MAX);
    assert_int_equal(atoi("-42abc"), -42);
}

static void test_sscanf(void **state) {
    int a = 0, b = 0, n = 0;
    char word[16], other[16];
    double d = 0;
    float f = 0;
    unsigned long u = 0;
    unsigned char byte = 0;
    assert_int_equal(sscanf("12 -7 rest", "%d%d", &a, &b), 2);
    assert_int_equal(a, 12);
    assert_int_equal(b, -7);
    assert_int_equal(sscanf("0x1f 077 9", "%i %i", &a, &b), 2);
    assert_int_equal(a, 31);
    assert_int_equal(b, 63);
    assert_int_equal(sscanf("key = value", "%15s = %15s%n", word, other, &n), 2);
    assert_string_equal(word, "key");
    assert_string_equal(other, "value");
    assert_int_equal(n, 11);
    assert_int_equal(sscanf("2.5e2,-.25", "%lf,%f", &d, &f), 2);
    assert_true(d == 250 && f == -0.25f);
    assert_int_equal(sscanf("deadbeefcafe 300", "%lx %hhu", &u, &byte), 2);
    assert_true(u == 0xdeadbeefcafeUL && byte == (unsigned char)300);
    assert_int_equal(sscanf("abc-def]x", "%[a-c]%*[-]%[^]]", word, other), 2);
    assert_string_equal(word, "abc");
    assert_string_equal(other, "def");
    assert_int_equal(sscanf("12345", "%2d%2d", &a, &b), 2);
    assert_int_equal(a, 12);
    assert_int_equal(b, 34);
    assert_int_equal(sscanf("", "%d", &a), EOF);
    assert_int_equal(sscanf("x", "%d", &a), 0);
    assert_int_equal(sscanf("100%", "%d%%", &a), 1);
    assert_int_equal(sscanf("ab", "%c%c", word, other), 2);
    assert_true(word[0] == 'a' && other[0] == 'b');
    assert_int_equal(sscanf("abcdefgh", "%3s", word), 1);
    assert_string_equal(word, "abc");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_printf_integers), cmocka_unit_test(test_printf_text),
        cmocka_unit_test(test_printf_doubles),  cmocka_unit_test(test_strtod),
        cmocka_unit_test(test_strtol),          cmocka_unit_test(test_sscanf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
