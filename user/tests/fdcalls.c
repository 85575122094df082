/* Descriptors that a call places, marks or opens beyond the first ones: dup3, pipe2, fcntl. */
#include "test.h"
#include <string.h>

/* Bit i of its status: descriptor 3 + i is open, for the first eight. */
PROGRAM(which_are_open, "li s0, 0\n li s1, 3\n"
                        "1: mv a0, s1\n li a1, 1\n li a7, 132\n ecall\n bltz a0, 2f\n"
                        " addi t0, s1, -3\n li t1, 1\n sll t1, t1, t0\n or s0, s0, t1\n"
                        "2: addi s1, s1, 1\n li t0, 11\n blt s1, t0, 1b\n"
                        " mv a0, s0\n li a7, 2\n ecall");

static void check_lowest_is(int fd) {
    CHECK_EQ(sys_dup(0), fd);
    must_close(fd);
}

static void dup3_replaces(void) {
    char c;
    int p[2], other[2];
    must_pipe(p);
    must_pipe(other);
    CHECK_EQ(sys_dup3(p[1], other[1], 0), other[1]);
    CHECK_EQ(sys_read(other[0], &c, 1), 0); /* its one writer has been closed */
    write_all(other[1], "x", 1);
    must_close(p[1]);
    write_all(other[1], "y", 1);
    CHECK_EQ(sys_dup3(p[0], other[0], 0), other[0]);
    must_close(p[0]);
    read_all(other[0], &c, 1);
    CHECK_EQ(c, 'x');
    must_close(other[1]);
    read_all(other[0], &c, 1);
    CHECK_EQ(c, 'y');
    CHECK_EQ(sys_read(other[0], &c, 1), 0);
}

static void dup3_anywhere(void) {
    static const int places[] = {20, 63, 64, 127, 500, ABI_NOFILE - 1};
    make_file("f", 100, 1);
    int fd = must_open("f", ABI_O_RDONLY);
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        CHECK_EQ(sys_dup3(fd, places[i], 0), places[i]);
        read_all(places[i], scratch + 10 * i, 10);
        CHECK_EQ(sys_fcntl(fd, ABI_F_DUPFD, places[i]),
                 places[i] == ABI_NOFILE - 1 ? -EMFILE : places[i] + 1);
    }
    CHECK(filled(scratch, 60, 1));
    check_lowest_is(fd + 1);
    CHECK_EQ(sys_dup3(fd, ABI_NOFILE, 0), -EBADF);
    CHECK_EQ(sys_dup3(fd, -1, 0), -EBADF);
    CHECK_EQ(sys_fcntl(fd, ABI_F_DUPFD, ABI_NOFILE), -EINVAL);
    CHECK_EQ(sys_fcntl(fd, ABI_F_DUPFD, -1), -EINVAL);
}

/* As the shell keeps a descriptor while a command has another one there. */
static void lowest_from(void) {
    CHECK_EQ(sys_fcntl(0, ABI_F_DUPFD, 10), 10);
    CHECK_EQ(sys_fcntl(0, ABI_F_DUPFD, 10), 11);
    must_close(10);
    CHECK_EQ(sys_fcntl(0, ABI_F_DUPFD, 9), 9);
    CHECK_EQ(sys_fcntl(0, ABI_F_DUPFD, 9), 10);
    CHECK_EQ(sys_fcntl(0, ABI_F_DUPFD, 0), 3);
}

/* Each descriptor has its own mark; a new one has none, but where it is asked for. */
static void marks(void) {
    int fd = must_open("/", ABI_O_CLOEXEC), p[2];
    CHECK_EQ(sys_fcntl(fd, ABI_F_GETFD, 0), ABI_FD_CLOEXEC);
    int copy = sys_dup(fd);
    CHECK_EQ(sys_fcntl(copy, ABI_F_GETFD, 0), 0);
    CHECK_EQ(sys_dup3(copy, fd, 0), fd);
    CHECK_EQ(sys_fcntl(fd, ABI_F_GETFD, 0), 0);
    CHECK_EQ(sys_dup3(copy, fd, ABI_O_CLOEXEC), fd);
    CHECK_EQ(sys_fcntl(fd, ABI_F_GETFD, 0), ABI_FD_CLOEXEC);
    CHECK_EQ(sys_fcntl(fd, ABI_F_SETFD, 0), 0);
    CHECK_EQ(sys_fcntl(fd, ABI_F_GETFD, 0), 0);
    CHECK_EQ(sys_fcntl(fd, ABI_F_SETFD, ABI_FD_CLOEXEC), 0);
    CHECK_EQ(sys_fcntl(fd, ABI_F_GETFD, 0), ABI_FD_CLOEXEC);
    must_close(fd);
    CHECK_EQ(must_open("/", ABI_O_RDONLY), fd);
    CHECK_EQ(sys_fcntl(fd, ABI_F_GETFD, 0), 0);
    fd = sys_fcntl(fd, ABI_F_DUPFD_CLOEXEC, 100);
    CHECK_EQ(fd, 100);
    CHECK_EQ(sys_fcntl(fd, ABI_F_GETFD, 0), ABI_FD_CLOEXEC);
    CHECK_EQ(sys_pipe2(p, ABI_O_CLOEXEC), 0);
    CHECK_EQ(sys_fcntl(p[0], ABI_F_GETFD, 0), ABI_FD_CLOEXEC);
    CHECK_EQ(sys_fcntl(p[1], ABI_F_GETFD, 0), ABI_FD_CLOEXEC);
    CHECK_EQ(sys_pipe2(p, 0), 0);
    CHECK_EQ(sys_fcntl(p[0], ABI_F_GETFD, 0), 0);
}

