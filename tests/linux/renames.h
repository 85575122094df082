/* Renaming in the current directory, of whichever file system, which stays as it was. */
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "check.h"

static inline int rename_fresh(const char *from, const char *to) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1);
}

static inline int links_of(const char *path) {
    struct stat st;
    return stat(path, &st) ? -1 : (int)st.st_nlink;
}

static inline void check_renames(void) {
    CHECK(mkdir("ra", 0700) == 0 && mkdir("rb", 0700) == 0 && mkdir("rb/in", 0700) == 0);
    int empty = links_of("ra"); /* on a disk of xv6 a directory's own "." does not count */
    CHECK(close(open("rf", O_CREAT | O_WRONLY, 0600)) == 0);
    CHECK(rename("ra", "rb") == -1 && errno == ENOTEMPTY);
    CHECK(rename("rb/in", "rb") == -1 && errno == ENOTEMPTY);
    CHECK(rename("rf", "ra") == -1 && errno == EISDIR);
    CHECK(rename("ra", "rf") == -1 && errno == ENOTDIR);
    CHECK(rename_fresh("ra", "rb/in") == -1 && errno == EEXIST);
    CHECK(rename_fresh("rf", "rf") == -1 && errno == EEXIST && links_of("rb") == empty + 1);
    CHECK(rename("ra", "rb/in") == 0 && access("ra", F_OK) == -1 && links_of("rb") == empty + 1);
    CHECK(mkdir("ra", 0700) == 0 && rename("rb", "ra") == 0 && access("ra/in", F_OK) == 0);
    CHECK(links_of("ra") == empty + 1 && rename_fresh("rf", "rg") == 0 && access("rf", F_OK) == -1);
    int dir = open("ra/in", O_RDONLY | O_DIRECTORY); /* one that loses its name while it is open */
    CHECK(mkdir("rc", 0700) == 0 && rename("rc", "ra/in") == 0 && links_of("ra") == empty + 1);
    CHECK(openat(dir, "x", O_CREAT | O_WRONLY, 0600) == -1 && errno == ENOENT && close(dir) == 0);
    CHECK(syscall(SYS_renameat2, AT_FDCWD, "rg", AT_FDCWD, "ra", 8) == -1 && errno == EINVAL);
    CHECK(rmdir("ra/in") == 0 && links_of("ra") == empty && rmdir("ra") == 0 && unlink("rg") == 0);
}
