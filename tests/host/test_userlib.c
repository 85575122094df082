/* The user library's memory, strings, sorting and malloc, against the host's. */
/* sources: user/lib/malloc.c user/lib/string.c user/lib/sort.c */
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
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "random64.h"
#include "../../user/lib/lock.h"

/* One thread: no lock is taken. */
bool several_threads;
void lock_take_called(uint32_t *lock) { fail(); }
void lock_give_called(uint32_t *lock) { fail(); }

/* The host's own, which the renaming hides. */
int host_memcmp(const void *a, const void *b, size_t n) __asm__("memcmp");

/* Not every host's string.h has them. */
size_t strlcpy(char *restrict dst, const char *restrict src, size_t size);
size_t strlcat(char *restrict dst, const char *restrict src, size_t size);

/* ---- memory and strings -------------------------------------------------- */

static void test_memory(void **state) {
    static unsigned char a[400], b[400], expect[400];
    for (int i = 0; i < 20000; i++) {
        size_t n = random64() % 200, from = random64() % 100, to = random64() % 100;
        for (size_t k = 0; k < sizeof a; k++)
            a[k] = b[k] = expect[k] = (unsigned char)random64();
        for (size_t k = 0; k < n; k++)
            expect[to + k] = a[from + k];
        assert_ptr_equal(memcpy(b + to, a + from, n), b + to);
        assert_int_equal(host_memcmp(b, expect, sizeof b), 0);
        for (size_t k = 0; k < n; k++)
            expect[to + k] = b[from + k];
        unsigned char *copy = b; /* overlapping */
        unsigned char kept[400];
        for (size_t k = 0; k < sizeof kept; k++)
            kept[k] = b[k];
        for (size_t k = 0; k < n; k++)
            kept[to + k] = b[from + k];
        memmove(copy + to, copy + from, n);
        assert_int_equal(host_memcmp(b, kept, sizeof b), 0);
        memset(a + to, (int)i, n);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(a[to + k], (unsigned char)i);
        if (n > 0) {
            for (size_t k = 0; k < n; k++)
                b[to + k] = a[to + k] = kept[k];
            assert_int_equal(memcmp(a + to, b + to, n), 0);
            size_t at = random64() % n;
            b[to + at] ^= 1;
            int order = memcmp(a + to, b + to, n);
            int expected = a[to + at] - b[to + at];
            assert_true((order < 0) == (expected < 0) && (order > 0) == (expected > 0));
        }
    }
}

static void test_strings(void **state) {
    char s[32] = "one,two,,three", *rest;
    assert_string_equal(strtok_r(s, ",", &rest), "one");
    assert_string_equal(strtok_r(NULL, ",", &rest), "two");
    assert_string_equal(strtok_r(NULL, ",", &rest), "three");
    assert_null(strtok_r(NULL, ",", &rest));
    assert_int_equal(strlcpy(s, "hello", 4), 5);
    assert_string_equal(s, "hel");
    assert_int_equal(strlcat(s, "lo world", 6), 11);
    assert_string_equal(s, "hello");
    assert_ptr_equal(strstr(s, "llo"), s + 2);
    assert_null(strstr(s, "lol"));
    assert_ptr_equal(strstr(s, ""), s);
    assert_ptr_equal(strrchr(s, 'l'), s + 3);
    assert_ptr_equal(strchr(s, 0), s + 5);
    assert_null(strchr(s, 'x'));
    assert_int_equal(strspn("aabbc", "ab"), 4);
    assert_int_equal(strcspn("aabbc", "c"), 4);
    assert_null(strpbrk("abc", "xyz"));
    assert_true(strcmp("a", "b") < 0 && strcmp("b", "a") > 0 && strcmp("\xff", "a") > 0);
    assert_int_equal(strncmp("abcd", "abxx", 2), 0);
    assert_int_equal(strcasecmp("HeLLo", "hEllO"), 0);
    assert_true(strncasecmp("abX", "aby", 3) < 0);
    char padded[8] = "zzzzzzz";
    strncpy(padded, "ab", 5);
    assert_int_equal(host_memcmp(padded, "ab\0\0\0zz", 8), 0);
    assert_string_equal(strncat(strcpy(s, "ab"), "cdef", 2), "abcd");
}

