/* ELF files that must not run, or may, but harm nobody: one field of a good one is made wrong, and
 * a process tries to execute it and then must go on unharmed. */
#include "elffile.h"

PROGRAM(e42, "li a0, 42\n li a7, 2\n ecall\n");
/* Reads the word at 4096 and exits with it. */
PROGRAM(read_data, "lui t0, 1\n lw a0, 0(t0)\n sw zero, 0(t0)\n lw t1, 0(t0)\n add a0, a0, t1\n"
                   "li a7, 2\n ecall\n");

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
    memcpy((char *)&elf + m->offset, &value, m->width);
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
        elf_save("p", BODY + 64);
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
        elf_add_data(R | W, 5, 4096);
        struct mutation m = refused[i];
        m.offset += sizeof(struct phdr);
        mutate(&m);
        elf_save("p", BODY + 8192);
        int status = run_child(try_it, 0);
        CHECK_MSG(status == 3, "second segment, %s: status %d", m.what, status);
    }
}

static void truncated_files(void) {
    static const unsigned sizes[] = {0, 1, 3, 4, 5, 16, 40, 63, 64, 65, 100, 119};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        MAKE(e42, R | X);
        elf_save("p", sizes[i]);
        CHECK_MSG(run_child(try_it, 0) == 3, "%u bytes", sizes[i]);
    }
    for (unsigned cut = 1; cut <= elf.ph[0].filesz; cut++) {
        MAKE(e42, R | X);
        elf_save("p", BODY + elf.ph[0].filesz - cut);
        CHECK_MSG(run_child(try_it, 0) == 3, "%u bytes cut off", cut);
    }
}

static void harmless_files(void) {
    for (unsigned i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        MAKE(e42, R | X);
        mutate(&harmless[i]);
        elf_save("p", BODY + 64);
        run_program("p", NULL);
        MAKE(e42, R | X);
        CHECK_MSG(elf_run(BODY + 64) == 42, "after %s a good file does not run", harmless[i].what);
    }
}

/* Segments over one another, and in the wrong order. */
static void overlapping_segments(void) {
    MAKE(e42, R | X);
    elf.ph[1] = elf.ph[0];
    elf.ph[1].flags = R | W;
    elf.eh.phnum = 2;
    int status = elf_run(elf_size());
    CHECK_MSG(status == EXEC_FAILED || status == KILLED || status == 42, "status %d", status);
    MAKE(read_data, R | X);
    elf_add_data(R | W, 78, 4);
    struct phdr ph = elf.ph[0];
    elf.ph[0] = elf.ph[1];
    elf.ph[1] = ph;
    status = elf_run(BODY + 8192);
    CHECK_MSG(status == EXEC_FAILED || status == 78, "status %d", status);
}

/* Headers of random bytes: no such file may do harm. */
static void random_headers(void) {
    uint32_t state = 12345;
    for (int i = 0; i < 60; i++) {
        MAKE(e42, R | X);
        elf_add_data(R | W, 5, 4096);
        for (int n = 1 + next_random(&state) % 4; n > 0; n--) {
            unsigned at = 16 + next_random(&state) %
                                   (sizeof(struct ehdr) + 2 * sizeof(struct phdr) - 16);
            ((unsigned char *)&elf)[at] = next_random(&state) >> 8;
        }
        elf_save("p", BODY + 4200);
        run_program("p", NULL);
    }
    MAKE(e42, R | X);
    CHECK_EQ(elf_run(BODY + 64), 42);
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

const struct test elfbad_tests[] = {
    {"elf_refused_files", refused_files, false},
    {"elf_refused_second_segment", refused_second_segment, false},
    {"elf_truncated_files", truncated_files, false},
    {"elf_harmless_files", harmless_files, false},
    {"elf_overlapping_segments", overlapping_segments, false},
    {"elf_random_headers", random_headers, false},
    {"elf_truncated_copy", truncated_copy, false},
    {0},
};
