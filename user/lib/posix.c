/* Calls that POSIX has and the kernel does not, made of those that it has. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <trellis.h>
#include <unistd.h>

int execv(const char *path, char *const argv[]) { return exec(path, argv); }

bool program_path(char path[PATH_MAX], const char *name, size_t i) {
    static const char *const places[] = {"/bin/", "/tests/", "", "/"};
    if (strchr(name, '/') ? i > 0 : i >= sizeof places / sizeof places[0])
        return false;
    const char *place = strchr(name, '/') ? "" : places[i];
    return snprintf(path, PATH_MAX, "%s%s", place, name) < PATH_MAX;
}

int execvp(const char *name, char *const argv[]) {
    char path[PATH_MAX];
    int error = ENOENT;
    for (size_t i = 0; program_path(path, name, i); i++) {
        exec(path, argv);
        error = error == ENOENT ? errno : error;
    }
    errno = error;
    return -1;
}

/* Gathers the arguments of execl and execlp; E2BIG when there are too many. */
static int gather(char *argv[ABI_MAXARG], const char *first, va_list ap) {
    int n = 0;
    for (const char *arg = first; arg; arg = va_arg(ap, const char *)) {
        if (n == ABI_MAXARG - 1) {
            errno = E2BIG;
            return -1;
        }
        argv[n++] = (char *)arg;
    }
    argv[n] = NULL;
    return 0;
}

int execl(const char *path, const char *arg, ...) {
    char *argv[ABI_MAXARG];
    va_list ap;
    va_start(ap, arg);
    int r = gather(argv, arg, ap);
    va_end(ap);
    return r == 0 ? exec(path, argv) : -1;
}

int execlp(const char *name, const char *arg, ...) {
    char *argv[ABI_MAXARG];
    va_list ap;
    va_start(ap, arg);
    int r = gather(argv, arg, ap);
    va_end(ap);
    return r == 0 ? execvp(name, argv) : -1;
}

int dup2(int fd, int wanted) {
    if (fd != wanted)
        return dup3(fd, wanted, 0);
    return fcntl(fd, F_GETFD) < 0 ? -1 : fd;
}

int stat(const char *path, struct stat *st) {
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    int r = fstat(fd, st);
    close(fd);
    return r;
}

int isatty(int fd) {
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode);
}

int rmdir(const char *path) {
    struct stat st;
    if (stat(path, &st) < 0)
        return -1;
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    return unlink(path);
}

int remove(const char *path) { return unlink(path); }

unsigned sleep(unsigned seconds) {
    while (seconds > 0) {
        unsigned part = seconds < 1000000 ? seconds : 1000000;
        if (sleep_ticks((int)part * ABI_TICKS_PER_SECOND) < 0)
            return seconds;
        seconds -= part;
    }
    return 0;
}

int usleep(unsigned microseconds) {
    unsigned tick = 1000000 / ABI_TICKS_PER_SECOND;
    return sleep_ticks((int)(microseconds / tick + (microseconds % tick != 0)));
}

time_t time(time_t *out) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

clock_t clock(void) { return uptime() * (CLOCKS_PER_SEC / ABI_TICKS_PER_SECOND); }
