/* The user library's calendar and strftime, against the host's. */
/* sources: user/lib/calendar.c user/lib/zone.c user/lib/strftime.c */
/* rename: gmtime gmtime_r localtime localtime_r mktime timegm tzset tzname timezone daylight */
/* rename: strftime asctime asctime_r ctime ctime_r difftime */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "random64.h"

/* The host's own, which the renaming hides. */
struct tm *host_localtime_r(const time_t *time, struct tm *tm) __asm__("localtime_r");
void host_tzset(void) __asm__("tzset");
time_t host_mktime(struct tm *tm) __asm__("mktime");
time_t host_timegm(struct tm *tm) __asm__("timegm");
size_t host_strftime(char *text, size_t size, const char *format,
                     const struct tm *tm) __asm__("strftime");
char *host_asctime_r(const struct tm *tm, char *text) __asm__("asctime_r");

static const char *const zones[] = {"UTC0",        "ABC-5:30",       "WEST11", "<+0545>-5:45",
                                    "Abc+3:59:30", "<-x3>-23:59:59", "EEE+24", "EEE-0:01"};
#define ZONES (sizeof zones / sizeof zones[0])

static void same(const struct tm *a, const struct tm *b) {
    assert_int_equal(a->tm_sec, b->tm_sec);
    assert_int_equal(a->tm_min, b->tm_min);
    assert_int_equal(a->tm_hour, b->tm_hour);
    assert_int_equal(a->tm_mday, b->tm_mday);
    assert_int_equal(a->tm_mon, b->tm_mon);
    assert_int_equal(a->tm_year, b->tm_year);
    assert_int_equal(a->tm_wday, b->tm_wday);
    assert_int_equal(a->tm_yday, b->tm_yday);
    assert_int_equal(a->tm_isdst, b->tm_isdst);
    assert_int_equal(a->tm_gmtoff, b->tm_gmtoff);
}

/* From near today to as far as years are ints. */
static time_t random_time(void) {
    int64_t r = (int64_t)random64();
    return r >> (8 + random64() % 40);
}

static void moments_as_the_hosts(void **state) {
    for (int i = 0; i < 40000; i++) {
        struct tm ours, expected;
        time_t t = random_time();
        setenv("TZ", zones[random64() % ZONES], 1);
        host_tzset();
        assert_non_null(localtime_r(&t, &ours));
        assert_non_null(host_localtime_r(&t, &expected));
        same(&ours, &expected);
        assert_string_equal(ours.tm_zone, expected.tm_zone);
        assert_int_equal(mktime(&ours), t);
        assert_non_null(gmtime_r(&t, &ours));
        assert_int_equal(ours.tm_gmtoff, 0);
        assert_string_equal(ours.tm_zone, "UTC");
        expected = ours;
        assert_int_equal(timegm(&ours), t);
        same(&ours, &expected);
    }
}

/* Each day of 800 years, counted without a formula. */
static void days_one_after_the_other(void **state) {
    static const int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1600, month = 0, day = 1, weekday = 6, in_year = 0;
    for (time_t t = -11676096000; year < 2400; t += 86400) {
        struct tm tm;
        time_t last = t + 86399;
        assert_non_null(gmtime_r(&last, &tm));
        assert_int_equal(tm.tm_year + 1900, year);
        assert_true(tm.tm_mon == month && tm.tm_mday == day && tm.tm_wday == weekday);
        assert_true(tm.tm_yday == in_year && tm.tm_hour == 23 && tm.tm_sec == 59);
        bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        weekday = (weekday + 1) % 7;
        in_year++;
        if (++day > lengths[month] + (month == 1 && leap))
            day = 1, month++;
        if (month == 12)
            month = in_year = 0, year++;
    }
}

static int any_int(void) {
    int r = (int)random64();
    return r >> (random64() % 32);
}

