/* Arguments that are plainly wrong: what each call answers to them. Pointers are
 * in bounds.c, descriptors in fd.c, paths in file.c and dir.c. */
#include "test.h"
#include <string.h>

static void unknown_calls(void) {
    static const long numbers[] = {0, 22, 50, 99, 1000, 1L << 31, 1L << 32, (1L << 32) + SYS_getpid,
                                   -1};
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        CHECK_MSG(ecall3(numbers[i], 1, 2, 3) == -1, "call %ld is not -1", numbers[i]);
    CHECK(sys_getpid() > 0);
}

static void bad_descriptors(void) {
    static const int bad[] = {-1,   -2,         ABI_NOFILE,      ABI_NOFILE + 1,
                              1000, 0x7fffffff, -0x7fffffff - 1, 15};
    struct stat st;
    char c = 0;
    CHECK(sys_fstat(15, &st) < 0);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int fd = bad[i];
        CHECK_EQ(sys_read(fd, &c, 1), -1);
        CHECK_EQ(sys_write(fd, &c, 1), -1);
        CHECK_EQ(sys_read(fd, &c, 0), -1);
        CHECK_EQ(sys_write(fd, &c, 0), -1);
        CHECK_EQ(sys_fstat(fd, &st), -1);
        CHECK_EQ(sys_dup(fd), -1);
        CHECK_EQ(sys_close(fd), -1);
        CHECK_EQ(sys_lseek(fd, 0, 0), -EBADF);
        CHECK_EQ(sys_ftruncate(fd, 0), -EBADF);
    }
}

static void closed_descriptor(void) {
    char c = 0;
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    must_close(fd);
    CHECK_EQ(sys_close(fd), -1);
    CHECK_EQ(sys_read(fd, &c, 1), -1);
    CHECK_EQ(sys_write(fd, &c, 1), -1);
    CHECK_EQ(sys_dup(fd), -1);
}

static void negative_lengths(void) {
    static const int bad[] = {-1, -2, -4096, -0x7fffffff - 1};
    int p[2];
    must_pipe(p);
    int fd = must_open("f", ABI_O_CREATE | ABI_O_RDWR);
    write_all(fd, scratch, 100);
    write_all(p[1], scratch, 1);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(sys_write(fd, scratch, bad[i]), -1);
        CHECK_EQ(sys_read(fd, scratch, bad[i]), -1);
        CHECK_EQ(sys_write(p[1], scratch, bad[i]), -1);
        CHECK_EQ(sys_read(p[0], scratch, bad[i]), -1);
    }
    struct stat st;
    CHECK_EQ(sys_fstat(fd, &st), 0);
    CHECK_EQ(st.size, 100);
}

static void missing_paths(void) {
    static const char *const missing[] = {"no",       "no/no", "./no", "../ut/no",
                                          "/no/such", "no/",   "no/."};
    for (unsigned i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        const char *path = missing[i];
        CHECK_EQ(sys_open(path, ABI_O_RDONLY), -1);
        CHECK_EQ(sys_open(path, ABI_O_RDWR | ABI_O_TRUNC), -1);
        CHECK_EQ(sys_chdir(path), -1);
        CHECK_EQ(sys_unlink(path), -1);
        CHECK_EQ(sys_link(path, "there"), -1);
        CHECK_EQ(sys_rename(path, "there"), -ENOENT);
        char *argv[] = {"x", NULL};
        CHECK_EQ(sys_exec(path, argv), -1);
    }
    CHECK(!exists("there"));
}

/* The empty path names nothing that can be made or removed. (Whether it can be
 * opened, as the current directory, is left open by the interface.) */
static void empty_path(void) {
    char *argv[] = {"x", NULL};
    make_file("f", 10, 1);
    CHECK_EQ(sys_open("", ABI_O_CREATE | ABI_O_RDWR), -1);
    CHECK_EQ(sys_open("", ABI_O_WRONLY), -1);
    CHECK_EQ(sys_mkdir(""), -1);
    CHECK_EQ(sys_mknod("", 1, 0), -1);
    CHECK_EQ(sys_unlink(""), -1);
    CHECK_EQ(sys_link("", "g"), -1);
    CHECK_EQ(sys_link("f", ""), -1);
    CHECK_EQ(sys_rename("f", ""), -ENOENT);
    CHECK_EQ(sys_rename("", "g"), -ENOENT);
    CHECK_EQ(sys_exec("", argv), -1);
    CHECK(!exists("g"));
}

