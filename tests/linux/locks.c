/* Locks on files: of a process, of an open file, and of all of a file. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static int lock(int fd, int command, int type, off_t start, off_t length) {
    struct flock l = {.l_type = (short)type, .l_start = start, .l_len = length};
    return fcntl(fd, command, &l);
}

/* What another process finds there: "-" nothing, or the type, the range and whether it is ours. */
static const char *found(const char *path, off_t start, off_t length) {
    static char text[60];
    int ends[2];
    memset(text, 0, sizeof(text));
    if (pipe(ends) < 0)
        return "no pipe";
    if (fork() == 0) {
        struct flock l = {.l_type = F_WRLCK, .l_start = start, .l_len = length};
        int fd = open(path, O_RDWR), n;
        if (fcntl(fd, F_GETLK, &l) < 0)
            n = sprintf(text, "error %d", errno);
        else if (l.l_type == F_UNLCK)
            n = sprintf(text, "-");
        else
            n = sprintf(text, "%s %ld %ld%s", l.l_type == F_RDLCK ? "r" : "w", (long)l.l_start,
                        (long)l.l_len, l.l_pid == getppid() ? "" : " others");
        _exit(write(ends[1], text, (size_t)n) != n);
    }
    close(ends[1]);
    if (read(ends[0], text, sizeof(text) - 1) < 0)
        strcpy(text, "no answer");
    close(ends[0]);
    wait(NULL);
    return text;
}

#define FOUND(start, length, wanted) CHECK(!strcmp(found(path, start, length), wanted))

/* What a process has is one set of ranges, whatever it was made of. */
static void check_ranges(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && lock(fd, F_SETLK, F_WRLCK, 100, 100) == 0);
    FOUND(0, 0, "w 100 100");
    FOUND(0, 100, "-");
    FOUND(200, 0, "-");
    CHECK(lock(fd, F_SETLK, F_WRLCK, 200, 50) == 0); /* beside it */
    FOUND(0, 0, "w 100 150");
    CHECK(lock(fd, F_SETLK, F_UNLCK, 150, 10) == 0); /* out of its middle */
    FOUND(0, 151, "w 100 50");
    FOUND(150, 10, "-");
    FOUND(159, 2, "w 160 90");
    CHECK(lock(fd, F_SETLK, F_RDLCK, 120, 10) == 0); /* another sort in it */
    FOUND(120, 1, "r 120 10");
    FOUND(119, 1, "w 100 20");
    FOUND(130, 1, "w 130 20");
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0); /* all of it */
    FOUND(1000000, 1, "w 0 0");
    CHECK(lock(fd, F_SETLK, F_UNLCK, 1000, 0) == 0);
    FOUND(999, 0, "w 0 1000");
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    FOUND(0, 0, "-");
    CHECK(lock(fd, F_SETLK, F_WRLCK, 100, -10) == 0);
    FOUND(0, 0, "w 90 10");
    CHECK(lseek(fd, 90, SEEK_SET) == 90);
    struct flock l = {.l_type = F_UNLCK, .l_whence = SEEK_CUR, .l_len = 10};
    CHECK(fcntl(fd, F_SETLK, &l) == 0);
    FOUND(0, 0, "-");
    CHECK(lock(fd, F_SETLK, F_WRLCK, -1, 1) == -1 && errno == EINVAL);
    CHECK(lock(fd, F_SETLK, 7, 0, 1) == -1 && errno == EINVAL);
    CHECK(fcntl(fd, F_SETLK, NULL) == -1 && errno == EFAULT);
    /* Any close of the file by the process drops them. */
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    int other = open(path, O_RDONLY);
    CHECK(lock(other, F_SETLK, F_WRLCK, 0, 1) == -1 && errno == EBADF);
    CHECK(lock(other, F_SETLK, F_RDLCK, 5, 1) == 0 && close(other) == 0);
    FOUND(0, 0, "-");
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0 && dup2(0, fd) == fd);
    FOUND(0, 0, "-");
    CHECK(close(fd) == 0);
}

/* A child has none of its parent's, nor drops them; and its own go with it. */
static void check_fork(const char *path) {
    int fd = open(path, O_RDWR), status;
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    if (fork() == 0) {
        int refused = lock(fd, F_SETLK, F_RDLCK, 5, 1) == -1 && errno == EAGAIN;
        _exit(refused && lock(fd, F_SETLK, F_WRLCK, 20, 5) == 0 && close(fd) == 0 ? 7 : 1);
    }
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 7);
    FOUND(0, 0, "w 0 10");
    CHECK(close(fd) == 0);
}

static void wait_and_tell(int fd, int told) {
    int got_it = lock(fd, F_SETLKW, F_WRLCK, 0, 10) == 0;
    _exit(got_it && write(told, "x", 1) == 1 ? 7 : 1);
}

