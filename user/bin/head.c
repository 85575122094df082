/* Writes the first 10 (-n N) lines of files or of its input. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trellis.h>

static void copy(FILE *f, long lines) {
    for (int c; lines > 0 && (c = getc(f)) != EOF;) {
        putchar(c);
        lines -= c == '\n';
    }
}

int main(int argc, char *argv[]) {
    long lines = 10;
    int first = 1, status = 0;
    if (argc > 1 && argv[1][0] == '-') {
        char *end = "x";
        if (argc > 2 && strcmp(argv[1], "-n") == 0)
            lines = strtol(argv[2], &end, 10);
        if (*end || end == argv[2] || lines < 0) {
            fprintf(stderr, "usage: head [-n LINES] [FILE...]\n");
            return 2;
        }
        first = 3;
    }
    if (first == argc)
        copy(stdin, lines);
    for (int i = first; i < argc; i++) {
        FILE *f = fopen(argv[i], "r");
        if (!f) {
            fprintf(stderr, "head: cannot open %s: %s\n", argv[i], strerror(errno));
            status = 1;
            continue;
        }
        if (argc - first > 1)
            printf("==> %s <==\n", argv[i]);
        copy(f, lines);
        fclose(f);
    }
    return finish_output("head") < 0 ? 1 : status;
}
