#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S    86400
#define FIRST_MS (-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS  253402300799999   /* 9999-12-31T23:59:59.999Z */

static const char *const days_short[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", NULL};
static const char *const days_long[] = {"Sunday",   "Monday", "Tuesday",  "Wednesday",
                                        "Thursday", "Friday", "Saturday", NULL};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
                                     "Aug", "Sep", "Oct", "Nov", "Dec", NULL};

static int64_t timespec_ms(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t real_now_ms(const struct clock *self)
{
    (void)self;
    return timespec_ms(CLOCK_REALTIME);
}

static int64_t fixed_now_ms(const struct clock *self)
{
    return self->fixed_ms;
}

const struct clock clock_real = {.now_ms = real_now_ms};

struct clock clock_fixed(int64_t now_ms)
{
    return (struct clock){.now_ms = fixed_now_ms, .fixed_ms = now_ms};
}

int64_t clock_monotonic_ms(void)
{
    return timespec_ms(CLOCK_MONOTONIC);
}

/* The moment's fields and its milliseconds; what four digits of year cannot say becomes their nearest end. */
static int split(int64_t t_ms, struct tm *tm_out)
{
    int64_t t = t_ms < FIRST_MS ? FIRST_MS : t_ms > LAST_MS ? LAST_MS : t_ms;
    int ms = (int)(t % 1000);
    if (ms < 0)
        ms += 1000;
    time_t seconds = (time_t)((t - ms) / 1000);
    gmtime_r(&seconds, tm_out);
    return ms;
}

/* The fields as unsigned numbers of few digits, so that the compiler sees that the text fits. */
static unsigned few(int n, unsigned end)
{
    return (unsigned)n % end;
}

void clock_rfc3339(int64_t t_ms, char text[CLOCK_TEXT_MAX])
{
    struct tm tm;
    unsigned ms = few(split(t_ms, &tm), 1000);
    snprintf(text, CLOCK_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", few(tm.tm_year + 1900, 10000),
             few(tm.tm_mon + 1, 100), few(tm.tm_mday, 100), few(tm.tm_hour, 100), few(tm.tm_min, 100),
             few(tm.tm_sec, 100), ms);
}

void clock_http(int64_t t_ms, char text[CLOCK_TEXT_MAX])
{
    struct tm tm;
    split(t_ms, &tm);
    snprintf(text, CLOCK_TEXT_MAX, "%s, %02u %s %04u %02u:%02u:%02u GMT", days_short[tm.tm_wday],
             few(tm.tm_mday, 100), months[tm.tm_mon], few(tm.tm_year + 1900, 10000), few(tm.tm_hour, 100),
             few(tm.tm_min, 100), few(tm.tm_sec, 100));
}

/* ---- reading ---- */

/* Exactly n digits. */
static bool read_digits(const char **p, int n, int *out)
{
    int value = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        value = value * 10 + (**p - '0');
    }
    *out = value;
    return true;
}

static bool read_word(const char **p, const char *const *words, int *index_out)
{
    for (int i = 0; words[i] != NULL; i++) {
        size_t len = strlen(words[i]);
        if (strncmp(*p, words[i], len) == 0) {
            *p += len;
            *index_out = i;
            return true;
        }
    }
    return false;
}

/* asctime's day: two places, the first may be a blank. */
static bool read_padded_day(const char **p, int *out)
{
    if (**p != ' ')
        return read_digits(p, 2, out);
    (*p)++;
    return read_digits(p, 1, out);
}

static bool read_field(const char **p, char field, struct tm *tm)
{
    int ignored; /* a weekday that does not fit the date is no reason to refuse it */
    switch (field) {
    case 'Y':
        return read_digits(p, 4, &tm->tm_year);
    case 'y':
        return read_digits(p, 2, &tm->tm_year);
    case 'm':
        return read_digits(p, 2, &tm->tm_mon) && tm->tm_mon-- >= 1;
    case 'b':
        return read_word(p, months, &tm->tm_mon);
    case 'd':
        return read_digits(p, 2, &tm->tm_mday);
    case 'e':
        return read_padded_day(p, &tm->tm_mday);
    case 'H':
        return read_digits(p, 2, &tm->tm_hour);
    case 'M':
        return read_digits(p, 2, &tm->tm_min);
    case 'S':
        return read_digits(p, 2, &tm->tm_sec);
    case 'a':
        return read_word(p, days_short, &ignored);
    case 'A':
        return read_word(p, days_long, &ignored);
    default:
        return false;
    }
}

