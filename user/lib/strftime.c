/* Calendar time as text: strftime with the conversions of C99 and %s, asctime, ctime. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char days[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                 "Thursday", "Friday", "Saturday"};
static const char months[12][10] = {"January",   "February", "March",    "April",
                                    "May",       "June",     "July",     "August",
                                    "September", "October",  "November", "December"};

struct output {
    char *text;
    size_t n, size;
    bool full;
};

static void put(struct output *o, const char *text, size_t n) {
    o->full |= n >= o->size - o->n;
    if (o->full)
        return;
    memcpy(o->text + o->n, text, n);
    o->n += n;
}

/* At least width characters, filled up with this one; 0: none. */
static void put_number(struct output *o, long n, int width, char fill) {
    char text[24];
    int bytes = snprintf(text, sizeof text, fill == '0' ? "%0*ld" : "%*ld", width, n);
    put(o, text, (size_t)bytes);
}

static void put_name(struct output *o, const char (*names)[10], int count, int i, size_t most) {
    const char *name = i >= 0 && i < count ? names[i] : "?";
    size_t n = strlen(name);
    put(o, name, n < most ? n : most);
}

/* ---- weeks --------------------------------------------------------------------- */

static bool is_leap(long year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/* The week of the year, when the first one begins with the first day of this kind. */
static int week(const struct tm *tm, int first_day) {
    return (tm->tm_yday + 7 - (tm->tm_wday + 7 - first_day) % 7) / 7;
}

/* ISO 8601: weeks begin on Mondays and belong to the year that has four of their days, which is
 * the year of their Thursday. */
static int iso_week(const struct tm *tm, long *year) {
    int thursday = tm->tm_yday + 3 - (tm->tm_wday + 6) % 7;
    *year = tm->tm_year + 1900L;
    if (thursday < 0)
        thursday += 365 + is_leap(--*year);
    else if (thursday >= 365 + is_leap(*year))
        thursday -= 365 + is_leap((*year)++);
    return thursday / 7 + 1;
}

static void put_iso(struct output *o, const struct tm *tm, char c) {
    long year;
    int number = iso_week(tm, &year);
    if (c == 'V')
        put_number(o, number, 2, '0');
    else if (c == 'G')
        put_number(o, year, 1, '0');
    else
        put_number(o, (year % 100 + 100) % 100, 2, '0');
}

/* ---- conversions ----------------------------------------------------------------- */

static void put_zone(struct output *o, const struct tm *tm) {
    long east = tm->tm_gmtoff / 60, minutes = east < 0 ? -east : east;
    put(o, east < 0 ? "-" : "+", 1);
    put_number(o, minutes / 60 * 100 + minutes % 60, 4, '0');
}

static void expand(struct output *o, const char *format, const struct tm *tm);

/* Those that stand for several others; NULL: c is none of them. */
static const char *composed(char c) {
    switch (c) {
    case 'c': return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x': return "%m/%d/%y";
    case 'F': return "%Y-%m-%d";
    case 'r': return "%I:%M:%S %p";
    case 'R': return "%H:%M";
    case 'T':
    case 'X': return "%H:%M:%S";
    case 'n': return "\n";
    case 't': return "\t";
    default: return NULL;
    }
}

/* Those that are one number, of width digits, filled up with zeros, but %e with a blank. */
static bool is_number(char c, const struct tm *tm, long *n, int *width) {
    long year = tm->tm_year + 1900L;
    *width = 2;
    switch (c) {
    case 'C': *n = year / 100; break;
    case 'd':
    case 'e': *n = tm->tm_mday; break;
    case 'H': *n = tm->tm_hour; break;
    case 'I': *n = (tm->tm_hour + 11) % 12 + 1; break;
    case 'j': *n = tm->tm_yday + 1, *width = 3; break;
    case 'm': *n = tm->tm_mon + 1; break;
    case 'M': *n = tm->tm_min; break;
    case 'S': *n = tm->tm_sec; break;
    case 'u': *n = (tm->tm_wday + 6) % 7 + 1, *width = 1; break;
    case 'U': *n = week(tm, 0); break;
    case 'w': *n = tm->tm_wday, *width = 1; break;
    case 'W': *n = week(tm, 1); break;
    case 'y': *n = (year % 100 + 100) % 100; break;
    case 'Y': *n = year, *width = 1; break;
    default: return false;
    }
    return true;
}

static void convert(struct output *o, char c, const struct tm *tm) {
    const char unknown[2] = {'%', c};
    long n;
    int width;
    struct tm copy = *tm;
    if (composed(c)) {
        expand(o, composed(c), tm);
        return;
    }
    if (is_number(c, tm, &n, &width)) {
        put_number(o, n, width, c == 'e' ? ' ' : '0');
        return;
    }
    switch (c) {
    case 'a': put_name(o, days, 7, tm->tm_wday, 3); break;
    case 'A': put_name(o, days, 7, tm->tm_wday, sizeof days[0]); break;
    case 'b':
    case 'h': put_name(o, months, 12, tm->tm_mon, 3); break;
    case 'B': put_name(o, months, 12, tm->tm_mon, sizeof months[0]); break;
    case 'g':
    case 'G':
    case 'V': put_iso(o, tm, c); break;
    case 'p': put(o, tm->tm_hour < 12 ? "AM" : "PM", 2); break;
    case 's': put_number(o, mktime(&copy), 1, '0'); break;
    case 'z': put_zone(o, tm); break;
    case 'Z':
        if (tm->tm_zone)
            put(o, tm->tm_zone, strlen(tm->tm_zone));
        break;
    case '%': put(o, "%", 1); break;
    default: put(o, unknown, c ? 2 : 1); break;
    }
}

static void expand(struct output *o, const char *format, const struct tm *tm) {
    while (*format) {
        size_t n = strcspn(format, "%");
        put(o, format, n);
        format += n;
        if (!*format++)
            return;
        if (*format == 'E' || *format == 'O') /* another way to write it; this locale has none */
            format++;
        convert(o, *format, tm);
        format += *format != 0;
    }
}

size_t strftime(char *restrict text, size_t size, const char *restrict format,
                const struct tm *restrict tm) {
    struct output o = {.text = text, .size = size, .full = size == 0};
    expand(&o, format, tm);
    if (o.full)
        return 0;
    text[o.n] = 0;
    return o.n;
}

/* ---- the oldest form ----------------------------------------------------------------- */

char *asctime_r(const struct tm *restrict tm, char *restrict text) {
    return strftime(text, 26, "%a %b %e %H:%M:%S %Y\n", tm) ? text : NULL;
}

char *asctime(const struct tm *tm) {
    static char text[26];
    return asctime_r(tm, text);
}

char *ctime_r(const time_t *time, char *text) {
    struct tm tm;
    return localtime_r(time, &tm) ? asctime_r(&tm, text) : NULL;
}

char *ctime(const time_t *time) {
    struct tm *tm = localtime(time);
    return tm ? asctime(tm) : NULL;
}
