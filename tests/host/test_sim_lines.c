/* The line tables of images: units of each version, made by hand, with what compilers rarely
 * write; damaged ones; and the text of an address. test_sim_lines.py has what compilers write. */
/* sources: machine/image/elf.c machine/image/symbols.c machine/image/sort.c */
/* sources: machine/image/lineunit.c machine/image/lines.c machine/image/place.c */
#include "elfbuild.h"
#include "machine/image/place.h"
#include "random64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define TEXT 0x80001000ull
#define HIGH 0xffffffc000000000ull

static struct elfbuild b;
static uint64_t at; /* where the next byte of .debug_line goes */
static uint64_t unit_at, header_at;
static unsigned offset_bytes;

/* ---- building units ---- */
static void put(unsigned bytes, uint64_t v) {
    elfb_put(&b, at, bytes, v);
    at += bytes;
}

static void put_bytes(const char *bytes, size_t count) {
    memcpy(b.bytes + at, bytes, count);
    at += count;
}
#define PUT(literal) put_bytes(literal, sizeof(literal) - 1)
#define PUT_STRING(literal) put_bytes(literal, sizeof(literal))

/* Up to its lengths of opcodes; line_base is -3, line_range 12, opcode_base 13. */
static void begin_unit(unsigned version, bool wide) {
    unit_at = at;
    offset_bytes = wide ? 8 : 4;
    put(4, wide ? 0xffffffff : 0);
    if (wide)
        put(8, 0);
    put(2, version);
    if (version == 5)
        PUT("\10\0");
    header_at = at;
    put(offset_bytes, 0);
    put(1, 1);
    if (version >= 4)
        put(1, 1);
    PUT("\1\375\14\15");
    PUT("\0\1\1\1\1\0\0\0\1\0\0\1");
}

static void begin_program(void) {
    elfb_put(&b, header_at, offset_bytes, at - header_at - offset_bytes);
}

static void end_unit(void) {
    uint64_t start = unit_at + (offset_bytes == 8 ? 12 : 4);
    elfb_put(&b, start - offset_bytes, offset_bytes, at - start);
}

static void put_address(uint64_t address) {
    PUT("\0\11\2");
    put(8, address);
}

/* The special opcode for so many bytes and lines. */
static void put_row(unsigned bytes, int lines) { put(1, 13u + 12 * bytes + (unsigned)(lines + 3)); }

static void put_end(unsigned bytes) {
    put(1, 2);
    put(1, bytes);
    PUT("\0\1\1");
}

/* Directory "kernel", and files vm.c in it and start.S where the compiler ran. */
static void old_tables(void) {
    PUT_STRING("kernel");
    put(1, 0);
    PUT_STRING("vm.c");
    PUT("\1\0\0");
    PUT_STRING("start.S");
    PUT("\0\0\0");
    put(1, 0);
}

static void start(void) {
    elfb_start(&b, TEXT);
    elfb_segment(&b, 1, ELFB_TEXT_AT, HIGH + TEXT, TEXT, 0x100, 0x1000);
    at = ELFB_FREE_AT;
}

static void finish(void) {
    elfb_section(&b, ".debug_line", 1, 0, ELFB_FREE_AT, at - ELFB_FREE_AT, 0);
    b.size = ELFB_BYTES;
}

/* A unit of version 4 with this program. */
static void begin_plain(void) {
    start();
    begin_unit(4, false);
    old_tables();
    begin_program();
}

static void finish_plain(void) {
    end_unit();
    finish();
}

/* ---- what is found ---- */
static struct elf open_elf(const struct elfbuild *from) {
    struct image_file file = {.name = "kernel", .bytes = from->bytes, .size = from->size};
    struct elf elf;
    char error[100];
    assert_true(elf_open(&elf, &file, error, sizeof(error)));
    return elf;
}

static struct lines read_lines(void) {
    struct elf elf = open_elf(&b);
    struct lines lines;
    assert_true(lines_read(&lines, &elf));
    return lines;
}

struct expected {
    uint64_t address;
    const char *file; /* NULL: nothing is known */
    uint32_t line;
    const char *directory;
};

static void check(const struct expected *expected, size_t count) {
    struct lines lines = read_lines();
    for (size_t i = 0; i < count; i++) {
        const struct expected *e = &expected[i];
        struct line_place place = {.line = 77};
        bool found = lines_find(&lines, e->address, &place);
        if (found != (e->file != NULL))
            print_message("at 0x%llx\n", (unsigned long long)e->address);
        assert_int_equal(found, e->file != NULL);
        assert_int_equal(place.line, found ? e->line : 77);
        if (found) {
            assert_string_equal(place.file, e->file);
            assert_string_equal(place.directory, e->directory ? e->directory : "kernel");
        }
    }
    lines_free(&lines);
    assert_null(lines.rows);
}
#define CHECK(...) \
    do { \
        const struct expected expected_[] = {__VA_ARGS__}; \
        check(expected_, sizeof(expected_) / sizeof(expected_[0])); \
    } while (0)

/* ---- tests ---- */
static void some_program(void) {
    put_address(TEXT);
    put_row(0, 8); /* line 9 */
    put_row(4, 1); /* line 10 */
    PUT("\4\2");   /* file 2 */
    put_row(2, -3);
    put_end(6);
}

