/* mmap of files: what is mapped is what read and write see. (Anonymous memory: mmap.c.) */
#include "mappings.h"

static char *map_file(const char *name, uint64_t n, int prot, int flags, uint64_t offset) {
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

static void sync_pages(void *p, uint64_t n) { CHECK_EQ(sys_msync(p, n, ABI_MS_SYNC), 0); }

/* What is stored is what read gives, and other mappings show, at once. */
static void file_stored(void) {
    make_file("f", 3 * PAGE + 50, 31);
    char *p = map_file("f", 4 * PAGE, RW, ABI_MAP_SHARED, 0);
    char *q = map_file("f", 4 * PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 0);
    char *own = map_file("f", 4 * PAGE, RW, ABI_MAP_PRIVATE, 0);
    int f = must_open("f", ABI_O_RDWR);
    char c[8];
    for (int round = 0; round < 3; round++) {
        p[PAGE] = (char)('a' + round); /* a fault each time, for the page was made durable */
        p[PAGE + 1] = 'x';
        CHECK_EQ(sys_lseek(f, PAGE, 0), PAGE);
        read_all(f, c, 2);
        CHECK(c[0] == 'a' + round && c[1] == 'x' && q[PAGE] == c[0] && own[PAGE] == c[0]);
        CHECK_EQ(sys_lseek(f, PAGE, 0), PAGE);
        write_all(f, "w", 1);
        CHECK(p[PAGE] == 'w' && q[PAGE] == 'w');
        if (round == 0)
            sync_pages(p, 4 * PAGE);
        else
            CHECK_EQ(sys_fsync(f), 0);
    }
    own[2 * PAGE] = 'o';
    int pid = must_fork();
    if (pid == 0) {
        CHECK(own[2 * PAGE] == 'o');
        memcpy(p + 2 * PAGE, "child", 5);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    CHECK(memcmp(p + 2 * PAGE, "child", 5) == 0 && memcmp(q + 2 * PAGE, "child", 5) == 0);
    CHECK(own[2 * PAGE] == 'o');
    p[3 * PAGE + 50] = 'z'; /* behind the end, where it is nobody's */
    struct stat st;
    CHECK_EQ(sys_fstat(f, &st), 0);
    CHECK_EQ((long)st.size, 3 * PAGE + 50);
    CHECK_EQ(sys_ftruncate(f, 3 * PAGE + 60), 0);
    CHECK_EQ(sys_lseek(f, 3 * PAGE + 48, 0), 3 * PAGE + 48);
    read_all(f, c, 3);
    CHECK(c[2] == 0);
    must_close(f);
}

/* Permission is what the descriptor had, also for mprotect; calls write there, too. */
static void file_stored_by_calls(void) {
    make_file("f", 2 * PAGE, 32);
    make_file("g", 2 * PAGE, 33);
    char *p = map_file("f", 2 * PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 0);
    CHECK_EQ(sys_mprotect(p, PAGE, RW), -EACCES);
    unmap(p, 2 * PAGE);
    p = map_file("f", 2 * PAGE, RW, ABI_MAP_SHARED, 0);
    protect(p, 2 * PAGE, ABI_PROT_READ);
    CHECK(!can(store, p) && can(load, p));
    protect(p, 2 * PAGE, RW);
    int f = must_open("f", ABI_O_RDWR), g = must_open("g", ABI_O_RDONLY), fd[2];
    read_all(g, p, 2 * PAGE); /* pages that nobody has touched */
    CHECK(filled(p, 2 * PAGE, 33));
    check_file("f", 2 * PAGE, 33);
    CHECK_EQ(sys_fsync(f), 0);
    must_pipe(fd); /* and through a pipe, onto pages that may not be written just now */
    write_all(fd[1], "pipe", 4);
    read_all(fd[0], p + PAGE - 2, 4);
    CHECK(memcmp(p + PAGE - 2, "pipe", 4) == 0);
    CHECK_EQ(sys_fsync(f), 0);
    CHECK_EQ(sys_lseek(f, 10, 0), 10);
    read_all(f, p + PAGE, PAGE / 2); /* the file into itself */
    CHECK(memcmp(p + 10, p + PAGE, PAGE / 2) == 0);
    int pid, status;
    pid = must_fork();
    if (pid == 0)
        sys_exit(7);
    CHECK_EQ(sys_fsync(f), 0);
    CHECK_EQ(sys_wait((int *)(p + 8)), pid);
    memcpy(&status, p + 8, sizeof status);
    CHECK_EQ(status, 7);
    must_close(f);
}

/* What is cut off is gone from all mappings, in other processes too; copies that are a process's
 * own go with it. */
static void file_cut(void) {
    make_file("f", 4 * PAGE, 34);
    char *p = map_file("f", 4 * PAGE, RW, ABI_MAP_SHARED, 0);
    char *own = map_file("f", 4 * PAGE, RW, ABI_MAP_PRIVATE, 0);
    int f = must_open("f", ABI_O_RDWR);
    own[3 * PAGE] = own[PAGE] = 'o';
    p[2 * PAGE] = p[100] = 's';
    CHECK_EQ(sys_ftruncate(f, PAGE + 1), 0);
    CHECK(p[100] == 's' && own[PAGE] == 'o' && can(load, p + PAGE));
    CHECK(!can(load, p + 2 * PAGE) && !can(store, p + 3 * PAGE) && !can(load, own + 3 * PAGE));
    int fd[2];
    must_pipe(fd);
    CHECK_EQ(sys_write(fd[1], p + 2 * PAGE, 1), -1);
    CHECK_EQ(sys_ftruncate(f, 4 * PAGE), 0);
    CHECK(all_zero(p + 2 * PAGE, 2 * PAGE) && all_zero(own + 2 * PAGE, 2 * PAGE));
    p[3 * PAGE] = 'n';
    CHECK(own[3 * PAGE] == 'n');
    int opened = must_open("f", ABI_O_WRONLY | ABI_O_TRUNC);
    CHECK(!can(load, p) && !can(load, own));
    must_close(opened);
    must_close(f);
}

/* A process that runs just now, on another hart if there is one, is told as well. */
static void file_cut_while_used(void) {
    for (int round = 0; round < 10; round++) {
        make_file("f", 2 * PAGE, 35);
        char *p = map_file("f", 2 * PAGE, RW, ABI_MAP_SHARED, 0);
        int f = must_open("f", ABI_O_RDWR), fd[2];
        must_pipe(fd);
        int pid = must_fork();
        if (pid == 0) {
            write_all(fd[1], "x", 1);
            for (volatile char *at = p + PAGE;; (*at)++)
                ;
        }
        read_all(fd[0], scratch, 1);
        CHECK_EQ(sys_ftruncate(f, 10), 0);
        CHECK_EQ(reap(pid), -1);
        CHECK_EQ(sys_ftruncate(f, 2 * PAGE), 0);
        CHECK(all_zero(p + PAGE, PAGE));
        must_close(f);
        must_close(fd[0]);
        must_close(fd[1]);
        unmap(p, 2 * PAGE);
    }
}

/* Each counts in words of its own, in all pages, while the pages are made durable again and
 * again, read, and cut off behind them. */
static void file_stored_together(void) {
    enum { WHO = 3, ROUNDS = 200, PAGES = 8 };
    make_file("f", PAGES * PAGE, 0);
    volatile long *p = (void *)map_file("f", 2 * PAGES * PAGE, RW, ABI_MAP_SHARED, 0);
    for (int i = 0; i < PAGES; i++)
        for (int who = 0; who < WHO; who++)
            p[i * PAGE / 8 + who] = 0;
    for (int who = 0; who < WHO; who++)
        if (must_fork() == 0) {
            for (long n = 1; n <= ROUNDS; n++)
                for (int i = 0; i < PAGES; i++) {
                    volatile long *word = &p[i * PAGE / 8 + who];
                    CHECK_EQ(*word, n - 1);
                    *word = n;
                }
            sys_exit(0);
        }
    int syncer = must_fork();
    if (syncer == 0) {
        long word[WHO], before[WHO] = {0};
        int f = must_open("f", ABI_O_RDWR);
        while (p[WHO - 1] < ROUNDS) {
            CHECK_EQ(sys_fsync(f), 0);
            CHECK_EQ(sys_lseek(f, 0, 0), 0);
            read_all(f, word, sizeof word);
            for (int who = 0; who < WHO; who++)
                CHECK(word[who] >= before[who]);
            memcpy(before, word, sizeof word);
            CHECK_EQ(sys_ftruncate(f, (PAGES + 3) * PAGE), 0);
            p[(PAGES + 1) * PAGE / 8]++;
            CHECK_EQ(sys_ftruncate(f, PAGES * PAGE), 0);
        }
        sys_exit(0);
    }
    reap_all(WHO + 1, 0);
    for (int i = 0; i < PAGES; i++)
        for (int who = 0; who < WHO; who++)
            CHECK_EQ(p[i * PAGE / 8 + who], ROUNDS);
}

/* Who makes pages durable, or cuts them off, goes through all mappings, while they come and go. */
static void file_maps_come_and_go(void) {
    make_file("f", 3 * PAGE, 38);
    char *p = map_file("f", 3 * PAGE, RW, ABI_MAP_SHARED, 0);
    int f = must_open("f", ABI_O_RDWR), child[2];
    for (int who = 0; who < 2; who++)
        if ((child[who] = must_fork()) == 0)
            for (;;) {
                unmap(map_file("f", PAGE, ABI_PROT_READ, ABI_MAP_SHARED, 0), PAGE);
                int pid = must_fork();
                if (pid == 0)
                    sys_exit(0);
                CHECK_EQ(reap(pid), 0);
            }
    for (int round = 0; round < 150; round++) {
        p[0] = p[PAGE] = (char)round;
        CHECK_EQ(sys_fsync(f), 0);
        CHECK_EQ(sys_ftruncate(f, 2 * PAGE + 1 + (round & 1) * PAGE), 0);
        CHECK(p[0] == (char)round && p[PAGE] == (char)round);
    }
    for (int who = 0; who < 2; who++) {
        CHECK_EQ(sys_kill(child[who]), 0);
        CHECK_EQ(reap(child[who]), -1);
    }
}

/* Between the fault for a page and the copy to it the page is made durable, and has to be asked for
 * again. */
static void file_read_while_synced(void) {
    make_file("f", 8 * PAGE, 0);
    make_file("g", 8 * PAGE, 37);
    char *p = map_file("f", 8 * PAGE, RW, ABI_MAP_SHARED, 0);
    int f = must_open("f", ABI_O_RDWR), g = must_open("g", ABI_O_RDONLY);
    int syncer = must_fork();
    while (syncer == 0)
        CHECK_EQ(sys_fsync(f), 0);
    for (int round = 0; round < 100; round++) {
        CHECK_EQ(sys_lseek(g, 0, 0), 0);
        read_all(g, p, 8 * PAGE);
        CHECK(filled(p, 8 * PAGE, 37));
    }
    CHECK_EQ(sys_kill(syncer), 0);
    CHECK_EQ(reap(syncer), -1);
}

static int store_and_execute(uint64_t n, const char *program) {
    char *p = map_file("prog", n, RW, ABI_MAP_SHARED, 0);
    int f = must_open(program, ABI_O_RDONLY);
    struct stat st;
    CHECK_EQ(sys_fstat(f, &st), 0);
    read_all(f, scratch, (int)st.size);
    must_close(f);
    memcpy(p, scratch, st.size);
    unmap(p, n);
    return run_program("prog", NULL);
}

/* A program's text is what was stored last. */
static void file_stored_is_executed(void) {
    struct stat t, f;
    must_stat("/bin/true", &t);
    must_stat("/bin/false", &f);
    uint64_t n = t.size > f.size ? t.size : f.size;
    make_file("prog", (unsigned)n, 36);
    CHECK_EQ(store_and_execute(n, "/bin/true"), 0);
    CHECK_EQ(store_and_execute(n, "/bin/false"), 1);
    CHECK_EQ(store_and_execute(n, "/bin/true"), 0);
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
    {"mmap_file_stored", file_stored, false},
    {"mmap_file_stored_by_calls", file_stored_by_calls, false},
    {"mmap_file_stored_together", file_stored_together, false},
    {"mmap_file_stored_is_executed", file_stored_is_executed, false},
    {"mmap_file_copy_waits", others_run_while_a_copy_waits, false},
    {"mmap_file_maps_come_and_go", file_maps_come_and_go, false},
    {"mmap_file_read_while_synced", file_read_while_synced, false},
    {"mmap_file_cut", file_cut, false},
    {"mmap_file_cut_while_used", file_cut_while_used, false},
    {"mmap_file_end", file_end, false},
    {"mmap_file_into_itself", file_into_itself, false},
    {"mmap_file_many", file_many, false},
    {"mmap_file_untouched", file_untouched, false},
    {"mmap_file_together", file_together, false},
    {0},
};
