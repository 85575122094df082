/* Words for error numbers, and ending in an emergency. */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int error;
    const char *text;
} messages[] = {
    {0, "No error"},
    {EPERM, "Not permitted"},
    {ENOENT, "No such file or directory"},
    {ESRCH, "No such process"},
    {EINTR, "Interrupted"},
    {EIO, "Input/output error"},
    {ENXIO, "Beyond the end"},
    {E2BIG, "Argument list too long"},
    {ENOEXEC, "Not an executable"},
    {EBADF, "Bad file descriptor"},
    {ECHILD, "No child processes"},
    {EAGAIN, "No process or memory free"},
    {ENOMEM, "Out of memory"},
    {EACCES, "Not open for this"},
    {EFAULT, "Bad address"},
    {ENOTBLK, "Not a block device"},
    {EBUSY, "In use"},
    {EEXIST, "File exists"},
    {EXDEV, "In another file system"},
    {ENODEV, "Not for this kind of file"},
    {ENOTDIR, "Not a directory"},
    {EISDIR, "Is a directory"},
    {EINVAL, "Invalid argument"},
    {ENFILE, "Too many open files in the system"},
    {EMFILE, "Too many open files"},
    {ENOTTY, "Not a terminal"},
    {ETXTBSY, "Run as a program, or open for writing"},
    {EFBIG, "File too large"},
    {ENOSPC, "No space left"},
    {ESPIPE, "Cannot seek"},
    {EROFS, "The disk takes no more changes"},
    {EMLINK, "Too many links"},
    {EPIPE, "Broken pipe"},
    {EDOM, "Argument out of domain"},
    {ERANGE, "Result out of range"},
    {EDEADLK, "Would wait for itself"},
    {ENAMETOOLONG, "Name too long"},
    {ENOLCK, "Too many locks"},
    {ENOSYS, "No such system call"},
    {ENOTEMPTY, "Directory not empty"},
    {ELOOP, "Too many symbolic links"},
    {ENOMSG, "No message of desired type"},
    {EIDRM, "Identifier removed"},
    {EOVERFLOW, "Value too large for its type"},
    {ELIBBAD, "Its interpreter is damaged"},
    {ENOTSOCK, "Not a socket"},
    {EDESTADDRREQ, "Nobody to send to"},
    {EMSGSIZE, "Message too long"},
    {EPROTOTYPE, "Another kind of socket"},
    {ENOPROTOOPT, "No such option of a socket"},
    {EPROTONOSUPPORT, "No such protocol"},
    {ESOCKTNOSUPPORT, "No such kind of socket"},
    {ENOTSUP, "Not supported"},
    {EAFNOSUPPORT, "No such kind of address"},
    {EADDRINUSE, "Address in use"},
    {EADDRNOTAVAIL, "Not an address of this machine, or none is left"},
    {ENETUNREACH, "An address of another machine"},
    {ECONNRESET, "The other end has gone"},
    {ENOBUFS, "No room for a message"},
    {EISCONN, "Connected already"},
    {ENOTCONN, "Not connected"},
    {ETOOMANYREFS, "Too many files on their way"},
    {ETIMEDOUT, "Timed out"},
    {ECONNREFUSED, "Nobody listens there"},
    {EALREADY, "Begun already"},
    {EINPROGRESS, "Goes on"},
};

char *strerror(int error) {
    static _Thread_local char unknown[32];
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        if (messages[i].error == error)
            return (char *)messages[i].text;
    snprintf(unknown, sizeof unknown, "Error %d", error);
    return unknown;
}

void perror(const char *s) {
    int error = errno;
    if (s && *s)
        fprintf(stderr, "%s: %s\n", s, strerror(error));
    else
        fprintf(stderr, "%s\n", strerror(error));
}

void abort(void) {
    signal(SIGABRT, SIG_DFL);
    sigset_t none = 0;
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (;;)
        raise(SIGABRT);
}

void assert_failed(const char *file, int line, const char *cond) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, cond);
    abort();
}