/* Fields that are outside of their ranges. */
static void fields_as_the_hosts(void **state) {
    for (int i = 0; i < 40000; i++) {
        struct tm ours = {.tm_sec = any_int(),
                          .tm_min = any_int(),
                          .tm_hour = any_int(),
                          .tm_mday = any_int(),
                          .tm_mon = any_int(),
                          .tm_year = any_int() / 2};
        struct tm expected = ours, local = ours, host_local = ours;
        setenv("TZ", zones[random64() % ZONES], 1);
        assert_int_equal(timegm(&ours), host_timegm(&expected));
        same(&ours, &expected);
        assert_int_equal(mktime(&local), host_mktime(&host_local));
        same(&local, &host_local);
    }
}

/* Summer time north and south, all year round, over New Year, not by whole hours, and by each kind
 * of rule. Some hosts have no summer time long ago. */
static void summer_as_the_hosts(void **state) {
    static const char *const summers[] = {"CET-1CEST,M3.5.0,M10.5.0/3",
                                          "EST5EDT,M3.2.0,M11.1.0",
                                          "NZST-12NZDT,M9.5.0,M4.1.0/3",
                                          "AAA3BBB2:30,J59,J60/12:30:15",
                                          "AAA3BBB,58/0,300/26",
                                          "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
                                          "CCC0DDD-2,M1.1.1/-20,M12.4.6/100",
                                          "IST-1GMT0,M10.5.0,M3.5.0/1"};
    for (int i = 0; i < 60000; i++) {
        struct tm ours, expected;
        time_t t = (time_t)(random64() % 10000000000);
        setenv("TZ", summers[random64() % 8], 1);
        host_tzset();
        assert_non_null(localtime_r(&t, &ours));
        host_localtime_r(&t, &expected);
        same(&ours, &expected);
        assert_string_equal(ours.tm_zone, expected.tm_zone);
        assert_int_equal(mktime(&ours), t); /* isdst says which of two hours it is */
        ours.tm_isdst = -1;
        time_t guess = mktime(&ours);
        assert_true(guess <= t); /* of an hour that comes twice, the first one */
        assert_true(ours.tm_hour == expected.tm_hour && ours.tm_min == expected.tm_min);
    }
}

/* What clocks show once more, and what they leave out. */
static void hours_at_the_change(void **state) {
    struct tm twice = {.tm_year = 124, .tm_mon = 9, .tm_mday = 27, .tm_hour = 2, .tm_min = 30};
    struct tm never = {.tm_year = 124, .tm_mon = 2, .tm_mday = 31, .tm_hour = 2, .tm_min = 30};
    static const time_t expected[] = {1729989000, 1729992600, 1729989000};
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    for (int isdst = -1; isdst <= 1; isdst++) {
        struct tm tm = twice;
        tm.tm_isdst = isdst;
        assert_int_equal(mktime(&tm), expected[isdst + 1]);
        assert_true(tm.tm_hour == 2 && tm.tm_isdst == (isdst != 0));
    }
    never.tm_isdst = -1;
    assert_int_equal(mktime(&never), 1711848600);
    assert_true(never.tm_hour == 3 && never.tm_isdst == 1);
    setenv("TZ", "EST5EDT", 1);
    static const time_t changes[] = {1710053999, 1710054000, 1730613599, 1730613600};
    for (int i = 0; i < 4; i++) {
        struct tm tm;
        localtime_r(&changes[i], &tm);
        assert_int_equal(tm.tm_isdst, i == 1 || i == 2);
    }
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    assert_true(daylight == 1 && timezone == -3600 && !strcmp(tzname[1], "CEST"));
}

static void years_that_are_no_ints(void **state) {
    struct tm tm, before = {.tm_mday = 1, .tm_mon = 12, .tm_year = INT_MAX};
    time_t last = 67768036191676799, first = -67768040609740800;
    assert_non_null(gmtime_r(&last, &tm));
    assert_true(tm.tm_year == INT_MAX && tm.tm_mon == 11 && tm.tm_mday == 31);
    assert_non_null(gmtime_r(&first, &tm));
    assert_true(tm.tm_year == INT_MIN && tm.tm_mon == 0 && tm.tm_mday == 1);
    for (int i = 0; i < 4; i++) {
        time_t t = (time_t[]){last + 1, first - 1, INT64_MAX, INT64_MIN}[i];
        errno = 0;
        assert_null(gmtime_r(&t, &tm));
        assert_int_equal(errno, EOVERFLOW);
    }
    tm = before;
    assert_int_equal(timegm(&tm), -1);
    assert_int_equal(tm.tm_mon, 12); /* as it was */
    assert_int_equal(mktime(&tm), -1);
}