/* A file where a directory must be. */
static void file_as_directory(void) {
    make_file("f", 10, 1);
    make_file("g", 10, 2);
    static const char *const paths[] = {"f/x", "f/.", "f/..", "f/../g", "f/x/y"};
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *path = paths[i];
        CHECK_EQ(sys_open(path, ABI_O_RDONLY), -1);
        CHECK_EQ(sys_open(path, ABI_O_CREATE | ABI_O_RDWR), -1);
        CHECK_EQ(sys_mkdir(path), -1);
        CHECK_EQ(sys_mknod(path, 1, 0), -1);
        CHECK_EQ(sys_unlink(path), -1);
        CHECK_EQ(sys_chdir(path), -1);
        CHECK_EQ(sys_link("g", path), -1);
        CHECK_EQ(sys_rename("g", path), i == 1 || i == 2 ? -EINVAL : -ENOTDIR);
    }
    CHECK_EQ(sys_chdir("f"), -1);
    check_file("f", 10, 1);
    check_file("g", 10, 2);
}

/* 127 bytes are a path, 128 are not. Slashes in a row count as one. */
static void path_length(void) {
    static char path[ABI_MAXPATH + 2];
    make_file("f", 10, 3);
    memset(path, '/', sizeof(path));
    memcpy(path, ".", 1);
    path[126] = 'f';
    path[127] = 0;
    check_file(path, 10, 3);
    path[126] = '/';
    path[127] = 'f';
    path[128] = 0;
    CHECK_EQ(sys_open(path, ABI_O_RDONLY), -1);
    CHECK_EQ(sys_open(path, ABI_O_CREATE | ABI_O_RDWR), -1);
    CHECK_EQ(sys_mkdir(path), -1);
    CHECK_EQ(sys_mknod(path, 1, 0), -1);
    CHECK_EQ(sys_unlink(path), -1);
    CHECK_EQ(sys_link(path, "g"), -1);
    CHECK_EQ(sys_link("f", path), -1);
    CHECK_EQ(sys_rename(path, "g"), -ENAMETOOLONG);
    CHECK_EQ(sys_rename("f", path), -ENAMETOOLONG);
    CHECK_EQ(sys_chdir(path), -1);
    char *argv[] = {path, NULL};
    CHECK_EQ(sys_exec(path, argv), -1);
    check_file("f", 10, 3);
}

static void kill_nobody(void) {
    static const int bad[] = {0, -1, 0x7fffffff, -0x7fffffff, -0x7fffffff - 1};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_MSG(sys_kill(bad[i]) == -1, "kill(%d) is not -1", bad[i]);
    int pid = must_fork();
    if (pid == 0)
        sys_exit(0);
    CHECK_EQ(reap(pid), 0);
    CHECK_EQ(sys_kill(pid), -1);
}

/* Without pid 1 there is no system: whoever may end it makes the kernel panic. */
static void kill_init(void) {
    CHECK_EQ(sys_kill(1), -1);
    sys_sleep(1);
    CHECK(state_of(1) != 0);
    CHECK(state_of(1) != ABI_P_ZOMBIE);
}

static void sleep_nothing(void) {
    CHECK_EQ(sys_sleep(0), 0);
    sys_sleep(-1);
    sys_sleep(-0x7fffffff - 1);
}

const struct test args_tests[] = {
    {"unknown_calls", unknown_calls, false},
    {"bad_descriptors", bad_descriptors, false},
    {"closed_descriptor", closed_descriptor, false},
    {"negative_lengths", negative_lengths, false},
    {"missing_paths", missing_paths, false},
    {"empty_path", empty_path, false},
    {"file_as_directory", file_as_directory, false},
    {"path_length", path_length, false},
    {"kill_nobody", kill_nobody, false},
    {"kill_init", kill_init, false},
    {"sleep_nothing", sleep_nothing, false},
    {0},
};
