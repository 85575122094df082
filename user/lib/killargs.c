/* What kill makes of its arguments: see killargs.h. */
#include "killargs.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int number;
    const char *name; /* with SIG in front */
} signals[] = {
#define SIGNAL(number, name, action, text) {number, #name},
#include "lib/signals.def"
};
#define SIGNALS (sizeof signals / sizeof signals[0])

static void usage(void) {
    fprintf(stderr, "usage: kill [-SIGNAL] PID...    -PID: the group that began with PID\n"
                    "       kill -l                  the names of signals\n");
}

static int list_signals(void) {
    for (size_t i = 0; i < SIGNALS; i++)
        printf("%2d %s\n", signals[i].number, signals[i].name + 3);
    return 0;
}

/* A whole number from first to last. */
static bool number_in(const char *text, long first, long last, long *out) {
    char *end;
    *out = strtol(text, &end, 10);
    return end != text && !*end && *out >= first && *out <= last;
}

/* TERM, SIGTERM or 15. */
static bool find_signal(const char *text, int *signal) {
    long number;
    bool is_number = number_in(text, 0, NSIG - 1, &number);
    *signal = (int)number;
    for (size_t i = 0; i < SIGNALS && !is_number; i++)
        if (!strcmp(text, signals[i].name) || !strcmp(text, signals[i].name + 3)) {
            *signal = signals[i].number;
            return true;
        }
    return is_number;
}

static int send_one(const char *name, const char *text, int signal) {
    long pid;
    if (!number_in(text, -INT_MAX, INT_MAX, &pid) || pid == 0 || pid == -1) {
        fprintf(stderr, "%s: %s: not a process number\n", name, text);
        return 2;
    }
    if (kill((pid_t)pid, signal) == 0)
        return 0;
    if (pid == 1)
        fprintf(stderr, "%s: process 1 is the first, and has to stay\n", name);
    else if (errno != ESRCH)
        fprintf(stderr, "%s: %ld: %s\n", name, pid, strerror(errno));
    else
        fprintf(stderr, "%s: no %s %ld\n", name, pid < 0 ? "group" : "process", labs(pid));
    return 1;
}

/* Passes -SIGNAL. A number alone is a group's. */
static bool take_signal(const char *name, char ***argv, int *signal) {
    char **at = *argv;
    if (!at[0] || at[0][0] != '-' || (isdigit((unsigned char)at[0][1]) && !at[1]))
        return true;
    *argv = at + 1;
    if (!strcmp(at[0], "--"))
        return true;
    if (find_signal(at[0] + 1, signal))
        return true;
    fprintf(stderr, "%s: %s: no such signal; kill -l lists them\n", name, at[0] + 1);
    return false;
}

int kill_arguments(const char *name, char **argv) {
    int status = 0, signal = SIGKILL;
    if (*++argv && !strcmp(*argv, "-l") && !argv[1])
        return list_signals();
    if (!take_signal(name, &argv, &signal))
        return 2;
    if (!*argv) {
        usage();
        return 2;
    }
    for (; *argv; argv++) {
        int one = send_one(name, *argv, signal);
        status = one > status ? one : status;
    }
    return status;
}
