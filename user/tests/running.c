/* Programs that run in the pages of their file: who may write that meanwhile, and who may run what
 * is being written. (A program whose bytes lie askew in its file is copied when it starts, and is
 * not meant: exec.c.) */
#include "elffile.h"
#include "mappings.h"

/* waits for a byte on descriptor 0, then 42 */
PROGRAM(wait_for_byte, "li a0, 0\n addi a1, sp, -16\n li a2, 1\n li a7, 5\n ecall\n"
                       "li a0, 42\n li a7, 2\n ecall");

/* At an address that is as far into its page as the code into its file. */
static void save_at_its_place(const char *path) {
    elf.eh.entry = elf.ph[0].vaddr = BODY % PAGE;
    elf_save(path, elf_size());
}

static void save_program(const char *path) {
    MAKE(wait_for_byte, R | X);
    save_at_its_place(path);
}

static int start(const char *path, int input) {
    char *argv[] = {"p", NULL};
    int pid = must_fork();
    if (pid != 0)
        return pid;
    sys_close(0);
    CHECK_EQ(sys_dup(input), 0);
    sys_exec(path, argv);
    sys_exit(EXEC_FAILED);
}

/* Whether it can be run now. */
static bool runs(const char *path) {
    int p[2];
    must_pipe(p);
    write_all(p[1], "x", 1);
    int status = reap(start(path, p[0]));
    must_close(p[0]);
    must_close(p[1]);
    CHECK(status == 42 || status == EXEC_FAILED);
    return status == 42;
}

static bool can_open(const char *path, int mode) {
    int fd = sys_open(path, mode);
    if (fd >= 0)
        must_close(fd);
    return fd >= 0;
}

static void not_written_while_it_runs(void) {
    static const int modes[] = {ABI_O_WRONLY, ABI_O_RDWR, ABI_O_RDONLY | ABI_O_TRUNC,
                                ABI_O_WRONLY | ABI_O_CREATE | ABI_O_TRUNC};
    int p[2];
    struct stat st;
    must_pipe(p);
    save_program("p");
    int first = start("p", p[0]), second = start("p", p[0]);
    WAIT_UNTIL(state_of(first) == ABI_P_SLEEPING && state_of(second) == ABI_P_SLEEPING);
    for (int running = 2; running >= 0; running--) {
        for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
            if (running > 0)
                CHECK(!can_open("p", modes[i]));
        CHECK(can_open("p", ABI_O_RDONLY));
        must_stat("p", &st);
        CHECK_EQ(st.size, elf_size());
        if (running > 0) {
            write_all(p[1], "x", 1);
            CHECK_EQ(reap(0), 42);
        }
    }
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        CHECK(can_open("p", modes[i]));
}

/* Names are not the file: they come and go, and another file may take one. */
static void removed_while_it_runs(void) {
    int p[2];
    must_pipe(p);
    save_program("p");
    int pid = start("p", p[0]);
    WAIT_UNTIL(state_of(pid) == ABI_P_SLEEPING);
    CHECK_EQ(sys_link("p", "q"), 0);
    must_unlink("p");
    save_program("p");
    CHECK(can_open("p", ABI_O_RDWR) && !can_open("q", ABI_O_RDWR));
    must_unlink("q");
    write_all(p[1], "x", 1);
    CHECK_EQ(reap(pid), 42);
}

static void not_run_while_it_is_written(void) {
    save_program("p");
    int fd = must_open("p", ABI_O_RDWR);
    CHECK(!runs("p"));
    CHECK_EQ(sys_write(fd, &elf, 4), 4);
    must_close(fd);
    CHECK(runs("p"));
    must_close(must_open("p", ABI_O_RDONLY));
    CHECK(runs("p"));
}

/* A mapping lets its file be written after it was closed; but for private and read-only ones. */
static void not_run_while_it_is_mapped_to_be_written(void) {
    static const struct {
        unsigned prot, flags;
        int mode;
        bool run;
    } how[] = {{RW, ABI_MAP_SHARED, ABI_O_RDWR, false},
               {ABI_PROT_READ, ABI_MAP_SHARED, ABI_O_RDWR, false}, /* mprotect may follow */
               {ABI_PROT_READ, ABI_MAP_SHARED, ABI_O_RDONLY, true},
               {RW, ABI_MAP_PRIVATE, ABI_O_RDONLY, true}};
    save_program("p");
    for (unsigned i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
        int fd = must_open("p", how[i].mode);
        char *m = sys_mmap(NULL, PAGE, how[i].prot, how[i].flags, fd, 0);
        CHECK((uint64_t)m < USER_LIMIT);
        must_close(fd);
        if (how[i].prot == RW)
            *(volatile char *)m = *m;
        CHECK_EQ(runs("p"), how[i].run);
        CHECK(can_open("p", ABI_O_RDWR)); /* it does not run */
        unmap(m, PAGE);
        CHECK(runs("p"));
    }
}