/* Read by a pattern with strptime's letters, but to the letter: no blanks skipped, no digits missing. */
static bool read_pattern(const char **p, const char *pattern, struct tm *tm)
{
    for (const char *c = pattern; *c != '\0'; c++) {
        if (*c == '%') {
            if (!read_field(p, *++c, tm))
                return false;
        } else if (*(*p)++ != *c) {
            return false;
        }
    }
    return true;
}

/* Seconds since 1970 of fields as a calendar has them, the year in full; false for a 30th of February. */
static bool join(struct tm tm, int64_t *t_s_out)
{
    if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return false;
    tm.tm_year -= 1900;
    struct tm day = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday};
    int64_t midnight = timegm(&day); /* carries a day too many into the next month */
    if (day.tm_mday != tm.tm_mday || day.tm_mon != tm.tm_mon)
        return false;
    *t_s_out = midnight + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
    return true;
}

/* A leap second is the last of a day in UTC and counts as the first of the next. */
static bool leap_in_place(const struct tm *tm, int64_t t_s)
{
    return tm->tm_sec < 60 || t_s % DAY_S == 0;
}

/* ".5", ".123456": milliseconds of a fraction, if there is one; false for a lone point. */
static bool read_fraction(const char **p, int *ms_out)
{
    *ms_out = 0;
    if (**p != '.')
        return true;
    (*p)++;
    if (**p < '0' || **p > '9')
        return false;
    for (int unit = 100; **p >= '0' && **p <= '9'; (*p)++, unit /= 10)
        *ms_out += unit * (**p - '0');
    return true;
}

static bool read_offset(const char **p, int *offset_s_out)
{
    int sign = **p == '-' ? -1 : 1;
    struct tm tm = {0};
    *offset_s_out = 0;
    if (**p == 'Z' || **p == 'z') {
        (*p)++;
        return true;
    }
    if (**p != '+' && **p != '-')
        return false;
    (*p)++;
    if (!read_pattern(p, "%H:%M", &tm) || tm.tm_hour > 23 || tm.tm_min > 59)
        return false;
    *offset_s_out = sign * (tm.tm_hour * 3600 + tm.tm_min * 60);
    return true;
}

enum err clock_parse_rfc3339(const char *text, int64_t *t_ms_out)
{
    const char *p = text;
    struct tm tm = {0};
    int ms, offset_s;
    int64_t t_s;

    if (!read_pattern(&p, "%Y-%m-%d", &tm) || (*p != 'T' && *p != 't'))
        return E_FIELD_INVALID;
    p++;
    if (!read_pattern(&p, "%H:%M:%S", &tm) || !read_fraction(&p, &ms) || !read_offset(&p, &offset_s) ||
        *p != '\0')
        return E_FIELD_INVALID;
    if (!join(tm, &t_s))
        return E_FIELD_INVALID;
    t_s -= offset_s;
    if (!leap_in_place(&tm, t_s) || t_s < 0 || t_s > LAST_MS / 1000)
        return E_FIELD_INVALID;
    *t_ms_out = t_s * 1000 + ms;
    return E_OK;
}

/* Two digits of year mean the century that puts the date at most 50 years ahead (RFC 9110 5.6.7). */
static void widen_year(struct tm *tm)
{
    struct tm now;
    split(real_now_ms(NULL), &now);
    int this_year = now.tm_year + 1900;
    tm->tm_year += this_year / 100 * 100;
    if (tm->tm_year > this_year + 50)
        tm->tm_year -= 100;
}

static const struct {
    const char *pattern;
    bool two_digit_year;
} http_forms[] = {
    {"%a, %d %b %Y %H:%M:%S GMT", false}, /* IMF-fixdate */
    {"%A, %d-%b-%y %H:%M:%S GMT", true},  /* RFC 850 */
    {"%a %b %e %H:%M:%S %Y", false},      /* asctime */
};

enum err clock_parse_http(const char *text, int64_t *t_ms_out)
{
    for (size_t i = 0; i < sizeof http_forms / sizeof *http_forms; i++) {
        const char *p = text;
        struct tm tm = {0};
        int64_t t_s;
        if (!read_pattern(&p, http_forms[i].pattern, &tm) || *p != '\0')
            continue;
        if (http_forms[i].two_digit_year)
            widen_year(&tm);
        if (!join(tm, &t_s) || !leap_in_place(&tm, t_s))
            return E_FIELD_INVALID;
        *t_ms_out = t_s * 1000;
        return E_OK;
    }
    return E_FIELD_INVALID;
}
