/* Writes files, or its input, one after the other; "-" is the input. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <trellis.h>
#include <unistd.h>

static char buf[4096];

/* 0, or -1 after a message. */
static int copy(int fd, const char *name) {
    ssize_t n, done;
    while ((n = read(fd, buf, sizeof buf)) > 0) {
        for (ssize_t at = 0; at < n; at += done) {
            done = write(1, buf + at, (size_t)(n - at));
            if (done <= 0)
                return output_failed("cat");
        }
    }
    if (n < 0)
        fprintf(stderr, "cat: %s: %s\n", name, strerror(errno));
    return n < 0 ? -1 : 0;
}

static int copy_file(const char *name) {
    if (strcmp(name, "-") == 0)
        return copy(0, "input");
    int fd = open(name, O_RDONLY);
    if (fd < 0) {
        fprintf(stderr, "cat: cannot open %s: %s\n", name, strerror(errno));
        return -1;
    }
    int r = copy(fd, name);
    close(fd);
    return r;
}

int main(int argc, char *argv[]) {
    int status = 0;
    if (argc == 1)
        return copy(0, "input") < 0;
    for (int i = 1; i < argc; i++)
        if (copy_file(argv[i]) < 0)
            status = 1;
    return status;
}
