/* Files, directories and descriptors, in a directory of its own below the current one. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "check.h"
#include "renames.h"

static void check_offsets(void) {
    char text[16] = "";
    struct iovec two[2] = {{"abc", 3}, {"defg", 4}};
    int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0640);
    CHECK(fd >= 0 && writev(fd, two, 2) == 7);
    CHECK(open("f", O_RDWR | O_CREAT | O_EXCL, 0640) == -1 && errno == EEXIST);
    CHECK(pread(fd, text, 3, 2) == 3 && !strcmp(text, "cde"));
    CHECK(pwrite(fd, "X", 1, 1) == 1 && lseek(fd, 0, SEEK_CUR) == 7);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, text, 16) == 7 && !memcmp(text, "aXcdefg", 7));
    CHECK(ftruncate(fd, 2) == 0 && fcntl(fd, F_GETFL) == O_RDWR);
    CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0 && fcntl(fd, F_GETFL) == (O_RDWR | O_APPEND));
    CHECK(fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK(dup3(fd, 20, O_CLOEXEC) == 20 && fcntl(20, F_GETFD) == FD_CLOEXEC);
    CHECK(ioctl(fd, TIOCGWINSZ, text) == -1 && errno == ENOTTY);
    CHECK(!isatty(fd) && close(fd) == 0 && close(fd) == -1 && errno == EBADF);
}

/* The pages that it has, and no others. */
static void check_room(void) {
    static const char page[4096] = "x";
    struct stat st;
    int fd = open("room", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fstat(fd, &st) == 0 && st.st_blocks == 0);
    CHECK(write(fd, page, 1) == 1 && fstat(fd, &st) == 0 && st.st_blocks == 8);
    CHECK(pwrite(fd, page, sizeof(page), 1 << 20) == sizeof(page) && fstat(fd, &st) == 0);
    CHECK(st.st_blocks == 16 && st.st_size == (1 << 20) + sizeof(page));
    CHECK(ftruncate(fd, 4096) == 0 && fstat(fd, &st) == 0 && st.st_blocks == 8);
    CHECK(ftruncate(fd, 0) == 0 && fstat(fd, &st) == 0 && st.st_blocks == 0);
    CHECK(close(fd) == 0 && unlink("room") == 0);
}

