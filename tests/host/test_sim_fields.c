/* Where the fields of structs are: units of several versions, and damaged ones. */
/* sources: machine/image/elf.c machine/image/fields.c */
#include "elfbuild.h"
#include "machine/image/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct elfbuild b;
static uint64_t at;

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

/* 1 a unit (a string, an address), 2 a struct, 3 a member (string, type, offset), 4 a base type, 5
 * a member whose name is in .debug_str, and whose offset is here: 8; 6 a declaration. */
static void put_abbreviations(void) {
    uint64_t start = at;
    PUT("\1\x11\1\x03\x08\x11\x01\0\0");
    PUT("\2\x13\1\x03\x08\x0b\x0b\0\0");
    PUT("\3\x0d\0\x03\x08\x49\x13\x38\x0b\0\0");
    PUT("\4\x24\0\x0b\x0b\0\0");
    PUT("\5\x0d\0\x03\x0e\x38\x21\x08\0\0");
    PUT("\6\x13\0\x03\x08\x3c\x19\0\0");
    PUT("\0");
    elfb_section(&b, ".debug_abbrev", 1, 0, start, at - start, 0);
}

static void put_entries(unsigned offset_bytes) {
    PUT("\1a.c\0");
    put(8, 0x80001000);
    PUT("\6proc\0");
    PUT("\4\4");
    PUT("\2other\0\x10"); /* its pid is another one's */
    PUT("\3pid\0\0\0\0\0\4\0");
    PUT("\2proc\0\x60");
    PUT("\3lock\0\0\0\0\0\0");
    PUT("\2inner\0\x08"); /* so is the one of a struct that is defined inside */
    PUT("\3pid\0\0\0\0\0\7\0");
    PUT("\3pid\0\0\0\0\0\x30");
    PUT("\5");
    put(offset_bytes, 1);
    PUT("\0\0");
}

/* A unit before it is of a version to come. */
static void build(unsigned version, unsigned offset_bytes) {
    at = ELFB_FREE_AT;
    elfb_start(&b, 0x80000000);
    elfb_segment(&b, 1, ELFB_TEXT_AT, 0x80000000, 0x80000000, 0x100, 0x100);
    put_abbreviations();
    uint64_t strings = at;
    PUT_STRING("\0name");
    elfb_section(&b, ".debug_str", 1, 0, strings, at - strings, 0);
    uint64_t start = at;
    PUT("\4\0\0\0\11\0ab");
    if (offset_bytes == 8)
        put(4, 0xffffffff);
    uint64_t length_at = at;
    put(offset_bytes, 0);
    put(2, version);
    if (version == 5)
        PUT("\1\10");
    put(offset_bytes, 0);
    if (version < 5)
        PUT("\10");
    put_entries(offset_bytes);
    elfb_put(&b, length_at, offset_bytes, at - length_at - offset_bytes);
    elfb_section(&b, ".debug_info", 1, 0, start, at - start, 0);
    b.size = ELFB_BYTES;
}

static void find(struct field *fields, unsigned count) {
    struct image_file file = {.name = "kernel", .bytes = b.bytes, .size = b.size};
    struct elf elf;
    char error[100];
    assert_true(elf_open(&elf, &file, error, sizeof(error)));
    fields_find(&elf, fields, count);
}

static void expect(const char *of, const char *name, bool found, uint64_t offset, uint64_t bytes) {
    struct field field = {.of = of, .name = name, .found = !found};
    find(&field, 1);
    assert_int_equal(field.found, found);
    if (found) {
        assert_int_equal(field.offset, offset);
        assert_int_equal(field.bytes, bytes);
    }
}

static void test_fields(void **state) {
    for (unsigned version = 3; version <= 5; version++)
        for (unsigned wide = 0; wide < 2; wide++) {
            build(version, wide ? 8 : 4);
            expect("proc", "lock", true, 0, 0x60);
            expect("proc", "pid", true, 0x30, 0x60);
            expect("other", "pid", true, 4, 0x10);
            expect("proc", "pagetable", false, 0, 0);
            expect("proc", "name", true, 8, 0x60);
            expect("nobody", "pid", false, 0, 0);
        }
}

/* Whatever a byte is, and wherever the file ends, nothing outside of it is read. */
static void test_damage(void **state) {
    static const uint8_t bad[] = {0, 1, 0x7f, 0x80, 0xff};
    build(5, 4);
    uint64_t end = at;
    for (uint64_t i = ELFB_FREE_AT; i < end; i++)
        for (unsigned j = 0; j < sizeof(bad); j++) {
            struct field field = {.of = "proc", .name = "missing"};
            uint8_t before = b.bytes[i];
            b.bytes[i] = bad[j];
            find(&field, 1);
            b.bytes[i] = before;
        }
    uint64_t info_size = ELFB_SECTIONS_AT + 64 * (b.sections - 1) + 32;
    for (uint64_t left = 0; left < 100; left++) {
        struct field field = {.of = "proc", .name = "name"};
        elfb_put(&b, info_size, 8, left);
        find(&field, 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
