/* What the tests of sockets share: addresses, and options. */
#pragma once
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "check.h"

static inline struct sockaddr_un named(const char *path, socklen_t *length) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(path + 1) + 1; /* an abstract one begins with a NUL */
    memcpy(a.sun_path, path, n);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] != 0));
    return a;
}

static inline int bound(int type, const char *path) {
    socklen_t n;
    struct sockaddr_un a = named(path, &n);
    int fd = socket(AF_UNIX, type, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0);
    return fd;
}

static inline int connect_to(int fd, const char *path) {
    socklen_t n;
    struct sockaddr_un a = named(path, &n);
    return connect(fd, (struct sockaddr *)&a, n);
}

static inline int option(int fd, int which) {
    int value = -1;
    socklen_t n = sizeof(value);
    CHECK(getsockopt(fd, SOL_SOCKET, which, &value, &n) == 0 && n == sizeof(value));
    return value;
}
