/* Time: milliseconds since 1970-01-01 UTC, in int64_t named *_ms. Code that decides by time takes a clock,
 * so that a test can set it. */
#pragma once
#include <stdint.h>

#include "base/err.h"

struct clock {
    int64_t (*now_ms)(const struct clock *self);
    int64_t fixed_ms; /* for clock_fixed */
};

extern const struct clock clock_real;
struct clock clock_fixed(int64_t now_ms);

static inline int64_t clock_now_ms(const struct clock *c)
{
    return c->now_ms(c);
}

int64_t clock_monotonic_ms(void);

#define CLOCK_TEXT_MAX 32
void clock_rfc3339(int64_t t_ms, char text[CLOCK_TEXT_MAX]); /* 2026-11-21T10:31:07.123Z */
void clock_http(int64_t t_ms, char text[CLOCK_TEXT_MAX]);    /* Sat, 21 Nov 2026 10:31:07 GMT (RFC 9110 5.6.7) */

/* RFC 3339 with 'Z' or an offset, fraction optional; years 1970 to 9999. E_FIELD_INVALID otherwise. */
enum err clock_parse_rfc3339(const char *text, int64_t *t_ms_out) MUST_CHECK;
/* The three HTTP date forms of RFC 9110 5.6.7. E_FIELD_INVALID otherwise. */
enum err clock_parse_http(const char *text, int64_t *t_ms_out) MUST_CHECK;
