/* Pointers handed to the kernel: the last byte that is the process's, the first
 * that is not, ranges that wrap, and addresses that never are a process's. */
#include "test.h"
#include <string.h>

/* A heap that ends here: two touched pages, then nothing. */
static char *heap_end(void) {
    uint64_t brk = (uint64_t)sys_sbrk(0);
    must_sbrk((PAGE - brk % PAGE) % PAGE);
    char *p = must_sbrk(2 * PAGE);
    memset(p, 'x', 2 * PAGE);
    return p + 2 * PAGE;
}

static void bad_write_source(void) {
    int p[2];
    must_pipe(p);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    for (const uint64_t *a = bad_addresses(); *a; a++) {
        CHECK_MSG(sys_write(fd, opaque(*a), 1) == -1, "write to a file from 0x%lx", (long)*a);
        CHECK_MSG(sys_write(fd, opaque(*a), 8192) == -1, "write to a file from 0x%lx", (long)*a);
        CHECK_MSG(sys_write(p[1], opaque(*a), 1) == -1, "write to a pipe from 0x%lx", (long)*a);
        CHECK_MSG(sys_write(p[1], opaque(*a), 8192) == -1, "write to a pipe from 0x%lx", (long)*a);
    }
    struct stat st;
    CHECK_EQ(sys_fstat(fd, &st), 0);
    CHECK_EQ(st.size, 0);
    write_all(p[1], "y", 1);
    CHECK_EQ(sys_read(p[0], scratch, 100), 1);
    CHECK_EQ(scratch[0], 'y');
}

static void bad_read_target(void) {
    int p[2];
    must_pipe(p);
    make_file("f", 9000, 5);
    int fd = must_open("f", ABI_O_RDONLY);
    write_all(p[1], "z", 1);
    for (const uint64_t *a = bad_addresses(); *a; a++) {
        CHECK_MSG(sys_read(fd, opaque(*a), 1) == -1, "read of a file to 0x%lx", (long)*a);
        CHECK_MSG(sys_read(fd, opaque(*a), 8192) == -1, "read of a file to 0x%lx", (long)*a);
        CHECK_MSG(sys_read(p[0], opaque(*a), 1) == -1, "read of a pipe to 0x%lx", (long)*a);
        int d = must_open(".", ABI_O_RDONLY);
        CHECK_MSG(sys_read(d, opaque(*a), 16) == -1, "read of a directory to 0x%lx", (long)*a);
        must_close(d);
    }
    check_file("f", 9000, 5);
}

/* Every call that takes a path. */
static void bad_path_pointer(void) {
    make_file("f", 1, 1);
    char *argv[] = {"x", NULL};
    for (const uint64_t *a = bad_addresses(); *a; a++) {
        const char *path = opaque(*a);
        CHECK_MSG(sys_open(path, ABI_O_RDONLY) == -1, "open of 0x%lx", (long)*a);
        CHECK_MSG(sys_open(path, ABI_O_CREATE | ABI_O_RDWR) == -1, "create of 0x%lx", (long)*a);
        CHECK_MSG(sys_chdir(path) == -1, "chdir to 0x%lx", (long)*a);
        CHECK_MSG(sys_mkdir(path) == -1, "mkdir of 0x%lx", (long)*a);
        CHECK_MSG(sys_mknod(path, 1, 0) == -1, "mknod of 0x%lx", (long)*a);
        CHECK_MSG(sys_unlink(path) == -1, "unlink of 0x%lx", (long)*a);
        CHECK_MSG(sys_link(path, "g") == -1, "link from 0x%lx", (long)*a);
        CHECK_MSG(sys_link("f", path) == -1, "link to 0x%lx", (long)*a);
        CHECK_MSG(sys_rename(path, "g") == -EFAULT, "rename from 0x%lx", (long)*a);
        CHECK_MSG(sys_rename("f", path) == -EFAULT, "rename to 0x%lx", (long)*a);
        CHECK_MSG(sys_exec(path, argv) == -1, "exec of 0x%lx", (long)*a);
    }
    CHECK(exists("f"));
    CHECK(!exists("g"));
}

/* Calls that store a result. A failed pipe must not keep its descriptors, and a
 * child that wait could not report can still be waited for. */
