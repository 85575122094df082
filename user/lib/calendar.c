/* From seconds to days, months and years, and back. The calendar is the Gregorian one, also for the
 * time before there was one, and repeats after 400 years. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400
#define DAYS_1 365
#define DAYS_4 (4 * DAYS_1 + 1)
#define DAYS_100 (25 * DAYS_4 - 1)
#define DAYS_400 (4 * DAYS_100 + 1)
#define DAYS_TO_1970 719162 /* from January the first of the year 1 */
#define ZONE_NAME 16

static const uint16_t days_before_month[2][13] = {
    {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
    {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366}};

static char utc[] = "UTC", zone_name[ZONE_NAME];
char *tzname[2] = {utc, utc};
long timezone;
int daylight;

static bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* From January the first of the year 1 to that of this year. */
static int64_t days_before_year(int64_t year) {
    int64_t n = year - 1;
    return DAYS_1 * n + floor_div(n, 4) - floor_div(n, 100) + floor_div(n, 400);
}

/* Years of 366 days are the last of their four, and most centuries end with one of 365. */
static int64_t year_of(int64_t day) {
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
    int64_t year = year_of(day);
    if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
        errno = EOVERFLOW;
        return NULL;
    }
    int in_year = (int)(day - days_before_year(year)), month = 0;
    const uint16_t *before = days_before_month[is_leap(year)];
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
                      .tm_zone = utc};
    return tm;
}

/* The reverse; the fields need not be in their ranges. No sum of ints overflows 64 bits here. */
static int64_t seconds_of(const struct tm *tm) {
    int64_t years = floor_div(tm->tm_mon, 12), month = tm->tm_mon - years * 12;
    int64_t year = (int64_t)tm->tm_year + 1900 + years;
    int64_t day = days_before_year(year) + days_before_month[is_leap(year)][month] +
                  ((int64_t)tm->tm_mday - 1) - DAYS_TO_1970;
    return day * DAY + tm->tm_hour * (int64_t)3600 + tm->tm_min * (int64_t)60 + tm->tm_sec;
}

/* ---- the zone ---------------------------------------------------------------- */

/* A number of at most two digits, up to most; -1: there is none at *s. */
static long number(const char **s, long most) {
    char *end;
    if (**s < '0' || **s > '9')
        return -1;
    long n = strtol(*s, &end, 10);
    bool ok = end - *s <= 2 && n <= most;
    *s = end;
    return ok ? n : -1;
}

/* [+-]hh[:mm[:ss]] at s, and nothing behind it. */
static bool parse_offset(const char *s, long *west) {
    bool negative = *s == '-';
    s += *s == '-' || *s == '+';
    long part[3] = {0};
    for (int i = 0; i < 3; i++) {
        part[i] = number(&s, i == 0 ? 24 : 59);
        if (part[i] < 0)
            return false;
        if (*s != ':')
            break;
        s += i < 2;
    }
    *west = (part[0] * 3600 + part[1] * 60 + part[2]) * (negative ? -1 : 1);
    return *s == 0;
}

static bool parse_zone(const char *s, long *west) {
    bool quoted = *s == '<';
    s += quoted;
    size_t n = 0;
    while ((s[n] >= 'A' && s[n] <= 'Z') || (s[n] >= 'a' && s[n] <= 'z') ||
           (quoted && s[n] && strchr("0123456789+-", s[n])))
        n++;
    if (n < 3 || n >= ZONE_NAME || (quoted && s[n] != '>') || !parse_offset(s + n + quoted, west))
        return false;
    memcpy(zone_name, s, n);
    zone_name[n] = 0;
    return true;
}

void tzset(void) {
    const char *zone = getenv("TZ");
    long west = 0;
    bool other = zone && parse_zone(zone, &west);
    timezone = other ? west : 0;
    tzname[0] = tzname[1] = other ? zone_name : utc;
}

/* ---- interface ----------------------------------------------------------------- */

struct tm *gmtime_r(const time_t *restrict time, struct tm *restrict tm) {
    return fields(*time, tm);
}

struct tm *localtime_r(const time_t *restrict time, struct tm *restrict tm) {
    tzset();
    if (!fields(*time - timezone, tm))
        return NULL;
    tm->tm_gmtoff = -timezone;
    tm->tm_zone = tzname[0];
    return tm;
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
    time_t time = seconds_of(tm) + timezone;
    return localtime_r(&time, tm) ? time : -1;
}

double difftime(time_t end, time_t start) { return (double)end - (double)start; }