static void zones_that_are_none(void **state) {
    static const char *const wrong[] = {"",
                                        "UT0",
                                        "CET-25",
                                        "CET",
                                        "CET-1CEST,",
                                        "CET-1CE",
                                        "CET-1CEST,M3.5.0",
                                        "CET-1CEST,M13.1.0,J1",
                                        "CET-1CEST,M3.6.0,J1",
                                        "CET-1CEST,M0.1.0,J1",
                                        "CET-1CEST,J0,J1",
                                        "CET-1CEST,366,1",
                                        "CET-1CEST,1,2x",
                                        "CET-1CEST,1,2/168",
                                        "CET-1CEST-25",
                                        "<UTC0",
                                        "CET-1:",
                                        ":x",
                                        "CET-1:60",
                                        "CET-100",
                                        "A B0",
                                        "CET-1:00:00:00",
                                        "LONGER_NAME0",
                                        "CET- 1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        time_t t = 86400;
        struct tm tm;
        setenv("TZ", "ABC-5", 1);
        localtime_r(&t, &tm);
        assert_int_equal(tm.tm_hour, 5);
        setenv("TZ", wrong[i], 1);
        localtime_r(&t, &tm);
        if (tm.tm_hour != 0 || tm.tm_gmtoff != 0 || strcmp(tm.tm_zone, "UTC"))
            fail_msg("zone %s", wrong[i]);
    }
    unsetenv("TZ");
    tzset();
    assert_string_equal(tzname[1], "UTC");
}

static void text_as_the_hosts(void **state) {
    static const char conversions[] = "aAbBcCdDeFgGhHIjmMnprRSstTuUVwWxXyYzZ%";
    setenv("TZ", "ABC-5:30", 1);
    for (int i = 0; i < 20000; i++) {
        time_t t = (time_t)(random64() % 250000000000) - 30000000000; /* the years 1019 to 8941 */
        struct tm tm;
        char format[40] = "", ours[400], expected[400];
        int n = 1 + (int)(random64() % 4);
        for (int k = 0; k < n; k++) {
            char c = conversions[random64() % (sizeof conversions - 1)];
            sprintf(format + strlen(format), "%s%%%c", k % 2 ? "-x" : "", c);
        }
        localtime_r(&t, &tm);
        size_t bytes = strftime(ours, sizeof ours, format, &tm);
        size_t host_bytes = host_strftime(expected, sizeof expected, format, &tm);
        if (bytes != host_bytes || strcmp(ours, expected))
            fail_msg("%s: %s, not %s", format, ours, expected);
        size_t room = random64() % (bytes + 2);
        assert_int_equal(strftime(ours, room, format, &tm), room > bytes ? bytes : 0);
        assert_string_equal(asctime_r(&tm, ours), host_asctime_r(&tm, expected));
    }
}

static void other_texts(void **state) {
    struct tm tm = {.tm_year = 99, .tm_mday = 9, .tm_wday = 7, .tm_mon = 12};
    char text[30];
    unsetenv("TZ");
    assert_int_equal(strftime(text, sizeof text, "%a%b%Ey%Od%Q%", &tm), 9);
    assert_string_equal(text, "??9909%Q%");
    time_t t = 951825600;
    assert_string_equal(ctime(&t), "Tue Feb 29 12:00:00 2000\n");
    assert_true(difftime(t, -5) == 951825605.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_as_the_hosts), cmocka_unit_test(days_one_after_the_other),
        cmocka_unit_test(fields_as_the_hosts),  cmocka_unit_test(years_that_are_no_ints),
        cmocka_unit_test(summer_as_the_hosts),  cmocka_unit_test(hours_at_the_change),
        cmocka_unit_test(zones_that_are_none),  cmocka_unit_test(text_as_the_hosts),
        cmocka_unit_test(other_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