static void bad_result_pointer(void) {
    int free_fds = fds_left();
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    for (const uint64_t *a = bad_addresses(); *a; a++) {
        CHECK_MSG(sys_pipe(opaque(*a)) == -1, "pipe at 0x%lx", (long)*a);
        CHECK_MSG(sys_fstat(fd, opaque(*a)) == -1, "fstat at 0x%lx", (long)*a);
        CHECK_MSG(sys_sysinfo(opaque(*a)) == -EFAULT, "sysinfo at 0x%lx", (long)*a);
        CHECK_MSG(sys_vmstat(opaque(*a)) == -EFAULT, "vmstat at 0x%lx", (long)*a);
        int used = 0;
        struct abi_procinfo pi;
        while (sys_procinfo(used, &pi) != 1)
            used++;
        CHECK_MSG(sys_procinfo(used, opaque(*a)) == -EFAULT, "procinfo at 0x%lx", (long)*a);
    }
    must_close(fd);
    CHECK_EQ(fds_left(), free_fds);
}

static void bad_wait_pointer(void) {
    for (const uint64_t *a = bad_addresses(); *a; a++) {
        int pid = must_fork();
        if (pid == 0)
            sys_exit(7);
        CHECK_MSG(sys_wait(opaque(*a)) == -1, "wait at 0x%lx", (long)*a);
        CHECK_EQ(reap(pid), 7);
    }
}

/* Read-only text as a target: refused, and the text is as it was. */
static void text_as_target(void) {
    uint64_t targets[] = {0, 8, (uint64_t)&text_as_target, 1};
    static unsigned char before[64];
    make_file("f", 64, 6);
    for (unsigned i = 0; i < 4; i++) {
        unsigned char *text = opaque(targets[i]);
        memcpy(before, text, sizeof(before));
        int fd = must_open("f", ABI_O_RDONLY), p[2];
        must_pipe(p);
        write_all(p[1], "abcdefgh", 8);
        CHECK_EQ(sys_read(fd, text, 64), -1);
        CHECK_EQ(sys_read(p[0], text, 8), -1);
        CHECK_EQ(sys_fstat(fd, (struct stat *)text), -1);
        CHECK_EQ(sys_pipe((int *)text), -1);
        CHECK_EQ(sys_sysinfo((struct abi_sysinfo *)text), -EFAULT);
        must_close(p[0]);
        must_close(p[1]);
        must_close(fd);
        CHECK(memcmp(before, text, sizeof(before)) == 0);
    }
}

/* But text can be read by the kernel, address 0 included. */
static void text_as_source(void) {
    unsigned char *zero = opaque(0);
    int p[2];
    must_pipe(p);
    write_all(p[1], zero, 100);
    read_all(p[0], scratch, 100);
    CHECK(memcmp(zero, scratch, 100) == 0);
}

static void buffer_ends_at_break(void) {
    char *end = heap_end();
    int p[2];
    must_pipe(p);
    make_file("f", 2 * PAGE, 7);
    int fd = must_open("f", ABI_O_RDWR);
    read_all(fd, end - 2 * PAGE, 2 * PAGE);
    CHECK(filled(end - 2 * PAGE, 2 * PAGE, 7));
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    write_all(fd, end - 2 * PAGE, 2 * PAGE);
    for (int n = 1; n <= 9; n += 8) {
        write_all(p[1], end - n, n);
        read_all(p[0], end - n, n);
    }
    must_close(fd);
    check_file("f", 2 * PAGE, 7);
}

/* The last byte, and one more: in a pipe what was moved counts, in a file the
 * call may answer -1 or count, but then count what it wrote. */
static void buffer_past_break(void) {
    char *end = heap_end();
    int p[2];
    must_pipe(p);
    CHECK_EQ(sys_write(p[1], end, 1), -1);
    memcpy(end - 4, "tail", 4);
    int r = sys_write(p[1], end - 4, 8);
    CHECK_MSG(r == 4 || r == -1, "write of 4 good and 4 bad bytes is %d", r);
    if (r == 4) {
        read_all(p[0], scratch, 4);
        CHECK(memcmp(scratch, "tail", 4) == 0);
    }
    write_all(p[1], "12345678", 8);
    r = sys_read(p[0], end - 4, 8);
    CHECK_MSG(r == 4 || r == -1, "read to 4 good and 4 bad bytes is %d", r);
    if (r == 4)
        CHECK(memcmp(end - 4, "1234", 4) == 0);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    r = sys_write(fd, end - PAGE, PAGE + 1);
    struct stat st;
    CHECK_EQ(sys_fstat(fd, &st), 0);
    CHECK_MSG(r == -1 || (r > 0 && r <= (int)PAGE), "write past the break is %d", r);
    CHECK_MSG(st.size <= PAGE && (r < 0 || (int)st.size == r), "%d written, size %d", r,
              (int)st.size);
}

