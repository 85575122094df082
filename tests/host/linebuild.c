/* The units of linebuild.h. */
#include "linebuild.h"

struct elfbuild b;
uint64_t at, unit_at;
static uint64_t header_at; /* where the length of the unit's header goes */
static unsigned offset_bytes;

void start(void) {
    elfb_start(&b, TEXT);
    elfb_segment(&b, 1, ELFB_TEXT_AT, HIGH + TEXT, TEXT, 0x100, 0x1000);
    at = ELFB_FREE_AT;
}

void finish(void) {
    elfb_section(&b, ".debug_line", 1, 0, ELFB_FREE_AT, at - ELFB_FREE_AT, 0);
    b.size = ELFB_BYTES;
}

void put(unsigned bytes, uint64_t v) {
    elfb_put(&b, at, bytes, v);
    at += bytes;
}

void put_bytes(const char *bytes, size_t count) {
    memcpy(b.bytes + at, bytes, count);
    at += count;
}

void begin_unit(unsigned version, bool wide) {
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

void begin_program(void) { elfb_put(&b, header_at, offset_bytes, at - header_at - offset_bytes); }

void end_unit(void) {
    uint64_t start = unit_at + (offset_bytes == 8 ? 12 : 4);
    elfb_put(&b, start - offset_bytes, offset_bytes, at - start);
}

void old_tables(void) {
    PUT_STRING("kernel");
    put(1, 0);
    PUT_STRING("vm.c");
    PUT("\1\0\0");
    PUT_STRING("start.S");
    PUT("\0\0\0");
    put(1, 0);
}

void new_tables(void) {
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

void add_strings(void) {
    elfb_section(&b, ".debug_line_str", 1, 0, at, 8, 0);
    PUT("\0kernel\0");
    elfb_section(&b, ".debug_str", 1, 0, at, 14, 0);
    PUT("\0vm.c\0start.S\0");
}

void begin_plain(void) {
    start();
    begin_unit(4, false);
    old_tables();
    begin_program();
}

void finish_plain(void) {
    end_unit();
    finish();
}

void put_address(uint64_t address) {
    PUT("\0\11\2");
    put(8, address);
}

void put_row(unsigned bytes, int lines) { put(1, 13u + 12 * bytes + (unsigned)(lines + 3)); }

void put_end(unsigned bytes) {
    put(1, 2);
    put(1, bytes);
    PUT("\0\1\1");
}

void some_program(void) {
    put_address(TEXT);
    put_row(0, 8); /* line 9 */
    put_row(4, 1); /* line 10 */
    PUT("\4\2");   /* file 2 */
    put_row(2, -3);
    put_end(6);
}

struct elf open_elf(const struct elfbuild *from) {
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

void check(const struct expected *expected, size_t count) {
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
