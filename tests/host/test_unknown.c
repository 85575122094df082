/* Unknown system calls are told once each, and not without end. */
/* sources: kernel/syscall/unknown.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: kernel/lib/string.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr */
#include "syscall/unknown.h"
#include "hostarch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void test_once_each(void **state) {
    for (int round = 0; round < 1000; round++) {
        enum unknown_call first = round == 0 ? UNKNOWN_NEW : UNKNOWN_KNOWN;
        assert_int_equal(unknown_call_note("one", 77), first);
        assert_int_equal(unknown_call_note("two", 77), first);
        assert_int_equal(unknown_call_note("one", -1), first);
        assert_int_equal(unknown_call_note("fifteen letters", 77), first);
    }
}

static void test_so_many_and_no_more(void **state) {
    for (int number = 1000; number < 1000 + UNKNOWN_CALLS - 5; number++)
        assert_int_equal(unknown_call_note("many", number), UNKNOWN_NEW);
    assert_int_equal(unknown_call_note("many", 2000), UNKNOWN_LAST);
    for (int number = 2000; number < 4000; number++)
        assert_int_equal(unknown_call_note("many", number), UNKNOWN_KNOWN);
    assert_int_equal(unknown_call_note("one", 77), UNKNOWN_KNOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once_each),
        cmocka_unit_test(test_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
