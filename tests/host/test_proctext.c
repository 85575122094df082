/* The contents of a file of /proc: a text that grows over many frames, read in any parts. */
/* sources: kernel/procfs/text.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c */
#include "kstub.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "mm/uaccess.h"
#include "procfs/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int frames, frames_left;

int frame_alloc(paddr_t *out) {
    if (frames_left == 0)
        return -K_ENOMEM;
    frames_left--;
    frames++;
    *out = ptr_pa(aligned_alloc(PAGE_SIZE, PAGE_SIZE));
    return 0;
}

void frame_free(paddr_t frame) {
    frames--;
    free(pa_ptr(frame));
}

int copyout(uaddr_t dst, const void *src, size_t n) {
    if (dst.v < PAGE_SIZE)
        return -K_EFAULT;
    memcpy((void *)dst.v, src, n);
    return 0;
}

static char wanted[60000], got[60000];

static void fill(struct text *t) {
    size_t n = 0;
    for (int i = 0; n + 100 < sizeof wanted; i++) {
        text_print(t, "line %d of %s\n", i, "many");
        n += (size_t)snprintf(wanted + n, sizeof wanted - n, "line %d of %s\n", i, "many");
        text_byte(t, '\0');
        wanted[n++] = '\0';
    }
    assert_int_equal(t->bytes, n);
}

static void read_in_parts(void **state) {
    struct text t = {.bytes = 0};
    size_t done;
    frames_left = 100;
    fill(&t);
    for (size_t part = 1; part < 20000; part = part * 3 + 1) {
        size_t at = 0;
        memset(got, 1, sizeof got);
        do {
            assert_int_equal(text_read(&t, at, UA((uint64_t)(got + at)), part, &done), 0);
            assert_int_equal(done, MIN(part, t.bytes - at));
            at += done;
        } while (done > 0);
        assert_int_equal(at, t.bytes);
        assert_memory_equal(got, wanted, at);
    }
    for (size_t at = 4080; at < 4100; at++) {
        assert_int_equal(text_read(&t, at, UA((uint64_t)got), 9, &done), 0);
        assert_memory_equal(got, wanted + at, 9);
    }
    assert_int_equal(text_read(&t, UINT64_MAX, UA((uint64_t)got), SIZE_MAX, &done), 0);
    assert_int_equal(done, 0);
    assert_int_equal(text_read(&t, 5, UA(8), 9, &done), -K_EFAULT);
    assert_int_equal(done, 0);
    text_free(&t);
    assert_int_equal(frames, 0);
}

static void memory_is_refused(void **state) {
    for (int n = 0; n < 4; n++) {
        struct text t = {.bytes = 0};
        frames_left = n;
        for (int i = 0; i < 2000; i++)
            text_print(&t, "some more\n");
        assert_true(t.cut);
        frames_left = 1; /* what comes later is forgotten all the same */
        text_print(&t, "more");
        text_byte(&t, 'x');
        assert_true(t.bytes <= (uint64_t)n * PAGE_SIZE);
        text_free(&t);
        assert_int_equal(frames, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_in_parts),
        cmocka_unit_test(memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
