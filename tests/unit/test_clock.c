#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct {
    int64_t t_ms;
    const char *rfc3339, *http;
} printed[] = {
    {0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
    {1795257067123, "2026-11-21T10:31:07.123Z", "Sat, 21 Nov 2026 10:31:07 GMT"},
    {784111777000, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT"},
    {951782399999, "2000-02-28T23:59:59.999Z", "Mon, 28 Feb 2000 23:59:59 GMT"},
    {951782400000, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
    {-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
    {253402300799999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
    {253402300800000, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
    {INT64_MAX, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
    {INT64_MIN, "0000-01-01T00:00:00.000Z", "Sat, 01 Jan 0000 00:00:00 GMT"},
};

static void printing(void **state)
{
    char text[CLOCK_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof printed / sizeof *printed; i++) {
        clock_rfc3339(printed[i].t_ms, text);
        if (strcmp(text, printed[i].rfc3339) != 0)
            fail_msg("row %zu: %s", i, text);
        clock_http(printed[i].t_ms, text);
        if (strcmp(text, printed[i].http) != 0)
            fail_msg("row %zu: %s", i, text);
    }
}

#define BAD INT64_MIN /* E_FIELD_INVALID */

struct parsed {
    const char *text;
    int64_t want;
};

static void check(const struct parsed *rows, size_t n, enum err (*parse)(const char *, int64_t *))
{
    for (size_t i = 0; i < n; i++) {
        int64_t t = BAD;
        enum err e = parse(rows[i].text, &t);
        if (e != (rows[i].want == BAD ? E_FIELD_INVALID : E_OK) || t != rows[i].want)
            fail_msg("row %zu: %s: %lld", i, rows[i].text, (long long)t);
    }
}

static const struct parsed rfc3339[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-11-21T10:31:07.123Z", 1795257067123},
    {"2026-11-21t10:31:07.123z", 1795257067123},
    {"2026-11-21T10:31:07.123999999999Z", 1795257067123},
    {"2026-11-21T10:31:07.1Z", 1795257067100},
    {"2026-11-21T11:31:07.123+01:00", 1795257067123},
    {"2026-11-21T05:01:07-05:30", 1795257067000},
    {"2026-11-21T10:31:07-00:00", 1795257067000},
    {"1970-01-01T01:00:00+01:00", 0},
    {"1970-01-01T00:59:59+01:00", BAD}, /* 1969 */
    {"1969-12-31T23:59:59Z", BAD},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
    {"9999-12-31T23:59:59-00:01", BAD}, /* the year 10000 */
    {"2000-02-29T00:00:00Z", 951782400000},
    {"1900-02-29T00:00:00Z", BAD},
    {"2001-02-29T00:00:00Z", BAD},
    {"2001-04-31T00:00:00Z", BAD},
    {"2001-00-01T00:00:00Z", BAD},
    {"2001-13-01T00:00:00Z", BAD},
    {"2001-01-00T00:00:00Z", BAD},
    {"2001-01-01T24:00:00Z", BAD},
    {"2001-01-01T00:60:00Z", BAD},
    {"2016-12-31T23:59:60Z", 1483228800000}, /* a leap second */
    {"2016-12-31T18:59:60-05:00", 1483228800000},
    {"2016-12-31T12:59:60Z", BAD},
    {"2016-12-31T23:59:61Z", BAD},
    {"2026-11-21T10:31:07", BAD},
    {"2026-11-21T10:31:07.Z", BAD},
    {"2026-11-21T10:31:07,5Z", BAD},
    {"2026-11-21 10:31:07Z", BAD},
    {"2026-11-21T10:31Z", BAD},
    {"2026-11-21T10:31:07Z ", BAD},
    {" 2026-11-21T10:31:07Z", BAD},
    {"2026-11-21T10:31:07+0100", BAD},
    {"2026-11-21T10:31:07+24:00", BAD},
    {"2026-11-21T10:31:07+01:60", BAD},
    {"2026-1-21T10:31:07Z", BAD},
    {"+2026-11-21T10:31:07Z", BAD},
    {"12026-11-21T10:31:07Z", BAD},
    {"2026-11-21", BAD},
    {"", BAD},
};

static void reading_rfc3339(void **state)
{
    (void)state;
    check(rfc3339, sizeof rfc3339 / sizeof *rfc3339, clock_parse_rfc3339);
}

/* The examples of RFC 9110 5.6.7 first. */
static const struct parsed http[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777000},
    {"Sun Nov  6 08:49:37 1994", 784111777000},
    {"Wed Nov 16 08:49:37 1994", 784975777000},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1000},
    {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777000}, /* a Sunday, but the date is clear */
    {"sun, 06 nov 1994 08:49:37 gmt", BAD},
    {"Sun, 6 Nov 1994 08:49:37 GMT", BAD},
    {"Sun, 06 Nov 94 08:49:37 GMT", BAD},
    {"Sun, 06 Nov 1994 08:49:37 UTC", BAD},
    {"Sun, 06 Nov 1994 08:49:37", BAD},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", BAD},
    {"Sun, 06 Nov 1994 08:49:37 +0000", BAD},
    {"Sun, 31 Nov 1994 08:49:37 GMT", BAD},
    {"Sun, 06 Nov 1994 24:49:37 GMT", BAD},
    {"Sun, 06 Nov 1994 08:49:60 GMT", BAD},
    {"Sunday, 06-Nov-1994 08:49:37 GMT", BAD},
    {"Sun Nov 6 08:49:37 1994", BAD},
    {"Sun Nov 06 08:49:37 1994 GMT", BAD},
    {"784111777", BAD},
    {"", BAD},
};

static void reading_http(void **state)
{
    (void)state;
    check(http, sizeof http / sizeof *http, clock_parse_http);
}

static void two_digits_of_year_are_at_most_fifty_years_ahead(void **state)
{
    time_t now = time(NULL);
    struct tm tm;
    (void)state;
    gmtime_r(&now, &tm);
    int this_year = tm.tm_year + 1900;
    for (int ahead = -49; ahead <= 50; ahead++) {
        char text[64], back[CLOCK_TEXT_MAX], want[16];
        int64_t t;
        snprintf(text, sizeof text, "Sunday, 01-Jan-%02d 00:00:00 GMT", (this_year + ahead) % 100);
        assert_int_equal(clock_parse_http(text, &t), E_OK);
        clock_rfc3339(t, back);
        snprintf(want, sizeof want, "%04d-", this_year + ahead);
        if (strncmp(back, want, 5) != 0)
            fail_msg("row %d: %s is %s", ahead, text, back);
    }
}

static void what_is_printed_is_read(void **state)
{
    (void)state;
    for (int64_t t = 0; t < 253402300799999; t += 86400000LL * 397 + 12345678) {
        char text[CLOCK_TEXT_MAX];
        int64_t back;
        clock_rfc3339(t, text);
        assert_int_equal(clock_parse_rfc3339(text, &back), E_OK);
        assert_true(back == t);
        clock_http(t, text);
        assert_int_equal(clock_parse_http(text, &back), E_OK);
        assert_true(back == t / 1000 * 1000);
    }
}

static void clocks(void **state)
{
    struct clock fixed = clock_fixed(42);
    int64_t monotonic = clock_monotonic_ms();
    (void)state;
    assert_int_equal(clock_now_ms(&fixed), 42);
    int64_t before = (int64_t)time(NULL) * 1000, now = clock_now_ms(&clock_real);
    assert_true(now >= before - 1000 && now <= before + 60000);
    assert_true(clock_monotonic_ms() >= monotonic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printing),
        cmocka_unit_test(reading_rfc3339),
        cmocka_unit_test(reading_http),
        cmocka_unit_test(two_digits_of_year_are_at_most_fifty_years_ahead),
        cmocka_unit_test(what_is_printed_is_read),
        cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
