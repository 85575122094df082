/* Time and the calendar, as ISO C and POSIX say, in the C locale.
 *
 * The date is that of the machine's clock when it booted, and goes on with the time counter;
 * without a clock that the kernel knows, the time since boot, as if that had been the beginning of
 * 1970. Local time is UTC, or what the
 * variable TZ says in POSIX's form: a name of letters and how far it is west of UTC, as in CET-1 or
 * <+0530>-5:30, and the same of summer time with its rules, as in CET-1CEST,M3.5.0,M10.5.0/3. Names
 * of places, which would need files, are UTC. */
#pragma once
#include <stddef.h>
#include <sys/types.h>
#include "lib/abi.h"

#define CLOCKS_PER_SEC 1000000L
#define CLOCK_REALTIME ABI_CLOCK_REALTIME   /* since 1970 */
#define CLOCK_MONOTONIC ABI_CLOCK_MONOTONIC /* since boot */

typedef int clockid_t;

struct timespec {
    time_t tv_sec;
    long tv_nsec;
};
_Static_assert(sizeof(struct timespec) == sizeof(struct abi_timespec), "as the kernel fills it in");

struct tm {
    int tm_sec, tm_min, tm_hour;
    int tm_mday;          /* 1 to 31 */
    int tm_mon;           /* 0 to 11 */
    int tm_year;          /* since 1900 */
    int tm_wday, tm_yday; /* 0 is Sunday; 0 is January the first */
    int tm_isdst;         /* summer time: 1, or 0; for mktime, below 0: find out */
    long tm_gmtoff;       /* seconds east of UTC */
    const char *tm_zone;
};

/* The time by a clock; 0, or -1 with errno set.
 *
 * clock_gettime: EINVAL, EFAULT */
int clock_gettime(clockid_t clock, struct timespec *time);
time_t time(time_t *out); /* seconds since 1970 */
clock_t clock(void);      /* elapsed since boot, in ticks of 0.1 s; not processor time */
double difftime(time_t end, time_t start);

/* Calendar time; NULL, or -1, with EOVERFLOW when the year does not fit. The forms without _r keep
 * the result until the next call. mktime and timegm accept fields outside of their ranges, and put
 * them right. */
struct tm *gmtime(const time_t *time);
struct tm *gmtime_r(const time_t *restrict time, struct tm *restrict tm);
struct tm *localtime(const time_t *time);
struct tm *localtime_r(const time_t *restrict time, struct tm *restrict tm);
time_t mktime(struct tm *tm);
time_t timegm(struct tm *tm);

/* Reads TZ, as those with local time do. */
void tzset(void);
extern char *tzname[2]; /* of standard time and summer time */
extern long timezone;   /* standard time's seconds west of UTC */
extern int daylight;    /* whether there is summer time */

/* Text. strftime: the conversions of C99 and %s; the bytes without the terminator, 0 when they do
 * not fit in size with it: then the text means nothing. */
size_t strftime(char *restrict text, size_t size, const char *restrict format,
                const struct tm *restrict tm);
char *asctime(const struct tm *tm);
char *asctime_r(const struct tm *restrict tm, char *restrict text); /* of at least 26 bytes */
char *ctime(const time_t *time);
char *ctime_r(const time_t *time, char *text);