/* A child has the marks, too; an exec that fails closes nothing. */
static void closed_by_exec(void) {
    char *argv[] = {"p", NULL}, c;
    int p[2];
    WRITE_PROGRAM("p", which_are_open, 5);
    CHECK_EQ(sys_pipe2(p, ABI_O_CLOEXEC), 0); /* 3, 4 */
    CHECK_EQ(must_open("/", ABI_O_RDONLY), 5);
    CHECK_EQ(must_open("/", ABI_O_CLOEXEC), 6);
    CHECK_EQ(sys_dup(6), 7);
    CHECK_EQ(sys_fcntl(p[1], ABI_F_DUPFD_CLOEXEC, 70), 70); /* in another block */
    CHECK_EQ(run_program("p", NULL), 1 << 2 | 1 << 4);
    CHECK_EQ(sys_exec("no", argv), -1);
    CHECK_EQ(sys_fcntl(6, ABI_F_GETFD, 0), ABI_FD_CLOEXEC);
    CHECK_EQ(run_program("p", NULL), 1 << 2 | 1 << 4);
    must_close(4);
    write_all(70, "x", 1);
    int pid = must_fork();
    if (pid == 0) {
        sys_exec("p", argv);
        sys_exit(EXEC_FAILED);
    }
    must_close(70);
    read_all(p[0], &c, 1);
    CHECK_EQ(sys_read(p[0], &c, 1), 0); /* nor has the program a writer */
    CHECK_EQ(reap(pid), 1 << 2 | 1 << 4);
}

static void flags_of_files(void) {
    int p[2], fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR | ABI_O_CLOEXEC);
    must_pipe(p);
    CHECK_EQ(sys_fcntl(fd, ABI_F_GETFL, 0), ABI_O_RDWR);
    CHECK_EQ(sys_fcntl(p[0], ABI_F_GETFL, 0), ABI_O_RDONLY);
    CHECK_EQ(sys_fcntl(p[1], ABI_F_GETFL, 0), ABI_O_WRONLY);
    int synced = must_open("f", ABI_O_WRONLY | ABI_O_SYNC);
    CHECK_EQ(sys_fcntl(synced, ABI_F_GETFL, 0), ABI_O_WRONLY | ABI_O_SYNC);
    int copy = sys_dup(fd);
    write_all(fd, "abc", 3);
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    CHECK_EQ(sys_fcntl(fd, ABI_F_SETFL, ABI_O_APPEND | ABI_O_WRONLY), 0);
    CHECK_EQ(sys_fcntl(copy, ABI_F_GETFL, 0), ABI_O_RDWR | ABI_O_APPEND);
    write_all(copy, "d", 1);
    CHECK_EQ(sys_fcntl(copy, ABI_F_SETFL, 0), 0);
    CHECK_EQ(sys_lseek(fd, 0, 0), 0);
    write_all(fd, "x", 1);
    read_all(fd, scratch, 3);
    CHECK(memcmp(scratch, "bcd", 3) == 0);
}

/* Descriptors behind the first block take memory: without any, what fails has changed nothing. */
static void without_memory(void) {
    int p[2], lowest = sys_dup(0);
    must_close(lowest);
    uint64_t got = take_all_memory();
    int fd = sys_dup3(0, 700, 0);
    CHECK(fd == 700 || fd == -ENOMEM);
    int n = 0;
    while ((fd = ecall3(TELLING_NUMBER(SYS_dup), 0, 0, 0)) >= 0)
        n++;
    CHECK_EQ(fd, -ENOMEM);
    CHECK(n >= 64 - lowest);
    CHECK_EQ(sys_fcntl(0, ABI_F_DUPFD, ABI_NOFILE - 1), -ENOMEM);
    CHECK_EQ(sys_fcntl(ABI_NOFILE - 1, ABI_F_GETFD, 0), -EBADF);
    CHECK_EQ(sys_pipe(p), -1);
    give_back(got);
    CHECK_EQ(sys_fcntl(0, ABI_F_DUPFD, ABI_NOFILE - 1), ABI_NOFILE - 1);
    CHECK_EQ(sys_dup(0), lowest + n);
    for (int i = 0; i <= n; i++)
        must_close(lowest + i);
    check_lowest_is(lowest);
}

/* As many as there can be, and the child has them all. */
static void all_of_them(void) {
    int fd;
    while ((fd = sys_dup(0)) >= 0)
        ;
    int pid = must_fork();
    if (pid == 0) {
        for (fd = 3; fd < ABI_NOFILE; fd++)
            must_close(fd);
        check_lowest_is(3);
        sys_exit(0);
    }
    CHECK_EQ(reap(pid), 0);
    must_close(777);
    check_lowest_is(777);
}

const struct test fdcalls_tests[] = {
    {"fd_dup3_replaces", dup3_replaces, false},
    {"fd_dup3_anywhere", dup3_anywhere, false},
    {"fd_lowest_from", lowest_from, false},
    {"fd_marks", marks, false},
    {"fd_closed_by_exec", closed_by_exec, false},
    {"fd_flags_of_files", flags_of_files, false},
    {"fd_without_memory", without_memory, false},
    {"fd_all_of_them", all_of_them, false},
    {0},
};
