/* The devices that are nothing but memory, by their names in /dev and by their numbers. */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "check.h"

static char bytes[10000], others[10000], zeros[10000];

static void check_null(void) {
    struct stat st;
    int fd = open("/dev/null", O_RDWR | O_CREAT | O_TRUNC, 0666);
    CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode));
    CHECK(st.st_rdev == makedev(1, 3) && (st.st_mode & 0777) == 0666);
    CHECK(write(fd, bytes, sizeof(bytes)) == sizeof(bytes) && read(fd, bytes, 10) == 0);
    CHECK(!isatty(fd) && errno == ENOTTY);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == ENODEV);
    CHECK(close(fd) == 0);
}

static void check_zero(void) {
    int fd = open("/dev/zero", O_RDWR);
    memset(bytes, 1, sizeof(bytes));
    CHECK(read(fd, bytes, sizeof(bytes)) == sizeof(bytes) && !memcmp(bytes, zeros, sizeof(bytes)));
    CHECK(write(fd, bytes, 5) == 5 && read(fd, (void *)-4096L, 5) == -1 && errno == EFAULT);
    char *mine = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char *other = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096);
    CHECK(mine != MAP_FAILED && other != MAP_FAILED && !memcmp(mine, zeros, 8192));
    mine[5000] = 7;
    CHECK(mine[5000] == 7 && other[904] == 0 && !munmap(mine, 8192) && !munmap(other, 8192));
    CHECK(close(fd) == 0);
}

static void check_full(void) {
    int fd = open("/dev/full", O_RDWR);
    CHECK(write(fd, bytes, 1) == -1 && errno == ENOSPC);
    CHECK(read(fd, bytes, 100) == 100 && !memcmp(bytes, zeros, 100) && close(fd) == 0);
}

/* Each gives other bytes, and all values of a byte come. */
static void check_random(void) {
    static const char *const names[] = {"/dev/random", "/dev/urandom"};
    char seen[256] = {0};
    for (int i = 0; i < 2; i++) {
        int fd = open(names[i], O_RDONLY);
        CHECK(read(fd, bytes, sizeof(bytes)) == sizeof(bytes) && close(fd) == 0);
        CHECK(memcmp(bytes, others, sizeof(bytes)) != 0);
        memcpy(others, bytes, sizeof(bytes));
    }
    CHECK(getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes));
    CHECK(memcmp(bytes, others, sizeof(bytes)) != 0);
    for (unsigned i = 0; i < sizeof(bytes); i++)
        seen[(unsigned char)bytes[i]] = 1;
    CHECK(!memchr(seen, 0, sizeof(seen)));
    CHECK(memcmp(bytes, bytes + 64, 64) != 0 && memcmp(bytes, bytes + 256, 64) != 0);
}

static void check_terminal(void) {
    static const char *const names[] = {"/dev/tty", "/dev/console", "/dev/ttyS0"};
    for (int i = 0; i < 3; i++) {
        int fd = open(names[i], O_RDWR);
        CHECK(fd >= 0 && isatty(fd) && write(fd, "", 0) == 0 && close(fd) == 0);
    }
}

static void check_mknod(void) {
    struct stat st;
    CHECK(mknod("/tmp/zero", S_IFCHR | 0640, makedev(1, 5)) == 0 && stat("/tmp/zero", &st) == 0);
    CHECK(st.st_rdev == makedev(1, 5) && (st.st_mode & 0777) == 0640);
    int fd = open("/tmp/zero", O_RDONLY);
    CHECK(read(fd, bytes, 7) == 7 && close(fd) == 0);
    CHECK(mknod("/tmp/zero", S_IFCHR, makedev(1, 3)) == -1 && errno == EEXIST);
    CHECK(unlink("/tmp/zero") == 0);
    CHECK(mknod("/tmp/none", S_IFCHR | 0600, makedev(200, 300)) == 0);
    CHECK(stat("/tmp/none", &st) == 0 && st.st_rdev == makedev(200, 300));
    CHECK(open("/tmp/none", O_RDONLY) == -1 && errno == ENXIO && unlink("/tmp/none") == 0);
    CHECK(mknod("/tmp/none", S_IFCHR, makedev(1, 40000)) == -1 && errno == EINVAL);
    CHECK(mknod("/tmp/none", S_IFBLK, makedev(8, 0)) == 0);
    CHECK(stat("/tmp/none", &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == makedev(8, 0));
    CHECK(open("/tmp/none", O_RDONLY) == -1 && errno == ENXIO && unlink("/tmp/none") == 0);
    CHECK(mknod("/tmp/file", S_IFREG | 0604, 0) == 0 && stat("/tmp/file", &st) == 0);
    CHECK(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0604 && unlink("/tmp/file") == 0);
}

/* Links to what the process has open itself. */
static void check_own(void) {
    char target[32] = "", path[32], text[8] = "";
    int fd = open("/tmp/own", O_CREAT | O_RDWR, 0600);
    CHECK(readlink("/dev/stdin", target, sizeof(target) - 1) == 15);
    CHECK(!strcmp(target, "/proc/self/fd/0"));
    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    CHECK(write(fd, "own", 3) == 3);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0 && read(again, text, sizeof(text)) == 3 && !strcmp(text, "own"));
    CHECK(close(again) == 0 && close(fd) == 0 && unlink("/tmp/own") == 0);
    CHECK(open(path, O_RDONLY) == -1 && errno == ENOENT);
}

