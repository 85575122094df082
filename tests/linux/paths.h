/* What the programs about roots and mounts have in common: files by their paths. */
#pragma once
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

static inline int is_there(const char *path) { return access(path, F_OK) == 0; }

static inline void make_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static inline int has_text(const char *path, const char *text) {
    char found[64] = "";
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, found, sizeof(found) - 1);
    close(fd);
    return n == (ssize_t)strlen(text) && !strcmp(found, text);
}

/* glibc's getcwd takes no answer that does not begin with a slash. */
static inline const char *where(void) {
    static char path[PATH_MAX];
    return syscall(SYS_getcwd, path, sizeof(path)) > 0 ? path : "none";
}
