/* Copies a file to a name, or files into a directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../lib/filestodir.h"

static char buf[4096];

static bool complain(const char *what, const char *path) {
    fprintf(stderr, "cp: %s %s\n", what, path);
    return false;
}

static bool failed(const char *what, const char *path) {
    fprintf(stderr, "cp: %s %s: %s\n", what, path, strerror(errno));
    return false;
}

static bool copy_bytes(int in, int out, const char *from, const char *to) {
    ssize_t n;
    while ((n = read(in, buf, sizeof buf)) > 0)
        if (write(out, buf, (size_t)n) != n)
            return failed("cannot write all of", to);
    return n == 0 || failed("cannot read", from);
}

static bool copy(const char *from, const char *to) {
    struct stat a, b;
    int in = open(from, O_RDONLY);
    if (in < 0)
        return failed("cannot open", from);
    bool ok = false;
    int out = -1;
    if (fstat(in, &a) == 0 && S_ISDIR(a.st_mode))
        complain("is a directory:", from);
    else if (stat(to, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        complain("is the same file:", to);
    else if ((out = open(to, O_WRONLY | O_CREATE | O_TRUNC)) < 0)
        failed("cannot create", to);
    else
        ok = copy_bytes(in, out, from, to);
    if (out >= 0)
        close(out);
    close(in);
    return ok;
}

int main(int argc, char *argv[]) { return files_to_dir("cp", argc, argv, copy); }
