/* How the shell starts a program: see shexec.h. */
#include "shexec.h"
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <trellis.h>
#include <unistd.h>
#include "shell.h"

/* Whether the file begins with #!: there is no permission bit to say so. */
static bool is_script(const char *path) {
    char start[2];
    struct stat st;
    int fd = open(path, O_RDONLY);
    bool is = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read(fd, start, 2) == 2 &&
              start[0] == '#' && start[1] == '!';
    if (fd >= 0)
        close(fd);
    return is;
}

/* Returns when there are too many arguments, or no memory. */
static void run_script(const char *path, const struct fields *f) {
    char *argv[ABI_MAXARG + 1] = {"sh", (char *)path};
    if (f->n + 2 > ABI_MAXARG)
        return;
    memcpy(argv + 2, f->argv + 1, f->n * sizeof argv[0]);
    execvp("sh", argv);
}

static bool find(const struct fields *f, char path[PATH_MAX], struct stat *st) {
    for (size_t i = 0; program_path(path, f->argv[0], i); i++)
        if (stat(path, st) == 0)
            return true;
    return false;
}

/* Says why a program did not start. */
static void explain(const struct fields *f) __attribute__((noreturn));
static void explain(const struct fields *f) {
    char path[PATH_MAX];
    struct stat st;
    size_t bytes = 0;
    for (size_t i = 0; i < f->n; i++)
        bytes += strlen(f->argv[i]) + 1 + sizeof(char *);
    if (!find(f, path, &st)) {
        complain(f->argv[0], "not found");
        _exit(127);
    }
    if (S_ISDIR(st.st_mode))
        complain(path, "is a directory");
    else if (f->n >= ABI_MAXARG)
        complain(path, "too many arguments");
    else if (bytes > 3900)
        complain(path, "arguments too long");
    else
        complain(path, "cannot execute");
    _exit(126);
}

void execute(const struct fields *f) {
    char path[PATH_MAX];
    const char *name = f->argv[0];
    if (*name == 0) {
        complain("''", "not found");
        _exit(127);
    }
    for (size_t i = 0; program_path(path, name, i); i++) {
        exec(path, f->argv);
        if (is_script(path))
            run_script(path, f);
    }
    explain(f);
}
