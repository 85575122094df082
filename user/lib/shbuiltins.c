/* The shell's own commands: see shbuiltins.h. */
#include "shbuiltins.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "killargs.h"
#include "shbackground.h"
#include "shell.h"
#include "shjobs.h"

static int do_cd(struct shell_args *shell, char **argv) {
    const char *path = argv[1] ? argv[1] : getenv("HOME");
    path = path && *path ? path : "/";
    if (chdir(path) == 0)
        return 0;
    complain(path, strerror(errno));
    return 1;
}

static int do_exit(struct shell_args *shell, char **argv) {
    char *end = NULL;
    int status = shell->status;
    if (argv[1]) {
        status = (int)strtol(argv[1], &end, 10);
        if (*end || end == argv[1]) {
            complain(argv[1], "not a number");
            status = 2;
        }
    }
    exit(status & 0xff);
}

static int do_nothing(struct shell_args *shell, char **argv) { return 0; }

/* ---- variables ------------------------------------------------------------ */

bool set_variable(char *text) {
    char *value = strchr(text, '=');
    *value = 0;
    bool done = setenv(text, value + 1, 1) == 0;
    if (!done)
        complain(text, strerror(errno));
    *value = '=';
    return done;
}

/* Every variable is the environment's, so a name alone has nothing to change. */
static int do_export(struct shell_args *shell, char **argv) {
    for (char **e = environ; !argv[1] && e && *e; e++)
        printf("export %s\n", *e);
    for (argv++; *argv; argv++) {
        size_t n = name_length(*argv);
        if (n == 0 || ((*argv)[n] && (*argv)[n] != '=')) {
            complain(*argv, "not a name");
            return 2;
        }
        if ((*argv)[n] && !set_variable(*argv))
            return 1;
    }
    return 0;
}

static int do_unset(struct shell_args *shell, char **argv) {
    for (argv++; *argv; argv++) {
        if (unsetenv(*argv) < 0) {
            complain(*argv, "not a name");
            return 2;
        }
    }
    return 0;
}

/* ---- children ------------------------------------------------------------- */

/* Of all, or of those that are named; then the last one's status. */
static int do_wait(struct shell_args *shell, char **argv) {
    int status = 0;
    if (!argv[1]) {
        while (wait(NULL) >= 0)
            ;
        background_forget_all();
    }
    for (argv++; *argv; argv++) {
        struct background *job = background_find("wait", *argv);
        status = job ? background_wait(job) : 127;
        if (job && !job->stopped)
            background_forget(job);
    }
    return status;
}

static int do_jobs(struct shell_args *shell, char **argv) {
    background_print();
    return 0;
}

static int do_fg(struct shell_args *shell, char **argv) {
    struct background *job = background_find("fg", argv[1]);
    if (!job)
        return 1;
    jobs_put_in_foreground(job->group); /* before it is shown: then ^C is for the job */
    printf("%s\n", job->command ? job->command : "?");
    fflush(stdout);
    background_continue(job);
    int status = background_wait(job);
    shell->interrupted |= jobs_end_foreground();
    if (!job->stopped)
        background_forget(job);
    return status;
}

static int do_bg(struct shell_args *shell, char **argv) {
    struct background *job = background_find("bg", argv[1]);
    if (!job)
        return 1;
    if (job->stopped) {
        background_continue(job);
        return 0;
    }
    fprintf(stderr, "sh: bg: %%%d %s\n", job->number,
            job->ended ? "has ended" : "runs in the background already");
    return 1;
}

/* %N stands for the group of that job. */
static int do_kill(struct shell_args *shell, char **argv) {
    for (int i = 1; argv[i]; i++) {
        if (argv[i][0] != '%')
            continue;
        struct background *job = background_find("kill", argv[i]);
        char number[12];
        if (!job)
            return 1;
        snprintf(number, sizeof number, "%d", jobs_managed() ? -job->group : job->pid);
        free(argv[i]);
        argv[i] = strdup(number);
    }
    return kill_arguments("sh: kill", argv);
}

builtin find_builtin(const char *name) {
    static const struct {
        const char *name;
        builtin fn;
    } table[] = {{":", do_nothing},     {"bg", do_bg},    {"cd", do_cd},     {"exit", do_exit},
                 {"export", do_export}, {"fg", do_fg},    {"jobs", do_jobs}, {"kill", do_kill},
                 {"unset", do_unset},   {"wait", do_wait}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(name, table[i].name) == 0)
            return table[i].fn;
    return NULL;
}
