/* ELF files: those that must run, and the malformed ones that must not (ELF-64
 * object file format 1.5; RISC-V psABI). A file is built here, one field is made
 * wrong, and a process tries to execute it and then must go on unharmed. */
#include "test.h"
#include <string.h>

struct ehdr {
    unsigned char ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
struct phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
_Static_assert(sizeof(struct ehdr) == 64 && sizeof(struct phdr) == 56, "as the format has them");
enum { PT_NULL = 0, PT_LOAD = 1, PT_NOTE = 4, PT_RISCV_ATTRIBUTES = 0x70000003 };
enum { R = 4, W = 2, X = 1 };

/* Headers in front, like older toolchains link small programs: the segment's
 * offset is not on a page border. */
static struct {
    struct ehdr eh;
    struct phdr ph[3];
    char body[3 * 4096];
} file;
#define BODY offsetof(__typeof__(file), body)

static void make(const char *code, unsigned n, unsigned flags) {
    memset(&file, 0, sizeof(file));
    file.eh = (struct ehdr){
        .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
        .type = 2,
        .machine = 243,
        .version = 1,
        .phoff = sizeof(struct ehdr),
        .ehsize = sizeof(struct ehdr),
        .phnum = 1,
        .phentsize = sizeof(struct phdr),
        .shentsize = 64,
    };
    file.ph[0] = (struct phdr){
        .type = PT_LOAD, .flags = flags, .offset = BODY, .filesz = n, .memsz = n, .align = 4096};
    memcpy(file.body, code, n);
}
#define MAKE(program, flags) \
    make(program_##program, program_##program##_end - program_##program, flags)

static void save(const char *path, unsigned n) {
    int fd = must_open(path, ABI_O_CREATE | ABI_O_WRONLY | ABI_O_TRUNC);
    write_all(fd, &file, n);
    must_close(fd);
}

/* Headers and code, and some bytes after it that belong to no segment. */
static unsigned file_size(void) { return BODY + file.ph[0].filesz + 8; }

void write_program(const char *path, const char *code, const char *end, unsigned flags) {
    make(code, end - code, flags);
    save(path, file_size());
}

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

static int run(unsigned n) {
    save("p", n);
    return run_program("p", NULL);
}

/* ---- files that run ---- */
static void permissions(void) {
    MAKE(e42, R | X);
    CHECK_EQ(run(file_size()), 42);
    MAKE(e42, R | W | X);
    CHECK_EQ(run(file_size()), 42);
    for (unsigned flags = R; flags <= (R | W); flags += W) { /* refused, or killed at once */
        MAKE(e42, flags);
        int status = run(file_size());
        CHECK_MSG(status == KILLED || status == EXEC_FAILED, "flags %u: status %d", flags, status);
    }
    MAKE(self_writing, R | W | X);
    CHECK_EQ(run(file_size()), 42);
    MAKE(self_writing, R | X);
    CHECK_EQ(run(file_size()), KILLED);
}

/* A second segment at 4096 with these flags and this word in it. */
static void add_data(unsigned flags, uint32_t word, uint64_t memsz) {
    file.eh.phnum = 2;
    file.ph[1] = (struct phdr){.type = PT_LOAD,
                               .flags = flags,
                               .offset = BODY + 4096,
                               .vaddr = 4096,
                               .filesz = 4,
                               .memsz = memsz,
                               .align = 4096};
    memcpy(file.body + 4096, &word, 4);
}

static void two_segments(void) {
    MAKE(read_data, R | X);
    add_data(R | W, 77, 4);
    CHECK_EQ(run(BODY + 8192), 77);
    CHECK_EQ(run(BODY + 8192), 77);
    MAKE(read_data, R | X);
    add_data(R, 77, 4);
    CHECK_EQ(run(BODY + 8192), KILLED);
    MAKE(jump_data, R | X);
    add_data(R | W, 0x00008067, 4);
    CHECK_EQ(run(BODY + 8192), KILLED);
    MAKE(load_4096, R | X);
    CHECK_EQ(run(BODY + 8192), KILLED);
    add_data(R | W, 1, 5 * 4096);
    CHECK_EQ(run(BODY + 8192), 42);
}

/* Programs that write their data or their text, run again from the same file:
 * what a process writes is its own, and neither the file's nor the next one's. */
static void written_pages_are_private(void) {
    MAKE(read_data, R | X);
    add_data(R | W, 77, 3 * 4096);
    save("p", BODY + 8192);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(run_program("p", NULL), 77);
    MAKE(self_writing, R | W | X);
    save("p", file_size());
    for (int i = 0; i < 4; i++)
        CHECK_EQ(run_program("p", NULL), 42);
    MAKE(check_bss, R | W | X);
    file.ph[0].memsz = 8192;
    save("p", BODY + file.ph[0].filesz);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(run_program("p", NULL), 0);
}

/* What lies in the file behind a segment's bytes does not show in memory. */
static void zero_filled(void) {
    MAKE(check_bss, R | W | X);
    memset(file.body + file.ph[0].filesz, 0xff, sizeof(file.body) - file.ph[0].filesz);
    file.ph[0].memsz = 8192;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(run(sizeof(file)), 0);
    file.ph[0].offset = 4096;
    memmove((char *)&file + 4096, file.body, 4096);
    CHECK_EQ(run(sizeof(file)), 0);
}

/* Addresses in the middle of a page, as far into it as the offset in the file is. What is on
 * their pages in front and behind is zero. */
static void unaligned_segments(void) {
    const uint64_t into = BODY % 4096;
    MAKE(check_page, R | X);
    memset(file.body + file.ph[0].filesz, 0xff, sizeof(file.body) - file.ph[0].filesz);
    for (int page = 0; page < 3; page++) {
        file.eh.entry = file.ph[0].vaddr = page * 4096ul + into;
        CHECK_EQ(run(sizeof(file)), 0);
    }
    MAKE(read_word, R | X);
    add_data(R | W, 77, 3 * 4096);
    file.eh.entry = file.ph[0].vaddr = into;
    file.ph[1].vaddr = 4096 + into;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(run(BODY + 8192), 77);
    file.ph[1].vaddr = into + 256; /* on the text's page */
    file.ph[1].offset += 256;
    CHECK_EQ(run(BODY + 8192), EXEC_FAILED);
}

/* Bytes of the file that cross a page's border in memory. */
static void unaligned_segment_of_pages(void) {
    const uint64_t into = BODY % 4096;
    MAKE(sum_words, R | W | X);
    for (unsigned i = 0; i < 1024; i++)
        memcpy(file.body + 256 + 8 * i, &i, 4);
    file.ph[0].filesz = file.ph[0].memsz = 256 + 8 * 1024;
    file.eh.entry = file.ph[0].vaddr = 4096 + into;
    CHECK_EQ(run(sizeof(file)), (1023 * 1024 / 2) % 251);
}

static void other_segments_are_skipped(void) {
    static const uint32_t types[] = {PT_NULL,    PT_NOTE, PT_RISCV_ATTRIBUTES,
                                     0x6474e551, 6,       0x12345678};
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        MAKE(e42, R | X);
        struct phdr junk = {.type = types[i], .vaddr = 0xfffffffffffff123ULL, .filesz = 1ULL << 60};
        file.ph[1] = file.ph[0];
        file.ph[0] = file.ph[2] = junk;
        file.eh.phnum = 3;
        CHECK_EQ(run(BODY + 200), 42);
    }
}

static void empty_segment(void) {
    MAKE(e42, R | X);
    add_data(R | W, 0, 0);
    file.ph[1].filesz = 0;
    CHECK_EQ(run(file_size()), 42);
}

/* Program headers elsewhere in the file, and a start that is not at 0. */
static void headers_behind(void) {
    MAKE(e42, R | X);
    struct phdr ph = file.ph[0];
    memset(file.ph, 0xff, sizeof(file.ph));
    memmove(file.body + 2000, file.body, 100);
    memset(file.body, 0, 2000);
    ph.filesz = ph.memsz = 2100;
    file.eh.entry = 2000;
    memcpy(file.body + 3001, &ph, sizeof(ph));
    file.eh.phoff = BODY + 3001;
    CHECK_EQ(run(BODY + 3001 + sizeof(ph)), 42);
}

/* ---- files that do not ---- */
struct mutation {
    const char *what;
    unsigned offset, width;
    uint64_t value;
    enum { ITSELF, FROM_LIMIT, FROM_HALF, FROM_TWICE_HALF } counted; /* from where */
};
#define EH(member, value) \
    { \
        "e_" #member " = " #value, offsetof(struct ehdr, member), \
            sizeof(((struct ehdr *)0)->member), value, ITSELF \
    }
#define PH(member, value) \
    { \
        "p_" #member " = " #value, sizeof(struct ehdr) + offsetof(struct phdr, member), \
            sizeof(((struct phdr *)0)->member), value, ITSELF \
    }

/* Where a process's addresses end, where the low half does, and twice as far: bits that no table
 * looks at, so that a careless walk would be at 0. */
#define EH_AT(member, from, value) \
    { \
        "e_" #member " = " #from " " #value, offsetof(struct ehdr, member), \
            sizeof(((struct ehdr *)0)->member), value, from \
    }
#define PH_AT(member, from, value) \
    { \
        "p_" #member " = " #from " " #value, sizeof(struct ehdr) + offsetof(struct phdr, member), \
            sizeof(((struct phdr *)0)->member), value, from \
    }

static const struct mutation refused[] = {
    {"magic, byte 0", 0, 1, 0x7e, ITSELF},
    {"magic, byte 1", 1, 1, 'e', ITSELF},
    {"magic, byte 2", 2, 1, 0, ITSELF},
    {"magic, byte 3", 3, 1, 'G', ITSELF},
    {"32 bits", 4, 1, 1, ITSELF},
    {"class 0", 4, 1, 0, ITSELF},
    {"big-endian", 5, 1, 2, ITSELF},
    EH(machine, 62),
    EH(machine, 0),
    EH(type, 1),
    EH(type, 4),
    EH(type, 0),
    EH(phentsize, 0),
    EH(phentsize, 55),
    EH(phentsize, 32),
    EH(phentsize, 0xffff),
    EH(phoff, 1 << 20),
    EH(phoff, 1ULL << 32),
    EH(phoff, 1ULL << 63),
    EH(phoff, 0xffffffffffffffc8ULL),
    EH(phoff, 0xffffffffffffffffULL),
    EH(phnum, 0xffff),
    PH(offset, 1 << 20),
    PH(offset, 1ULL << 32),
    PH(offset, 1ULL << 63),
    PH(offset, 0xfffffffffffffff0ULL),
    PH(offset, 0xffffffffffffffffULL),
    PH(filesz, 1 << 20),
    PH(filesz, 1ULL << 32),
    PH(filesz, 1ULL << 63),
    PH(filesz, 0xffffffffffffffffULL),
    PH(memsz, 0),
    PH(memsz, 1),
    PH_AT(memsz, FROM_HALF, 0),
    PH_AT(memsz, FROM_TWICE_HALF, 0),
    PH(memsz, 1ULL << 63),
    PH_AT(memsz, FROM_LIMIT, 0),
    PH_AT(memsz, FROM_LIMIT, -1ULL * PAGE),
    PH_AT(memsz, FROM_LIMIT, -2ULL * PAGE),
    PH(memsz, 0xfffffffffffff000ULL),
    PH(memsz, 0xffffffffffffffffULL),
    PH(vaddr, 1),
    PH(vaddr, 8),
    PH(vaddr, 0x800),
    PH(vaddr, 0xfff),
    PH(vaddr, 0x1001),
    PH_AT(vaddr, FROM_LIMIT, 0),
    PH_AT(vaddr, FROM_LIMIT, -1ULL * PAGE),
    PH_AT(vaddr, FROM_HALF, -2ULL * PAGE), /* trapframe */
    PH_AT(vaddr, FROM_HALF, -1ULL * PAGE), /* trampoline */
    PH_AT(vaddr, FROM_HALF, 0),
    PH_AT(vaddr, FROM_TWICE_HALF, 0),
    PH(vaddr, 1ULL << 63),
    PH(vaddr, 0xffffffc000000000ULL),
    PH(vaddr, 0xffffffc080200000ULL),
    PH(vaddr, 0xfffffffffffff000ULL),
};

/* Refused when it is executed, or killed when it runs, or even runs to some
 * end: all are right, as long as nobody else is harmed. */
static const struct mutation harmless[] = {
    EH(entry, 1),
    EH(entry, 2),
    EH(entry, 0x1000),
    EH(entry, 0x80000000),
    EH_AT(entry, FROM_LIMIT, 0),
    EH_AT(entry, FROM_HALF, -1ULL * PAGE),
    EH_AT(entry, FROM_HALF, 0),
    EH(entry, 0xffffffc080200000ULL),
    EH(entry, 0xffffffffffffffffULL),
    EH(phnum, 0),
    PH(type, 0),
    PH(vaddr, 0x1000),
    PH(vaddr, 0x80000000),
    PH(flags, 0),
    PH(flags, 2),
    PH(flags, 0xfffffff8),
    PH(filesz, 0),
    PH(filesz, 1),
    EH(version, 0),
    EH(ehsize, 0),
    EH(flags, 0xffffffff),
    EH(phnum, 2),
    EH(phnum, 3),
    PH(memsz, 64 << 20),
    PH(align, 3),
    PH(paddr, 0xffffffffffffffffULL),
};

static void mutate(const struct mutation *m) {
    const uint64_t from[] = {0, USER_LIMIT, LOW_HALF_END, 2 * LOW_HALF_END};
    uint64_t value = from[m->counted] + m->value;
    memcpy((char *)&file + m->offset, &value, m->width);
}

/* Tries to execute p; exits with 3 when that failed and nothing changed. */
static void try_it(uint64_t unused) {
    char *argv[] = {"p", "an argument", NULL};
    char *heap = must_sbrk(3 * PAGE);
    fill(heap, 3 * PAGE, 9);
    int r = sys_exec("p", argv);
    CHECK_EQ(r, -1);
    int fd[2];
    must_pipe(fd);
    write_all(fd[1], heap + PAGE - 50, 100);
    read_all(fd[0], heap + 2 * PAGE, 100);
    CHECK(memcmp(heap + 2 * PAGE, heap + PAGE - 50, 100) == 0);
    CHECK(filled(heap, 2 * PAGE, 9));
    must_sbrk(PAGE)[0] = 1;
    sys_exit(3);
}

static void refused_files(void) {
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        MAKE(e42, R | W | X); /* with W, since zeros that stay zeros may be as many as one likes */
        mutate(&refused[i]);
        save("p", BODY + 64);
        int status = run_child(try_it, 0);
        CHECK_MSG(status == 3, "%s: status %d", refused[i].what, status);
    }
}

