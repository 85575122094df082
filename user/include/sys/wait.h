/* Waiting for children. The status is the plain exit value, not POSIX's packed
 * one: -1 says killed (or exit(-1), which looks the same). */
#pragma once
#include <sys/types.h>

#define WIFEXITED(status) ((status) != -1)
#define WEXITSTATUS(status) ((status)&0xff)
#define WIFSIGNALED(status) ((status) == -1)
#define WTERMSIG(status) ((status) == -1 ? 9 : 0)

/* Waits for any child; status may be NULL. Its pid, or -1 with errno set.
 *
 * wait: ECHILD, EFAULT, EINTR */
pid_t wait(int *status);
