/* The line tables of images: units of each version, with what compilers rarely write.
 * test_sim_lines.py has what they write, and test_sim_lines_bad.c damaged ones. */
/* sources: machine/image/elf.c machine/image/sort.c machine/image/lineunit.c */
/* sources: machine/image/lines.c tests/host/linebuild.c */
#include "linebuild.h"

static void test_old_versions(void **state) {
    for (unsigned version = 2; version <= 4; version++) {
        for (unsigned wide = 0; wide < 2; wide++) {
            start();
            begin_unit(version, wide);
            old_tables();
            begin_program();
            some_program();
            finish_plain();
            CHECK(SOME_LINES);
        }
    }
}

static void test_version_5(void **state) {
    for (unsigned wide = 0; wide < 2; wide++) {
        start();
        begin_unit(5, wide);
        new_tables();
        begin_program();
        some_program();
        PUT("\4\3"); /* file 3, whose names are damaged */
        put_address(TEXT + 0x40);
        put_row(0, 1);
        PUT("\4\4"); /* one more than there are */
        put_row(2, 1);
        put_end(2);
        finish_plain();
        add_strings();
        CHECK(SOME_LINES, {TEXT + 0x40, "", 2, ""}, {TEXT + 0x42, NULL, 0, NULL});
        elfb_put(&b, unit_at + (wide ? 12 : 4), 2, 6); /* who knows what that is */
        CHECK({TEXT, NULL, 0, NULL});
    }
}

static void test_opcodes(void **state) {
    begin_plain();
    put_address(TEXT);
    PUT("\3\344\0\1");     /* advance_line 100, copy: 101 */
    PUT("\3\177\10\1");    /* advance_line -1, const_add_pc (20 bytes), copy */
    PUT("\11\0\1\1");      /* fixed_advance_pc 256; the same line */
    PUT("\5\7\6\7\12\13"); /* set_column, negate_stmt, basic_block, prologue, epilogue */
    PUT("\14\201\1");      /* set_isa */
    PUT("\0\2\4\5");       /* set_discriminator */
    PUT("\0\5\2009999");   /* a vendor's */
    PUT("\2\200\1\3\1\1"); /* advance_pc 128, advance_line 1, copy */
    put_row(19, 0);        /* the same line */
    PUT("\3\232\177\1");   /* advance_line -102: line 0 less than nothing; at the same address */
    PUT("\3\1\1");         /* of two rows at an address the last one is it: line 0 */
    put_row(2, 1);
    put_end(3);
    finish_plain();
    CHECK({TEXT + 19, "vm.c", 101, NULL}, {TEXT + 20, "vm.c", 100, NULL},
          {TEXT + 20 + 255, "vm.c", 100, NULL}, {TEXT + 276, "vm.c", 100, NULL},
          {TEXT + 276 + 127, "vm.c", 100, NULL}, {TEXT + 276 + 128, "vm.c", 101, NULL},
          {TEXT + 276 + 128 + 18, "vm.c", 101, NULL}, {TEXT + 276 + 128 + 19, NULL, 0, NULL},
          {TEXT + 276 + 128 + 20, NULL, 0, NULL}, {TEXT + 276 + 128 + 21, "vm.c", 1, NULL},
          {TEXT + 276 + 128 + 23, "vm.c", 1, NULL}, {TEXT + 276 + 128 + 24, NULL, 0, NULL});
}

static void test_registers_begin_anew(void **state) {
    begin_plain();
    put_address(TEXT + 0x100);
    PUT("\4\2\3\12\1"); /* file 2, line 11 */
    put_end(2);
    PUT("\1"); /* at 0 */
    put_end(2);
    put_address(TEXT);
    PUT("\1");
    put_end(2);
    finish_plain();
    CHECK({TEXT + 0x101, "start.S", 11, ""}, {TEXT + 1, "vm.c", 1, NULL}, {1, "vm.c", 1, NULL},
          {2, NULL, 0, NULL}, {TEXT + 2, NULL, 0, NULL}, {TEXT + 0x102, NULL, 0, NULL});
}

static void test_file_defined_in_the_program(void **state) {
    begin_plain();
    PUT("\0\12\3new.h\0\1\0\0");
    put_address(TEXT);
    PUT("\4\3\1\4\4");
    put_row(1, 1);
    put_end(1);
    finish_plain();
    CHECK({TEXT, "new.h", 1, NULL}, {TEXT + 1, NULL, 0, NULL});
}

/* What the linker has left out has the address 0, and another place there is not hidden by it. */
static void test_overlapping_sequences(void **state) {
    static const struct {
        uint64_t start;
        unsigned size, line;
    } sequences[] = {{0x10, 0x10, 10}, {0, 0x40, 11}, {0, 0x60, 12}, {0, 4, 13}, {0x30, 4, 14}};
    begin_plain();
    for (unsigned i = 0; i < 5; i++) {
        put_address(sequences[i].start);
        put(1, 3);
        put(1, sequences[i].line - 1);
        put(1, 1);
        put_end(sequences[i].size);
    }
    finish_plain();
    CHECK({0, "vm.c", 11, NULL}, {0xf, "vm.c", 11, NULL}, {0x10, "vm.c", 10, NULL},
          {0x1f, "vm.c", 10, NULL}, {0x20, "vm.c", 11, NULL}, {0x33, "vm.c", 14, NULL},
          {0x34, "vm.c", 11, NULL}, {0x40, "vm.c", 12, NULL}, {0x5f, "vm.c", 12, NULL},
          {0x60, NULL, 0, NULL});
}

static void test_addresses_that_go_back(void **state) {
    begin_plain();
    put_address(TEXT + 0x20);
    put_row(0, 1); /* line 2 */
    put_row(4, 1); /* line 3, of no extent */
    put_address(TEXT);
    put_row(0, 1); /* line 4 */
    put_row(4, 1); /* line 5 */
    put_end(4);
    put_address(TEXT + 0x40);
    put_row(0, 1);
    put_row(8, 1);
    put_address(TEXT + 0x30);
    put_end(0); /* before its start: forgotten */
    finish_plain();
    CHECK({TEXT + 0x20, "vm.c", 2, NULL}, {TEXT + 0x23, "vm.c", 2, NULL},
          {TEXT + 0x24, NULL, 0, NULL}, {TEXT, "vm.c", 4, NULL}, {TEXT + 7, "vm.c", 5, NULL},
          {TEXT + 8, NULL, 0, NULL}, {TEXT + 0x40, NULL, 0, NULL}, {TEXT + 0x30, NULL, 0, NULL});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_versions),
        cmocka_unit_test(test_version_5),
        cmocka_unit_test(test_opcodes),
        cmocka_unit_test(test_registers_begin_anew),
        cmocka_unit_test(test_file_defined_in_the_program),
        cmocka_unit_test(test_overlapping_sequences),
        cmocka_unit_test(test_addresses_that_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
