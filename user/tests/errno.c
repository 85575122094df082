/* Why a call fails: each call with arguments that are wrong in every way that a table can say. What
 * takes more to bring about, such as a full disk, is in the tests of it. mmap and its kin are in
 * mmap.c and mapfile.c. */
#include "test.h"
#include <string.h>

/* What prepare() makes: the descriptors are the lowest free ones, in this order. */
enum { READER = 3, WRITER, DIRECTORY, OUT, IN, BEYOND, FULL, DEVICE, BUSY, CLOSED };
#define NOBODY 0x7fffffff
#define BAD DIRECT_MAP
#define MAX_FILE (268u * 1024)

PROGRAM(end, "li a7, 2\n ecall");

static char too_long[ABI_MAXPATH + 1];
static struct abi_vmtable no_level = {.head.level = 99};
static char *no_arguments[] = {NULL};
static char *many[ABI_MAXARG + 2], *many_strings[ABI_MAXENV + 2];
static char *bad_argument[] = {(char *)BAD, NULL};

/* A device that nobody serves, a pipe that nobody reads, offsets from which nothing can be written:
 * one in front of which nothing is, one that no file reaches. */
static void prepare(void) {
    int fds[2];
    make_file("f", 10, 1);
    must_mkdir("d");
    make_file("d/e", 1, 1);
    memset(too_long, 'a', sizeof(too_long) - 1);
    for (int i = 0; i <= ABI_MAXARG; i++)
        many[i] = "x";
    for (int i = 0; i <= ABI_MAXENV; i++)
        many_strings[i] = "x";
    CHECK_EQ(must_open("f", ABI_O_RDONLY), READER);
    CHECK_EQ(must_open("f", ABI_O_WRONLY), WRITER);
    CHECK_EQ(must_open("d", ABI_O_RDONLY), DIRECTORY);
    must_pipe(fds);
    CHECK(fds[0] == OUT && fds[1] == IN);
    CHECK_EQ(must_open("f", ABI_O_RDWR), BEYOND);
    CHECK_EQ(sys_lseek(BEYOND, 11, 0), 11);
    make_file("full", 0, 0);
    CHECK_EQ(must_open("full", ABI_O_RDWR), FULL);
    CHECK_EQ(sys_ftruncate(FULL, MAX_FILE), 0);
    CHECK_EQ(sys_lseek(FULL, MAX_FILE, 0), MAX_FILE);
    CHECK_EQ(sys_mknod("nobody", 9, 0), 0);
    CHECK_EQ(must_open("nobody", ABI_O_RDWR), DEVICE);
    CHECK_EQ(sys_mknod("none", -1, 0), 0);
    WRITE_PROGRAM("busy", end, 5);
    CHECK_EQ(must_open("busy", ABI_O_WRONLY), BUSY);
}