/* Pages of files that are mapped stay in the page cache, so their number is limited; but there is
 * room for programs then. The files are empty: what is asked for counts. */
static void mapped_files_leave_room(void) {
    int n = 0;
    for (unsigned pages = 67; pages > 0; pages /= 2)
        for (char *m = NULL; (uint64_t)m < USER_LIMIT; n++) {
            char name[] = {'m', (char)('0' + n / 100), (char)('0' + n / 10 % 10),
                           (char)('0' + n % 10), 0};
            int fd = must_open(name, ABI_O_CREATE | ABI_O_RDWR);
            m = sys_mmap(NULL, pages * PAGE, ABI_PROT_READ, ABI_MAP_PRIVATE, fd, 0);
            must_close(fd);
        }
    CHECK(n > 7);
    CHECK_EQ(run_program("/bin/true", NULL), 0);
}

/* Large ones, of many pages that nobody touches. */
static void many_large_ones(void) {
    enum { MANY = 20 };
    char name[] = "p00";
    int p[2];
    must_pipe(p);
    MAKE(wait_for_byte, R | X);
    elf.ph[0].filesz = elf.ph[0].memsz = 66 * PAGE;
    elf.eh.entry = elf.ph[0].vaddr = BODY % PAGE;
    for (int i = 0; i < MANY; i++) {
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        elf_save(name, PAGE);
        int fd = must_open(name, ABI_O_RDWR);
        CHECK_EQ(sys_ftruncate(fd, 66 * PAGE + BODY), 0);
        must_close(fd);
        int pid = start(name, p[0]);
        WAIT_UNTIL(state_of(pid) == ABI_P_SLEEPING || state_of(pid) == ABI_P_ZOMBIE);
    }
    for (int i = 0; i < MANY; i++)
        write_all(p[1], "x", 1);
    reap_all(MANY, 42);
}

/* madvise gives no page of a program back that its file could not bring again as it was: text that
 * lies askew, and data on the page where bss begins. */
PROGRAM(drop_self, "auipc a0, 0\n srli a0, a0, 12\n slli a0, a0, 12\n li a1, 4096\n li a2, 4\n"
                   "li a7, 121\n ecall\n li a0, 42\n li a7, 2\n ecall");
static void dropped_pages_come_back(void) {
    for (int extra = 0; extra < 2; extra++) {
        MAKE(drop_self, R | X);
        elf.ph[0].memsz += extra;
        CHECK_EQ(elf_run(elf_size()), 42);
        save_at_its_place("p");
        CHECK_EQ(run_program("p", NULL), 42);
    }
}

/* What vmregions tells of one page of text: the file's own last one, or a copy. */
static void text_is_told(void) {
    static struct abi_vmregion r[8];
    for (int askew = 0; askew < 2; askew++) {
        int p[2];
        must_pipe(p);
        MAKE(wait_for_byte, R | X);
        if (askew)
            elf_save("p", elf_size());
        else
            save_at_its_place("p");
        int pid = start("p", p[0]);
        WAIT_UNTIL(state_of(pid) == ABI_P_SLEEPING);
        CHECK(sys_vmregions(pid, r, 8) > 0);
        CHECK(!strcmp(r[0].name, "text") && !(r[0].flags & ABI_VM_ZEROS) && r[0].present == 1);
        CHECK(r[0].copied == 0 && r[0].shared == !askew);
        write_all(p[1], "x", 1);
        CHECK_EQ(reap(pid), 42);
    }
}

static void try_exec(void) {
    char *argv[] = {"p", NULL};
    sys_exec("p", argv);
}

/* An exec that fails for want of memory, at each place, leaves a file that can be written. */
static void can_be_written_after_failures(void) {
    int p[2];
    must_pipe(p);
    write_all(p[1], "x", 1);
    save_program("p");
    sys_close(0);
    CHECK_EQ(sys_dup(p[0]), 0);
    CHECK_EQ(with_growing_memory(try_exec, 500), 42);
    CHECK(can_open("p", ABI_O_RDWR));
}

const struct test running_tests[] = {
    {"running_is_not_written", not_written_while_it_runs, false},
    {"running_is_removed", removed_while_it_runs, false},
    {"written_is_not_run", not_run_while_it_is_written, false},
    {"mapped_is_not_run", not_run_while_it_is_mapped_to_be_written, false},
    {"mapped_leaves_room_to_run", mapped_files_leave_room, false},
    {"running_many_large_ones", many_large_ones, false},
    {"running_dropped_pages", dropped_pages_come_back, false},
    {"running_text_is_told", text_is_told, false},
    {"running_fails_and_is_written", can_be_written_after_failures, false},
    {0},
};
