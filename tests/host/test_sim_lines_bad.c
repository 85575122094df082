/* Line tables that are damaged, here and there and anywhere, and images without one. */
/* sources: machine/image/elf.c machine/image/sort.c machine/image/lineunit.c */
/* sources: machine/image/lines.c tests/host/linebuild.c */
#include "linebuild.h"
#include "random64.h"

#include <stdlib.h>

/* Three units, the second one of which is damaged somehow: at a place from its start. */
static void build_three(uint64_t place, unsigned bytes, uint64_t value) {
    uint64_t second = 0;
    start();
    for (unsigned i = 0; i < 3; i++) {
        second = i == 1 ? at : second;
        begin_unit(4, false);
        old_tables();
        begin_program();
        put_address(TEXT + 0x10 * i);
        put_row(0, 1);
        put_end(4);
        put_address(TEXT + 0x10 * i + 8);
        put_row(0, 2);
        put_row(4, 1);
        end_unit();
    }
    elfb_put(&b, second + place, bytes, value);
    finish();
}

#define UNIT_PROGRAM 56 /* where its program begins */

static void test_damaged_units(void **state) {
    static const struct {
        uint64_t place;
        unsigned bytes;
        uint64_t value;
        bool next; /* whether the unit after it can be found */
    } damages[] = {{0, 4, 0xfffffff0, false}, {0, 4, 0x1000, false}, {0, 4, 0, false},
                   {4, 2, 1, true},           {4, 2, 6, true},       {6, 4, 0xffffffff, true},
                   {11, 1, 2, true},          {14, 1, 0, true},      {15, 1, 0, true},
                   {6, 4, 10, true}};
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        build_three(damages[i].place, damages[i].bytes, damages[i].value);
        const char *next = damages[i].next ? "vm.c" : NULL;
        CHECK({TEXT, "vm.c", 2, NULL}, {TEXT + 8, "vm.c", 3, NULL}, {TEXT + 12, NULL, 0, NULL},
              {TEXT + 0x10, NULL, 0, NULL}, {TEXT + 0x18, NULL, 0, NULL},
              {TEXT + 0x20, next, 2, NULL}, {TEXT + 0x28, next, 3, NULL});
    }
}

/* What stands before the damage counts: here it is an opcode that ends outside. */
static void test_damaged_program(void **state) {
    build_three(UNIT_PROGRAM + 17, 2, 0xff00);
    CHECK({TEXT, "vm.c", 2, NULL}, {TEXT + 0x10, "vm.c", 2, NULL}, {TEXT + 0x18, NULL, 0, NULL},
          {TEXT + 0x20, "vm.c", 2, NULL}, {TEXT + 0x28, "vm.c", 3, NULL});
}

static void test_no_lines(void **state) {
    start();
    CHECK({TEXT, NULL, 0, NULL});
    finish();
    CHECK({TEXT, NULL, 0, NULL});
    begin_plain();
    some_program();
    finish_plain();
    CHECK(SOME_LINES);
    elfb_put(&b, ELFB_SECTIONS_AT + 64 * (b.sections - 1) + 8, 8, ELF_COMPRESSED);
    CHECK({TEXT, NULL, 0, NULL});
}

/* A number of entries that cannot be true neither takes long nor is believed. */
static void test_endless_tables(void **state) {
    static const char formats[][4] = {"\0", "\1\1\10", "\1\1\31"}; /* none, a string, a flag */
    for (unsigned i = 0; i < 3; i++) {
        start();
        begin_unit(5, false);
        put_bytes(formats[i], i ? 3 : 1);
        PUT("\377\377\377\377\377\377\377\177");
        begin_program();
        some_program();
        end_unit();
        finish();
        CHECK({TEXT, NULL, 0, NULL});
    }
}

/* Whatever the bytes behind `from` say, what is read of them is in order. */
static void try_damaged(uint64_t from, unsigned changes, unsigned *known) {
    static const uint8_t odd[] = {0, 1, 2, 8, 0x7f, 0x80, 0xfe, 0xff};
    uint64_t size = at; /* an allocation of exactly the bytes that are used */
    uint8_t *copy = malloc(size);
    struct elf elf;
    struct lines lines;
    struct line_place place;
    char error[100];
    assert_non_null(copy);
    memcpy(copy, b.bytes, size);
    for (; changes > 0; changes--)
        copy[from + random64() % (size - from)] = random64() % 2 ? odd[random64() % 8]
                                                                 : (uint8_t)random64();
    struct image_file file = {.name = "damaged", .bytes = copy, .size = size};
    assert_true(elf_open(&elf, &file, error, sizeof(error)));
    assert_true(lines_read(&lines, &elf));
    for (size_t i = 0; i < lines.sequence_count; i++) {
        struct line_sequence *s = &lines.sequences[i];
        assert_true(s->start < s->end && (i == 0 || s[-1].start <= s->start));
        assert_true(s->count > 0 && s->first + s->count <= lines.row_count);
        for (uint32_t row = s->first + 1; row < s->first + s->count; row++)
            assert_true(lines.rows[row - 1].address < lines.rows[row].address);
        if (lines_find(&lines, s->start + random64() % (s->end - s->start), &place))
            *known += strlen(place.file) + strlen(place.directory) < size;
    }
    lines_free(&lines);
    free(copy);
}

static void test_damaged_lines(void **state) {
    unsigned known = 0;
    for (unsigned version = 2; version <= 5; version++) {
        start();
        for (unsigned unit = 0; unit < 2; unit++) {
            begin_unit(version, unit);
            if (version < 5)
                old_tables();
            else
                new_tables();
            begin_program();
            some_program();
            some_program();
            end_unit();
        }
        finish();
        add_strings();
        for (unsigned i = 0; i < 10000; i++)
            try_damaged(ELFB_FREE_AT, i % 8, &known);
    }
    assert_true(known > 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged_units), cmocka_unit_test(test_damaged_program),
        cmocka_unit_test(test_no_lines),      cmocka_unit_test(test_endless_tables),
        cmocka_unit_test(test_damaged_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
