/* TZ as POSIX defines it, without files of rules:
 *
 *     std offset [dst [offset] [,start[/time],end[/time]]]
 *
 * A rule is Mm.w.d (the w-th day d of month m, 5 is the last one), Jn (the n-th day of a year whose
 * February has 28) or n (the day after n others). Summer time begins and ends by the clocks of the
 * moment before. Without rules they are those of North America, since 2007. */
#include "zone.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAME 16
#define USUAL_RULES ",M3.2.0,M11.1.0"
#define USUAL_TIME 7200

struct rule {
    char kind;       /* 'M', 'J', or 0 for n */
    int month, week; /* of 'M' */
    int day;
    long seconds; /* of the day */
};

static char utc[] = "UTC";
static struct zone {
    char name[2][NAME]; /* of standard time and summer time */
    long west[2];
    bool has_summer;
    struct rule start, end;
} zone;

char *tzname[2] = {utc, utc};
long timezone;
int daylight;

/* ---- reading ------------------------------------------------------------------- */

/* Each returns what stands behind its part, NULL when the part is wrong or s is NULL. */

static const char *read_number(const char *s, long most, long *n) {
    char *end;
    if (!s || *s < '0' || *s > '9')
        return NULL;
    *n = strtol(s, &end, 10);
    return end - s <= 3 && *n <= most ? end : NULL;
}

static const char *read_expected(const char *s, char c) { return s && *s == c ? s + 1 : NULL; }

/* [+-]hh[:mm[:ss]] */
static const char *read_time(const char *s, long hours, long *seconds) {
    if (!s)
        return NULL;
    bool negative = *s == '-';
    s += *s == '-' || *s == '+';
    long n, unit = 3600, sum = 0;
    s = read_number(s, hours, &n);
    for (sum = s ? n * unit : 0; s && *s == ':' && unit > 1; sum += s ? n * unit : 0) {
        unit /= 60;
        s = read_number(s + 1, 59, &n);
    }
    *seconds = negative ? -sum : sum;
    return s;
}

static const char *read_name(const char *s, char name[NAME]) {
    bool quoted = *s == '<';
    s += quoted;
    size_t n = 0;
    while ((s[n] >= 'A' && s[n] <= 'Z') || (s[n] >= 'a' && s[n] <= 'z') ||
           (quoted && s[n] && strchr("0123456789+-", s[n])))
        n++;
    if (n < 3 || n >= NAME || (quoted && s[n] != '>'))
        return NULL;
    memcpy(name, s, n);
    name[n] = 0;
    return s + n + quoted;
}

static const char *read_rule(const char *s, struct rule *rule) {
    long month = 0, week = 0, day = 0;
    s = read_expected(s, ',');
    *rule = (struct rule){.seconds = USUAL_TIME};
    if (s && (*s == 'M' || *s == 'J'))
        rule->kind = *s++;
    if (rule->kind == 'M') {
        s = read_expected(read_number(s, 12, &month), '.');
        s = read_expected(read_number(s, 5, &week), '.');
        s = month && week ? s : NULL;
    }
    s = read_number(s, rule->kind == 'M' ? 6 : 365, &day);
    if (rule->kind == 'J' && day == 0)
        return NULL;
    rule->month = (int)month;
    rule->week = (int)week;
    rule->day = (int)day;
    return s && *s == '/' ? read_time(s + 1, 167, &rule->seconds) : s;
}

static bool read_zone(const char *s, struct zone *z) {
    s = read_name(s, z->name[0]);
    s = read_time(s, 24, &z->west[0]);
    z->has_summer = s && *s;
    if (!z->has_summer)
        return s;
    s = read_name(s, z->name[1]);
    z->west[1] = z->west[0] - 3600;
    if (s && *s && *s != ',')
        s = read_time(s, 24, &z->west[1]);
    if (s && !*s)
        s = USUAL_RULES;
    s = read_rule(s, &z->start);
    s = read_rule(s, &z->end);
    return s && !*s;
}

void tzset(void) {
    const char *s = getenv("TZ");
    struct zone other = {0};
    bool ok = s && read_zone(s, &other);
    zone = ok ? other : (struct zone){.name = {"UTC"}};
    daylight = zone.has_summer;
    timezone = zone.west[0];
    tzname[0] = zone.name[0];
    tzname[1] = zone.name[daylight];
}

/* ---- what it is then -------------------------------------------------------------- */

/* The day of the year, 0 for January the first. */
static int64_t rule_day(const struct rule *r, int64_t year) {
    bool leap = is_leap_year(year);
    if (r->kind != 'M')
        return r->kind == 'J' ? r->day - 1 + (leap && r->day >= 60) : r->day;
    const uint16_t *month = &days_before_month[leap][r->month - 1];
    int64_t first = (days_before_year(year) + month[0] + 1) % 7; /* a Sunday is 0 */
    int64_t day = (r->day - first + 14) % 7 + 7 * (r->week - 1);
    return month[0] + (day < month[1] - month[0] ? day : day - 7);
}

/* The moment, by clocks that are so far west. */
static int64_t rule_moment(const struct rule *r, int64_t year, long west) {
    return (days_before_year(year) + rule_day(r, year) - DAYS_TO_1970) * DAY + r->seconds + west;
}

static bool is_summer(int64_t time) {
    if (!zone.has_summer)
        return false;
    int64_t days = (time - zone.west[0]) / DAY - ((time - zone.west[0]) % DAY < 0);
    int64_t year = year_of_day(days + DAYS_TO_1970);
    int64_t start = rule_moment(&zone.start, year, zone.west[0]);
    int64_t end = rule_moment(&zone.end, year, zone.west[1]);
    return start < end ? time >= start && time < end : time >= start || time < end;
}

struct zone_time zone_at(int64_t time) {
    bool summer = is_summer(time);
    return (struct zone_time){zone.west[summer], summer, tzname[summer]};
}

int64_t zone_moment(int64_t shown, int summer) {
    int64_t standard = shown + zone.west[0], as_summer = shown + zone.west[1];
    bool is = summer > 0;
    if (summer < 0)
        is = is_summer(as_summer < standard ? as_summer : standard);
    return zone.has_summer && is ? as_summer : standard;
}
