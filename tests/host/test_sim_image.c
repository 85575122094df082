/* Images for the simulated machine: which ELF files are refused, with which sentence, and that
 * then nothing is changed; where the others are placed; symbols; and thousands of damaged files,
 * which may be taken or not but lead nowhere outside the file and the RAM. */
/* sources: machine/image/elf.c machine/image/load.c machine/image/symbols.c machine/image/sort.c */
#include "elfbuild.h"
#include "machine/image/load.h"
#include "machine/image/sort.h"
#include "machine/image/symbols.h"
#include "random64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define BASE 0x80000000ull
#define RAM_BYTES 0x10000ull
#define HIGH 0xffffffc000000000ull /* what the kernel's addresses have above physical ones */
#define UNTOUCHED 0x5a

static uint8_t ram_bytes[RAM_BYTES];
static const struct image_ram ram = {.base = BASE, .size = RAM_BYTES, .bytes = ram_bytes};
static struct elfbuild b;
static char error[200];

/* Text, and data with zeros behind it. */
static void build(void) {
    elfb_start(&b, BASE + 0x1010);
    elfb_segment(&b, 1, ELFB_TEXT_AT, HIGH + BASE + 0x1000, BASE + 0x1000, 0x100, 0x100);
    elfb_segment(&b, 0x6474e551, 0, 0, 0, 0, 0); /* PT_GNU_STACK */
    elfb_segment(&b, 1, ELFB_TEXT_AT + 0x100, HIGH + BASE + 0x2000, BASE + 0x2000, 0x80, 0x300);
    for (unsigned i = 0; i < 0x180; i++)
        b.bytes[ELFB_TEXT_AT + i] = (uint8_t)(i + 1);
    memset(ram_bytes, UNTOUCHED, sizeof(ram_bytes));
    error[0] = 0;
}

static struct image_file file_of(void) {
    return (struct image_file){.name = "kernel", .bytes = b.bytes, .size = b.size};
}

static bool load(uint64_t *entry) {
    struct image_file file = file_of();
    return image_load(&file, &ram, BASE + 0x4000, entry, error, sizeof(error));
}

static bool untouched(uint64_t from, uint64_t to) {
    for (uint64_t i = from; i < to; i++) {
        if (ram_bytes[i] != UNTOUCHED)
            return false;
    }
    return true;
}

static void expect_loaded(uint64_t where) {
    uint64_t entry = 1;
    assert_true(load(&entry));
    assert_int_equal(entry, where);
}

static void expect_refused(const char *sentence) {
    uint64_t entry = 1;
    assert_false(load(&entry));
    assert_string_equal(error, sentence);
    assert_int_equal(entry, 1);
    assert_true(untouched(0, RAM_BYTES));
}

static void test_segments_are_placed(void **state) {
    build();
    expect_loaded(BASE + 0x1010);
    assert_memory_equal(ram_bytes + 0x1000, b.bytes + ELFB_TEXT_AT, 0x100);
    assert_memory_equal(ram_bytes + 0x2000, b.bytes + ELFB_TEXT_AT + 0x100, 0x80);
    for (unsigned i = 0x80; i < 0x300; i++)
        assert_int_equal(ram_bytes[0x2000 + i], 0);
    assert_true(untouched(0, 0x1000) && untouched(0x1100, 0x2000) && untouched(0x2300, RAM_BYTES));
    elfb_put(&b, 16, 2, 3); /* ET_DYN */
    expect_loaded(BASE + 0x1010);
}

static void test_entry(void **state) {
    build();
    elfb_put(&b, 24, 8, HIGH + BASE + 0x20fe);
    expect_loaded(BASE + 0x20fe);
    build();
    elfb_put(&b, 24, 8, BASE + 0x1100);
    expect_refused("kernel: it is to begin at 0x80001100, where it has no instruction");
    elfb_put(&b, 24, 8, BASE + 0x1001);
    expect_refused("kernel: it is to begin at 0x80001001, where it has no instruction");
}

