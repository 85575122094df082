/* The date in microseconds, and interval timers (POSIX).
 *
 * setitimer: EINVAL, EFAULT
 * getitimer: the same */
#pragma once
#include <sys/types.h>
#include "lib/abi.h"

struct timeval {
    time_t tv_sec;
    long tv_usec;
};

struct itimerval {
    struct timeval it_interval; /* between rings, after the first; 0: there is one alone */
    struct timeval it_value;    /* to the next ring; 0: there is none */
};
_Static_assert(sizeof(struct itimerval) == sizeof(struct abi_itimerval), "as the kernel has it");

#define ITIMER_REAL ABI_ITIMER_REAL       /* SIGALRM, by the clock */
#define ITIMER_VIRTUAL ABI_ITIMER_VIRTUAL /* SIGVTALRM, by the time that the process ran */
#define ITIMER_PROF ABI_ITIMER_PROF       /* SIGPROF, by the same */

int setitimer(int which, const struct itimerval *value, struct itimerval *old);
int getitimer(int which, struct itimerval *value);
int gettimeofday(struct timeval *restrict time, void *restrict zone); /* zone is ignored; 0 */
