/* Writes the last 10 (-n N) lines of a file or of its input. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trellis.h>

/* The last lines, a ring: the oldest is at next. False: out of memory. */
static int copy(FILE *f, size_t lines) {
    char **ring = calloc(lines ? lines : 1, sizeof *ring), *line = NULL;
    size_t next = 0, room = 0;
    if (!ring)
        return -1;
    while (getline(&line, &room, f) > 0) {
        if (lines == 0)
            continue;
        free(ring[next]);
        ring[next] = line; /* the ring's now */
        next = (next + 1) % lines;
        line = NULL;
        room = 0;
    }
    free(line);
    for (size_t i = 0; i < lines; i++) {
        char *old = ring[(next + i) % lines];
        if (old)
            fputs(old, stdout);
        free(old);
    }
    free(ring);
    return feof(f) ? 0 : -1;
}

int main(int argc, char *argv[]) {
    long lines = 10;
    int first = 1;
    FILE *f = stdin;
    if (argc > 1 && argv[1][0] == '-') {
        char *end = "x";
        if (argc > 2 && strcmp(argv[1], "-n") == 0)
            lines = strtol(argv[2], &end, 10);
        first = *end || end == argv[2] || lines < 0 ? 99 : 3;
    }
    if (first > argc || argc - first > 1) {
        fprintf(stderr, "usage: tail [-n LINES] [FILE]\n");
        return 2;
    }
    if (first < argc && !(f = fopen(argv[first], "r"))) {
        fprintf(stderr, "tail: cannot open %s: %s\n", argv[first], strerror(errno));
        return 1;
    }
    if (copy(f, (size_t)lines) < 0) {
        fprintf(stderr, "tail: cannot read: %s\n", strerror(errno));
        return 1;
    }
    return finish_output("tail") < 0;
}
