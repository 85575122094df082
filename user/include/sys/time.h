/* The date in microseconds (POSIX). */
#pragma once
#include <sys/types.h>

struct timeval {
    time_t tv_sec;
    long tv_usec;
};

int gettimeofday(struct timeval *restrict time, void *restrict zone); /* zone is ignored; 0 */
