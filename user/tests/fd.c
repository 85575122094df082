/* Descriptors: which is given, how many there are, what dup and fork share. */
#include "test.h"
#include <string.h>

static void lowest_is_given(void) {
    int a = must_open("/", ABI_O_RDONLY), b = must_open("/", ABI_O_RDONLY);
    int c = must_open("/", ABI_O_RDONLY);
    CHECK(a < b && b < c);
    must_close(a);
    must_close(c);
    CHECK_EQ(must_open("/", ABI_O_RDONLY), a);
    must_close(b);
    CHECK_EQ(sys_dup(a), b);
    CHECK_EQ(sys_dup(a), c);
    must_close(a);
    must_close(b);
    int p[2];
    must_pipe(p);
    CHECK((p[0] == a && p[1] == b) || (p[0] == b && p[1] == a));
}

/* Descriptors and counts are ints: what is above in the register does not count. */
static void ints_of_registers(void) {
    const uint64_t above = 0xabcULL << 32;
    make_file("f", 100, 3);
    int fd = must_open("f", ABI_O_RDWR);
    CHECK_EQ(ecall3(SYS_read, above | (uint64_t)fd, ARG(scratch), above | 40), 40);
    CHECK_EQ(ecall3(SYS_write, above | (uint64_t)fd, ARG(scratch), above | 5), 5);
    CHECK_EQ(ecall3(SYS_fstat, above | (uint64_t)fd, ARG(scratch), 0), 0);
    int other = ecall3(SYS_dup, above | (uint64_t)fd, 0, 0);
    CHECK(other > fd);
    CHECK_EQ(ecall3(SYS_close, above | (uint64_t)other, 0, 0), 0);
    CHECK_EQ(ecall3(SYS_read, above | 0xffffffffULL, ARG(scratch), 1), -1);
}

static void limit(void) {
    int fd, n = 0, last = -1, open_before = ABI_NOFILE - fds_left();
    while ((fd = sys_open("/", ABI_O_RDONLY)) >= 0) {
        last = fd;
        n++;
        CHECK(n <= ABI_NOFILE);
    }
    CHECK_EQ(open_before + n, ABI_NOFILE);
    CHECK_EQ(last, ABI_NOFILE - 1);
    CHECK_EQ(sys_dup(last), -1);
    int p[2];
    CHECK_EQ(sys_pipe(p), -1);
    CHECK_EQ(sys_open("new", ABI_O_CREATE | ABI_O_RDWR), -1);
    must_close(last);
    CHECK_EQ(sys_dup(last - 1), last);
    must_close(last);
    CHECK_EQ(must_open("new", ABI_O_CREATE | ABI_O_RDWR), last);
}

static void dup_shares_offset(void) {
    make_file("f", 100, 1);
    int fd = must_open("f", ABI_O_RDWR), other = sys_dup(fd), own = must_open("f", ABI_O_RDONLY);
    unsigned char c[100];
    read_all(fd, c, 30);
    read_all(other, c + 30, 30);
    read_all(fd, c + 60, 40);
    CHECK(filled(c, 100, 1));
    CHECK_EQ(sys_read(other, c, 1), 0);
    read_all(own, c, 100);
    CHECK(filled(c, 100, 1));
    must_close(fd);
    write_all(other, "more", 4);
    read_all(own, c, 4);
    CHECK(memcmp(c, "more", 4) == 0);
}

static void fork_shares_offset(void) {
    make_file("f", 100, 2);
    unsigned char c[100];
    int fd = must_open("f", ABI_O_RDONLY);
    read_all(fd, c, 10);
    int pid = must_fork();
    if (pid == 0) {
        read_all(fd, c + 10, 40);
        CHECK(filled(c, 50, 2));
        must_close(fd);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    read_all(fd, c + 50, 50);
    fill(scratch, 100, 2);
    CHECK(memcmp(c + 50, scratch + 50, 50) == 0);
}

/* Parent and children write through one open file: every record is there. */
static void shared_writers(void) {
    enum { PROCS = 4, RECORDS = 60, SIZE = 10 };
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    for (int k = 0; k < PROCS; k++) {
        if (must_fork() == 0) {
            write_records(fd, k, SIZE, RECORDS);
            sys_exit(0);
        }
    }
    reap_all(PROCS, 0);
    must_close(fd);
    check_records("f", PROCS, SIZE, RECORDS);
}

static void access_modes(void) {
    make_file("f", 10, 3);
    char c[10];
    int fd = must_open("f", ABI_O_RDONLY);
    CHECK_EQ(sys_write(fd, "x", 1), -1);
    CHECK_EQ(sys_ftruncate(fd, 0), -EBADF);
    CHECK_EQ(sys_read(fd, c, 10), 10);
    must_close(fd);
    char byte;
    fd = must_open("f", ABI_O_WRONLY);
    CHECK_EQ(sys_read(fd, &byte, 1), -1);
    CHECK_EQ(sys_write(fd, c, 1), 1);
    must_close(fd);
    fd = must_open("f", ABI_O_RDWR);
    CHECK_EQ(sys_read(fd, &byte, 1), 1);
    CHECK_EQ(byte, c[0]);
    CHECK_EQ(sys_write(fd, c + 1, 1), 1);
    must_close(fd);
    check_file("f", 10, 3);
}

/* The table of open files is large enough for processes at their limits, and
 * when it is full, open is an error and nothing is lost. */
static void system_table(void) {
    enum { PROCS = 40 };
    int hold[2], ready[2], n = 0;
    char c;
    must_pipe(hold);
    must_pipe(ready);
    for (int k = 0; k < PROCS; k++) {
        int pid = sys_fork();
        if (pid < 0)
            break;
        n++;
        if (pid == 0) {
            must_close(hold[1]);
            while (sys_open("/", ABI_O_RDONLY) >= 0)
                ;
            CHECK_EQ(sys_open("/", ABI_O_RDONLY), -1);
            write_all(ready[1], "x", 1);
            sys_read(hold[0], &c, 1);
            sys_exit(0);
        }
    }
    for (int k = 0; k < n; k++)
        CHECK_EQ(sys_read(ready[0], &c, 1), 1);
    must_close(hold[1]);
    reap_all(n, 0);
    must_close(must_open("/", ABI_O_RDONLY));
}

static void closed_by_exit(void) {
    struct abi_sysinfo before, after;
    must_info(&before);
    for (int i = 0; i < 20; i++) {
        int pid = must_fork();
        if (pid == 0) {
            int p[2];
            must_pipe(p);
            must_open("/", ABI_O_RDONLY);
            must_open("f", ABI_O_CREATE | ABI_O_RDWR);
            sys_dup(p[0]);
            if (i % 2)
                sys_kill(sys_getpid());
            sys_exit(0);
        }
        reap(pid);
    }
    must_info(&after);
    CHECK_EQ(after.files_open, before.files_open);
}

const struct test fd_tests[] = {
    {"fd_lowest_is_given", lowest_is_given, false},
    {"fd_ints_of_registers", ints_of_registers, false},
    {"fd_limit", limit, false},
    {"fd_dup_shares_offset", dup_shares_offset, false},
    {"fd_fork_shares_offset", fork_shares_offset, false},
    {"fd_shared_writers", shared_writers, false},
    {"fd_access_modes", access_modes, false},
    {"fd_system_table", system_table, false},
    {"fd_closed_by_exit", closed_by_exit, false},
    {0},
};
