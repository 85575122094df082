/* Local time: what TZ says. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct zone_time {
    long west; /* seconds of UTC */
    bool summer;
    const char *name;
};

/* Of a moment, by the TZ that tzset has read. */
struct zone_time zone_at(int64_t time);

/* The moment at which clocks there show this many seconds since 1970. summer: what the clocks are
 * said to show, as in tm_isdst; below 0: whichever it is. An hour that comes twice is the first
 * one then, and one that is left out is taken as if the clocks had not been changed. */
int64_t zone_moment(int64_t shown, int summer);

/* The calendar's (calendar.c). Days since January the first of the year 1: that of this year, and
 * the year of a day. */
#define DAY 86400
#define DAYS_TO_1970 719162
int64_t days_before_year(int64_t year);
int64_t year_of_day(int64_t day);
bool is_leap_year(int64_t year);
extern const uint16_t days_before_month[2][13];