static void test_the_last_byte_of_ram(void **state) {
    uint64_t paddr = ELFB_SEGMENTS_AT + 2 * 56 + 24, size = paddr + 16;
    build();
    elfb_put(&b, paddr, 8, BASE + RAM_BYTES - 0x300);
    expect_loaded(BASE + 0x1010);
    assert_int_equal(ram_bytes[RAM_BYTES - 1], 0);
    build();
    elfb_put(&b, paddr, 8, BASE + RAM_BYTES - 0x300);
    elfb_put(&b, size, 8, 0x301);
    expect_refused("kernel: a segment of it, 0x8000fd00 to 0x80010001, is not in the RAM, "
                   "0x80000000 to 0x80010000");
    elfb_put(&b, paddr, 8, BASE - 1);
    expect_refused("kernel: a segment of it, 0x7fffffff to 0x80000300, is not in the RAM, "
                   "0x80000000 to 0x80010000");
}

static void test_overlapping_segments(void **state) {
    uint64_t paddr = ELFB_SEGMENTS_AT + 2 * 56 + 24;
    build();
    elfb_put(&b, paddr, 8, BASE + 0x1100);
    expect_loaded(BASE + 0x1010);
    build();
    elfb_put(&b, paddr, 8, BASE + 0x10ff);
    expect_refused("kernel: two segments of it overlap at 0x800010ff");
    elfb_put(&b, paddr, 8, BASE + 0x1000 - 0x2ff);
    expect_refused("kernel: two segments of it overlap at 0x80000d01");
}

static const struct {
    uint64_t at;
    unsigned bytes;
    uint64_t value;
    const char *sentence;
} wrong[] = {
    {4, 1, 1, "kernel: not an ELF for RISC-V, 64 bits: it is one of 32 bits"},
    {5, 1, 2, "kernel: not an ELF for RISC-V, 64 bits: it is big-endian"},
    {5, 1, 0, "kernel: its ELF header has an unknown format"},
    {6, 1, 2, "kernel: its ELF header has an unknown format"},
    {18, 2, 62, "kernel: not an ELF for RISC-V, 64 bits: it is for x86-64"},
    {18, 2, 183, "kernel: not an ELF for RISC-V, 64 bits: it is for AArch64"},
    {18, 2, 999, "kernel: not an ELF for RISC-V, 64 bits: it is for machine 999"},
    {16, 2, 1, "kernel: not an executable: it is an object file, before the linker"},
    {16, 2, 4, "kernel: not an executable: it is a core dump"},
    {16, 2, 0, "kernel: not an executable"},
    {32, 8, ELFB_BYTES - 3 * 56 + 1, "kernel: its program headers are out of the file"},
    {32, 8, UINT64_MAX, "kernel: its program headers are out of the file"},
    {56, 2, 0xffff, "kernel: its program headers are out of the file"},
    {54, 2, 55, "kernel: its program headers are out of the file"},
    {56, 2, 0, "kernel: nothing in it is to be loaded"},
    {64 + 8, 8, ELFB_BYTES - 0xff, "kernel: a segment is out of the file, which may be cut off"},
    {64 + 8, 8, UINT64_MAX, "kernel: a segment is out of the file, which may be cut off"},
    {64 + 32, 8, UINT64_MAX, "kernel: a segment is out of the file, which may be cut off"},
    {64 + 40, 8, 0xff, "kernel: a segment has more bytes in the file than in memory"},
    {64 + 24, 8, -0xffull, "kernel: a segment passes the end of all addresses"},
    {64 + 16, 8, -0xffull, "kernel: a segment passes the end of all addresses"},
};

static void test_what_is_wrong_is_said(void **state) {
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        build();
        elfb_put(&b, wrong[i].at, wrong[i].bytes, wrong[i].value);
        expect_refused(wrong[i].sentence);
    }
    build();
    b.size = 63;
    expect_refused("kernel: its ELF header is cut off");
    b.size = ELFB_TEXT_AT + 0x17f;
    expect_refused("kernel: a segment is out of the file, which may be cut off");
    b.size++;
    expect_loaded(BASE + 0x1010);
}

static void test_too_many_segments(void **state) {
    elfb_start(&b, BASE);
    memset(ram_bytes, UNTOUCHED, sizeof(ram_bytes));
    elfb_put(&b, 32, 8, ELFB_FREE_AT);
    for (unsigned i = 0; i <= ELF_SEGMENTS_MAX; i++) {
        uint64_t at = ELFB_FREE_AT + 56 * i;
        elfb_put(&b, at, 4, 1);
        elfb_put(&b, at + 24, 8, BASE + 16 * i);
        elfb_put(&b, at + 40, 8, 16);
    }
    elfb_put(&b, 56, 2, ELF_SEGMENTS_MAX + 1);
    expect_refused("kernel: it has too many segments");
    elfb_put(&b, 56, 2, ELF_SEGMENTS_MAX);
    expect_loaded(BASE);
}