static const struct wrong {
    uint8_t call, error;
    uint64_t a, b, c;
} wrong[] = {
    {SYS_wait, ECHILD, 0, 0, 0},
    {SYS_pipe, EFAULT, BAD, 0, 0},
    {SYS_read, EBADF, CLOSED, ARG(scratch), 1},
    {SYS_read, EBADF, -1u, ARG(scratch), 1},
    {SYS_read, EBADF, WRITER, ARG(scratch), 1},
    {SYS_read, EINVAL, READER, ARG(scratch), -1u},
    {SYS_read, EFAULT, READER, BAD, 1},
    {SYS_read, ENODEV, DEVICE, ARG(scratch), 1},
    {SYS_kill, ESRCH, NOBODY, 0, 0},
    {SYS_kill, ESRCH, -1u, 0, 0},
    {SYS_kill, ESRCH, -NOBODY, 0, 0},
    {SYS_kill, EPERM, 1, 0, 0},
    {SYS_exec, EFAULT, BAD, ARG(no_arguments), 0},
    {SYS_exec, ENAMETOOLONG, ARG(too_long), ARG(no_arguments), 0},
    {SYS_exec, ENOENT, ARG("no"), ARG(no_arguments), 0},
    {SYS_exec, ENOTDIR, ARG("f/x"), ARG(no_arguments), 0},
    {SYS_exec, ETXTBSY, ARG("busy"), ARG(no_arguments), 0},
    {SYS_exec, ENOEXEC, ARG("d/e"), ARG(no_arguments), 0},
    {SYS_exec, ENOEXEC, ARG("d"), ARG(no_arguments), 0},
    {SYS_exec, E2BIG, ARG(SELF), ARG(many), 0},
    {SYS_exec, EFAULT, ARG(SELF), BAD, 0},
    {SYS_exec, EFAULT, ARG(SELF), ARG(bad_argument), 0},
    {SYS_execve, ENOENT, ARG("no"), ARG(no_arguments), ARG(no_arguments)},
    {SYS_execve, E2BIG, ARG(SELF), ARG(no_arguments), ARG(many_strings)},
    {SYS_execve, EFAULT, ARG(SELF), ARG(no_arguments), BAD},
    {SYS_execve, EFAULT, ARG(SELF), ARG(no_arguments), ARG(bad_argument)},
    {SYS_clock_gettime, EINVAL, 2, ARG(scratch), 0},
    {SYS_clock_gettime, EINVAL, -1u, ARG(scratch), 0},
    {SYS_clock_gettime, EFAULT, ABI_CLOCK_REALTIME, BAD, 0},
    {SYS_fstat, EBADF, CLOSED, ARG(scratch), 0},
    {SYS_fstat, EINVAL, OUT, ARG(scratch), 0},
    {SYS_fstat, EFAULT, READER, BAD, 0},
    {SYS_chdir, EFAULT, BAD, 0, 0},
    {SYS_chdir, ENAMETOOLONG, ARG(too_long), 0, 0},
    {SYS_chdir, ENOENT, ARG("no"), 0, 0},
    {SYS_chdir, ENOTDIR, ARG("f"), 0, 0},
    {SYS_dup, EBADF, CLOSED, 0, 0},
    {SYS_sbrk, ENOMEM, 0x80000000, ABI_SBRK_EAGER, 0},
    {SYS_open, EFAULT, BAD, ABI_O_RDONLY, 0},
    {SYS_open, ENAMETOOLONG, ARG(too_long), ABI_O_RDONLY, 0},
    {SYS_open, ENOENT, ARG("no"), ABI_O_RDWR, 0},
    {SYS_open, ENOENT, ARG("no/x"), ABI_O_CREATE, 0},
    {SYS_open, ENOTDIR, ARG("f/x"), ABI_O_CREATE, 0},
    {SYS_open, EISDIR, ARG("d"), ABI_O_WRONLY, 0},
    {SYS_open, EEXIST, ARG("d"), ABI_O_CREATE, 0},
    {SYS_open, ETXTBSY, ARG(SELF), ABI_O_RDWR, 0},
    {SYS_open, ENODEV, ARG("none"), ABI_O_RDONLY, 0},
    {SYS_write, EBADF, CLOSED, ARG(scratch), 1},
    {SYS_write, EBADF, READER, ARG(scratch), 1},
    {SYS_write, EBADF, DIRECTORY, ARG(scratch), 1},
    {SYS_write, EINVAL, WRITER, ARG(scratch), -1u},
    {SYS_write, EINVAL, BEYOND, ARG(scratch), 1},
    {SYS_write, EFAULT, WRITER, BAD, 1},
    {SYS_write, EFBIG, FULL, ARG(scratch), 1},
    {SYS_write, ENODEV, DEVICE, ARG(scratch), 1},
    {SYS_mknod, EFAULT, BAD, 1, 0},
    {SYS_mknod, ENAMETOOLONG, ARG(too_long), 1, 0},
    {SYS_mknod, ENOENT, ARG("no/x"), 1, 0},
    {SYS_mknod, ENOTDIR, ARG("f/x"), 1, 0},
    {SYS_mknod, EEXIST, ARG("f"), 1, 0},
    {SYS_unlink, EFAULT, BAD, 0, 0},
    {SYS_unlink, ENAMETOOLONG, ARG(too_long), 0, 0},
    {SYS_unlink, ENOENT, ARG("no"), 0, 0},
    {SYS_unlink, ENOTDIR, ARG("f/x"), 0, 0},
    {SYS_unlink, EINVAL, ARG("d/."), 0, 0},
    {SYS_unlink, ENOTEMPTY, ARG("d"), 0, 0},
    {SYS_link, EFAULT, BAD, ARG("x"), 0},
    {SYS_link, EFAULT, ARG("f"), BAD, 0},
    {SYS_link, ENAMETOOLONG, ARG("f"), ARG(too_long), 0},
    {SYS_link, ENOENT, ARG("no"), ARG("x"), 0},
    {SYS_link, ENOTDIR, ARG("f"), ARG("f/x"), 0},
    {SYS_link, EPERM, ARG("d"), ARG("x"), 0},
    {SYS_link, EEXIST, ARG("f"), ARG("d"), 0},
    {SYS_mkdir, EFAULT, BAD, 0, 0},
    {SYS_mkdir, ENAMETOOLONG, ARG(too_long), 0, 0},
    {SYS_mkdir, ENOENT, ARG("no/x"), 0, 0},
    {SYS_mkdir, ENOTDIR, ARG("f/x"), 0, 0},
    {SYS_mkdir, EEXIST, ARG("d"), 0, 0},
    {SYS_close, EBADF, CLOSED, 0, 0},
    {SYS_sysinfo, EFAULT, BAD, 0, 0},
    {SYS_procinfo, EINVAL, -1u, ARG(scratch), 0},
    {SYS_procinfo, EFAULT, 0, BAD, 0},
    {SYS_lseek, EBADF, CLOSED, 0, 0},
    {SYS_lseek, ESPIPE, OUT, 0, 0},
    {SYS_lseek, ESPIPE, DEVICE, 0, 0},
    {SYS_lseek, EINVAL, READER, -1ull, 0},
    {SYS_lseek, EINVAL, READER, 0, 3},
    {SYS_vmprint, ESRCH, NOBODY, 0, 0},
    {SYS_ftruncate, EBADF, CLOSED, 0, 0},
    {SYS_ftruncate, EBADF, READER, 0, 0},
    {SYS_ftruncate, EINVAL, IN, 0, 0},
    {SYS_ftruncate, EFBIG, WRITER, MAX_FILE + 1, 0},
    {SYS_rename, EFAULT, BAD, ARG("x"), 0},
    {SYS_rename, ENAMETOOLONG, ARG("f"), ARG(too_long), 0},
    {SYS_rename, ENOENT, ARG("no"), ARG("x"), 0},
    {SYS_rename, EINVAL, ARG("d"), ARG("d/x"), 0},
    {SYS_rename, EINVAL, ARG("d/."), ARG("x"), 0},
    {SYS_rename, EISDIR, ARG("f"), ARG("d"), 0},
    {SYS_rename, ENOTDIR, ARG("d"), ARG("f"), 0},
    {SYS_vmtable, ESRCH, NOBODY, ARG(scratch), 0},
    {SYS_vmtable, EINVAL, 0, ARG(&no_level), 0},
    {SYS_vmtable, EFAULT, 0, BAD, 0},
    {SYS_vmregions, ESRCH, NOBODY, ARG(scratch), 1},
    {SYS_vmregions, EFAULT, 0, BAD, 1},
    {SYS_setpgid, ESRCH, NOBODY, 0, 0},
    {SYS_setpgid, EPERM, 0, NOBODY, 0},
    {SYS_foreground, ESRCH, NOBODY, 0, 0},
    {SYS_design, EINVAL, ARG("no such"), 0, 0},
    {SYS_design, EFAULT, BAD, 0, 0},
    {SYS_designname, EINVAL, -1u, ARG(scratch), 0},
    {SYS_designname, EFAULT, 0, BAD, 0},
    {SYS_fsync, EBADF, CLOSED, 0, 0},
    {SYS_fsync, EINVAL, OUT, 0, 0},
    {SYS_fdatasync, EBADF, CLOSED, 0, 0},
    {SYS_fdatasync, EINVAL, IN, 0, 0},
    {SYS_dup3, EBADF, CLOSED, 20, 0},
    {SYS_dup3, EBADF, READER, ABI_NOFILE, 0},
    {SYS_dup3, EINVAL, READER, READER, 0},
    {SYS_dup3, EINVAL, READER, WRITER, ABI_O_APPEND},
    {SYS_pipe2, EINVAL, ARG(scratch), ABI_O_APPEND, 0},
    {SYS_pipe2, EFAULT, BAD, ABI_O_CLOEXEC, 0},
    {SYS_fcntl, EBADF, CLOSED, ABI_F_GETFD, 0},
    {SYS_fcntl, EBADF, CLOSED, ABI_F_SETFD, 0},
    {SYS_fcntl, EBADF, CLOSED, ABI_F_GETFL, 0},
    {SYS_fcntl, EINVAL, READER, 99, 0},
    {SYS_fcntl, EINVAL, READER, ABI_F_DUPFD, ABI_NOFILE},
};

