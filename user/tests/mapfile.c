/* mmap of files: what is mapped is what read and write see. (Stores and cuts: mapstore.c; anonymous
 * memory: mmap.c.) */
#include "mappings.h"

char *map_file(const char *name, uint64_t n, int prot, int flags, uint64_t offset) {
    bool stores = flags == ABI_MAP_SHARED && (prot & ABI_PROT_WRITE);
    int fd = must_open(name, stores ? ABI_O_RDWR : ABI_O_RDONLY);
    char *p = sys_mmap(NULL, n, prot, flags, fd, (int64_t)offset);
    CHECK_MSG((long)p > 0, "mmap of %s is %ld", name, (long)p);
    must_close(fd); /* the mapping keeps the file */
    return p;
}

static void file_shared(void) {
    unsigned char *text = scratch;
    make_file("f", 4 * PAGE + 100, 20);
    fill(text, 4 * PAGE + 100, 20);
    char *p = map_file("f", 5 * PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 0);
    CHECK(memcmp(p, text, 4 * PAGE + 100) == 0 && all_zero(p + 4 * PAGE + 100, PAGE - 100));
    CHECK(!can(store, p));
    CHECK_EQ(sys_mprotect(p, PAGE, RW), -EACCES);
    char *q = map_file("f", PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 2 * PAGE);
    CHECK(memcmp(q, text + 2 * PAGE, PAGE) == 0);
    int f = must_open("f", ABI_O_RDWR); /* what is written is seen at once, by all */
    write_all(f, "changed", 7);
    CHECK(memcmp(p, "changed", 7) == 0);
    int pid = must_fork();
    if (pid == 0) {
        CHECK(memcmp(p, "changed", 7) == 0);
        fill(text, 5 * PAGE, 21);
        CHECK_EQ(sys_lseek(f, 0, 0), 0);
        write_all(f, text, 5 * PAGE);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    must_close(f);
    CHECK(filled(p, 5 * PAGE, 21) && memcmp(q, p + 2 * PAGE, PAGE) == 0);
    must_unlink("f"); /* it lives as long as it is mapped */
    unmap(p, 5 * PAGE);
    fill(text, 5 * PAGE, 21);
    CHECK(memcmp(q, text + 2 * PAGE, PAGE) == 0);
    unmap(q, PAGE);
}

static void file_private(void) {
    make_file("f", 2 * PAGE + 10, 22);
    char *p = map_file("f", 3 * PAGE, RW, ABI_MAP_PRIVATE, 0);
    CHECK(filled(p, 2 * PAGE + 10, 22));
    p[PAGE] ^= 1;
    int f = must_open("f", ABI_O_RDWR);
    write_all(f, "file", 4);
    CHECK(memcmp(p, "file", 4) == 0); /* a page that was not written shows the file */
    memcpy(p, "mine", 4);
    CHECK_EQ(sys_lseek(f, 0, 0), 0);
    char c[4];
    read_all(f, c, 4);
    CHECK(memcmp(c, "file", 4) == 0 && memcmp(p, "mine", 4) == 0);
    must_close(f);
    int pid = must_fork();
    if (pid == 0) {
        CHECK(memcmp(p, "mine", 4) == 0);
        memcpy(p, "hers", 4);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK(memcmp(p, "mine", 4) == 0);
    CHECK_EQ(sys_madvise(p, 3 * PAGE, ABI_MADV_DONTNEED), 0);
    CHECK(memcmp(p, "file", 4) == 0);
    protect(p, PAGE, ABI_PROT_NONE);
    CHECK(!can(load, p));
    protect(p, PAGE, RW);
    CHECK(memcmp(p, "file", 4) == 0);
}

/* Copies from the pages of a file in the kernel. Whether one of them had to be read: there is more
 * in the page cache. */
static bool copy_pages_of(const char *name, const int fd[2]) {
    struct abi_sysinfo before, after;
    struct stat st;
    must_stat(name, &st);
    char *p = map_file(name, st.size, ABI_PROT_READ, ABI_MAP_SHARED, 0);
    must_info(&before);
    for (uint64_t at = 0; at + 100 < st.size; at += PAGE) {
        CHECK_EQ(sys_write(fd[1], p + at, 100), 100);
        CHECK_EQ(sys_read(fd[0], scratch, 100), 100);
        CHECK_EQ(memcmp(scratch, p + at, 100), 0);
    }
    must_info(&after);
    unmap(p, st.size);
    return after.frames_cached > before.frames_cached;
}

/* A copy in the kernel meets a page that has to be read, and sleeps; others, who were interrupted
 * in user mode, go on there meanwhile. The files are some that nothing else here reads: each run
 * takes the next one. */
static void others_run_while_a_copy_waits(void) {
    static const char *const file[] = {
        "/tests/grind", "/tests/hog",        "/tests/stressfs", "/tests/forktest", "/tests/libtest",
        "/tests/bench", "/tests/benchpages", "/bin/vmwalk",     "/bin/mapview",    "/bin/forkview",
        "/bin/sysinfo", "/bin/sort",         "/bin/tail",       "/bin/head",       "/bin/grep"};
    struct abi_sysinfo si;
    int spinning[8], fd[2];
    unsigned next = 0;
    must_info(&si);
    CHECK(si.harts <= sizeof(spinning) / sizeof(spinning[0]));
    for (unsigned i = 0; i < si.harts; i++)
        if ((spinning[i] = must_fork()) == 0)
            for (;;) {
            }
    must_pipe(fd);
    sys_sleep(2); /* they have run, and were interrupted */
    while (next < sizeof(file) / sizeof(file[0]) && !copy_pages_of(file[next], fd))
        next++;
    if (next == sizeof(file) / sizeof(file[0]))
        note("all files were in memory already, and no copy has waited");
    for (unsigned i = 0; i < si.harts; i++) {
        CHECK_EQ(sys_kill(spinning[i]), 0);
        CHECK_EQ(reap(spinning[i]), -1);
    }
}

/* Behind the end: killed, or an error of the call; a file that grows has it. */
static void file_end(void) {
    make_file("f", 100, 23);
    char *p = map_file("f", 3 * PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 0);
    int fd[2];
    must_pipe(fd);
    CHECK(filled(p, 100, 23) && all_zero(p + 100, PAGE - 100));
    CHECK(!can(load, p + PAGE) && !can(load, p + 2 * PAGE));
    CHECK_EQ(sys_write(fd[1], p + PAGE, 10), -1);
    make_file("g", PAGE + 5, 24);
    int f = must_open("f", ABI_O_RDWR), g = must_open("g", ABI_O_RDWR);
    CHECK_EQ(sys_write(g, p + PAGE, 10), -1);
    CHECK_EQ(sys_ftruncate(f, PAGE + 1), 0);
    CHECK(all_zero(p + PAGE, PAGE) && !can(load, p + 2 * PAGE));
    must_close(f);
    must_close(g);
    CHECK((long)sys_mmap(NULL, PAGE, ABI_PROT_READ, ABI_MAP_PRIVATE, 77, 0) == -EBADF);
    CHECK((long)sys_mmap(NULL, PAGE, ABI_PROT_READ, ABI_MAP_PRIVATE, fd[0], 0) == -ENODEV);
    int dir = must_open(".", ABI_O_RDONLY);
    CHECK((long)sys_mmap(NULL, PAGE, ABI_PROT_READ, ABI_MAP_PRIVATE, dir, 0) == -ENODEV);
    f = must_open("f", 1); /* for writing only */
    CHECK((long)sys_mmap(NULL, PAGE, ABI_PROT_READ, ABI_MAP_PRIVATE, f, 0) == -EACCES);
    must_close(f);
    f = must_open("f", ABI_O_RDONLY);
    CHECK((long)sys_mmap(NULL, PAGE, RW, ABI_MAP_SHARED, f, 0) == -EACCES);
    CHECK((long)sys_mmap(NULL, PAGE, ABI_PROT_READ, ABI_MAP_SHARED, f, 5) == -EINVAL);
    must_close(f);
    char *far = map_file("f", PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 1ull << 40);
    CHECK(!can(load, far));
}

#define LAST_OFFSET (INT64_MAX - INT64_MAX % PAGE)

/* As far as an off_t goes, and no further. */
static void file_offsets(void) {
    static const struct {
        int64_t offset;
        uint64_t bytes;
        long err;
    } cases[] = {{-(int64_t)PAGE, PAGE, EINVAL},
                 {INT64_MIN, 2 * PAGE, EINVAL},
                 {LAST_OFFSET, 2 * PAGE, EOVERFLOW},
                 {LAST_OFFSET, 1, EOVERFLOW},
                 {LAST_OFFSET - 4 * PAGE, 4 * PAGE + 1, EOVERFLOW}};
    make_file("f", PAGE, 26);
    int f = must_open("f", ABI_O_RDONLY);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        long got = (long)sys_mmap(NULL, cases[i].bytes, ABI_PROT_READ, ABI_MAP_PRIVATE, f,
                                  cases[i].offset);
        CHECK_MSG(got == -cases[i].err, "case %d: %ld", (int)i, got);
    }
    must_close(f);
    char *last = map_file("f", 2 * PAGE, ABI_PROT_READ, ABI_MAP_PRIVATE, LAST_OFFSET - 2 * PAGE);
    CHECK(!can(load, last) && !can(load, last + PAGE));
    char *far = map_file("f", 2 * PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 1ull << 60);
    CHECK(!can(load, far));
}

/* read and write with a buffer that is the file itself, and nothing of it there yet. */
static void file_into_itself(void) {
    unsigned char *text = scratch;
    make_file("f", 6 * PAGE, 25);
    fill(text, 6 * PAGE, 25);
    char *p = map_file("f", 6 * PAGE, RW, ABI_MAP_PRIVATE, 0);
    int f = must_open("f", ABI_O_RDWR);
    read_all(f, p + 3 * PAGE + 50, 2 * PAGE);
    CHECK(memcmp(p + 3 * PAGE + 50, text, 2 * PAGE) == 0);
    CHECK(memcmp(p, text, 3 * PAGE + 50) == 0);
    unmap(p, 6 * PAGE);
    p = map_file("f", 6 * PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 0);
    CHECK_EQ(sys_lseek(f, 0, 0), 0);
    write_all(f, p + 4 * PAGE, 2 * PAGE); /* over other pages of the mapping */
    CHECK(memcmp(p, text + 4 * PAGE, 2 * PAGE) == 0);
    CHECK(memcmp(p + 2 * PAGE, text + 2 * PAGE, 4 * PAGE) == 0);
    CHECK_EQ(sys_lseek(f, 0, 0), 0);
    write_all(f, p, 6 * PAGE); /* each page onto itself */
    CHECK(memcmp(p, text + 4 * PAGE, 2 * PAGE) == 0);
    CHECK_EQ(sys_read(f, p, 10), 0); /* at the end */
    CHECK_EQ(sys_lseek(f, 0, 0), 0);
    CHECK_EQ(sys_read(f, p, 10), -1); /* it may not be written */
    must_close(f);
}

/* Pages that nobody has read so far: in user mode, and in calls that hold a pipe's end. */
static void file_untouched(void) {
    unsigned char *page = scratch;
    char *p = map_file("/bin/wc", 3 * PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 0);
    int fd[2], f = must_open("/bin/wc", ABI_O_RDONLY);
    must_pipe(fd);
    write_all(fd[1], p + PAGE + 100, 200);
    CHECK(p[0] == 0x7f && p[1] == 'E');
    write_all(fd[1], p + 2 * PAGE - 8, 16);
    read_all(f, page, PAGE);
    CHECK(memcmp(p, page, PAGE) == 0);
    read_all(f, page, PAGE);
    CHECK(memcmp(p + PAGE, page, PAGE) == 0);
    read_all(fd[0], page + 100, 200);
    CHECK(memcmp(p + PAGE, page, PAGE) == 0);
}

/* Files, n bytes of each, until no more can be mapped; the others can be read and written all the
 * same. How many could be. */
static int map_many(uint64_t n) {
    enum { MOST = 70 };
    char name[] = "m00", *p[MOST];
    int count = 0;
    for (; count < MOST; count++) {
        name[1] = (char)('0' + count / 10);
        name[2] = (char)('0' + count % 10);
        make_file(name, PAGE, count);
        int fd = must_open(name, ABI_O_RDONLY);
        p[count] = sys_mmap(NULL, n, ABI_PROT_READ, ABI_MAP_SHARED, fd, 0);
        must_close(fd);
        must_unlink(name);
        if ((long)p[count] < 0)
            break;
        CHECK(filled(p[count], PAGE, count));
    }
    CHECK_MSG(count == MOST || (long)p[count] == -ENOMEM, "mmap is %ld", (long)p[count]);
    make_file("f", 16 * PAGE, 30);
    check_file("f", 16 * PAGE, 30);
    for (int i = 0; i < count; i++) {
        CHECK(filled(p[i], PAGE, i));
        unmap(p[i], n);
    }
    return count;
}

/* What counts is how much of them is mapped. */
static void file_many(void) {
    int large = map_many(60 * PAGE);
    CHECK(large >= 7);
    CHECK_EQ(map_many(PAGE), 70);
    CHECK_EQ(map_many(60 * PAGE), large); /* all of it came back */
    char *q = map_file("f", PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 0);
    CHECK(map_file("f", PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 0) != q);
}

/* Several processes map, read and write one file. */
static void file_together(void) {
    unsigned char *text = scratch; /* all of it */
    fill(text, 16 * PAGE, 26);
    make_file("f", 16 * PAGE, 26);
    for (int who = 0; who < 3; who++)
        if (must_fork() == 0) {
            unsigned char *page = scratch2;
            int f = must_open("f", ABI_O_RDWR);
            for (int round = 0; round < 30; round++) {
                int private = round % 2;
                char *p = map_file("f", 16 * PAGE, private ? RW : ABI_PROT_READ,
                                   private ? ABI_MAP_PRIVATE : ABI_MAP_SHARED, 0);
                int at = (who * 5 + round) % 16;
                if (private)
                    fill(p + at * PAGE, PAGE, 27);
                CHECK_EQ(sys_lseek(f, at * PAGE, 0), at * PAGE);
                read_all(f, page, PAGE);
                CHECK(memcmp(page, text + at * PAGE, PAGE) == 0);
                CHECK_EQ(sys_lseek(f, at * PAGE, 0), at * PAGE);
                write_all(f, page, PAGE);
                CHECK(private || memcmp(p, text, 16 * PAGE) == 0);
                unmap(p, 16 * PAGE);
            }
            sys_exit(0);
        }
    reap_all(3, 0);
}

const struct test mapfile_tests[] = {
    {"mmap_file_shared", file_shared, false},
    {"mmap_file_private", file_private, false},
    {"mmap_file_copy_waits", others_run_while_a_copy_waits, false},
    {"mmap_file_end", file_end, false},
    {"mmap_file_offsets", file_offsets, false},
    {"mmap_file_into_itself", file_into_itself, false},
    {"mmap_file_many", file_many, false},
    {"mmap_file_untouched", file_untouched, false},
    {"mmap_file_together", file_together, false},
    {0},
};
