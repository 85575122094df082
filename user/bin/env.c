/* Runs a command with a changed environment; without one, prints the environment.
 *
 *     env [-i] [-u NAME] [NAME=VALUE...] [COMMAND [ARG...]]
 *
 * -i: begins with an empty one; -u NAME: takes this name out. The status is the command's, or 127
 * when there is none of this name, 126 when it does not start. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trellis.h>
#include <unistd.h>

static int usage(void) {
    fprintf(stderr, "usage: env [-i] [-u NAME] [NAME=VALUE...] [COMMAND [ARG...]]\n");
    return 2;
}

static int fail(const char *what) {
    fprintf(stderr, "env: %s: %s\n", what, strerror(errno));
    return 2;
}

int main(int argc, char *argv[]) {
    for (int option; (option = getopt(argc, argv, "iu:")) != -1;) {
        if (option == '?')
            return usage();
        if (option == 'i' ? clearenv() < 0 : unsetenv(optarg) < 0)
            return fail(option == 'i' ? "-i" : optarg);
    }
    for (; argv[optind] && strchr(argv[optind], '='); optind++)
        if (putenv(argv[optind]) < 0)
            return fail(argv[optind]);
    if (argv[optind]) {
        execvp(argv[optind], argv + optind);
        fail(argv[optind]);
        return errno == ENOENT ? 127 : 126;
    }
    for (char **e = environ; e && *e; e++)
        puts(*e);
    return finish_output("env") < 0;
}
