/* mount and umount: what is seen, what is forbidden, what is in use, and what is given back. It
 * works in a folder /tmp/mounts, which it makes and removes. */
#define _GNU_SOURCE
#include "paths.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define TMPFS_MAGIC 0x01021994
#define PROC_MAGIC 0x9fa0
#define MOST 64 /* mounts, with those that are there already */

static int mount_at(const char *type, const char *target, unsigned long flags) {
    return mount("source", target, type, flags, NULL);
}

/* How many lines of a file have this in them. */
static int lines_with(const char *path, const char *text) {
    char line[512];
    int n = 0;
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        n += strstr(line, text) != NULL;
    if (f)
        fclose(f);
    return n;
}

static dev_t dev_of(const char *path) {
    struct stat st = {0};
    CHECK_EQ(stat(path, &st), 0);
    return st.st_dev;
}

static long promised(void) {
    char line[128];
    long kib = -1;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "Committed_AS: %ld", &kib);
    if (f)
        fclose(f);
    return kib;
}

static void hides_and_shows(void) {
    struct statfs fs;
    make_file("m/below", "below");
    CHECK_EQ(mount_at("tmpfs", "m", 0), 0);
    CHECK(!is_there("m/below"));
    CHECK(statfs("m", &fs) == 0 && fs.f_type == TMPFS_MAGIC && !(fs.f_flags & ST_RDONLY));
    CHECK(dev_of("m") != dev_of(".") && dev_of("m/..") == dev_of("."));
    make_file("m/file", "above");
    CHECK(has_text("m/file", "above"));
    CHECK(mkdir("m/folder", 0755) == 0 && chdir("m/folder") == 0);
    CHECK(!strcmp(where(), "/tmp/mounts/m/folder"));
    CHECK_EQ(chdir("../.."), 0);
    CHECK(!strcmp(where(), "/tmp/mounts"));
    CHECK(rename("m/file", "file") < 0 && errno == EXDEV);
    CHECK(link("m/file", "file") < 0 && errno == EXDEV);
    CHECK(rmdir("m") < 0 && errno == EBUSY);
    CHECK(rename("m", "n") < 0 && errno == EBUSY);
    CHECK_EQ(lines_with("/proc/mounts", "source /tmp/mounts/m tmpfs rw 0 0\n"), 1);
    CHECK_EQ(lines_with("/proc/self/mounts", " /tmp/mounts/m tmpfs "), 1);
    CHECK_EQ(lines_with("/proc/self/mountinfo", " / /tmp/mounts/m rw - tmpfs source rw\n"), 1);
    CHECK_EQ(umount("m"), 0);
    CHECK(has_text("m/below", "below") && !is_there("m/file"));
    CHECK_EQ(lines_with("/proc/mounts", "/tmp/mounts/m"), 0);
    CHECK(lines_with("/proc/filesystems", "nodev\ttmpfs\n") == 1);
    CHECK_EQ(unlink("m/below"), 0);
}

static void on_one_another(void) {
    CHECK_EQ(mount_at("tmpfs", "m", 0), 0);
    make_file("m/first", "1");
    CHECK_EQ(mount_at("ramfs", "m", 0), 0);
    CHECK(!is_there("m/first"));
    make_file("m/second", "2");
    CHECK_EQ(mkdir("m/in", 0755), 0);
    CHECK_EQ(mount_at("tmpfs", "m/in", 0), 0);
    CHECK(umount("m") < 0 && errno == EBUSY); /* one is in it */
    CHECK_EQ(umount("m/in"), 0);
    CHECK_EQ(umount("m"), 0);
    CHECK(is_there("m/first") && !is_there("m/second"));
    CHECK_EQ(umount("m"), 0);
    CHECK(umount("m") < 0 && errno == EINVAL);
    CHECK_EQ(mkdir("a b\\", 0755), 0);
    CHECK_EQ(mount("x\ty", "a b\\", "tmpfs", 0, "mode=0750"), 0);
    CHECK_EQ(lines_with("/proc/mounts", "x\\011y /tmp/mounts/a\\040b\\134 tmpfs"), 1);
    struct stat st;
    CHECK(stat("a b\\", &st) == 0 && st.st_mode == (S_IFDIR | 0750));
    CHECK(umount("a b\\") == 0 && rmdir("a b\\") == 0);
}

