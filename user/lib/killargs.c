/* What kill makes of its arguments: see killargs.h. */
#include "killargs.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int kill_one(const char *name, const char *text) {
    char *end;
    long pid = strtol(text, &end, 10);
    if (*end || end == text || pid == 0 || pid == -1 || pid > INT_MAX || pid < -INT_MAX) {
        fprintf(stderr, "%s: %s: not a process number\n", name, text);
        return 2;
    }
    if (kill((pid_t)pid, SIGKILL) == 0)
        return 0;
    if (pid == 1)
        fprintf(stderr, "%s: process 1 is the first, and has to stay\n", name);
    else if (errno != ESRCH)
        fprintf(stderr, "%s: %ld: %s\n", name, pid, strerror(errno));
    else
        fprintf(stderr, "%s: no %s %ld\n", name, pid < 0 ? "group" : "process", labs(pid));
    return 1;
}

int kill_arguments(const char *name, char **argv) {
    int status = 0;
    if (!argv[1]) {
        fprintf(stderr, "usage: kill PID...    -PID: the group that began with PID\n");
        return 2;
    }
    while (*++argv) {
        int one = kill_one(name, *argv);
        status = one > status ? one : status;
    }
    return status;
}