/* A pipe is opened anew: it has one more reader, or writer. */
static void check_pipes(void) {
    char path[32], text[8] = "";
    int ends[2], reader = -1, writer = -1;
    CHECK(pipe(ends) == 0);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    CHECK((writer = open(path, O_WRONLY)) >= 0 && (reader = open(path, O_RDONLY)) >= 0);
    CHECK(open(path, O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP);
    CHECK(close(ends[1]) == 0 && write(writer, "pipe", 4) == 4 && close(ends[0]) == 0);
    CHECK(read(reader, text, sizeof(text)) == 4 && !strcmp(text, "pipe"));
    CHECK(close(writer) == 0 && read(reader, text, sizeof(text)) == 0);
    CHECK(dup2(reader, 0) == 0 && close(reader) == 0);
    CHECK((reader = open("/dev/stdin", O_RDONLY | O_NONBLOCK)) > 0);
    CHECK((fcntl(reader, F_GETFL) & O_NONBLOCK) && read(reader, text, 1) == 0);
    CHECK(close(reader) == 0 && close(0) == 0);
}

/* For both at once; and by links that are read where they stand. */
static void check_both_ends(void) {
    char path[64], text[8] = "", more[65536];
    int ends[2], both, reader;
    CHECK(pipe(ends) == 0);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    CHECK((both = open(path, O_RDWR | O_NONBLOCK)) >= 0);
    CHECK((fcntl(both, F_GETFL) & (O_ACCMODE | O_NONBLOCK)) == (O_RDWR | O_NONBLOCK));
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && read(both, text, 1) == -1);
    CHECK_EQ(errno, EAGAIN);
    struct pollfd p = {both, POLLIN | POLLOUT};
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT && write(both, "x", 1) == 1);
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT) && read(both, text, 8) == 1);
    CHECK(write(both, more, sizeof(more)) == sizeof(more));
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN && write(both, more, 1) == -1);
    CHECK(read(both, more, sizeof(more)) == sizeof(more) && write(both, "both", 4) == 4);
    snprintf(path, sizeof(path), "../proc/self/fd/%d", both);
    CHECK(mkdir("/tmp/links", 0700) == 0 && symlink(path, "/tmp/beside") == 0);
    CHECK(symlink("../beside", "/tmp/links/behind") == 0 && chdir("/tmp/links") == 0);
    CHECK((reader = open("behind", O_RDONLY)) >= 0 && read(reader, text, 8) == 4);
    CHECK(!strcmp(text, "both") && close(reader) == 0);
    int folder = open("/tmp", O_RDONLY | O_DIRECTORY);
    CHECK((reader = openat(folder, "links/behind", O_WRONLY)) >= 0 && close(reader) == 0);
    CHECK(open("/tmp/beside", O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP);
    CHECK(close(folder) == 0 && close(both) == 0 && chdir("/") == 0);
    CHECK(open("/tmp/beside", O_RDONLY) == -1 && errno == ENOENT);
    CHECK(unlink("/tmp/links/behind") == 0 && unlink("/tmp/beside") == 0);
    CHECK(rmdir("/tmp/links") == 0);
}

int main(void) {
    umask(0);
    check_null();
    check_zero();
    check_full();
    check_random();
    check_terminal();
    check_mknod();
    check_own();
    check_pipes();
    check_both_ends();
    return tell_end();
}