static int compare_ints(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

struct odd {
    char c[7];
};
static int compare_odd(const void *a, const void *b) {
    return ((const struct odd *)a)->c[0] - ((const struct odd *)b)->c[0];
}

static void test_sort(void **state) {
    static int v[500];
    for (size_t n = 0; n < 500; n += 7) {
        int64_t sum = 0, after = 0;
        for (size_t i = 0; i < n; i++)
            sum += v[i] = (int)(random64() % (n + 3));
        qsort(v, n, sizeof v[0], compare_ints);
        for (size_t i = 0; i < n; i++) {
            after += v[i];
            assert_true(i == 0 || v[i - 1] <= v[i]);
        }
        assert_true(sum == after);
        for (size_t i = 0; i < n; i++) {
            int *found = bsearch(&v[i], v, n, sizeof v[0], compare_ints);
            assert_true(found && *found == v[i]);
        }
        int missing = -1;
        assert_null(bsearch(&missing, v, n, sizeof v[0], compare_ints));
    }
    struct odd o[5] = {{"d..4"}, {"a..1"}, {"e..5"}, {"b..2"}, {"c..3"}};
    qsort(o, 5, sizeof o[0], compare_odd);
    for (int i = 0; i < 5; i++)
        assert_true(o[i].c[0] == 'a' + i && o[i].c[3] == '1' + i);
}

/* ---- malloc -------------------------------------------------------------- */

static char arena[8 << 20] __attribute__((aligned(4096)));
static size_t arena_used = 8, arena_limit = sizeof arena, sbrk_calls;

void *sbrk(intptr_t n) {
    char *old = arena + arena_used;
    sbrk_calls += n != 0;
    if (n > (intptr_t)(arena_limit - arena_used) || n < -(intptr_t)arena_used)
        return (void *)-1;
    if (n > 0)
        memset(old, 0xa5, (size_t)n);
    arena_used += (size_t)n;
    return old;
}

static void test_malloc_random(void **state) {
    enum { LIVE = 200 };
    static struct {
        unsigned char *p;
        size_t n;
        unsigned char fill;
    } live[LIVE];
    for (int i = 0; i < 100000; i++) {
        size_t k = random64() % LIVE, n = random64() % (i % 50 ? 300 : 40000);
        unsigned char *p = live[k].p;
        for (size_t j = 0; p && j < live[k].n; j++)
            if (p[j] != live[k].fill)
                fail_msg("block changed");
        if (p && random64() % 3) {
            free(p);
            live[k].p = NULL;
            continue;
        }
        size_t kept = p && live[k].n < n ? live[k].n : n;
        unsigned char *q = p ? realloc(p, n) : random64() % 2 ? malloc(n) : calloc(1, n);
        if (!q)
            continue; /* the arena is full: the old block stays */
        assert_int_equal((uintptr_t)q % 16, 0);
        for (size_t j = 0; p && j < kept; j++)
            assert_int_equal(q[j], live[k].fill);
        live[k].p = q;
        live[k].n = n;
        live[k].fill = (unsigned char)random64();
        memset(q, live[k].fill, n);
        if (i % 1000 == 0)
            sbrk(24); /* somebody else moves the break */
    }
    for (size_t k = 0; k < LIVE; k++) {
        free(live[k].p);
        live[k].p = NULL;
    }
}

static void test_malloc_coalesces(void **state) {
    static void *p[500];
    for (size_t i = 0; i < 500; i++)
        assert_non_null(p[i] = malloc(1000));
    for (size_t i = 0; i < 500; i++)
        free(p[i * 7 % 500]);
    size_t before = sbrk_calls;
    void *all = malloc(500 * 1000); /* fits where the pieces were */
    assert_non_null(all);
    assert_int_equal(sbrk_calls, before);
    assert_non_null(all = realloc(all, 100));
    free(all);
}

static void test_malloc_limits(void **state) {
    void *p;
    volatile size_t most = SIZE_MAX; /* the compiler is not to see it */
    assert_null(malloc(most));
    assert_null(malloc(most - 8));
    assert_null(calloc(most / 2, 3));
    assert_null(malloc(sizeof arena));
    assert_non_null(p = malloc(0));
    assert_null(realloc(p, most - 20));
    free(p);
    free(NULL);
    unsigned char *z = calloc(10, 100);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(z[i], 0);
    free(z);
}

static void test_free_checks(void **state) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        void *a = malloc(40), *b = malloc(40), *c = malloc(40);
        (void)c;
        fclose(stderr);
        free(a);
        free(b); /* joins a: its header is inside a free block now */
        free(b);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_sort),
        cmocka_unit_test(test_malloc_coalesces), /* of a fresh arena */
        cmocka_unit_test(test_malloc_random),
        cmocka_unit_test(test_malloc_limits),
        cmocka_unit_test(test_free_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
