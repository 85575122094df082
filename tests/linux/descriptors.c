/* Files that a call has by a descriptor, with a path or without one: run, linked, changed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static const char *self;

static int mode_of(const char *path) {
    struct stat st;
    return lstat(path, &st) ? -1 : (int)(st.st_mode & 07777);
}

static int links_of(int fd) {
    struct stat st;
    return fstat(fd, &st) ? -1 : (int)st.st_nlink;
}

static int change(int dir, const char *path, int mode, int flags) {
    return (int)syscall(SYS_fchmodat2, dir, path, mode, flags);
}

static void check_modes(int dir, int fd) {
    CHECK(change(dir, "file", 0640, 0) == 0 && mode_of("d/file") == 0640);
    CHECK(change(dir, "link", 0600, 0) == 0 && mode_of("d/file") == 0600);
    CHECK(change(dir, "link", 0644, AT_SYMLINK_NOFOLLOW) == -1 && errno == EOPNOTSUPP);
    CHECK(change(dir, "file", 0755, AT_SYMLINK_NOFOLLOW) == 0 && mode_of("d/file") == 0755);
    CHECK(change(fd, "", 0644, AT_EMPTY_PATH) == 0 && mode_of("d/file") == 0644);
    CHECK(change(fd, "", 0644, 0) == -1 && errno == ENOENT);
    CHECK(change(dir, "file", 0644, 1) == -1 && errno == EINVAL);
    CHECK(change(dir, "none", 0644, 0) == -1 && errno == ENOENT);
}

static void check_links(int dir, int fd) {
    struct stat st;
    CHECK(linkat(dir, "link", dir, "second", 0) == 0 && lstat("d/second", &st) == 0);
    CHECK(S_ISLNK(st.st_mode));
    CHECK(linkat(dir, "link", dir, "third", AT_SYMLINK_FOLLOW) == 0 && lstat("d/third", &st) == 0);
    CHECK(S_ISREG(st.st_mode) && links_of(fd) == 2);
    CHECK(linkat(fd, "", dir, "fourth", AT_EMPTY_PATH) == 0 && links_of(fd) == 3);
    CHECK(linkat(fd, "", dir, "fourth", AT_EMPTY_PATH) == -1 && errno == EEXIST);
    CHECK(linkat(dir, "file", dir, "fifth", 1) == -1 && errno == EINVAL);
    CHECK(linkat(dir, "", dir, "fifth", AT_EMPTY_PATH) == -1 && errno == EPERM);
    CHECK(linkat(-1, "", dir, "fifth", AT_EMPTY_PATH) == -1 && errno == EBADF);
    /* What has no name any more gets none. */
    int gone = open("d/gone", O_CREAT | O_RDWR, 0600);
    CHECK(gone >= 0 && unlink("d/gone") == 0);
    CHECK(linkat(gone, "", dir, "fifth", AT_EMPTY_PATH) == -1 && errno == ENOENT);
    close(gone);
    CHECK(unlink("d/second") == 0 && unlink("d/third") == 0 && unlink("d/fourth") == 0);
    CHECK_EQ(links_of(fd), 1);
}

/* A file that has no name: it gets one, once, and only if that was wanted. */
static void check_unnamed(int dir) {
    char own[40];
    struct stat st;
    int fd = open("d", O_TMPFILE | O_RDWR, 0640), again;
    CHECK(fd >= 0 && links_of(fd) == 0 && write(fd, "text", 4) == 4);
    CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0640);
    sprintf(own, "/proc/self/fd/%d", fd);
    CHECK(linkat(AT_FDCWD, own, dir, "named", AT_SYMLINK_FOLLOW) == 0 && links_of(fd) == 1);
    CHECK((again = open("d/named", O_RDONLY)) >= 0 && read(again, own, 9) == 4);
    CHECK(close(again) == 0 && unlink("d/named") == 0 && links_of(fd) == 0);
    CHECK(linkat(fd, "", dir, "named", AT_EMPTY_PATH) == -1 && errno == ENOENT && close(fd) == 0);
    CHECK((fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_EXCL, 0600)) >= 0);
    CHECK(linkat(fd, "", dir, "named", AT_EMPTY_PATH) == -1 && errno == ENOENT && close(fd) == 0);
    CHECK(open("d", O_TMPFILE | O_RDONLY, 0600) == -1 && errno == EINVAL);
    CHECK(open("d/file", O_TMPFILE | O_RDWR, 0600) == -1 && errno == ENOTDIR);
    CHECK(open("/proc", O_TMPFILE | O_RDWR, 0600) == -1 && errno == EOPNOTSUPP);
    FILE *f = tmpfile();
    CHECK(f && fputs("x", f) >= 0 && fclose(f) == 0);
}

/* How it ends: the status of the program, or 100 and what execveat has said. */
static int run(int dir, const char *path, int flags) {
    int status;
    char *argv[] = {"name", "run", NULL}, *envp[] = {"SEEN=yes", NULL};
    fflush(stdout);
    if (fork() == 0) {
        syscall(SYS_execveat, dir, path, argv, envp, flags);
        _exit(100 + errno);
    }
    return wait(&status) > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_runs(int dir, int fd) {
    int program = open(self, O_RDONLY | O_CLOEXEC);
    CHECK(program >= 0 && symlinkat(self, dir, "program") == 0);
    CHECK_EQ(run(AT_FDCWD, self, 0), 42);
    CHECK_EQ(run(-1, self, 0), 42);
    CHECK_EQ(run(program, "", AT_EMPTY_PATH), 42);
    CHECK_EQ(run(program, "", 0), 100 + ENOENT);
    CHECK_EQ(run(dir, "program", 0), 42);
    CHECK_EQ(run(dir, "program", AT_SYMLINK_NOFOLLOW), 100 + ELOOP);
    CHECK_EQ(run(dir, "none", 0), 100 + ENOENT);
    CHECK_EQ(run(fd, "none", 0), 100 + ENOTDIR);
    CHECK_EQ(run(99, "none", 0), 100 + EBADF);
    CHECK_EQ(run(dir, "", AT_EMPTY_PATH), 100 + EACCES);
    CHECK_EQ(run(dir, "program", 1), 100 + EINVAL);
    CHECK(unlinkat(dir, "program", 0) == 0 && close(program) == 0);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return strcmp(argv[0], "name") == 0 && getenv("SEEN") ? 42 : 1;
    self = argv[0];
    CHECK(chdir("/tmp") == 0 && mkdir("d", 0755) == 0 && symlink("file", "d/link") == 0);
    int dir = open("d", O_RDONLY | O_DIRECTORY), fd = open("d/file", O_CREAT | O_RDWR, 0644);
    CHECK(dir >= 0 && fd >= 0);
    check_modes(dir, fd);
    check_links(dir, fd);
    check_unnamed(dir);
    check_runs(dir, fd);
    CHECK(unlink("d/file") == 0 && unlink("d/link") == 0 && rmdir("d") == 0);
    return tell_end();
}
