/* Which ranges of user memory the kernel looks at: every border, no wrap. */
/* sources: tests/host/hostarch.c */
#include "arch/layout.h"
#include "hostarch.h"
#include "mm/uaccess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static bool ok(uint64_t start, uint64_t n) { return user_range_ok(UA(start), n); }

static void test_ends_of_user_memory(void **state) {
    assert_true(ok(0, 0));
    assert_true(ok(0, 1));
    assert_true(ok(0, USER_MAX));
    assert_false(ok(0, USER_MAX + 1));
    assert_true(ok(USER_MAX - 1, 1)); /* ends exactly at the end */
    assert_false(ok(USER_MAX - 1, 2));
    assert_true(ok(USER_MAX - PAGE_SIZE, PAGE_SIZE));
    assert_false(ok(USER_MAX - PAGE_SIZE, PAGE_SIZE + 1));
    assert_true(ok(USER_MAX, 0));
    assert_false(ok(USER_MAX, 1));
    assert_false(ok(USER_MAX + 1, 0));
}

static void test_the_kernels_parts(void **state) {
    const uint64_t kernel[] = {
        TRAPFRAME,         TRAMPOLINE, KSTACK(0),   KSTACK(KSTACKS - 1),  USER_HALF_END,
        USER_HALF_END - 1, 1ULL << 39, KERNEL_HALF, KERNEL_HALF + MIB(2), UINT64_MAX};
    for (unsigned i = 0; i < ARRAY_LEN(kernel); i++) {
        assert_false(ok(kernel[i], 1));
        assert_false(ok(kernel[i], 0));
        assert_false(ok(0, kernel[i] + 1 ? kernel[i] + 1 : kernel[i]));
        assert_false(ok(USER_MAX - 1, kernel[i] - USER_MAX + 2));
    }
}

static void test_sums_that_wrap(void **state) {
    assert_false(ok(1, UINT64_MAX));
    assert_false(ok(PAGE_SIZE, 0 - PAGE_SIZE)); /* start + n == 0 */
    assert_false(ok(PAGE_SIZE, 1 - PAGE_SIZE));
    assert_false(ok(UINT64_MAX, 1));
    assert_false(ok(UINT64_MAX, 2));
    assert_false(ok(UINT64_MAX, UINT64_MAX));
    assert_false(ok(0 - PAGE_SIZE, 2 * PAGE_SIZE)); /* ends in the user's first page */
    assert_false(ok(0, INT64_MAX));
    assert_false(ok(0, (uint64_t)-1));
    assert_false(ok(USER_MAX / 2, (uint64_t)1 << 63));
}

/* Against arithmetic that is wide enough. */
static void test_random_ranges(void **state) {
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t start = host_random() >> host_random_below(64);
        uint64_t n = host_random() >> host_random_below(64);
        if (host_random_below(2))
            start = USER_MAX - start % 5000 + 100;
        if (host_random_below(2))
            n = USER_MAX - start + host_random_below(5) - 2;
        unsigned __int128 end = (unsigned __int128)start + n;
        assert_int_equal(ok(start, n), start <= USER_MAX && end <= USER_MAX);
    }
}

int main(void) {
    host_random_seed(20240609);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends_of_user_memory),
        cmocka_unit_test(test_the_kernels_parts),
        cmocka_unit_test(test_sums_that_wrap),
        cmocka_unit_test(test_random_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
