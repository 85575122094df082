/* Page tables printed in pieces: all entries, each once, in order; and a tree that changes
 * between two pieces. */
/* sources: kernel/mm/vmprint.c kernel/mm/pt.c kernel/lib/printf.c kernel/lib/string.c */
/* sources: tests/host/pttree.c tests/host/pttables.c tests/host/walker.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "mm/vmprint.h"
#include "lib/printf.h"
#include "pttree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char said[32768];
static size_t said_size;

static void sink(void *ctx, const char *text, size_t n) {
    assert_true(said_size + n < sizeof(said));
    memcpy(said + said_size, text, n);
    said[said_size += n] = '\0';
}

static struct pt some_tree(void) {
    struct pt pt = pttree_fresh();
    assert_int_equal(pt_map(&pt, VA(0), PA(MIB(64)), 40 * PAGE_SIZE, RW, 0), 0);
    assert_int_equal(pt_map(&pt, VA(MIB(4)), PA(MIB(4)), MIB(6), RW, 1), 0);
    assert_int_equal(pt_map(&pt, VA(GIB(2)), PA(GIB(1)), GIB(1), RW, 2), 0);
    assert_int_equal(pt_map(&pt, VA(GIB(3)), PA(MIB(64)), 20 * PAGE_SIZE, RW, 0), 0);
    assert_int_equal(pt_map(&pt, VA(USER_HALF_END - PAGE_SIZE), PA(0), PAGE_SIZE, RW, 0), 0);
    said_size = 0;
    said[0] = '\0';
    kprintf_set_sink(sink, NULL);
    return pt;
}

/* The tables, one loop in the other: what the page-table lab's recursion prints. */
static size_t expect(char *text, const pte_t *table, unsigned level) {
    size_t n = 0;
    for (unsigned i = 0; i < (level == paging.levels - 1 ? 256 : PT_ENTRIES); i++) {
        if (!pte_valid(table[i]))
            continue;
        for (unsigned l = paging.levels - 1; l > level; l--)
            n += sprintf(text + n, ".. ");
        n += sprintf(text + n, "..%u: pte 0x%016lx pa 0x%016lx\n", i, (unsigned long)table[i],
                     (unsigned long)pte_pa(table[i]).v);
        if (pte_is_table(table[i]))
            n += expect(text + n, pa_ptr(pte_pa(table[i])), level - 1);
    }
    return n;
}

static void test_all_entries(void **state) {
    static char want[sizeof(said)];
    struct pt pt = some_tree();
    size_t n = sprintf(want, "page table 0x%016lx\n", (unsigned long)pt.root.v);
    expect(want + n, pa_ptr(pt.root), paging.levels - 1);
    vmprint(&pt);
    assert_string_equal(said, want);
    pttree_destroy(&pt);
}

/* Whether there is a line for this index, so many levels below that of 1 GiB leaves. */
static bool said_line(unsigned below, unsigned index) {
    char line[64] = "\n";
    for (unsigned i = 0; i < paging.levels - 3 + below; i++)
        strcat(line, ".. ");
    sprintf(line + strlen(line), "..%u: pte", index);
    return strstr(said, line) != NULL;
}

/* The tables that the first piece came from are gone when the second is gathered. */
static void test_tables_go_meanwhile(void **state) {
    struct pt pt = some_tree();
    struct vmprint v = {0};
    vmprint_gather(&v, &pt);
    assert_int_equal(v.n, VMPRINT_PIECE);
    vmprint_say(&v);
    pttree_unmap(&pt, 0, GIB(3));
    for (vmprint_gather(&v, &pt); v.n > 0; vmprint_gather(&v, &pt)) {
        for (unsigned i = 0; i < v.n; i++)
            assert_true(v.entry[i].va.v >= GIB(3));
        vmprint_say(&v);
    }
    assert_true(said_line(0, 3));
    assert_true(said_line(2, 19));
    assert_false(said_line(0, 2));
    pttree_destroy(&pt);
}

static void test_another_tree(void **state) {
    struct pt pt = some_tree(), other;
    struct vmprint v = {0};
    vmprint_gather(&v, &pt);
    vmprint_say(&v);
    assert_int_equal(pt_init(&other, paging.levels, &pttables), 0);
    assert_int_equal(pt_map(&other, VA(GIB(4)), PA(0), PAGE_SIZE, RW, 0), 0);
    vmprint_gather(&v, &other);
    assert_int_equal(v.n, 0);
    vmprint_gather(&v, &pt);
    assert_int_equal(v.n, VMPRINT_PIECE);
    pttree_unmap(&other, GIB(4), GIB(4) + PAGE_SIZE);
    pt_free_root(&other);
    pttree_destroy(&pt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_entries),
        cmocka_unit_test(test_tables_go_meanwhile),
        cmocka_unit_test(test_another_tree),
    };
    int failed = 0;
    for (unsigned levels = LEVELS_MIN; levels <= LEVELS_MAX; levels++) {
        use_levels(levels);
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