static void empty_ranges(void) {
    char *end = heap_end();
    int p[2];
    must_pipe(p);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    char *at[] = {end - 1, end, end - 2 * PAGE, opaque(0)};
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(sys_write(p[1], at[i], 0), 0);
        CHECK_EQ(sys_write(fd, at[i], 0), 0);
        CHECK_EQ(sys_read(fd, at[i], 0), 0);
    }
    struct stat st;
    CHECK_EQ(sys_fstat(fd, &st), 0);
    CHECK_EQ(st.size, 0);
}

static void wrapping_ranges(void) {
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR), p[2];
    must_pipe(p);
    const struct {
        uint64_t start;
        int n;
    } ranges[] = {
        {0xffffffffffffff00ULL, 0x200},
        {0xffffffffffffffffULL, 2},
        {0xfffffffffffff000ULL, 0x7fffffff},
        {LOW_HALF_END - 8, 16},
        {LOW_HALF_END - PAGE, 2 * PAGE},
        {USER_LIMIT - 8, 16},
        {DIRECT_MAP - 8, 16},
        {TRAPFRAME_VA - 8, 16},
        {0x8000000000000000ULL, 0x7fffffff},
    };
    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        char *a = opaque(ranges[i].start);
        CHECK_MSG(sys_write(fd, a, ranges[i].n) == -1, "file write, range %u", i);
        CHECK_MSG(sys_write(p[1], a, ranges[i].n) == -1, "pipe write, range %u", i);
        write_all(fd, scratch, 1);
        CHECK_EQ(sys_lseek(fd, 0, 0), 0);
        CHECK_MSG(sys_read(fd, a, ranges[i].n) == -1, "file read, range %u", i);
    }
}

/* A length far past the break does no harm when the data ends before it. */
static void huge_length(void) {
    char *end = heap_end();
    make_file("f", 100, 8);
    int fd = must_open("f", ABI_O_RDONLY);
    CHECK_EQ(sys_read(fd, end - 100, 0x7fffffff), 100);
    CHECK(filled(end - 100, 100, 8));
    int p[2];
    must_pipe(p);
    write_all(p[1], "hello", 5);
    CHECK_EQ(sys_read(p[0], end - 5, 0x7fffffff), 5);
    CHECK(memcmp(end - 5, "hello", 5) == 0);
}

static void string_ends_at_break(void) {
    char *end = heap_end();
    make_file("f", 10, 9);
    char *path = end - 2;
    memcpy(path, "f", 2);
    check_file(path, 10, 9);
    CHECK_EQ(sys_link(path, "g"), 0);
    CHECK_EQ(sys_unlink("g"), 0);
    memcpy(end - 4, "dir", 4);
    CHECK_EQ(sys_mkdir(end - 4), 0);
    CHECK_EQ(sys_chdir(end - 4), 0);
    CHECK_EQ(sys_chdir(".."), 0);
    CHECK_EQ(sys_unlink(end - 4), 0);
    memcpy(end - 3, "no!", 3); /* without its end */
    CHECK_EQ(sys_open(end - 3, ABI_O_CREATE | ABI_O_RDWR), -1);
    CHECK_EQ(sys_mkdir(end - 3), -1);
    CHECK_EQ(sys_chdir(end - 3), -1);
    CHECK_EQ(sys_unlink(end - 3), -1);
    CHECK_EQ(sys_link("f", end - 3), -1);
    CHECK_EQ(sys_link(end - 3, "f2"), -1);
    CHECK_EQ(sys_mknod(end - 3, 1, 0), -1);
    memset(end - 200, '/', 200); /* longer than a path, then the end of memory */
    CHECK_EQ(sys_open(end - 200, ABI_O_RDONLY), -1);
    check_file("f", 10, 9);
}

static void results_end_at_break(void) {
    char *end = heap_end();
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    struct stat *st = (struct stat *)(end - sizeof(*st));
    CHECK_EQ(sys_fstat(fd, st), 0);
    CHECK_EQ(st->type, ABI_T_FILE);
    CHECK_EQ(sys_fstat(fd, opaque((uint64_t)st + 1)), -1);
    CHECK_EQ(sys_fstat(fd, opaque((uint64_t)st + 8)), -1);

    int *p = (int *)(end - 2 * sizeof(int));
    int free_fds = fds_left();
    CHECK_EQ(sys_pipe(p), 0);
    must_close(p[0]);
    must_close(p[1]);
    CHECK_EQ(sys_pipe(p + 1), -1);
    CHECK_EQ(sys_pipe(p + 2), -1);
    CHECK_EQ(fds_left(), free_fds);

    int *status = (int *)(end - sizeof(int));
    int pid = must_fork();
    if (pid == 0)
        sys_exit(0x12345678);
    CHECK_EQ(sys_wait(status), pid);
    CHECK_EQ(*status, 0x12345678);

    struct abi_sysinfo *si = (struct abi_sysinfo *)(end - sizeof(*si));
    CHECK_EQ(sys_sysinfo(si), 0);
    CHECK(si->frames_total > 0);
    CHECK_EQ(sys_sysinfo(opaque((uint64_t)si + 8)), -EFAULT);
}

