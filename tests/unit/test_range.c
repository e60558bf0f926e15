#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/range.h"

enum { WHOLE = 1 };

static const struct {
    const char *header;
    uint64_t size;
    enum err want;
    int whole;
    uint64_t first, last;
} rows[] = {
    {NULL, 10, E_OK, WHOLE, 0, 0},
    {"bytes=0-", 10, E_OK, 0, 0, 9},
    {"bytes=0-0", 10, E_OK, 0, 0, 0},
    {"bytes=3-5", 10, E_OK, 0, 3, 5},
    {"bytes= 3-5", 10, E_OK, 0, 3, 5},
    {"bytes= -3", 10, E_OK, 0, 7, 9},
    {"bytes=9-", 10, E_OK, 0, 9, 9},
    {"bytes=5-100", 10, E_OK, 0, 5, 9},
    {"bytes=-3", 10, E_OK, 0, 7, 9},
    {"bytes=-10", 10, E_OK, 0, 0, 9},
    {"bytes=-11", 10, E_OK, 0, 0, 9},
    {"BYTES=1-2", 10, E_OK, 0, 1, 2},
    {"bytes=0-99999999999999999999999", 10, E_OK, 0, 0, 9},
    {"bytes=-99999999999999999999999", 10, E_OK, 0, 0, 9},
    {"bytes=0-18446744073709551615", UINT64_MAX, E_OK, 0, 0, UINT64_MAX - 1},

    {"bytes=10-", 10, E_BAD_RANGE, 0, 0, 0},
    {"bytes=10-12", 10, E_BAD_RANGE, 0, 0, 0},
    {"bytes=99999999999999999999999-", 10, E_BAD_RANGE, 0, 0, 0},
    {"bytes=-0", 10, E_BAD_RANGE, 0, 0, 0},
    {"bytes=0-", 0, E_BAD_RANGE, 0, 0, 0},
    {"bytes=-5", 0, E_OK, WHOLE, 0, 0},

    {"", 10, E_OK, WHOLE, 0, 0},
    {"bytes", 10, E_OK, WHOLE, 0, 0},
    {"bytes=", 10, E_OK, WHOLE, 0, 0},
    {"bytes=-", 10, E_OK, WHOLE, 0, 0},
    {"bytes=5", 10, E_OK, WHOLE, 0, 0},
    {"bytes=5-3", 10, E_OK, WHOLE, 0, 0},
    {"bytes=a-b", 10, E_OK, WHOLE, 0, 0},
    {"bytes=1-2x", 10, E_OK, WHOLE, 0, 0},
    {"bytes=1-x", 10, E_OK, WHOLE, 0, 0},
    {"bytes=--1", 10, E_OK, WHOLE, 0, 0},
    {"bytes=+1-2", 10, E_OK, WHOLE, 0, 0},
    {"bytes =1-2", 10, E_OK, WHOLE, 0, 0},
    {"bytes=0-1,3-4", 10, E_OK, WHOLE, 0, 0},
    {"bytes=-1,0-1", 10, E_OK, WHOLE, 0, 0},
    {"bytes=0-,5-", 10, E_OK, WHOLE, 0, 0},
    {"lines=0-1", 10, E_OK, WHOLE, 0, 0},
};

static void ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct range got;
        enum err e = range_parse(rows[i].header, rows[i].size, &got);
        if (e != rows[i].want)
            fail_msg("row %zu: %s", i, err_name(e));
        if (e == E_BAD_RANGE && err_last(e)->limit != rows[i].size)
            fail_msg("row %zu: the size is not told", i);
        if (e == E_OK && got.whole != (rows[i].whole == WHOLE))
            fail_msg("row %zu: whole %d", i, got.whole);
        if (e == E_OK && !got.whole && (got.first != rows[i].first || got.last != rows[i].last))
            fail_msg("row %zu: %ju-%ju", i, (uintmax_t)got.first, (uintmax_t)got.last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
    };
    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