/* The same fields wrong in a second header: the first segment is there by then. */
static void refused_second_segment(void) {
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (refused[i].offset < sizeof(struct ehdr))
            continue;
        MAKE(e42, R | X);
        add_data(R | W, 5, 4096);
        struct mutation m = refused[i];
        m.offset += sizeof(struct phdr);
        mutate(&m);
        save("p", BODY + 8192);
        int status = run_child(try_it, 0);
        CHECK_MSG(status == 3, "second segment, %s: status %d", m.what, status);
    }
}

static void truncated_files(void) {
    static const unsigned sizes[] = {0, 1, 3, 4, 5, 16, 40, 63, 64, 65, 100, 119};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        MAKE(e42, R | X);
        save("p", sizes[i]);
        CHECK_MSG(run_child(try_it, 0) == 3, "%u bytes", sizes[i]);
    }
    for (unsigned cut = 1; cut <= file.ph[0].filesz; cut++) {
        MAKE(e42, R | X);
        save("p", BODY + file.ph[0].filesz - cut);
        CHECK_MSG(run_child(try_it, 0) == 3, "%u bytes cut off", cut);
    }
}

static void harmless_files(void) {
    for (unsigned i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        MAKE(e42, R | X);
        mutate(&harmless[i]);
        save("p", BODY + 64);
        run_program("p", NULL);
        MAKE(e42, R | X);
        CHECK_MSG(run(BODY + 64) == 42, "after %s a good file does not run", harmless[i].what);
    }
}

