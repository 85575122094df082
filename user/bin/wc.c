/* Counts lines (-l), words (-w) and bytes (-c); all three without options. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <trellis.h>
#include <unistd.h>

struct counts {
    unsigned long lines, words, bytes;
};

static bool want_lines, want_words, want_bytes;
static char buf[4096];

/* False when the input cannot be read. */
static bool count(int fd, struct counts *c) {
    bool in_word = false;
    ssize_t n;
    while ((n = read(fd, buf, sizeof buf)) > 0) {
        c->bytes += (unsigned long)n;
        for (ssize_t i = 0; i < n; i++) {
            bool blank = isspace((unsigned char)buf[i]);
            c->lines += buf[i] == '\n';
            c->words += !blank && !in_word;
            in_word = !blank;
        }
    }
    return n == 0;
}

static void show(const struct counts *c, const char *name) {
    const char *gap = "";
    if (want_lines)
        printf("%lu", c->lines), gap = " ";
    if (want_words)
        printf("%s%lu", gap, c->words), gap = " ";
    if (want_bytes)
        printf("%s%lu", gap, c->bytes);
    printf("%s%s\n", *name ? " " : "", name);
}

static bool count_file(const char *name, struct counts *total) {
    struct counts c = {0};
    int fd = open(name, O_RDONLY);
    bool ok = fd >= 0 && count(fd, &c);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (!ok) {
        fprintf(stderr, "wc: cannot read %s: %s\n", name, strerror(error));
        return false;
    }
    show(&c, name);
    total->lines += c.lines;
    total->words += c.words;
    total->bytes += c.bytes;
    return true;
}

int main(int argc, char *argv[]) {
    int first = 1, status = 0;
    struct counts total = {0};
    for (; first < argc && argv[first][0] == '-'; first++) {
        for (const char *p = argv[first] + 1; *p; p++) {
            if (*p != 'l' && *p != 'w' && *p != 'c') {
                fprintf(stderr, "usage: wc [-lwc] [FILE...]\n");
                return 2;
            }
            want_lines |= *p == 'l';
            want_words |= *p == 'w';
            want_bytes |= *p == 'c';
        }
    }
    if (!want_lines && !want_words && !want_bytes)
        want_lines = want_words = want_bytes = true;
    if (first == argc) {
        if (!count(0, &total)) {
            fprintf(stderr, "wc: cannot read: %s\n", strerror(errno));
            return 1;
        }
        show(&total, "");
    }
    for (int i = first; i < argc; i++)
        if (!count_file(argv[i], &total))
            status = 1;
    if (argc - first > 1)
        show(&total, "total");
    return finish_output("wc") < 0 ? 1 : status;
}
