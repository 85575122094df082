/* Formatted text against the host's own printf: chosen cases, then every
 * combination of flags, widths and precisions; then kprintf's lines. */
/* sources: kernel/lib/printf.c kernel/lib/string.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "lib/printf.h"
#undef snprintf
#undef vsnprintf
#undef strlen
#undef strcmp
#undef memcmp
#undef memcpy
#undef strchr
#undef memset
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "between.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-overflow"

#define SAME(...) \
    do { \
        char ours[300], theirs[300]; \
        int n = k_snprintf(ours, sizeof ours, __VA_ARGS__); \
        int m = snprintf(theirs, sizeof theirs, __VA_ARGS__); \
        assert_string_equal(ours, theirs); \
        assert_int_equal(n, m); \
    } while (0)

static void chosen(void **state) {
    SAME("plain");
    SAME("%%");
    SAME("%d %i %u", -1, 0, 4000000000u);
    SAME("%d %d", 2147483647, -2147483647 - 1);
    SAME("%ld %lld", -9223372036854775807L - 1, 9223372036854775807LL);
    SAME("%lu %lx %lX %lo", ~0UL, ~0UL, ~0UL, ~0UL);
    SAME("%hhd %hhu %hd %hu", 0x1ff, 0x1ff, 0x1ffff, 0x1ffff);
    SAME("%zu %jd %td", (size_t)-1, (intmax_t)-5, (ptrdiff_t)-7);
    SAME("%c%c%c", 'a', 0x80, '%');
    SAME("[%5c] [%-5c]", 'x', 'y');
    SAME("[%s] [%10s] [%-10s] [%.2s] [%10.2s] [%.0s]", "abc", "abc", "abc", "abc", "abc", "abc");
    SAME("[%*d] [%-*d] [%*d]", 7, 42, 7, 42, -7, 42);
    SAME("[%.*d] [%.*d] [%.*s]", 5, 42, -1, 42, 2, "xyz");
    SAME("%#x %#X %#o %#x %#o", 255, 255, 255, 0, 0);
    SAME("%p", (void *)0x1234);
    SAME("[%20p] [%-20p]", (void *)0x1234, (void *)0xfff);
    SAME("%.0d|%.0x|%#.0o|%.0u", 0, 0, 0, 0);
    SAME("%s", (char[]){'a', 0, 'b', 0});
    SAME("[%60d]", 1);
    SAME("[%.60d]", -1);
}

static void not_terminated(void **state) {
    char *text = malloc(3); /* the precision is all that bounds it */
    memcpy(text, "abc", 3);
    SAME("%.3s", text);
    free(text);
}

static void without_meaning(void **state) {
    char b[40];
    k_snprintf(b, sizeof b, "100%");
    assert_string_equal(b, "100%");
    k_snprintf(b, sizeof b, "%y %d", 7);
    assert_string_equal(b, "%y 7");
    k_snprintf(b, sizeof b, "%s", (char *)NULL);
    assert_string_equal(b, "(null)");
    k_snprintf(b, sizeof b, "%p", (void *)NULL);
    assert_string_equal(b, "0x0");
}

static void every_combination(void **state) {
    static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z", "j", "t"};
    static const long values[] = {0,    1,      -1,      7,           255,        256,
                                  -128, 0x8000, 0xfffff, -2147483648, 2147483648, LONG_MAX};
    static const int widths[] = {-1, 0, 1, 5, 23}, precisions[] = {-2, -1, 0, 1, 4, 22};
    for (int flags = 0; flags < 32; flags++)
        for (size_t w = 0; w < ARRAY_LEN(widths); w++)
            for (size_t p = 0; p < ARRAY_LEN(precisions); p++)
                for (const char *letter = "diuxXo"; *letter; letter++)
                    for (size_t l = 0; l < ARRAY_LEN(lengths); l++) {
                        char fmt[40], *f = fmt;
                        *f++ = '[', *f++ = '%';
                        for (int i = 0; i < 5; i++)
                            if (flags >> i & 1)
                                *f++ = "-0+# "[i];
                        if (widths[w] > 0)
                            f += sprintf(f, "%d", widths[w]);
                        if (precisions[p] == -1)
                            f += sprintf(f, ".");
                        else if (precisions[p] >= 0)
                            f += sprintf(f, ".%d", precisions[p]);
                        sprintf(f, "%s%c]", lengths[l], *letter);
                        for (size_t v = 0; v < ARRAY_LEN(values); v++) {
                            char ours[80], theirs[80];
                            k_snprintf(ours, sizeof ours, fmt, values[v]);
                            snprintf(theirs, sizeof theirs, fmt, values[v]);
                            if (strcmp(ours, theirs))
                                print_message("%s of %ld\n", fmt, values[v]);
                            assert_string_equal(ours, theirs);
                        }
                    }
}