/* The break need not lie on a page border. */
static void odd_break(void) {
    heap_end();
    char *p = must_sbrk(77);
    fill(p, 77, 11);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    write_all(fd, p, 77);
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    memset(p, 0, 77);
    read_all(fd, p, 77);
    CHECK(filled(p, 77, 11));
    CHECK_EQ(sys_write(fd, p + PAGE, 1), -1);
}

static void exec_pointers(void) {
    char *end = heap_end();
    char *none[] = {NULL};
    for (const uint64_t *a = bad_addresses(); *a; a++) {
        char *bad_string[] = {"true", opaque(*a), NULL};
        CHECK_MSG(sys_exec("/bin/true", opaque(*a)) == -1, "exec with argv 0x%lx", (long)*a);
        CHECK_MSG(sys_exec("/bin/true", bad_string) == -1, "exec with an argument at 0x%lx",
                  (long)*a);
    }
    char **argv = (char **)end - 2; /* no NULL before the break */
    argv[0] = argv[1] = "x";
    CHECK_EQ(sys_exec("/bin/true", argv), -1);
    memset(end - 8, 'a', 8); /* no terminator before the break */
    char *unterminated[] = {"true", end - 8, NULL};
    CHECK_EQ(sys_exec("/bin/true", unterminated), -1);
    CHECK_EQ(sys_exec(end - 8, none), -1);
    write_all(must_open("f", ABI_O_CREATE | ABI_O_RDWR), end - 8, 8);
}

/* Strings over a page border, and in pages that nobody has touched yet: those
 * are zero, hence an empty string, or the terminator of one. */
static void strings_over_pages(void) {
    char *end = heap_end();
    make_file("file14bytes_xy", 10, 12);
    for (int before = 1; before < 14; before++) {
        char *path = end - PAGE - before;
        memcpy(path, "file14bytes_xy", 15);
        check_file(path, 10, 12);
    }
    char *fresh = must_sbrk(3 * PAGE);
    CHECK(fresh == end);
    CHECK_EQ(sys_unlink(fresh), -1);
    memcpy(fresh - 14, "file14bytes_xy", 14);
    check_file(fresh - 14, 10, 12);
    char *fresh2 = must_sbrk(PAGE);
    memcpy(fresh2 - 14, "file14bytes_xy", 14);
    check_file(fresh2 - 14, 10, 12);
    char *fresh3 = must_sbrk(PAGE);
    char *argv[] = {"x", fresh3, NULL};
    CHECK_EQ(sys_exec("missing", argv), -1);
    char **empty_argv = (char **)must_sbrk(PAGE);
    CHECK_EQ(sys_exec("missing", empty_argv), -1);
}

/* Results across a page border, the pages touched by nobody. */
static void results_over_pages(void) {
    must_sbrk((PAGE - (uint64_t)sys_sbrk(0) % PAGE) % PAGE);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    char *p = must_sbrk(2 * PAGE);
    struct stat *st = opaque((uint64_t)p + PAGE - 12);
    CHECK_EQ(sys_fstat(fd, st), 0);
    CHECK_EQ(st->type, ABI_T_FILE);
    CHECK_EQ(st->nlink, 1);
    p = must_sbrk(2 * PAGE);
    int pid = must_fork();
    if (pid == 0)
        sys_exit(0x01020304);
    int *status = opaque((uint64_t)p + PAGE - 2);
    CHECK_EQ(sys_wait(status), pid);
    int got;
    memcpy(&got, status, sizeof(got));
    CHECK_EQ(got, 0x01020304);
    p = must_sbrk(2 * PAGE);
    int *fds = opaque((uint64_t)p + PAGE - 4), two[2];
    CHECK_EQ(sys_pipe(fds), 0);
    memcpy(two, fds, sizeof(two));
    write_all(two[1], "a", 1);
    CHECK_EQ(sys_read(two[0], p, 1), 1);
}