static void errors(void) {
    make_file("file", "");
    CHECK(mount_at("tmpfs", "none", 0) < 0 && errno == ENOENT);
    CHECK(mount_at("tmpfs", "file", 0) < 0 && errno == ENOTDIR);
    CHECK(mount_at("nosuchfs", "m", 0) < 0 && errno == ENODEV);
    CHECK(mount_at(NULL, "m", 0) < 0 && errno == EINVAL);
    CHECK(mount_at((const char *)-1L, "m", 0) < 0 && errno == EFAULT);
    CHECK(mount("s", (const char *)-1L, "tmpfs", 0, NULL) < 0 && errno == EFAULT);
    CHECK(mount((const char *)-1L, "m", "tmpfs", 0, NULL) < 0 && errno == EFAULT);
    CHECK(mount("s", "m", "tmpfs", 0, "nonsense") < 0 && errno == EINVAL);
    CHECK(mount("s", "m", "tmpfs", 0, "mode=9") < 0 && errno == EINVAL);
    CHECK(mount("m", "m", NULL, MS_BIND, NULL) < 0 && errno == EINVAL);
    CHECK(mount_at(NULL, "m", MS_REMOUNT) < 0 && errno == EINVAL);
    CHECK(mount_at("tmpfs", "/", 0) < 0 && errno == EBUSY);
    CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    CHECK(mount(NULL, "m", NULL, MS_REC | MS_PRIVATE, NULL) < 0 && errno == EINVAL);
    CHECK(umount("none") < 0 && errno == ENOENT);
    CHECK(umount("m") < 0 && errno == EINVAL);
    CHECK(umount("/") < 0 && errno == EBUSY);
    CHECK(umount2("m", 0x100) < 0 && errno == EINVAL);
    CHECK(umount((const char *)-1L) < 0 && errno == EFAULT);
    CHECK_EQ(symlink("m", "link"), 0);
    CHECK_EQ(mount_at("tmpfs", "link", 0), 0); /* on what it leads to */
    CHECK(umount2("link", UMOUNT_NOFOLLOW) < 0 && errno == EINVAL);
    CHECK_EQ(umount("link"), 0);
    CHECK(unlink("link") == 0 && unlink("file") == 0);
    int fd = open("m", O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0 && rmdir("m") == 0 && fchdir(fd) == 0);
    CHECK(mount_at("tmpfs", ".", 0) < 0 && errno == ENOENT); /* it has no name */
    CHECK(chdir("/tmp/mounts") == 0 && mkdir("m", 0755) == 0);
    close(fd);
}

static void in_use(void) {
    CHECK_EQ(mount_at("tmpfs", "m", 0), 0);
    make_file("m/file", "text");
    int fd = open("m/file", O_RDONLY);
    CHECK(umount("m") < 0 && errno == EBUSY);
    close(fd);
    CHECK_EQ(chdir("m"), 0);
    CHECK(umount("/tmp/mounts/m") < 0 && errno == EBUSY);
    CHECK_EQ(chdir(".."), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int wrong = chroot("m") < 0;
        raise(SIGSTOP);
        _exit(wrong);
    }
    int status = -1;
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    CHECK(umount("m") < 0 && errno == EBUSY);
    CHECK(kill(pid, SIGCONT) == 0 && waitpid(pid, &status, 0) == pid && status == 0);
    CHECK_EQ(umount("m"), 0);
}

static void only_to_read(void) {
    CHECK_EQ(mount_at("tmpfs", "m", 0), 0);
    make_file("m/file", "text");
    CHECK_EQ(mount_at(NULL, "m", MS_REMOUNT | MS_RDONLY), 0);
    struct statfs fs;
    CHECK(statfs("m", &fs) == 0 && (fs.f_flags & ST_RDONLY));
    CHECK_EQ(lines_with("/proc/mounts", "/tmp/mounts/m tmpfs ro"), 1);
    CHECK(has_text("m/file", "text"));
    CHECK(open("m/file", O_WRONLY) < 0 && errno == EROFS);
    CHECK(open("m/file", O_RDWR) < 0 && errno == EROFS);
    CHECK(open("m/file", O_RDONLY | O_TRUNC) < 0 && errno == EROFS);
    CHECK(open("m/new", O_WRONLY | O_CREAT, 0644) < 0 && errno == EROFS);
    CHECK(mkdir("m/new", 0755) < 0 && errno == EROFS);
    CHECK(symlink("x", "m/new") < 0 && errno == EROFS);
    CHECK(link("m/file", "m/new") < 0 && errno == EROFS);
    CHECK(rename("m/file", "m/new") < 0 && errno == EROFS);
    CHECK(unlink("m/file") < 0 && errno == EROFS);
    CHECK(chmod("m/file", 0600) < 0 && errno == EROFS);
    CHECK(truncate("m/file", 0) < 0 && errno == EROFS);
    CHECK(utimensat(AT_FDCWD, "m/file", NULL, 0) < 0 && errno == EROFS);
    CHECK(mkdir("m/file", 0755) < 0 && errno == EEXIST); /* before that it is read-only */
    CHECK(link("m/file", "m/file") < 0 && errno == EEXIST);
    CHECK(access("m/file", W_OK) < 0 && errno == EROFS && access("m/file", R_OK) == 0);
    CHECK(open("m", O_TMPFILE | O_RDWR, 0600) < 0 && errno == EROFS);
    CHECK(has_text("m/file", "text"));
    CHECK_EQ(mount_at(NULL, "m", MS_REMOUNT), 0);
    int fd = open("m/file", O_WRONLY);
    CHECK(fd >= 0 && mount_at(NULL, "m", MS_REMOUNT | MS_RDONLY) < 0 && errno == EBUSY);
    CHECK_EQ(write(fd, "T", 1), 1);
    close(fd);
    CHECK(has_text("m/file", "Text"));
    CHECK_EQ(mount_at(NULL, "m", MS_REMOUNT | MS_RDONLY), 0);
    CHECK_EQ(umount("m"), 0);
    CHECK_EQ(mount_at("tmpfs", "m", MS_RDONLY), 0);
    CHECK(mkdir("m/new", 0755) < 0 && errno == EROFS);
    CHECK(mkdir("beside", 0755) == 0 && rmdir("beside") == 0); /* others are not */
    CHECK_EQ(umount("m"), 0);
}

