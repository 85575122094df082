/* ELF files that must run: segments of each kind, wherever the format permits them (ELF-64 object
 * file format 1.5; RISC-V psABI). */
#include "elffile.h"

PROGRAM(e42, "li a0, 42\n li a7, 2\n ecall\n");
/* Writes its own text, here at 0, and exits with what it reads back. */
PROGRAM(self_writing, "li t0, 42\n sw t0, 0(zero)\n fence\n lw a0, 0(zero)\n li a7, 2\n ecall\n");
/* Exits with 1 when a byte behind its code, up to 8192, is not zero; writes there. */
PROGRAM(check_bss, "lla t0, 9f\n li t1, 8192\n li a0, 0\n"
                   "1: lbu t2, 0(t0)\n or a0, a0, t2\n sb t1, 0(t0)\n addi t0, t0, 1\n"
                   "blt t0, t1, 1b\n snez a0, a0\n li a7, 2\n ecall\n 9:\n");
/* Reads the word at 4096 and exits with it. */
PROGRAM(read_data, "lui t0, 1\n lw a0, 0(t0)\n sw zero, 0(t0)\n lw t1, 0(t0)\n add a0, a0, t1\n"
                   "li a7, 2\n ecall\n");
/* Jumps to the word at 4096. */
PROGRAM(jump_data, "lui t0, 1\n fence.i\n jr t0\n");
/* Exits with 1 when a byte of its page that is not its own is not zero. */
PROGRAM(check_page, "8: lla t0, 8b\n lla t3, 9f\n lui t1, 0xfffff\n and t1, t0, t1\n"
                    "lui t4, 1\n add t4, t1, t4\n li a0, 0\n"
                    "1: lbu t2, 0(t1)\n or a0, a0, t2\n addi t1, t1, 1\n bltu t1, t0, 1b\n"
                    "2: lbu t2, 0(t3)\n or a0, a0, t2\n addi t3, t3, 1\n bltu t3, t4, 2b\n"
                    "snez a0, a0\n li a7, 2\n ecall\n 9:\n");
/* Exits with the word 4096 bytes behind its start. */
PROGRAM(read_word, "8: lla t0, 8b\n lui t1, 1\n add t0, t0, t1\n lw a0, 0(t0)\n"
                   "sw zero, 0(t0)\n li a7, 2\n ecall\n");
/* Exits with the sum of 1024 words, each of 8 bytes, 256 bytes behind its start, modulo 251. */
PROGRAM(sum_words, "8: lla t0, 8b\n addi t0, t0, 256\n li t1, 1024\n li a0, 0\n"
                   "1: ld t2, 0(t0)\n add a0, a0, t2\n addi t0, t0, 8\n addi t1, t1, -1\n"
                   "bnez t1, 1b\n li t1, 251\n rem a0, a0, t1\n li a7, 2\n ecall\n");
PROGRAM(load_4096, "lui t0, 1\n lw a0, 0(t0)\n li a0, 42\n li a7, 2\n ecall\n");

static void permissions(void) {
    MAKE(e42, R | X);
    CHECK_EQ(elf_run(elf_size()), 42);
    MAKE(e42, R | W | X);
    CHECK_EQ(elf_run(elf_size()), 42);
    for (unsigned flags = R; flags <= (R | W); flags += W) { /* refused, or killed at once */
        MAKE(e42, flags);
        int status = elf_run(elf_size());
        CHECK_MSG(status == KILLED || status == EXEC_FAILED, "flags %u: status %d", flags, status);
    }
    MAKE(self_writing, R | W | X);
    CHECK_EQ(elf_run(elf_size()), 42);
    MAKE(self_writing, R | X);
    CHECK_EQ(elf_run(elf_size()), KILLED);
}

static void two_segments(void) {
    MAKE(read_data, R | X);
    elf_add_data(R | W, 77, 4);
    CHECK_EQ(elf_run(BODY + 8192), 77);
    CHECK_EQ(elf_run(BODY + 8192), 77);
    MAKE(read_data, R | X);
    elf_add_data(R, 77, 4);
    CHECK_EQ(elf_run(BODY + 8192), KILLED);
    MAKE(jump_data, R | X);
    elf_add_data(R | W, 0x00008067, 4);
    CHECK_EQ(elf_run(BODY + 8192), KILLED);
    MAKE(load_4096, R | X);
    CHECK_EQ(elf_run(BODY + 8192), KILLED);
    elf_add_data(R | W, 1, 5 * 4096);
    CHECK_EQ(elf_run(BODY + 8192), 42);
}

/* Programs that write their data or their text, run again from the same file:
 * what a process writes is its own, and neither the file's nor the next one's. */