static void misaligned_pointers(void) {
    static char bytes[256];
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    for (unsigned shift = 1; shift < 8; shift++) {
        struct stat st;
        CHECK_EQ(sys_fstat(fd, opaque((uint64_t)bytes + shift)), 0);
        memcpy(&st, bytes + shift, sizeof(st));
        CHECK_EQ(st.type, ABI_T_FILE);
        int p[2];
        CHECK_EQ(sys_pipe(opaque((uint64_t)bytes + shift)), 0);
        memcpy(p, bytes + shift, sizeof(p));
        must_close(p[0]);
        must_close(p[1]);
        make_file("g", 1000 + shift, shift);
        int g = must_open("g", ABI_O_RDONLY);
        read_all(g, scratch2 + shift, 1000 + shift);
        CHECK(filled(scratch2 + shift, 1000 + shift, shift));
        must_close(g);
    }
}

/* A read of many blocks whose target is good for the first good bytes alone: what it
 * counts lies there, no more than the last block is missing, and the next read goes
 * on behind it. */
static void read_in_part(int fd, int at, char *target, int good) {
    CHECK_EQ(sys_lseek(fd, at, 0), at);
    int r = sys_read(fd, target, 30000);
    CHECK_MSG(r <= good && (r > good - (int)PAGE || (r == -1 && good < (int)PAGE)),
              "read to %d good bytes is %d", good, r);
    r = r < 0 ? 0 : r;
    CHECK(memcmp(target, scratch + at, r) == 0);
    CHECK_EQ(sys_lseek(fd, 0, 1), at + r);
}

/* Pages that nobody has touched, pages shared with a child, and then none. */
static void long_read_faults(void) {
    make_file("f", 60000, 13);
    fill(scratch, 60000, 13);
    int fd = must_open("f", ABI_O_RDONLY), quit[2];
    for (int i = 0; i < 12; i++) {
        char c, *end = heap_end(), *fresh = must_sbrk(5 * PAGE);
        int offset = i * 701, good = 5 * PAGE - offset;
        read_in_part(fd, i * 1500, fresh + offset, good);
        must_pipe(quit);
        int pid = must_fork();
        if (pid == 0) {
            must_close(quit[1]);
            CHECK_EQ(sys_read(quit[0], &c, 1), 0);
            CHECK_EQ(end[-1], 'x');
            CHECK(memcmp(fresh + offset, scratch + i * 1500, good - PAGE) == 0);
            sys_exit(0);
        }
        read_in_part(fd, 20000 + i * 1500, end - PAGE + offset, PAGE + 5 * PAGE - offset);
        must_close(quit[1]);
        CHECK_EQ(reap(pid), 0);
        must_close(quit[0]);
    }
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    CHECK_EQ(sys_read(fd, opaque(0), 30000), -1); /* the text */
}

/* This program's file, read into pages of its data that have yet to come from there. */
static void read_own_program(void) {
    enum { N = sizeof(initialised) };
    int fd = must_open(SELF, ABI_O_RDONLY);
    char *copy = must_sbrk(N);
    memset(copy, 0, N);
    read_all(fd, initialised + 100, N - 200);
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    read_all(fd, copy + 100, N - 200);
    CHECK(memcmp(initialised + 100, copy + 100, N - 200) == 0);
    CHECK_EQ(initialised[0], INITIALISED(0));
    CHECK(all_zero(initialised + 1, 99) && all_zero(initialised + N - 100, 100));
}

const struct test bounds_tests[] = {
    {"bad_write_source", bad_write_source, false},
    {"bad_read_target", bad_read_target, false},
    {"bad_path_pointer", bad_path_pointer, false},
    {"bad_result_pointer", bad_result_pointer, false},
    {"bad_wait_pointer", bad_wait_pointer, false},
    {"text_as_target", text_as_target, false},
    {"text_as_source", text_as_source, false},
    {"buffer_ends_at_break", buffer_ends_at_break, false},
    {"buffer_past_break", buffer_past_break, false},
    {"empty_ranges", empty_ranges, false},
    {"wrapping_ranges", wrapping_ranges, false},
    {"huge_length", huge_length, false},
    {"string_ends_at_break", string_ends_at_break, false},
    {"results_end_at_break", results_end_at_break, false},
    {"odd_break", odd_break, false},
    {"exec_pointers", exec_pointers, false},
    {"strings_over_pages", strings_over_pages, false},
    {"results_over_pages", results_over_pages, false},
    {"misaligned_pointers", misaligned_pointers, false},
    {"long_read_faults", long_read_faults, false},
    {"read_own_program", read_own_program, false},
    {0},
};