static void what_is_forbidden(const char *program) {
    CHECK_EQ(mount_at("tmpfs", "m", MS_NODEV | MS_NOSUID), 0);
    CHECK_EQ(mknod("m/null", S_IFCHR | 0666, makedev(1, 3)), 0);
    CHECK(open("m/null", O_RDWR) < 0 && errno == EACCES);
    CHECK_EQ(lines_with("/proc/mounts", "/tmp/mounts/m tmpfs rw,nosuid,nodev 0 0"), 1);
    CHECK_EQ(mount_at(NULL, "m", MS_REMOUNT), 0);
    int fd = open("m/null", O_RDWR);
    CHECK(fd >= 0 && close(fd) == 0);
    static char bytes[4096];
    int from = open(program, O_RDONLY), to = open("m/program", O_WRONLY | O_CREAT, 0755);
    CHECK(from >= 0 && to >= 0);
    for (ssize_t n; (n = read(from, bytes, sizeof(bytes))) > 0;)
        CHECK(write(to, bytes, (size_t)n) == n);
    close(from);
    close(to);
    for (int forbidden = 0; forbidden < 2; forbidden++) {
        CHECK_EQ(mount_at(NULL, "m", MS_REMOUNT | (forbidden ? MS_NOEXEC : 0)), 0);
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            execl("m/program", "mounts", "nothing", (char *)NULL);
            _exit(errno);
        }
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), forbidden ? EACCES : 0);
    }
    CHECK_EQ(umount("m"), 0);
}

static void other_types(void) {
    struct statfs fs;
    CHECK_EQ(mount_at("proc", "m", 0), 0);
    CHECK(statfs("m", &fs) == 0 && fs.f_type == PROC_MAGIC);
    CHECK(lines_with("m/self/status", "Name:\tmounts") == 1 && is_there("m/self/cwd/m"));
    CHECK(is_there("m/self/task/../../../m/uptime") && is_there("m/net/../uptime"));
    CHECK_EQ(chdir("m/self"), 0);
    CHECK(umount("/tmp/mounts/m") < 0 && errno == EBUSY);
    CHECK_EQ(chdir("/tmp/mounts"), 0);
    CHECK_EQ(umount("m"), 0);
    CHECK(mount_at("tmpfs", "/proc/self", 0) < 0 && errno == EINVAL); /* nobody would find it */
    CHECK(mount_at("tmpfs", "/proc", 0) == 0 && !is_there("/proc/uptime") && umount("/proc") == 0);
    CHECK(is_there("/proc/uptime")); /* that of /proc is another one */
    CHECK_EQ(mount_at("devtmpfs", "m", 0), 0);
    int fd = open("m/full", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "x", 1) < 0 && errno == ENOSPC);
    close(fd);
    CHECK(is_there("m/pts") && unlink("m/stdin") == 0);
    CHECK_EQ(umount("m"), 0);
}

