/* From seconds to days, months and years, and back. The calendar is the Gregorian one, also for the
 * time before there was one, and repeats after 400 years. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include "zone.h"

#define DAYS_1 365
#define DAYS_4 (4 * DAYS_1 + 1)
#define DAYS_100 (25 * DAYS_4 - 1)
#define DAYS_400 (4 * DAYS_100 + 1)

const uint16_t days_before_month[2][13] = {
    {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
    {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366}};

bool is_leap_year(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t days_before_year(int64_t year) {
    int64_t n = year - 1;
    return DAYS_1 * n + floor_div(n, 4) - floor_div(n, 100) + floor_div(n, 400);
}

/* Years of 366 days are the last of their four, and most centuries end with one of 365. */
int64_t year_of_day(int64_t day) {
    int64_t cycles = floor_div(day, DAYS_400);
    day -= cycles * DAYS_400;
    int64_t centuries = min(day / DAYS_100, 3);
    day -= centuries * DAYS_100;
    int64_t fours = day / DAYS_4;
    day -= fours * DAYS_4;
    return 1 + cycles * 400 + centuries * 100 + fours * 4 + min(day / DAYS_1, 3);
}

/* The fields of a moment that is so many seconds behind the beginning of 1970 there. */
static struct tm *fields(int64_t seconds, struct tm *tm) {
    int64_t day = floor_div(seconds, DAY), in_day = seconds - day * DAY;
    day += DAYS_TO_1970;
    int64_t year = year_of_day(day);
    if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
        errno = EOVERFLOW;
        return NULL;
    }
    int in_year = (int)(day - days_before_year(year)), month = 0;
    const uint16_t *before = days_before_month[is_leap_year(year)];
    while (before[month + 1] <= in_year)
        month++;
    *tm = (struct tm){.tm_sec = (int)(in_day % 60),
                      .tm_min = (int)(in_day / 60 % 60),
                      .tm_hour = (int)(in_day / 3600),
                      .tm_mday = in_year - before[month] + 1,
                      .tm_mon = month,
                      .tm_year = (int)(year - 1900),
                      .tm_wday = (int)(day + 1 - floor_div(day + 1, 7) * 7), /* a Monday is 0 */
                      .tm_yday = in_year,
                      .tm_zone = "UTC"};
    return tm;
}

/* The reverse; the fields need not be in their ranges. No sum of ints overflows 64 bits here. */
static int64_t seconds_of(const struct tm *tm) {
    int64_t years = floor_div(tm->tm_mon, 12), month = tm->tm_mon - years * 12;
    int64_t year = (int64_t)tm->tm_year + 1900 + years;
    int64_t day = days_before_year(year) + days_before_month[is_leap_year(year)][month] +
                  ((int64_t)tm->tm_mday - 1) - DAYS_TO_1970;
    return day * DAY + tm->tm_hour * (int64_t)3600 + tm->tm_min * (int64_t)60 + tm->tm_sec;
}

/* ---- interface ----------------------------------------------------------------- */

struct tm *gmtime_r(const time_t *restrict time, struct tm *restrict tm) {
    return fields(*time, tm);
}

/* The zone that tzset has read. */
static struct tm *local(int64_t time, struct tm *tm) {
    struct zone_time there = zone_at(time);
    if (!fields(time - there.west, tm))
        return NULL;
    tm->tm_isdst = there.summer;
    tm->tm_gmtoff = -there.west;
    tm->tm_zone = there.name;
    return tm;
}

struct tm *localtime_r(const time_t *restrict time, struct tm *restrict tm) {
    tzset();
    return local(*time, tm);
}

struct tm *gmtime(const time_t *time) {
    static struct tm tm;
    return gmtime_r(time, &tm);
}

struct tm *localtime(const time_t *time) {
    static struct tm tm;
    return localtime_r(time, &tm);
}

time_t timegm(struct tm *tm) {
    time_t time = seconds_of(tm);
    return gmtime_r(&time, tm) ? time : -1;
}

time_t mktime(struct tm *tm) {
    tzset();
    time_t time = zone_moment(seconds_of(tm), tm->tm_isdst);
    return local(time, tm) ? time : -1;
}

double difftime(time_t end, time_t start) { return (double)end - (double)start; }