static void cut_to_size(void **state) {
    char b[8];
    for (size_t size = 0; size <= sizeof b; size++) {
        memset(b, '#', sizeof b);
        assert_int_equal(k_snprintf(size ? b : NULL, size, "%s-%d", "abc", 1234), 8);
        for (size_t i = 0; i < sizeof b; i++)
            assert_int_equal(b[i], i + 1 < size ? "abc-1234"[i] : i + 1 == size ? 0 : '#');
    }
}

/* ---- kprintf ------------------------------------------------------------- */
#define THREADS 4
#define LINES 500

static char transcript[THREADS * LINES * 64];
static size_t transcript_size;

static int inside, overlaps;

static void slow_sink(void *ctx, const char *text, size_t n) {
    overlaps += __atomic_fetch_add(&inside, 1, __ATOMIC_RELAXED) != 0;
    sched_yield(); /* gives the others their chance */
    size_t at = __atomic_fetch_add(&transcript_size, n, __ATOMIC_RELAXED);
    assert_true(at + n <= sizeof transcript);
    memcpy(transcript + at, text, n);
    __atomic_fetch_sub(&inside, 1, __ATOMIC_RELAXED);
}

static void *printer(void *arg) {
    for (int i = 0; i < LINES; i++)
        kprintf("%c%c%c%c%c%c %d%s", *(char *)arg, *(char *)arg, *(char *)arg, *(char *)arg,
                *(char *)arg, *(char *)arg, i, "\n");
    return NULL;
}

static void lines_do_not_mix(void **state) {
    pthread_t threads[THREADS];
    char names[] = "abcd";
    int next[THREADS] = {0};
    transcript_size = 0;
    kprintf_set_sink(slow_sink, NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, printer, &names[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(overlaps, 0);
    size_t lines = 0;
    for (char *p = transcript; p < transcript + transcript_size; lines++) {
        char want[40];
        int who = *p - 'a';
        assert_between(who, 0, THREADS - 1);
        int n = sprintf(want, "%c%c%c%c%c%c %d\n", *p, *p, *p, *p, *p, *p, next[who]++);
        assert_memory_equal(p, want, n);
        p += n;
    }
    assert_int_equal(lines, THREADS * LINES);
}

static void long_lines_are_whole(void **state) {
    transcript_size = 0;
    kprintf_set_sink(slow_sink, NULL);
    assert_int_equal(kprintf("%-1000d|%s\n", 5, "end"), 1005);
    assert_int_equal(transcript_size, 1005);
    assert_memory_equal(transcript + 999, " |end\n", 6);
}

static void panicking_sink(void *ctx, const char *text, size_t n) {
    if (*(int *)ctx == 0) {
        *(int *)ctx = 1;
        kprintf_break_lock(); /* as a panic below the sink does */
        kprintf("inner");
        return;
    }
    slow_sink(NULL, text, n);
}

static void panics_below_the_lock_print(void **state) {
    int entered = 0;
    transcript_size = 0;
    kprintf_set_sink(panicking_sink, &entered);
    kprintf("outer");
    kprintf("after");
    assert_memory_equal(transcript, "innerafter", 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen),
        cmocka_unit_test(not_terminated),
        cmocka_unit_test(without_meaning),
        cmocka_unit_test(every_combination),
        cmocka_unit_test(cut_to_size),
        cmocka_unit_test(lines_do_not_mix),
        cmocka_unit_test(long_lines_are_whole),
        cmocka_unit_test(panics_below_the_lock_print), /* last: the lock stays broken */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