/* Segments over one another, and in the wrong order. */
static void overlapping_segments(void) {
    MAKE(e42, R | X);
    file.ph[1] = file.ph[0];
    file.ph[1].flags = R | W;
    file.eh.phnum = 2;
    int status = run(file_size());
    CHECK_MSG(status == EXEC_FAILED || status == KILLED || status == 42, "status %d", status);
    MAKE(read_data, R | X);
    add_data(R | W, 78, 4);
    struct phdr ph = file.ph[0];
    file.ph[0] = file.ph[1];
    file.ph[1] = ph;
    status = run(BODY + 8192);
    CHECK_MSG(status == EXEC_FAILED || status == 78, "status %d", status);
}

/* Headers of random bytes: no such file may do harm. */
static void random_headers(void) {
    uint32_t state = 12345;
    for (int i = 0; i < 60; i++) {
        MAKE(e42, R | X);
        add_data(R | W, 5, 4096);
        for (int n = 1 + next_random(&state) % 4; n > 0; n--) {
            unsigned at = 16 + next_random(&state) %
                                   (sizeof(struct ehdr) + 2 * sizeof(struct phdr) - 16);
            ((unsigned char *)&file)[at] = next_random(&state) >> 8;
        }
        save("p", BODY + 4200);
        run_program("p", NULL);
    }
    MAKE(e42, R | X);
    CHECK_EQ(run(BODY + 64), 42);
}

/* This program's own file, cut at some lengths. */
static void truncated_copy(void) {
    struct stat st;
    must_stat(SELF, &st);
    for (unsigned n = 1024; n < 16 * 1024 && n < st.size; n += 5 * 1024 - 8) {
        int in = must_open(SELF, ABI_O_RDONLY);
        read_all(in, scratch, n);
        must_close(in);
        int out = must_open("p", ABI_O_CREATE | ABI_O_WRONLY | ABI_O_TRUNC);
        write_all(out, scratch, n);
        must_close(out);
        CHECK_MSG(run_child(try_it, 0) == 3, "the first %u bytes run", n);
    }
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
    {"elf_refused_files", refused_files, false},
    {"elf_refused_second_segment", refused_second_segment, false},
    {"elf_truncated_files", truncated_files, false},
    {"elf_harmless_files", harmless_files, false},
    {"elf_overlapping_segments", overlapping_segments, false},
    {"elf_random_headers", random_headers, false},
    {"elf_truncated_copy", truncated_copy, false},
    {0},
};
