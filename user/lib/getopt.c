/* getopt, as POSIX says. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *optarg;
int optind = 1, opterr = 1, optopt;

static const char *rest; /* of argv[optind], behind the options that were told; "" or NULL: none */
static int rest_of;      /* the optind that it belongs to */

/* What is wrong with optopt; the answer. A list that begins with ':' wants no sentence. */
static int wrong(const char *program, const char *options, const char *what, int answer) {
    if (opterr && *options != ':')
        fprintf(stderr, "%s: %s -- %c\n", program, what, optopt);
    return *options == ':' ? answer : '?';
}

/* Whether argv[optind] is an option; "--" is passed over, and ends them. */
static int at_option(int argc, char *const argv[]) {
    const char *word = optind < argc ? argv[optind] : NULL;
    if (!word || word[0] != '-' || !word[1])
        return 0;
    if (word[1] == '-' && !word[2]) {
        optind++;
        return 0;
    }
    rest = word + 1;
    rest_of = optind;
    return 1;
}

/* The argument of optopt: the rest of the word, or the next one. */
static int take_argument(int argc, char *const argv[], const char *options) {
    const char *behind = rest;
    rest = NULL;
    optind++;
    if (*behind) {
        optarg = (char *)behind;
        return optopt;
    }
    if (optind >= argc)
        return wrong(argv[0], options, "option requires an argument", ':');
    optarg = argv[optind++];
    return optopt;
}

int getopt(int argc, char *const argv[], const char *options) {
    optarg = NULL;
    if (optind == 0) /* from the start, as others have it */
        optind = 1, rest = NULL;
    if (!rest || !*rest || rest_of != optind) {
        if (!at_option(argc, argv))
            return -1;
    }
    optopt = (unsigned char)*rest++;
    const char *found = optopt == ':' ? NULL : strchr(options, optopt);
    if (found && found[1] == ':')
        return take_argument(argc, argv, options);
    if (!*rest)
        optind++;
    return found ? optopt : wrong(argv[0], options, "unknown option", '?');
}
