/* The system calls under their usual names. Each returns -1 on error and sets errno. What errno.h
 * calls path errors and disk errors is meant here, too.
 *
 * fork: EAGAIN, ENOMEM
 * exec: path errors, ETXTBSY, ENOEXEC, ELIBBAD, EACCES, E2BIG, ENOMEM
 * execve: path errors, ETXTBSY, ENOEXEC, ELIBBAD, EACCES, E2BIG, ENOMEM
 * read: EBADF, EINVAL, EFAULT, ENODEV, EAGAIN, EIO, EINTR
 * write: disk errors, EBADF, EINVAL, EFAULT, EFBIG, ENOSPC, EPIPE, EAGAIN, ENODEV,
 *     EINTR
 * close: EBADF, EIO
 * dup: EBADF, EMFILE, ENOMEM
 * dup3: EBADF, EINVAL, EBUSY, ENOMEM
 * pipe: EMFILE, ENFILE, ENOMEM, EFAULT
 * pipe2: EINVAL, EMFILE, ENFILE, ENOMEM, EFAULT
 * lseek: EBADF, ESPIPE, EINVAL
 * ftruncate: disk errors, EBADF, EINVAL, EFBIG, ENOSPC
 * fsync: EBADF, EINVAL, EIO
 * sync: EIO
 * chdir: path errors
 * link: path errors, disk errors, EPERM, EXDEV, EEXIST, ENOSPC, EMLINK
 * unlink: path errors, disk errors, EINVAL, ENOTEMPTY, EBUSY
 * sbrk: ENOMEM, EEXIST
 * pause: EINTR
 * sleep: EINTR
 * The others have the errors of the calls that they are made of. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2

#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif

/* Processes. _exit ends the process at once; exit (stdlib.h) flushes first. */
pid_t fork(void);
void _exit(int status) __attribute__((noreturn));
pid_t getpid(void);

/* Replace the program; they return only on error. exec and execv are the same;
 * the p forms look for a name without slash where program_path (trellis.h) says.
 * The environment is environ (stdlib.h has its calls), or execve's; a program of xv6's gets none.
 * At most 32 arguments and 64 strings of the environment, which share the stack's highest page:
 * else E2BIG. */
extern char **environ; /* NULL: there is none */
int execve(const char *path, char *const argv[], char *const envp[]);
int exec(const char *path, char *const argv[]);
int execv(const char *path, char *const argv[]);
int execvp(const char *name, char *const argv[]);
int execl(const char *path, const char *arg, ...);
int execlp(const char *name, const char *arg, ...);

/* Files. Counts above INT_MAX are errors of the kernel interface. */
ssize_t read(int fd, void *buf, size_t n);
ssize_t write(int fd, const void *buf, size_t n);
int close(int fd);
int dup(int fd);
/* These make it the wanted one, in one step: what was open there is closed. Of equals dup2 changes
 * nothing, and dup3 is an error. flags: O_CLOEXEC, else 0. */
int dup2(int fd, int wanted);
int dup3(int fd, int wanted, int flags);
int pipe(int *fds); /* two: read end, write end */
int pipe2(int *fds, int flags);
off_t lseek(int fd, off_t offset, int whence);
int ftruncate(int fd, off_t size);
int fsync(int fd); /* these three: -1 when what was written will never be on the disk */
int fdatasync(int fd);
int sync(void);
int isatty(int fd); /* 1 for a device; the console is the only kind */

/* Names. unlink removes empty directories too; rmdir removes nothing else. */
int chdir(const char *path);
int link(const char *old_path, const char *new_path);
int unlink(const char *path);
int rmdir(const char *path);

/* Moves the break by so many bytes; the old one, or (void *)-1. */
void *sbrk(intptr_t increment);
void *sbrklazy(intptr_t increment); /* a page is there from its first touch on, or kills */

/* Options, as POSIX says: the next one's letter, ':' or '?' for a wrong one, -1 behind the last. */
int getopt(int argc, char *const argv[], const char *options);
extern char *optarg;
extern int optind, opterr, optopt;

/* Returns the seconds left: 0, or more after a signal. */
unsigned sleep(unsigned seconds);
/* SIGALRM after so many seconds, 0 for never; how many there were left of another one. */
unsigned alarm(unsigned seconds);
int pause(void); /* until a handler has run; -1 */
/* 0, or -1 after a signal. Rounded up to whole ticks. */
int usleep(unsigned microseconds);
