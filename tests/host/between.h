/* assert_between(value, low, high), both included. cmocka 1 calls this assert_in_range, which
 * cmocka 2 deprecates for names that cmocka 1 does not know. */
#pragma once
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>

#include <cmocka.h>

#define assert_between(value, low, high) \
    assert_between_at((value), (low), (high), #value, __FILE__, __LINE__)

static inline void assert_between_at(uintmax_t value, uintmax_t low, uintmax_t high,
                                     const char *what, const char *file, int line) {
    if (low <= value && value <= high)
        return;
    print_error("%s is %ju, not from %ju to %ju\n", what, value, low, high);
    _fail(file, line);
}