static void test_a_message_is_cut_to_its_buffer(void **state) {
    build();
    b.bytes[4] = 1;
    struct image_file file = file_of();
    struct elf elf;
    char small[10] = "123456789";
    assert_false(elf_open(&elf, &file, small, 9));
    assert_memory_equal(small, "kernel: \0", 10);
}

static void test_flat_images(void **state) {
    build();
    b.size = 0x1800;
    b.bytes[0] = 0;
    expect_loaded(BASE + 0x4000);
    assert_memory_equal(ram_bytes + 0x4000, b.bytes, b.size);
    assert_true(untouched(0, 0x4000) && untouched(0x5800, RAM_BYTES));
    build();
    b.size = 3; /* too short for a magic number */
    expect_loaded(BASE + 0x4000);
    build();
    b.size = 0;
    expect_refused("kernel: it is empty");

    static const uint64_t bad[] = {BASE + RAM_BYTES - 0xfff, BASE - 1, 0, UINT64_MAX};
    struct image_file file = {.name = "initrd", .bytes = b.bytes, .size = 0x1000};
    assert_true(flat_load(&file, &ram, BASE + RAM_BYTES - 0x1000, error, sizeof(error)));
    build();
    for (unsigned i = 0; i < 4; i++) {
        char sentence[100];
        snprintf(sentence, sizeof(sentence),
                 "initrd: its 4096 bytes do not fit into the RAM at 0x%llx",
                 (unsigned long long)bad[i]);
        assert_false(flat_load(&file, &ram, bad[i], error, sizeof(error)));
        assert_string_equal(error, sentence);
        assert_true(untouched(0, RAM_BYTES));
    }
}

/* ---- symbols ---- */
enum { LOCAL_LABEL = 0, LOCAL_DATA = 1, LOCAL_CODE = 2, LABEL = 0x10, DATA = 0x11, CODE = 0x12 };

static void build_symbols(void) {
    build();
    unsigned text = elfb_section(&b, ".text", 1, 0x1000, ELFB_TEXT_AT, 0x100, 0);
    unsigned data = elfb_section(&b, ".data", 8, 0x1100, 0, 0x100, 0);
    elfb_symbol(&b, "", 0, 0, 0, 0);
    elfb_symbol(&b, "vm.c", 4, 0xfff1, 0x1000, 0);
    elfb_symbol(&b, ".text", 3, text, 0x1000, 0);
    elfb_symbol(&b, "$xrv64", LOCAL_LABEL, text, 0x1000, 0);
    elfb_symbol(&b, ".L4", LOCAL_LABEL, text, 0x1004, 0);
    elfb_symbol(&b, "needed", CODE, 0, 0x1008, 8);
    elfb_symbol(&b, "walk", CODE, text, 0x1020, 0x20);
    elfb_symbol(&b, "inner", LABEL, text, 0x1030, 0);
    elfb_symbol(&b, "start", LABEL, text, 0x1000, 0);
    elfb_symbol(&b, "spin", LOCAL_LABEL, text, 0x1010, 0);
    elfb_symbol(&b, "alias", LOCAL_CODE, text, 0x1020, 0x10);
    elfb_symbol(&b, "helper", LOCAL_CODE, text, 0x1080, 0x10);
    elfb_symbol(&b, "helper", LOCAL_CODE, text, 0x1060, 0x10);
    elfb_symbol(&b, "twice", LOCAL_CODE, text, 0x10a0, 0x10);
    elfb_symbol(&b, "again", LOCAL_CODE, text, 0x10a0, 0x10);
    elfb_symbol(&b, "etext", LABEL, text, 0x1100, 0);
    elfb_symbol(&b, "table", DATA, data, 0x1140, 0x40);
    elfb_symbol(&b, "end", LABEL, data, 0x1180, 0);
    elfb_symbol(&b, "constant", LABEL, 0xfff1, 0x1148, 0);
    elfb_symbol(&b, "count", LOCAL_DATA, data, 0x10, 8);
    elfb_symbol(&b, "count", DATA, data, 0x1200, 8);
    elfb_symbol(&b, "last", DATA, data, UINT64_MAX - 3, 8);
}