/* Who is in it goes on there, and what nobody has any more is given back. */
static void detached(void) {
    char byte = 0;
    CHECK_EQ(mount_at("tmpfs", "m", 0), 0);
    CHECK(mkdir("m/d", 0755) == 0 && mkdir("m/in", 0755) == 0);
    CHECK_EQ(mount_at("tmpfs", "m/in", 0), 0);
    make_file("m/in/inner", "inner");
    make_file("m/d/file", "text");
    int fd = open("m/d/file", O_RDONLY), inner = open("m/in/inner", O_RDONLY);
    CHECK(fd >= 0 && inner >= 0 && chdir("m/d") == 0);
    CHECK_EQ(umount2("/tmp/mounts/m", MNT_DETACH), 0);
    CHECK(!is_there("/tmp/mounts/m/d") && lines_with("/proc/mounts", "/tmp/mounts") == 0);
    CHECK(has_text("file", "text") && has_text("../d/file", "text") && is_there("../../../d"));
    CHECK(read(fd, &byte, 1) == 1 && byte == 't' && read(inner, &byte, 1) == 1 && byte == 'i');
    CHECK(!strcmp(where(), "(unreachable)/d"));
    make_file("more", "more");
    CHECK(has_text("more", "more"));
    CHECK_EQ(chdir("/tmp/mounts"), 0);
    CHECK(read(fd, &byte, 1) == 1 && byte == 'e');
    close(fd);
    close(inner);
}

#define BYTES (4 << 20)
static char block[1 << 16];

static void fill(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT, 0644);
    for (int i = 0; i < BYTES / (int)sizeof(block); i++)
        CHECK_EQ(write(fd, block, sizeof(block)), sizeof(block));
    close(fd);
}

/* What is not in the tree takes no mount, and a file system is not mounted on itself. */
static void on_what_is_gone(void) {
    struct stat st;
    CHECK(mount_at("tmpfs", "m", 0) == 0 && chdir("m") == 0 && umount2("../m", MNT_DETACH) == 0);
    CHECK(mount_at("tmpfs", ".", 0) < 0 && errno == EINVAL);
    CHECK(chdir("/dev/pts") == 0 && umount2("/dev/pts", MNT_DETACH) == 0);
    CHECK(mount_at("devpts", ".", 0) < 0 && errno == EINVAL && stat(".", &st) == 0);
    CHECK(mount_at("devpts", "/dev/pts", 0) == 0 && chdir("/tmp/mounts") == 0);
}

/* A dot is where one is, whatever has been mounted there since. */
static void a_dot_stays(void) {
    CHECK(chdir("m") == 0 && mount_at("tmpfs", "/tmp/mounts/m", 0) == 0);
    make_file("./hidden", "x");
    CHECK(is_there("hidden") && !is_there("/tmp/mounts/m/hidden") && unlink("hidden") == 0);
    CHECK(chdir("/tmp/mounts") == 0 && umount("m") == 0);
}

static void is_given_back(void) {
    long before = promised();
    CHECK(before > 0);
    for (int detach = 0; detach < 2; detach++) {
        CHECK_EQ(mount_at("tmpfs", "m", 0), 0);
        CHECK(mkdir("m/a", 0755) == 0 && mkdir("m/a/b", 0755) == 0 && mkdir("m/c", 0755) == 0);
        fill("m/file");
        fill("m/a/b/file");
        CHECK_EQ(link("m/a/b/file", "m/c/again"), 0);
        int fd = open("m/c/again", O_RDONLY);
        CHECK(promised() >= before + 2 * (BYTES >> 10));
        if (detach)
            CHECK_EQ(umount2("m", MNT_DETACH), 0);
        CHECK(promised() >= before + 2 * (BYTES >> 10));
        close(fd);
        if (!detach)
            CHECK_EQ(umount("m"), 0);
        CHECK(promised() < before + 512);
    }
}

static void so_many(void) {
    char name[32];
    int n = 0, there = lines_with("/proc/mounts", "\n");
    for (; n <= MOST; n++) {
        snprintf(name, sizeof(name), "many%d", n);
        CHECK_EQ(mkdir(name, 0755), 0);
        if (mount_at("tmpfs", name, 0) < 0)
            break;
    }
    CHECK_EQ(errno, ENOSPC);
    CHECK_EQ(n, MOST - there);
    CHECK_EQ(lines_with("/proc/mounts", "\n"), MOST);
    CHECK_EQ(rmdir(name), 0);
    while (n-- > 0) {
        snprintf(name, sizeof(name), "many%d", n);
        CHECK(umount(name) == 0 && rmdir(name) == 0);
    }
}

int main(int argc, char **argv) {
    char program[PATH_MAX] = "";
    if (argc > 1)
        return 0;
    CHECK(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
    CHECK(mkdir("/tmp/mounts", 0755) == 0 && chdir("/tmp/mounts") == 0);
    CHECK_EQ(mkdir("m", 0755), 0);
    hides_and_shows();
    on_one_another();
    errors();
    in_use();
    only_to_read();
    what_is_forbidden(program);
    other_types();
    detached();
    on_what_is_gone();
    a_dot_stays();
    is_given_back();
    so_many();
    CHECK(rmdir("m") == 0 && chdir("/tmp") == 0 && rmdir("/tmp/mounts") == 0);
    return tell_end();
}
