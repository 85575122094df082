/* The shell's redirections: see shredirect.h. */
#include "shredirect.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "shell.h"

static int open_redirect(enum redirect_kind kind, const char *path) {
    static const int flags[] = {
        [REDIRECT_READ] = O_RDONLY,
        [REDIRECT_WRITE] = O_WRONLY | O_CREATE | O_TRUNC,
        [REDIRECT_APPEND] = O_WRONLY | O_CREATE | O_APPEND,
    };
    int fd = open(path, flags[kind]);
    if (fd < 0)
        complain(path, strerror(errno));
    return fd;
}

/* Makes r->fd what the redirection says. */
static bool redirect_to(const struct redirect *r, const char *target) {
    if (r->kind == REDIRECT_DUP) {
        bool digit = isdigit((unsigned char)target[0]) && !target[1];
        if (digit && dup2(target[0] - '0', r->fd) >= 0)
            return true;
        complain(target, "not an open descriptor");
        return false;
    }
    int fd = open_redirect(r->kind, target);
    if (fd < 0 || fd == r->fd)
        return fd >= 0;
    bool ok = dup2(fd, r->fd) >= 0;
    int error = errno;
    close(fd);
    if (!ok)
        complain(target, strerror(error));
    return ok;
}

bool redirect_all(const struct redirect *r, const struct shell_args *shell) {
    for (; r; r = r->next) {
        struct fields f = {0};
        bool ok = expand_words(&f, r->target, shell);
        if (ok && f.n != 1) {
            complain(r->target->text, "not one file name");
            ok = false;
        }
        ok = ok && redirect_to(r, f.argv[0]);
        fields_free(&f);
        if (!ok)
            return false;
    }
    return true;
}

bool save_all(const struct redirect *r, struct saved saved[], int *n) {
    for (*n = 0; r; r = r->next) {
        int i = 0;
        while (i < *n && saved[i].fd != r->fd)
            i++;
        if (i < *n)
            continue;
        saved[i].fd = r->fd;
        saved[i].copy = fcntl(r->fd, F_DUPFD_CLOEXEC, SAVED_FIRST);
        if (saved[i].copy < 0 && errno != EBADF) {
            complain(NULL, strerror(errno));
            return false;
        }
        ++*n;
    }
    return true;
}

void restore_all(const struct saved *saved, int n) {
    for (int i = 0; i < n; i++) {
        if (saved[i].copy >= 0) {
            dup2(saved[i].copy, saved[i].fd);
            close(saved[i].copy);
        } else {
            close(saved[i].fd);
        }
    }
}
