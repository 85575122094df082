/* Writes the lines of files, or of its input, sorted by bytes.
 *     -n   by the number at the start   -r   the other way round
 *     -u   equal lines once */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trellis.h>

static bool numeric, reverse, unique;

static struct {
    char **line;
    size_t n, room;
} lines;

static int compare(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int order = 0;
    if (numeric) {
        double p = strtod(x, NULL), q = strtod(y, NULL);
        order = (p > q) - (p < q);
    }
    if (order == 0)
        order = strcmp(x, y);
    return reverse ? -order : order;
}

static bool add(char *line) {
    if (lines.n == lines.room) {
        size_t room = lines.room ? lines.room * 2 : 256;
        char **bigger = realloc(lines.line, room * sizeof *bigger);
        if (!bigger)
            return false;
        lines.line = bigger;
        lines.room = room;
    }
    lines.line[lines.n++] = line;
    return true;
}

/* Takes in all lines of f, without their newlines; false after a message. */
static bool read_lines(FILE *f, const char *name) {
    char *line = NULL;
    size_t room = 0;
    for (ssize_t n; (n = getline(&line, &room, f)) > 0; line = NULL, room = 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = 0;
        if (!add(line))
            break;
    }
    if (feof(f))
        return true;
    fprintf(stderr, "sort: %s: %s\n", name, strerror(errno));
    return false;
}

static bool read_file(const char *name) {
    FILE *f = fopen(name, "r");
    if (!f) {
        fprintf(stderr, "sort: cannot open %s: %s\n", name, strerror(errno));
        return false;
    }
    bool ok = read_lines(f, name);
    fclose(f);
    return ok;
}

int main(int argc, char *argv[]) {
    int first = 1;
    bool ok = true;
    for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++) {
        for (const char *p = argv[first] + 1; *p; p++) {
            numeric |= *p == 'n';
            reverse |= *p == 'r';
            unique |= *p == 'u';
            ok &= strchr("nru", *p) != NULL;
        }
    }
    if (!ok) {
        fprintf(stderr, "usage: sort [-nru] [FILE...]\n");
        return 2;
    }
    if (first == argc)
        ok = read_lines(stdin, "input");
    for (int i = first; i < argc && ok; i++)
        ok = read_file(argv[i]);
    if (!ok)
        return 1;
    qsort(lines.line, lines.n, sizeof lines.line[0], compare);
    for (size_t i = 0; i < lines.n; i++)
        if (!unique || i == 0 || strcmp(lines.line[i], lines.line[i - 1]) != 0)
            puts(lines.line[i]);
    return finish_output("sort") < 0;
}
