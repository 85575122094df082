/* Writes the lines that match a regular expression ( ^ $ . * [ ] \ ).
 *     -v   those that do not     -n   with their numbers
 *     -i   without regard to case   -c   only how many
 *     -q   nothing, only the status
 * Status: 0 some line was selected, 1 none, 2 an error. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trellis.h>
#include "../lib/pattern.h"

static bool invert, numbers, ignore_case, count_only, quiet;
static struct pattern pattern;

/* Searches one file; the number of selected lines, or -1 after a message. */
static long search(FILE *f, const char *name, bool named) {
    static char *line;
    static size_t room;
    long found = 0, number = 0;
    for (ssize_t n; (n = getline(&line, &room, f)) > 0;) {
        number++;
        if (line[n - 1] == '\n')
            n--;
        if (pattern_match(&pattern, line, (size_t)n) == invert)
            continue;
        found++;
        if (count_only || quiet)
            continue;
        if (named)
            printf("%s:", name);
        if (numbers)
            printf("%ld:", number);
        fwrite(line, 1, (size_t)n, stdout);
        putchar('\n');
    }
    if (ferror(f) || !feof(f)) {
        fprintf(stderr, "grep: cannot read %s: %s\n", name, strerror(errno));
        return -1;
    }
    if (count_only && !quiet) {
        if (named)
            printf("%s:", name);
        printf("%ld\n", found);
    }
    return found;
}

static int usage(void) {
    fprintf(stderr, "usage: grep [-vnicq] EXPRESSION [FILE...]\n");
    return 2;
}

static bool parse_options(const char *p) {
    for (; *p; p++) {
        switch (*p) {
        case 'v': invert = true; break;
        case 'n': numbers = true; break;
        case 'i': ignore_case = true; break;
        case 'c': count_only = true; break;
        case 'q': quiet = true; break;
        default: return false;
        }
    }
    return true;
}

/* Searches all files; false when one could not be read. */
static bool search_files(int n, char **names, long *found) {
    bool ok = true;
    for (int i = 0; i < n; i++) {
        FILE *f = fopen(names[i], "r");
        if (!f) {
            fprintf(stderr, "grep: cannot open %s: %s\n", names[i], strerror(errno));
            ok = false;
            continue;
        }
        long r = search(f, names[i], n > 1);
        if (r < 0)
            ok = false;
        else
            *found += r;
        fclose(f);
    }
    return ok;
}

int main(int argc, char *argv[]) {
    int first = 1;
    long found = 0;
    bool ok;
    for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++) {
        if (strcmp(argv[first], "--") == 0) {
            first++;
            break;
        }
        if (!parse_options(argv[first] + 1))
            return usage();
    }
    if (first == argc)
        return usage();
    const char *error = pattern_compile(&pattern, argv[first], ignore_case);
    if (error) {
        fprintf(stderr, "grep: %s: %s\n", argv[first], error);
        return 2;
    }
    if (first + 1 < argc) {
        ok = search_files(argc - first - 1, argv + first + 1, &found);
    } else {
        found = search(stdin, "input", false);
        ok = found >= 0;
    }
    if (finish_output("grep") < 0 || !ok)
        return 2;
    return found == 0;
}
