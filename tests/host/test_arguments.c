/* The strings of exec against a plain list of them: added from both sides, the first one replaced
 * as for a script; and what does not fit, or for which there is no memory, changes nothing. */
/* sources: kernel/syscall/arguments.c tests/host/hostarch.c */
#include "hostarch.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/uaccess.h"
#include "syscall/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- memory ---- */

static unsigned frames, frames_most = UINT32_MAX;

int frame_alloc(paddr_t *pa) {
    if (frames >= frames_most)
        return -K_ENOMEM;
    void *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
    memset(page, 0, PAGE_SIZE);
    *pa = ptr_pa(page);
    frames++;
    return 0;
}

void frame_free(paddr_t pa) {
    free(pa_ptr(pa));
    frames--;
}

/* The user's addresses are the host's. */
int copyin(void *dst, uaddr_t src, size_t n) {
    memcpy(dst, (const void *)src.v, n);
    return 0;
}

int copyinstr(char *dst, uaddr_t src, size_t size) {
    size_t n = strnlen((const char *)src.v, size);
    memcpy(dst, (const char *)src.v, MIN(n + 1, size));
    return n < size ? 0 : -K_ENAMETOOLONG;
}

/* ---- the list ---- */

#define MOST 60

struct list {
    char *string[MOST];
    unsigned n, argc;
};

/* Its length is most often short, and at times more than a page. */
static char *random_string(void) {
    size_t n = host_random_below(host_random_below(4) ? 40 : 9000);
    char *s = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        s[i] = (char)('!' + host_random_below(90));
    s[n] = '\0';
    return s;
}

static void assert_same(const struct arguments *a, const struct list *l) {
    uint64_t at = 0;
    assert_int_equal(a->count, l->n);
    assert_int_equal(a->argc, l->argc);
    for (unsigned i = 0; i < l->n; i++) {
        assert_int_equal(at % 16, 0);
        assert_true(i != l->argc || at == a->argument_bytes);
        for (const char *c = l->string[i]; *c; c++)
            assert_int_equal(*arguments_at(a, at++), *c);
        do
            assert_int_equal(*arguments_at(a, at++), 0);
        while (at % 16);
    }
    assert_int_equal(at, a->bytes);
    for (; at % PAGE_SIZE && a->frame[at / PAGE_SIZE].v; at++)
        assert_int_equal(*arguments_at(a, at), 0);
}

static void fill(struct arguments *a, struct list *l, unsigned n, unsigned argc) {
    uint64_t array[MOST + 1] = {0};
    *l = (struct list){.n = n, .argc = argc};
    for (unsigned i = 0; i < n; i++)
        l->string[i] = random_string();
    assert_int_equal(arguments_begin(a), 0);
    for (unsigned i = 0; i < argc; i++)
        assert_int_equal(arguments_add(a, l->string[i]), 0);
    arguments_begin_environment(a);
    for (unsigned i = argc; i < n; i++)
        array[i - argc] = (uint64_t)l->string[i];
    assert_int_equal(arguments_add_array(a, UA((uint64_t)array)), 0);
    assert_same(a, l);
}

static void drop(struct arguments *a, struct list *l) {
    for (unsigned i = 0; i < l->n; i++)
        free(l->string[i]);
    arguments_end(a);
    assert_int_equal(frames, 0);
}

static void replace_in_list(struct list *l, char *const first[], unsigned n) {
    unsigned old = l->argc ? 1 : 0;
    if (old)
        free(l->string[0]);
    memmove(l->string + n, l->string + old, (l->n - old) * sizeof(l->string[0]));
    memcpy(l->string, first, n * sizeof(first[0]));
    l->n += n - old;
    l->argc += n - old;
}

/* ---- tests ---- */

static void the_first_is_replaced(void **state) {
    for (unsigned round = 0; round < 2000; round++) {
        struct arguments a;
        struct list l;
        unsigned argc = host_random_below(6);
        fill(&a, &l, argc + host_random_below(6), argc);
        for (unsigned times = 0; times < 3; times++) {
            unsigned n = 2 + host_random_below(2);
            char *first[3];
            for (unsigned i = 0; i < n; i++)
                first[i] = random_string();
            assert_int_equal(arguments_replace_first(&a, (const char *const *)first, n), 0);
            replace_in_list(&l, first, n);
            assert_same(&a, &l);
        }
        drop(&a, &l);
    }
}

static void what_does_not_fit(void **state) {
    static char filling[ARGUMENTS_MAX - 16];
    struct arguments a;
    struct list l = {.string = {"0", filling}, .n = 2, .argc = 2};
    const char *const same[] = {"1"}, *const more[] = {"1", "2"};
    memset(filling, 'f', sizeof(filling) - 1);
    assert_int_equal(arguments_begin(&a), 0);
    assert_int_equal(arguments_add(&a, "0"), 0);
    assert_int_equal(arguments_add(&a, filling), 0);
    arguments_begin_environment(&a);
    assert_int_equal(arguments_replace_first(&a, more, 2), -K_E2BIG);
    assert_same(&a, &l);
    assert_int_equal(arguments_replace_first(&a, same, 1), 0);
    l.string[0] = "1";
    assert_same(&a, &l);
    assert_int_equal(arguments_add(&a, ""), -K_E2BIG);
    arguments_end(&a);
}

static void no_memory(void **state) {
    static char filling[PAGE_SIZE - 16];
    struct arguments a;
    struct list l = {.string = {"0", filling}, .n = 2, .argc = 2};
    const char *const more[] = {"1", "2"};
    memset(filling, 'f', sizeof(filling) - 1);
    assert_int_equal(arguments_begin(&a), 0);
    assert_int_equal(arguments_add(&a, "0"), 0);
    assert_int_equal(arguments_add(&a, filling), 0);
    arguments_begin_environment(&a);
    frames_most = frames;
    assert_int_equal(arguments_replace_first(&a, more, 2), -K_ENOMEM);
    assert_same(&a, &l);
    frames_most = UINT32_MAX;
    arguments_end(&a);
    assert_int_equal(frames, 0);
}

int main(void) {
    host_random_seed(20261127);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_replaced),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
