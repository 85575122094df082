/* Pseudo-terminals: what the programs about them have in common. Define _GNU_SOURCE first. */
#pragma once
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

static inline int open_master(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    return master;
}

static inline int open_slave(int master, int flags) {
    int slave = open(ptsname(master), O_RDWR | flags);
    CHECK(slave >= 0);
    return slave;
}

/* Reads until it has as many bytes as the text, and compares. */
static inline int reads(int fd, const char *text) {
    char got[200] = "";
    size_t n = 0, wanted = strlen(text);
    while (n < wanted) {
        ssize_t more = read(fd, got + n, wanted - n);
        if (more <= 0)
            return 0;
        n += (size_t)more;
    }
    return memcmp(got, text, wanted) == 0;
}
static inline int writes(int fd, const char *text) {
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* A child that leads a session with the slave as its terminal. It says how it went. */
static inline pid_t start(int master, int (*what)(int slave)) {
    pid_t child = fork();
    if (child == 0) {
        int slave;
        CHECK(setsid() == getpid());
        slave = open_slave(master, 0);
        close(master);
        _exit(what(slave));
    }
    CHECK(child > 0);
    return child;
}
static inline int ended_with(pid_t child) {
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}