static void written_pages_are_private(void) {
    MAKE(read_data, R | X);
    elf_add_data(R | W, 77, 3 * 4096);
    elf_save("p", BODY + 8192);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(run_program("p", NULL), 77);
    MAKE(self_writing, R | W | X);
    elf_save("p", elf_size());
    for (int i = 0; i < 4; i++)
        CHECK_EQ(run_program("p", NULL), 42);
    MAKE(check_bss, R | W | X);
    elf.ph[0].memsz = 8192;
    elf_save("p", BODY + elf.ph[0].filesz);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(run_program("p", NULL), 0);
}

/* What lies in the file behind a segment's bytes does not show in memory. */
static void zero_filled(void) {
    MAKE(check_bss, R | W | X);
    memset(elf.body + elf.ph[0].filesz, 0xff, sizeof(elf.body) - elf.ph[0].filesz);
    elf.ph[0].memsz = 8192;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(elf_run(sizeof(elf)), 0);
    elf.ph[0].offset = 4096;
    memmove((char *)&elf + 4096, elf.body, 4096);
    CHECK_EQ(elf_run(sizeof(elf)), 0);
}

/* Addresses in the middle of a page, as far into it as the offset in the file is. What is on
 * their pages in front and behind is the file's, or zero if zeros are wanted behind. */
static void unaligned_segments(void) {
    const uint64_t into = BODY % 4096;
    MAKE(check_page, R | X);
    memset(elf.body + elf.ph[0].filesz, 0xff, sizeof(elf.body) - elf.ph[0].filesz);
    for (int page = 0; page < 3; page++) {
        elf.eh.entry = elf.ph[0].vaddr = page * 4096ul + into;
        elf.ph[0].memsz = elf.ph[0].filesz;
        CHECK_EQ(elf_run(sizeof(elf)), 1);
        elf.ph[0].memsz++;
        CHECK_EQ(elf_run(sizeof(elf)), 0);
    }
    MAKE(read_word, R | X);
    elf_add_data(R | W, 77, 3 * 4096);
    elf.eh.entry = elf.ph[0].vaddr = into;
    elf.ph[1].vaddr = 4096 + into;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(elf_run(BODY + 8192), 77);
    elf.ph[1].vaddr = into + 256; /* on the text's page */
    elf.ph[1].offset += 256;
    CHECK_EQ(elf_run(BODY + 8192), EXEC_FAILED);
}

/* Bytes of the file that cross a page's border in memory. */
static void unaligned_segment_of_pages(void) {
    const uint64_t into = BODY % 4096;
    MAKE(sum_words, R | W | X);
    for (unsigned i = 0; i < 1024; i++)
        memcpy(elf.body + 256 + 8 * i, &i, 4);
    elf.ph[0].filesz = elf.ph[0].memsz = 256 + 8 * 1024;
    elf.eh.entry = elf.ph[0].vaddr = 4096 + into;
    CHECK_EQ(elf_run(sizeof(elf)), (1023 * 1024 / 2) % 251);
}

static void other_segments_are_skipped(void) {
    static const uint32_t types[] = {PT_NULL,    PT_NOTE, PT_RISCV_ATTRIBUTES,
                                     0x6474e551, 6,       0x12345678};
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        MAKE(e42, R | X);
        struct phdr junk = {.type = types[i], .vaddr = 0xfffffffffffff123ULL, .filesz = 1ULL << 60};
        elf.ph[1] = elf.ph[0];
        elf.ph[0] = elf.ph[2] = junk;
        elf.eh.phnum = 3;
        CHECK_EQ(elf_run(BODY + 200), 42);
    }
}

static void empty_segment(void) {
    MAKE(e42, R | X);
    elf_add_data(R | W, 0, 0);
    elf.ph[1].filesz = 0;
    CHECK_EQ(elf_run(elf_size()), 42);
}

/* Program headers elsewhere in the file, and a start that is not at 0. */
static void headers_behind(void) {
    MAKE(e42, R | X);
    struct phdr ph = elf.ph[0];
    memset(elf.ph, 0xff, sizeof(elf.ph));
    memmove(elf.body + 2000, elf.body, 100);
    memset(elf.body, 0, 2000);
    ph.filesz = ph.memsz = 2100;
    elf.eh.entry = 2000;
    memcpy(elf.body + 3001, &ph, sizeof(ph));
    elf.eh.phoff = BODY + 3001;
    CHECK_EQ(elf_run(BODY + 3001 + sizeof(ph)), 42);
}

const struct test elf_tests[] = {
    {"elf_permissions", permissions, false},
    {"elf_two_segments", two_segments, false},
    {"elf_written_pages_are_private", written_pages_are_private, false},
    {"elf_zero_filled", zero_filled, false},
    {"elf_unaligned_segments", unaligned_segments, false},
    {"elf_unaligned_segment_of_pages", unaligned_segment_of_pages, false},
    {"elf_other_segments_are_skipped", other_segments_are_skipped, false},
    {"elf_empty_segment", empty_segment, false},
    {"elf_headers_behind", headers_behind, false},
    {0},
};
