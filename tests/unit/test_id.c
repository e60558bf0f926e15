#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"

#define GOOD "0123456789abcdef0123456789abcdef"

static const struct {
    const char *text;
    enum err want;
} rows[] = {
    {GOOD, E_OK},
    {"00000000000000000000000000000000", E_OK},
    {"", E_NOT_FOUND},
    {"0123456789abcdef0123456789abcde", E_NOT_FOUND},
    {GOOD "0", E_NOT_FOUND},
    {GOOD "/", E_NOT_FOUND},
    {" " GOOD, E_NOT_FOUND},
    {"0123456789ABCDEF0123456789abcdef", E_NOT_FOUND},
    {"0123456789abcdeg0123456789abcdef", E_NOT_FOUND},
    {"../3456789abcdef0123456789abcdef", E_NOT_FOUND},
    {"0123456789abcdef0123456789abcde\xc3", E_NOT_FOUND},
};

static void only_ids_are_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct id id = {"untouched"};
        if (id_parse(rows[i].text, &id) != rows[i].want)
            fail_msg("row %zu", i);
        if (strcmp(id.s, rows[i].want == E_OK ? rows[i].text : "untouched") != 0)
            fail_msg("row %zu: %s", i, id.s);
    }
}

static void new_ones_parse_and_differ(void **state)
{
    struct id seen[200];
    unsigned char ever = 0;
    (void)state;
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        struct id again;
        seen[i] = id_new();
        assert_true(id_is(seen[i]));
        assert_int_equal(id_parse(seen[i].s, &again), E_OK);
        assert_true(id_eq(seen[i], again));
        for (size_t j = 0; j < i; j++)
            assert_false(id_eq(seen[i], seen[j]));
        ever |= (unsigned char)(seen[i].s[0] ^ seen[0].s[0]) | (unsigned char)(seen[i].s[31] ^ seen[0].s[31]);
    }
    assert_int_not_equal(ever, 0); /* first and last digit vary */
    assert_false(id_is((struct id){""}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_ids_are_ids),
        cmocka_unit_test(new_ones_parse_and_differ),
    };
    return cmocka_run_group_tests_name("id", tests, NULL, NULL);
}