static void check_attributes(void) {
    struct stat st, link;
    struct timespec times[2] = {{5, 6}, {7, 8}};
    CHECK(stat("f", &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0640);
    CHECK(st.st_size == 2 && st.st_nlink == 1);
    CHECK(chmod("f", 0601) == 0 && stat("f", &st) == 0 && (st.st_mode & 0777) == 0601);
    CHECK(chmod("f", 06755) == 0 && stat("f", &st) == 0 && (st.st_mode & 07777) == 06755);
    CHECK(chown("f", 0, 0) == 0 && stat("f", &st) == 0 && (st.st_mode & 07777) == 0755);
    CHECK(chmod("f", 02644) == 0 && chown("f", -1, 0) == 0 && stat("f", &st) == 0);
    CHECK((st.st_mode & 07777) == 02644); /* no group runs it: it means something else */
    CHECK(utimensat(AT_FDCWD, "f", times, 0) == 0 && stat("f", &st) == 0);
    CHECK(st.st_atim.tv_sec == 5 && st.st_mtim.tv_sec == 7 && st.st_mtim.tv_nsec == 8);
    CHECK(chown("f", 3, -1) == 0 && stat("f", &st) == 0 && st.st_uid == 3 && st.st_gid == 0);
    CHECK(symlink("f", "s") == 0 && lstat("s", &link) == 0 && S_ISLNK(link.st_mode));
    CHECK(stat("s", &link) == 0 && link.st_ino == st.st_ino);
    char text[4] = "";
    CHECK(readlink("s", text, 3) == 1 && !strcmp(text, "f"));
    CHECK(readlink("s", text, 0) == -1 && errno == EINVAL);
    CHECK(access("f", R_OK) == 0 && access("none", F_OK) == -1 && errno == ENOENT);
}

static void check_names(void) {
    char path[300], seen[3] = "";
    int fd;
    CHECK(open("d", O_RDONLY | O_DIRECTORY) == -1 && errno == ENOENT);
    CHECK(mkdir("d", 0700) == 0 && mkdir("d", 0700) == -1 && errno == EEXIST);
    CHECK(mkdir("/", 0700) == -1 && errno == EEXIST && symlink("d", "/") == -1 && errno == EEXIST);
    CHECK(rmdir("/") == -1 && errno == EBUSY && rename("/", "e") == -1 && errno == EBUSY);
    CHECK(unlink("/") == -1 && errno == EISDIR && open("/", O_RDWR | O_CREAT, 0600) == -1);
    CHECK((fd = open("d", O_RDONLY | O_DIRECTORY)) >= 0);
    CHECK(linkat(AT_FDCWD, "f", fd, "hard", 0) == 0 && faccessat(fd, "hard", F_OK, 0) == 0);
    CHECK(renameat(fd, "hard", fd, "other") == 0 && mkdirat(fd, "e", 0700) == 0);
    CHECK(unlink("d/e") == -1 && errno == EISDIR && rmdir("d/other") == -1 && errno == ENOTDIR);
    CHECK(rmdir("d") == -1 && errno == ENOTEMPTY);
    CHECK(rmdir("s") == -1 && errno == ENOTDIR && unlink("s/") == -1 && errno == ENOTDIR);
    CHECK(symlink("d", "sd") == 0 && rmdir("sd/") == -1 && errno == ENOTDIR && unlink("sd") == 0);
    CHECK(symlink("nothing", "sn") == 0);
    CHECK(open("sn", O_CREAT | O_EXCL, 0600) == -1 && errno == EEXIST);
    CHECK(unlink("sn") == 0 && access("nothing", F_OK) == -1 && errno == ENOENT);
    DIR *list = opendir("d");
    for (struct dirent *e; list && (e = readdir(list));) {
        if (!strcmp(e->d_name, "other") && e->d_type == DT_REG)
            seen[0]++;
        else if (!strcmp(e->d_name, "e") && e->d_type == DT_DIR)
            seen[1]++;
        else
            seen[2]++;
    }
    CHECK(seen[0] == 1 && seen[1] == 1 && seen[2] == 2); /* "." and ".." */
    closedir(list);
    CHECK(syscall(SYS_getdents64, fd, path, 20) == -1 && errno == EINVAL);
    CHECK(read(fd, path, 1) == -1 && errno == EISDIR);
    CHECK(chdir("d/e") == 0 && getcwd(path, sizeof(path)) && !strcmp(path, "/tmp/w/d/e"));
    CHECK(!getcwd(path, 5) && errno == ERANGE);
    CHECK(fchdir(fd) == 0 && rmdir("e") == 0 && unlink("other") == 0 && chdir("..") == 0);
    CHECK(rmdir("d") == 0 && unlink("s") == 0 && unlink("f") == 0 && close(fd) == 0);
}

/* One vector is filled, and that is enough. */
static void check_vectors_of_a_pipe(void) {
    char a[2], b[2];
    struct iovec two[2] = {{a, 2}, {b, 2}};
    int ends[2];
    CHECK(pipe(ends) == 0 && write(ends[1], "xy", 2) == 2 && readv(ends[0], two, 2) == 2);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

int main(void) {
    CHECK(chdir("/tmp") == 0 && mkdir("w", 0777) == 0 && chdir("w") == 0);
    check_offsets();
    check_attributes();
    check_room();
    check_names();
    check_renames();
    check_vectors_of_a_pipe();
    CHECK(chdir("/") == 0 && rmdir("/tmp/w") == 0);
    return tell_end();
}