/* Who waits gets it when it is given back, however that is done. */
static void check_waiting(const char *path) {
    int status, ends[2], fd = open(path, O_RDWR);
    char c;
    for (int how = 0; how < 2; how++) {
        CHECK(pipe(ends) == 0 && lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
        if (fork() == 0)
            wait_and_tell(fd, ends[1]);
        CHECK(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && read(ends[0], &c, 1) == -1);
        CHECK(how ? lock(fd, F_SETLK, F_UNLCK, 5, 1) == 0 && read(ends[0], &c, 1) == -1 : 1);
        CHECK(how ? lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0 : close(open(path, O_RDONLY)) == 0);
        CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 7 && fcntl(ends[0], F_SETFL, 0) == 0);
        CHECK(read(ends[0], &c, 1) == 1 && close(ends[0]) == 0 && close(ends[1]) == 0);
    }
    CHECK(close(fd) == 0);
}

static void nothing(int signal) {}

static void check_interrupted(const char *path) {
    int fd = open(path, O_RDWR), status;
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    if (fork() == 0) {
        struct sigaction act = {.sa_handler = nothing};
        struct itimerval soon = {.it_value = {0, 20000}};
        sigaction(SIGALRM, &act, NULL);
        setitimer(ITIMER_REAL, &soon, NULL);
        _exit(lock(fd, F_SETLKW, F_RDLCK, 0, 10) == -1 && errno == EINTR ? 7 : 1);
    }
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 7 && close(fd) == 0);
}

/* Two who wait for each other: the second one is told, and the first one gets on. */
static void check_deadlock(const char *path) {
    int fd = open(path, O_RDWR), status, ends[2];
    char c;
    CHECK(pipe(ends) == 0 && lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    pid_t child = fork();
    if (child == 0) {
        int err = lock(fd, F_SETLK, F_WRLCK, 20, 10);
        if (write(ends[1], "x", 1) != 1)
            _exit(1);
        err |= lock(fd, F_SETLKW, F_WRLCK, 0, 10);
        _exit(err ? errno : 7);
    }
    CHECK(read(ends[0], &c, 1) == 1);
    int refused = lock(fd, F_SETLKW, F_WRLCK, 20, 10) == -1 && errno == EDEADLK;
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(refused + (WEXITSTATUS(status) == EDEADLK) == 1); /* whoever came second */
    CHECK(close(fd) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0);
}

/* ---- of an open file ---- */

static void check_open_files(const char *path) {
    int a = open(path, O_RDWR), b = open(path, O_RDWR), c = dup(a);
    struct flock l = {.l_type = F_WRLCK, .l_start = 5, .l_len = 1};
    CHECK(lock(a, F_OFD_SETLK, F_WRLCK, 0, 10) == 0 && lock(c, F_OFD_SETLK, F_WRLCK, 0, 20) == 0);
    CHECK(lock(b, F_OFD_SETLK, F_RDLCK, 15, 1) == -1 && errno == EAGAIN);
    CHECK(lock(b, F_SETLK, F_RDLCK, 15, 1) == -1 && errno == EAGAIN); /* nor the process */
    CHECK(fcntl(b, F_OFD_GETLK, &l) == 0 && l.l_type == F_WRLCK && l.l_pid == -1);
    CHECK(l.l_start == 0 && l.l_len == 20 && close(a) == 0);
    CHECK(lock(b, F_OFD_SETLK, F_RDLCK, 15, 1) == -1 && errno == EAGAIN && close(c) == 0);
    CHECK(lock(b, F_OFD_SETLK, F_RDLCK, 15, 1) == 0 && close(b) == 0);
}

static void check_flock(const char *path) {
    int a = open(path, O_RDWR), b = open(path, O_RDONLY), status;
    CHECK(flock(a, LOCK_SH) == 0 && flock(b, LOCK_SH | LOCK_NB) == 0);
    CHECK(flock(a, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK && flock(b, LOCK_UN) == 0);
    CHECK(flock(a, LOCK_EX) == 0 && flock(b, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK);
    CHECK(lock(b, F_OFD_SETLK, F_RDLCK, 0, 0) == 0); /* those of ranges are others */
    CHECK(lock(b, F_OFD_SETLK, F_UNLCK, 0, 0) == 0 && flock(a, 77) == -1 && errno == EINVAL);
    CHECK(flock(a, 160) == 0 && flock(-1, 160) == 0); /* LOCK_MAND, which is no more */
    if (fork() == 0) {
        close(a); /* the parent's is the same open file */
        _exit(flock(b, LOCK_EX) == 0 ? 7 : 1);
    }
    CHECK(flock(b, LOCK_SH | LOCK_NB) == -1 && close(a) == 0);
    CHECK(wait(&status) > 0 && WEXITSTATUS(status) == 7 && flock(b, LOCK_UN) == 0 && close(b) == 0);
}

int main(void) {
    const char *path = "/tmp/locked";
    check_ranges(path);
    check_fork(path);
    check_waiting(path);
    check_interrupted(path);
    check_deadlock(path);
    check_open_files(path);
    check_flock(path);
    CHECK(unlink(path) == 0);
    return tell_end();
}