/* Calls of xv6 answer -1 to its own programs, and the reason to who asks for it. */
static void wrong_arguments(void) {
    prepare();
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const struct wrong *w = &wrong[i];
        bool own = w->call >= SYSCALL_OWN;
        long number = own ? w->call : TELLING_NUMBER(w->call);
        long told = ecall3(number, w->a, w->b, w->c);
        CHECK_MSG(told == -w->error, "call %d, row %d: %ld, not %d", w->call, i, told, -w->error);
        if (!own)
            CHECK_EQ(ecall3(w->call, w->a, w->b, w->c), -1);
    }
}

static void other_reasons(void) {
    int fds[2], fd, last = -1;
    must_pipe(fds);
    must_close(fds[0]);
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_write), fds[1], ARG(scratch), 1), -EPIPE);
    while ((fd = sys_dup(fds[1])) >= 0)
        last = fd;
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_dup), fds[1], 0, 0), -EMFILE);
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_open), ARG("."), ABI_O_RDONLY, 0), -EMFILE);
    must_close(last);
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_pipe), ARG(fds), 0, 0), -EMFILE);
}

static void second_numbers(void) {
    char c = 7;
    int fds[2];
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_getpid), 0, 0, 0), sys_getpid());
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_pipe), ARG(fds), 0, 0), 0);
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_write), fds[1], ARG(&c), 1), 1);
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_read), fds[0], ARG(scratch), 1), 1);
    CHECK_EQ(scratch[0], 7);
    CHECK_EQ(ecall3(TELLING_NUMBER(SYS_sysinfo), ARG(scratch), 0, 0), -1); /* it needs none */
}

const struct test errno_tests[] = {
    {"wrong_arguments", wrong_arguments, false},
    {"other_reasons", other_reasons, false},
    {"second_numbers", second_numbers, false},
    {0},
};