#define SOME_LINES \
    {TEXT - 1, NULL, 0, NULL}, {TEXT, "vm.c", 9, NULL}, {TEXT + 3, "vm.c", 9, NULL}, \
        {TEXT + 4, "vm.c", 10, NULL}, {TEXT + 5, "vm.c", 10, NULL}, {TEXT + 6, "start.S", 7, ""}, \
        {TEXT + 11, "start.S", 7, ""}, {TEXT + 12, NULL, 0, NULL}, {0, NULL, 0, NULL}, { \
        UINT64_MAX, NULL, 0, NULL \
    }

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

/* Version 5: three directories, the last one of which is damaged, and four files, whose entries
 * have all forms that may be there. */
static void new_tables(void) {
    static const unsigned text[] = {1, 1, 6, 99}, directory[] = {1, 1, 0, 2};
    PUT("\1\1\37\3"); /* a path in .debug_line_str */
    put(offset_bytes, 0);
    put(offset_bytes, 1);
    put(offset_bytes, 99);
    put(1, 13); /* the fields of a file */
    PUT("\1\16\2\17\3\36\4\5\4\6\4\7\4\11\4\12\4\3\4\4\4\13\5\10\4\17");
    put(1, 4);
    for (unsigned i = 0; i < 4; i++) {
        put(offset_bytes, text[i]);
        put(1, 0x80 | directory[i]); /* in two bytes */
        put(1, 0);
        PUT("0123456789abcdef");
        put(2, 0x3333);
        put(4, 0x44444444);
        put(8, 0x5555555555555555);
        PUT("\2xy\2xy\2\0xy\2\0\0\0xy\7");
        PUT_STRING("source text");
        PUT("\200\0");
    }
}

static void add_strings(void) {
    elfb_section(&b, ".debug_line_str", 1, 0, at, 8, 0);
    PUT("\0kernel\0");
    elfb_section(&b, ".debug_str", 1, 0, at, 14, 0);
    PUT("\0vm.c\0start.S\0");
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

/* ---- the text of an address ---- */
static void expect_text(const struct place_image *images, size_t count, uint64_t address,
                        const char *text) {
    char buffer[100];
    place_text(images, count, address, buffer, sizeof(buffer));
    assert_string_equal(buffer, text);
}

static void test_texts(void **state) {
    static struct elfbuild kernel;
    struct place_image images[2];
    start();
    begin_unit(4, false);
    PUT_STRING("kernel");
    put(1, 0);
    PUT_STRING("mm/vm.c");
    PUT("\1\0\0");
    put(1, 0);
    begin_program();
    put_address(HIGH + TEXT);
    PUT("\3\323\1\1"); /* line 212 */
    put_end(0x20);
    finish_plain();
    elfb_section(&b, ".text", 1, HIGH + TEXT, ELFB_TEXT_AT, 0x100, 0);
    elfb_symbol(&b, "uvmunmap", 0x12, 4, HIGH + TEXT, 0x10);
    elfb_symbol(&b, "kvmmap", 0x12, 4, HIGH + TEXT + 0x40, 0x40);
    kernel = b;
    struct elf elf = open_elf(&kernel);
    assert_true(place_image_read(&images[0], &elf));

    begin_plain();
    some_program();
    finish_plain();
    elf = open_elf(&b);
    assert_true(place_image_read(&images[1], &elf));

    expect_text(images, 2, HIGH + TEXT, "vm.c:212 (uvmunmap)");
    expect_text(images, 2, HIGH + TEXT + 0xf, "vm.c:212 (uvmunmap)");
    expect_text(images, 2, HIGH + TEXT + 0x10, "vm.c:212");
    expect_text(images, 2, HIGH + TEXT + 0x20, "0xffffffc080001020");
    expect_text(images, 2, HIGH + TEXT + 0x40, "kvmmap");
    expect_text(images, 2, HIGH + TEXT + 0x5c, "kvmmap+0x1c");
    expect_text(images, 2, TEXT, "vm.c:9"); /* the second one's virtual address */
    expect_text(images, 1, TEXT, "vm.c:212 (uvmunmap)");
    expect_text(images, 1, TEXT + 0x1000, "0x80002000");
    expect_text(images, 0, 0x12, "0x12");
    char small[8] = "1234567";
    place_text(images, 2, HIGH + TEXT, small, 7);
    assert_memory_equal(small, "vm.c:2\0", 8);

    place_image_free(&images[0]);
    place_image_free(&images[1]);
}

/* ---- what has no meaning ---- */
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_old_versions),
                                       cmocka_unit_test(test_version_5),
                                       cmocka_unit_test(test_opcodes),
                                       cmocka_unit_test(test_registers_begin_anew),
                                       cmocka_unit_test(test_file_defined_in_the_program),
                                       cmocka_unit_test(test_overlapping_sequences),
                                       cmocka_unit_test(test_addresses_that_go_back),
                                       cmocka_unit_test(test_damaged_units),
                                       cmocka_unit_test(test_damaged_program),
                                       cmocka_unit_test(test_no_lines),
                                       cmocka_unit_test(test_endless_tables),
                                       cmocka_unit_test(test_texts),
                                       cmocka_unit_test(test_damaged_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
