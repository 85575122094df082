/* mmap of files: what is stored through mappings is the file's, as soon as read and write, other
 * mappings and the disk look; and what is cut off is gone from them. */
#include "mappings.h"

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

const struct test mapstore_tests[] = {
    {"mmap_file_stored", file_stored, false},
    {"mmap_file_stored_by_calls", file_stored_by_calls, false},
    {"mmap_file_stored_together", file_stored_together, false},
    {"mmap_file_stored_is_executed", file_stored_is_executed, false},
    {"mmap_file_maps_come_and_go", file_maps_come_and_go, false},
    {"mmap_file_read_while_synced", file_read_while_synced, false},
    {"mmap_file_cut", file_cut, false},
    {"mmap_file_cut_while_used", file_cut_while_used, false},
    {0},
};
