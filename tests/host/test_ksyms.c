/* Function names by address. */
/* sources: kernel/lib/ksyms.c kernel/lib/ksyms_none.c */
#include "lib/ksyms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

/* Stronger than the empty table, as in the kernel's second link. */
#define TEXT 0xffffffc080200000ULL
const uint64_t ksyms_count = 4;
const struct ksym ksyms_table[4] = {
    {TEXT, 0, 0}, {TEXT, 6, 0}, {TEXT + 0x40, 10, 0}, {TEXT + 0x100, 16, 0}};
const char ksyms_names[] = "start\0one\0three\0kernel_text_end";

static void expect(uint64_t addr, const char *name, uint64_t offset) {
    uint64_t got = 77;
    const char *found = ksym_lookup(addr, &got);
    assert_non_null(found);
    assert_string_equal(found, name);
    assert_int_equal(got, offset);
}

static void expect_none(uint64_t addr) {
    uint64_t got = 77;
    assert_null(ksym_lookup(addr, &got));
    assert_int_equal(got, 77);
}

static void test_lookup(void **state) {
    expect(TEXT, "one", 0);
    expect(TEXT + 0x3f, "one", 0x3f);
    expect(TEXT + 0x40, "three", 0);
    expect(TEXT + 0xff, "three", 0xbf);
    expect_none(TEXT + 0x100);
    expect_none(UINT64_MAX);
    expect_none(TEXT - 1);
    expect_none(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lookup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
