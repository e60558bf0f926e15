#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/form.h"

/* What comes out, as one text: name=value with ';' behind each. */
static const struct {
    const char *text;
    enum err want_err;
    const char *want;
} rows[] = {
    {"", E_OK, ""},
    {"&", E_OK, ""},
    {"a=1", E_OK, "a=1;"},
    {"a=1&b=2", E_OK, "a=1;b=2;"},
    {"&&a=1&&b=2&", E_OK, "a=1;b=2;"},
    {"a", E_OK, "a=;"},
    {"a=", E_OK, "a=;"},
    {"=a", E_OK, "=a;"},
    {"=", E_OK, "=;"},
    {"a=b=c", E_OK, "a=b=c;"},
    {"b=2&a=1&b=3", E_OK, "b=2;a=1;b=3;"},
    {"a+b=c+d%2B", E_OK, "a b=c d+;"},
    {"a%3Db=%26", E_OK, "a=b=&;"},
    {"n=%C3%AF", E_OK, "n=\xC3\xAF;"},
    {"n=\xC3\xAF", E_OK, "n=\xC3\xAF;"},
    {"a=%", E_BAD_REQUEST, NULL},
    {"a=%1", E_BAD_REQUEST, NULL},
    {"a%zz=1", E_BAD_REQUEST, NULL},
    {"a=%00", E_BAD_REQUEST, NULL},
    {"a=%FF", E_BAD_REQUEST, NULL},
    {"%C3=1", E_BAD_REQUEST, NULL},
    {"a=%ED%A0%80", E_BAD_REQUEST, NULL}, /* a surrogate */
};

static void pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct pair *got;
        size_t n = 0;
        enum err e = form_parse(mem, rows[i].text, strlen(rows[i].text), &got, &n);
        if (e != rows[i].want_err)
            fail_msg("row %zu: %s", i, err_name(e));
        char *text = mem_str(mem, "");
        for (size_t k = 0; k < n; k++) {
            text = mem_printf(mem, "%s%s=%s;", text, got[k].name, got[k].value);
            assert_int_equal(got[k].value_len, strlen(got[k].value));
        }
        if (e == E_OK && strcmp(text, rows[i].want) != 0)
            fail_msg("row %zu: %s", i, text);
    }
}

static enum err parse_many(size_t n, size_t *n_out)
{
    CLEANUP(free_mem) char *text = mem_array(NULL, char, 2 * n);
    struct pair *got;
    for (size_t i = 0; i < n; i++)
        memcpy(text + 2 * i, "a&", 2);
    return form_parse(text, text, 2 * n, &got, n_out);
}

static void counts_fields(void **state)
{
    (void)state;
    size_t n;
    assert_int_equal(parse_many(FORM_MAX_FIELDS, &n), E_OK);
    assert_int_equal(n, FORM_MAX_FIELDS);
    assert_int_equal(parse_many(FORM_MAX_FIELDS + 1, &n), E_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs),
        cmocka_unit_test(counts_fields),
    };
    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
