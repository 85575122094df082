/* Waiting for children. The status is POSIX's packed one; xv6's call (sys_wait in trellis.h) has
 * the plain exit value, and -1 for a child that was killed.
 *
 * wait: ECHILD, EFAULT, EINTR
 * waitpid: EINVAL, ECHILD, EFAULT, EINTR */
#pragma once
#include <sys/types.h>
#include "lib/abi.h"

#define WNOHANG ABI_WNOHANG       /* 0 when there is no news */
#define WUNTRACED ABI_WUNTRACED   /* of children that have stopped, too */
#define WCONTINUED ABI_WCONTINUED /* or continued */

#define WIFEXITED(status) (((status)&0x7f) == 0)
#define WEXITSTATUS(status) ((status) >> 8 & 0xff)
#define WIFSTOPPED(status) (((status)&0xff) == 0x7f)
#define WSTOPSIG(status) ((status) >> 8 & 0xff)
#define WIFCONTINUED(status) ((status) == 0xffff)
#define WTERMSIG(status) ((status)&0x7f)
#define WIFSIGNALED(status) (WTERMSIG(status) != 0 && WTERMSIG(status) != 0x7f)

/* Waits for any child; status may be NULL. Its pid, or -1 with errno set. */
pid_t wait(int *status);
/* pid: that child; -1: any; 0: of the caller's group; -GROUP: of that one. */
pid_t waitpid(pid_t pid, int *status, int options);
