/* chroot: where paths begin, and what is seen of that from inside and outside. It makes a folder
 * "jail" where it is, and runs in it again. */
#define _GNU_SOURCE
#include "paths.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char outside[PATH_MAX]; /* where all of this is */

static int leads_to(const char *link, const char *path) {
    char found[PATH_MAX] = "";
    ssize_t n = readlink(link, found, sizeof(found) - 1);
    if (n > 0 && !strcmp(found, path))
        return 1;
    printf("%s leads to \"%s\", not \"%s\"\n", link, found, path);
    return 0;
}

static void make_jail(void) {
    CHECK_EQ(mkdir("jail", 0755), 0);
    CHECK_EQ(mkdir("jail/inner", 0755), 0);
    make_file("outer", "outside");
    make_file("jail/file", "inside");
    CHECK_EQ(symlink("/file", "jail/inner/absolute"), 0);
    CHECK_EQ(symlink("../../../file", "jail/inner/upwards"), 0);
    CHECK_EQ(symlink("/outer", "jail/nowhere"), 0);
}

/* In a child, whose status says what was not so. */
static void in_child(void (*fn)(void)) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        failures = 0;
        fn();
        fflush(stdout);
        _exit(failures != 0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
}

static void errors(void) {
    static char path[5000];
    memset(path, 'x', sizeof(path) - 1);
    CHECK(chroot("none") < 0 && errno == ENOENT);
    CHECK(chroot("") < 0 && errno == ENOENT);
    CHECK(chroot("outer") < 0 && errno == ENOTDIR);
    CHECK(chroot("outer/x") < 0 && errno == ENOTDIR);
    CHECK(chroot(path) < 0 && errno == ENAMETOOLONG);
    CHECK(chroot((const char *)-1L) < 0 && errno == EFAULT);
    CHECK(!strcmp(where(), outside) && is_there("/proc"));
}

static void paths(void) {
    char expected[PATH_MAX + 20];
    CHECK_EQ(chroot("jail"), 0);
    CHECK(is_there("/file") && is_there("outer")); /* where it is has not changed */
    snprintf(expected, sizeof(expected), "(unreachable)%s", outside);
    CHECK(!strcmp(where(), expected));
    CHECK_EQ(chdir("/"), 0);
    CHECK(!strcmp(where(), "/"));
    CHECK(has_text("file", "inside") && has_text("../file", "inside"));
    CHECK(has_text("/inner/../../../file", "inside"));
    CHECK(!is_there("../outer") && errno == ENOENT);
    CHECK(!is_there("/../../proc") && !is_there("nowhere"));
    CHECK(has_text("inner/absolute", "inside") && has_text("inner/upwards", "inside"));
    CHECK_EQ(chdir("inner"), 0);
    CHECK(!strcmp(where(), "/inner"));
    CHECK_EQ(mkdir("/../made", 0755), 0);
    CHECK(is_there("/made"));
    CHECK_EQ(rmdir("/made"), 0);
    CHECK(rmdir("/..") < 0);
    CHECK(open("/..", O_WRONLY | O_CREAT, 0644) < 0 && errno == EISDIR);
    CHECK_EQ(chroot("."), 0); /* one in the other */
    CHECK_EQ(chdir(".."), 0);
    CHECK(!strcmp(where(), "/") && !is_there("/file") && !is_there("absolute"));
}

/* A directory that is open is as it was. */
static void by_descriptor(void) {
    char expected[PATH_MAX + 20];
    int fd = open(".", O_RDONLY | O_DIRECTORY), jail;
    CHECK(fd >= 0 && chroot("jail") == 0 && chdir("/") == 0);
    CHECK(faccessat(fd, "outer", F_OK, 0) == 0);
    CHECK(faccessat(fd, "/outer", F_OK, 0) < 0);
    jail = open("/", O_RDONLY | O_DIRECTORY);
    CHECK(jail >= 0 && faccessat(jail, "../outer", F_OK, 0) < 0);
    CHECK_EQ(fchdir(fd), 0);
    snprintf(expected, sizeof(expected), "(unreachable)%s", outside);
    CHECK(!strcmp(where(), expected));
    CHECK_EQ(chdir(".."), 0); /* nothing stops it there */
    CHECK_EQ(chroot("."), 0);
    CHECK(is_there("/roots/outer"));
}

static void *take_root(void *unused) {
    CHECK_EQ(chroot("jail"), 0);
    return NULL;
}

static void of_threads(void) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, take_root, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(has_text("/file", "inside"));
}

static void child_of_child(void) { CHECK(has_text("/file", "inside") && !is_there("/proc")); }

static void handed_on(void) {
    CHECK(chroot("jail") == 0 && chdir("/") == 0);
    in_child(child_of_child);
}