static struct symbols read_symbols(void) {
    struct image_file file = file_of();
    struct elf elf;
    struct symbols symbols;
    assert_true(elf_open(&elf, &file, error, sizeof(error)));
    assert_true(symbols_read(&symbols, &elf));
    return symbols;
}

static void test_symbols_by_address(void **state) {
    static const struct {
        uint64_t address;
        const char *name; /* NULL: none */
        uint64_t offset;
    } places[] = {
        {0, NULL, 0},
        {0xf, NULL, 0},
        {0x17, "count", 7},
        {0x18, NULL, 0},
        {0xfff, NULL, 0},
        {0x1000, "start", 0},
        {0x100f, "start", 15},
        {0x1010, "spin", 0},
        {0x1020, "walk", 0},
        {0x102f, "walk", 15},
        {0x1030, "walk", 16},
        {0x103f, "walk", 31},
        {0x1040, NULL, 0},
        {0x1060, "helper", 0},
        {0x1090, NULL, 0},
        {0x10a4, "twice", 4},
        {0x1100, NULL, 0},
        {0x1140, "table", 0},
        {0x1150, "table", 16},
        {0x117f, "table", 63},
        {0x1180, "end", 0},
        {0x11ff, "end", 0x7f},
        {0x1200, "count", 0},
        {UINT64_MAX - 4, NULL, 0},
        {UINT64_MAX - 1, "last", 2},
    };
    build_symbols();
    struct symbols symbols = read_symbols();
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint64_t offset = 77;
        const char *name = symbols_find(&symbols, places[i].address, &offset);
        if (!places[i].name) {
            assert_null(name);
            assert_int_equal(offset, 77);
        } else {
            assert_non_null(name);
            assert_string_equal(name, places[i].name);
            assert_int_equal(offset, places[i].offset);
        }
    }
    symbols_free(&symbols);
    assert_null(symbols.list);
}

static void test_symbols_by_name(void **state) {
    static const struct {
        const char *name;
        uint64_t value;
    } known[] = {{"walk", 0x1020},  {"inner", 0x1030},    {"spin", 0x1010}, {"helper", 0x1060},
                 {"count", 0x1200}, {"constant", 0x1148}, {"etext", 0x1100}};
    static const char *const unknown[] = {"needed", "$xrv64", ".L4", "vm.c", ".text", "", "wal"};
    build_symbols();
    struct symbols symbols = read_symbols();
    uint64_t value;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_true(symbols_address(&symbols, known[i].name, &value));
        assert_int_equal(value, known[i].value);
    }
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        value = 77;
        assert_false(symbols_address(&symbols, unknown[i], &value));
        assert_int_equal(value, 77);
    }
    symbols_free(&symbols);
}

static void test_no_symbols(void **state) {
    /* What is damaged: the headers' place, their size, their number, the names, the table. */
    static const struct {
        uint64_t at;
        unsigned bytes;
        uint64_t value;
    } damages[] = {{40, 8, ELFB_BYTES},
                   {40, 8, UINT64_MAX},
                   {58, 2, 63},
                   {60, 2, 0},
                   {62, 2, 5},
                   {ELFB_SECTIONS_AT + 64 + 4, 4, 1},
                   {ELFB_SECTIONS_AT + 64 + 24, 8, UINT64_MAX},
                   {ELFB_SECTIONS_AT + 128 + 4, 4, 8},
                   {ELFB_SECTIONS_AT + 128 + 8, 8, ELF_COMPRESSED},
                   {ELFB_SECTIONS_AT + 128 + 24, 8, ELFB_BYTES - 24 * ELFB_SYMBOLS + 1},
                   {ELFB_SECTIONS_AT + 128 + 40, 4, 5}};
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        build_symbols();
        elfb_put(&b, damages[i].at, damages[i].bytes, damages[i].value);
        struct symbols symbols = read_symbols();
        uint64_t value;
        assert_int_equal(symbols.count, 0);
        assert_false(symbols_address(&symbols, "walk", &value));
        assert_null(symbols_find(&symbols, 0x1020, &value));
        symbols_free(&symbols);
    }
}

