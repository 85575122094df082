/* How the shell starts a program: see shexec.h. */
#include "shexec.h"
#include <errno.h>
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

/* Returns why it does not start. */
static int run_script(const char *path, const struct fields *f) {
    char *argv[ABI_MAXARG + 1] = {"sh", (char *)path};
    if (f->n + 2 > ABI_MAXARG)
        return E2BIG;
    memcpy(argv + 2, f->argv + 1, f->n * sizeof argv[0]);
    execvp("sh", argv);
    return errno;
}

/* Says why a program did not start: what exec said of the place where it was found. */
static void explain(const char *name, int error) __attribute__((noreturn));
static void explain(const char *name, int error) {
    if (error == ENOENT) {
        complain(name, "not found");
        _exit(127);
    }
    complain(name, error == ENOEXEC ? "cannot execute" : strerror(error));
    _exit(126);
}

void execute(const struct fields *f) {
    char path[PATH_MAX];
    const char *name = f->argv[0];
    struct stat st;
    int error = ENOENT;
    if (*name == 0)
        explain("''", error);
    for (size_t i = 0; program_path(path, name, i); i++) {
        exec(path, f->argv);
        error = error == ENOENT ? errno : error;
        if (error == ENOEXEC && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            error = EISDIR;
        if (is_script(path))
            error = run_script(path, f);
    }
    explain(name, error);
}