/* What is run looks for its interpreter, the C library's linker, below its root. */
static void interpreter(void) {
    static const char *const files[] = {"ld-linux-riscv64-lp64d.so.1", "libc.so.6"};
    char *const args[] = {"start-dynamic", "none", NULL}, *const env[] = {NULL};
    char from[64], to[64];
    CHECK_EQ(link("/linux/start-dynamic", "jail/start-dynamic"), 0);
    CHECK_EQ(mkdir("jail/lib", 0755), 0);
    for (int i = 0; i < 2; i++) {
        snprintf(from, sizeof(from), "/lib/%s", files[i]);
        snprintf(to, sizeof(to), "jail/library%d", i);
        CHECK_EQ(link(from, to), 0);
    }
    CHECK(chroot("jail") == 0 && chdir("/") == 0);
    execve("/start-dynamic", args, env);
    CHECK_EQ(errno, ENOENT);
    CHECK_EQ(rename("library0", "/lib/ld-linux-riscv64-lp64d.so.1"), 0);
    CHECK_EQ(rename("library1", "/lib/libc.so.6"), 0);
    fflush(stdout);
    if (failures == 0) {
        dup2(open("/output", O_WRONLY | O_CREAT, 0644), 1);
        execve("/start-dynamic", args, env);
        fprintf(stderr, "roots: start-dynamic: %s\n", strerror(errno));
    }
}

/* The program again, below its root: tells that it is there, and waits to be looked at. */
static int run_inside(void) {
    char byte = failures != 0;
    CHECK(has_text("/file", "inside") && !strcmp(where(), "/inner"));
    byte = failures != 0;
    return write(4, &byte, 1) != 1 || read(3, &byte, 1) != 0;
}

static void seen_from_outside(const char *program) {
    char name[64], path[PATH_MAX + 32], byte = 1;
    int go[2], there[2], status = -1;
    CHECK(link(program, "jail/roots") == 0 && pipe(go) == 0 && pipe(there) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        dup2(go[0], 13);
        dup2(there[1], 14);
        dup2(13, 3);
        dup2(14, 4);
        if (chroot("jail") < 0 || chdir("/inner") < 0 || is_there("/proc"))
            _exit(1);
        execl("/roots", "roots", "inside", (char *)NULL);
        _exit(2);
    }
    CHECK(read(there[0], &byte, 1) == 1 && byte == 0);
    snprintf(path, sizeof(path), "%s/jail", outside);
    snprintf(name, sizeof(name), "/proc/%d/root", pid);
    CHECK(leads_to(name, path));
    strcat(name, "/file");
    CHECK(has_text(name, "inside"));
    snprintf(path, sizeof(path), "%s/jail/inner", outside);
    snprintf(name, sizeof(name), "/proc/%d/cwd", pid);
    CHECK(leads_to(name, path));
    snprintf(path, sizeof(path), "%s/jail/roots", outside);
    snprintf(name, sizeof(name), "/proc/%d/exe", pid);
    CHECK(leads_to(name, path));
    CHECK(leads_to("/proc/self/root", "/") && leads_to("/proc/self/cwd", outside));
    close(go[0]);
    close(go[1]);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
    snprintf(name, sizeof(name), "/proc/%d/root", pid);
    CHECK(!is_there(name));
}

static void remove_all(void) {
    static const char *const files[] = {"jail/lib/ld-linux-riscv64-lp64d.so.1",
                                        "jail/lib/libc.so.6",
                                        "jail/start-dynamic",
                                        "jail/inner/absolute",
                                        "jail/inner/upwards",
                                        "jail/nowhere",
                                        "jail/file",
                                        "jail/roots",
                                        "jail/output",
                                        "outer"};
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        CHECK_EQ(unlink(files[i]), 0);
    CHECK(rmdir("jail/inner") == 0 && rmdir("jail/lib") == 0 && rmdir("jail") == 0);
}

int main(int argc, char **argv) {
    char program[PATH_MAX] = "";
    if (argc > 1)
        return run_inside();
    CHECK(readlink("/proc/self/exe", program, sizeof(program) - 1) > 0);
    CHECK(mkdir("/tmp/roots", 0755) == 0 && chdir("/tmp/roots") == 0);
    snprintf(outside, sizeof(outside), "%s", where());
    make_jail();
    errors();
    in_child(paths);
    in_child(by_descriptor);
    in_child(of_threads);
    in_child(handed_on);
    int status = -1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        interpreter();
        fflush(stdout);
        _exit(99);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) != 99);
    CHECK(access("jail/output", F_OK) == 0); /* it was run */
    seen_from_outside(program);
    remove_all();
    CHECK(chdir("/tmp") == 0 && rmdir("/tmp/roots") == 0);
    return tell_end();
}