static void test_sections(void **state) {
    build_symbols();
    struct image_file file = file_of();
    struct elf elf;
    assert_true(elf_open(&elf, &file, error, sizeof(error)));
    struct reader text = elf_section_bytes(&elf, ".text");
    assert_ptr_equal(text.at, b.bytes + ELFB_TEXT_AT);
    assert_int_equal(text.left, 0x100);
    assert_int_equal(elf_section_bytes(&elf, ".data").left, 0); /* not in the file */
    assert_int_equal(elf_section_bytes(&elf, ".tex").left, 0);
    struct elf_section section;
    assert_true(elf_section(&elf, b.sections - 1, &section));
    assert_int_equal(section.address, 0x1100);
    assert_int_equal(section.size, 0x100);
    assert_false(elf_section(&elf, b.sections, &section));
}

/* ---- what has no meaning ---- */
static bool less_number(const void *a, const void *b) { return *(uint16_t *)a < *(uint16_t *)b; }

static void test_sort(void **state) {
    for (unsigned count = 0; count < 200; count++) {
        uint16_t numbers[200];
        unsigned seen[8] = {0}, range = count % 3 ? 8 : 1;
        for (unsigned i = 0; i < count; i++)
            seen[numbers[i] = (uint16_t)(random64() % range)]++;
        sort(numbers, count, sizeof(numbers[0]), less_number);
        for (unsigned i = 0; i < count; i++) {
            assert_true(i == 0 || numbers[i - 1] <= numbers[i]);
            seen[numbers[i]]--;
        }
        for (unsigned i = 0; i < 8; i++)
            assert_int_equal(seen[i], 0);
    }
}

static void try_all(const struct image_file *file, unsigned *taken) {
    struct elf elf;
    struct symbols symbols;
    uint64_t entry, value;
    *taken += image_load(file, &ram, BASE + 0x4000, &entry, error, sizeof(error));
    if (!elf_open(&elf, file, error, sizeof(error)))
        return;
    elf_section_bytes(&elf, ".symtab");
    assert_true(symbols_read(&symbols, &elf));
    for (size_t i = 0; i < symbols.count; i++) {
        assert_true(symbols_address(&symbols, symbols.list[i].name, &value));
        symbols_find(&symbols, symbols.list[i].address + random64() % 32, &value);
    }
    symbols_free(&symbols);
}

/* In an allocation of exactly its size, watched by the address sanitizer. */
static void damaged(uint64_t size, unsigned changes, unsigned *taken) {
    static const uint64_t odd[] = {0, 1, 64, 0xff, 0xfff0, 0x7fffffff, UINT64_MAX, 1ull << 63};
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, b.bytes, size);
    for (; size >= 8 && changes > 0; changes--) {
        uint64_t at = random64() % (size - 7), value = odd[random64() % 8];
        unsigned bytes = 1 << random64() % 4;
        if (random64() % 2) /* the headers, most of all */
            at = random64() % 2 ? at % 256 : ELFB_SECTIONS_AT + at % 320;
        value = random64() % 2 ? random64() : value;
        for (unsigned i = 0; i < bytes && at + i < size; i++)
            copy[at + i] = (uint8_t)(value >> 8 * i);
    }
    struct image_file file = {.name = "damaged", .bytes = copy, .size = size};
    try_all(&file, taken);
    free(copy);
}

static void test_damaged_files(void **state) {
    unsigned taken = 0;
    build_symbols();
    for (uint64_t size = 0; size < ELFB_FREE_AT; size++)
        damaged(size, 0, &taken);
    for (unsigned i = 0; i < 20000; i++)
        damaged(i % 4 ? ELFB_FREE_AT : random64() % ELFB_FREE_AT, 1 + i % 5, &taken);
    assert_true(taken > 2000 && taken < 24000);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_segments_are_placed),
                                       cmocka_unit_test(test_entry),
                                       cmocka_unit_test(test_the_last_byte_of_ram),
                                       cmocka_unit_test(test_overlapping_segments),
                                       cmocka_unit_test(test_what_is_wrong_is_said),
                                       cmocka_unit_test(test_too_many_segments),
                                       cmocka_unit_test(test_a_message_is_cut_to_its_buffer),
                                       cmocka_unit_test(test_flat_images),
                                       cmocka_unit_test(test_symbols_by_address),
                                       cmocka_unit_test(test_symbols_by_name),
                                       cmocka_unit_test(test_no_symbols),
                                       cmocka_unit_test(test_sections),
                                       cmocka_unit_test(test_sort),
                                       cmocka_unit_test(test_damaged_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
