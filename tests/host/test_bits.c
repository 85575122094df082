/* Bits in words. */
#include "lib/bits.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Whatever is set above it. */
static void test_lowest(void **state) {
    static const uint64_t above[] = {0,
                                     ~(uint64_t)0,
                                     0x5555555555555555,
                                     0xaaaaaaaaaaaaaaaa,
                                     (uint64_t)1 << 63,
                                     0x123456789abcdef0};
    for (unsigned n = 0; n < 64; n++)
        for (unsigned i = 0; i < ARRAY_LEN(above); i++) {
            uint64_t bit = (uint64_t)1 << n;
            assert_int_equal(bit_lowest(bit | (above[i] & ~(bit - 1))), n);
        }
}

static void test_how_many(void **state) {
    assert_int_equal(bits_set(0), 0);
    assert_int_equal(bits_set(~(uint64_t)0), 64);
    for (unsigned n = 0; n < 64; n++)
        assert_int_equal(bits_set(((uint64_t)1 << n) | 1), n ? 2 : 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lowest),
        cmocka_unit_test(test_how_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
