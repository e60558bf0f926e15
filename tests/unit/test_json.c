#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"

static const struct {
    const char *text;
    enum err want;
} rows[] = {
    {"{}", E_OK},
    {" [1, 2.5, -3e2, true, false, null, \"x\"] ", E_OK},
    {"\"bare\"", E_OK},
    {"1", E_OK},
    {"null", E_OK},
    {"{\"a\":\"\\u00e9\xc3\xa9\"}", E_OK},
    {"", E_BAD_JSON},
    {"{", E_BAD_JSON},
    {"{}x", E_BAD_JSON},
    {"{} {}", E_BAD_JSON},
    {"{\"a\":1,}", E_BAD_JSON},
    {"{a:1}", E_BAD_JSON},
    {"{'a':1}", E_BAD_JSON},
    {"[1 2]", E_BAD_JSON},
    {"[01]", E_BAD_JSON},
    {"[1e999]", E_BAD_JSON},
    {"[99999999999999999999]", E_BAD_JSON},
    {"[NaN]", E_BAD_JSON},
    {"[\"\xff\"]", E_BAD_JSON},
    {"[\"\xed\xa0\x80\"]", E_BAD_JSON},
    {"[\"\\ud800\"]", E_BAD_JSON},
    {"[\"a\\u0000b\"]", E_BAD_JSON},
    {"{\"a\\u0000b\":1}", E_BAD_JSON},
    {"[\"a\nb\"]", E_BAD_JSON},
    {"// comment\n{}", E_BAD_JSON},
    {"{\"a\":1,\"a\":2}", E_DUPLICATE_FIELD},
    {"{\"a\":1,\"\\u0061\":2}", E_DUPLICATE_FIELD},
    {"{\"x\":{\"a\":1,\"a\":2}}", E_DUPLICATE_FIELD},
    {"{\"x\":{\"a\":1},\"y\":{\"a\":2}}", E_OK},
    {"[]]]]", E_BAD_JSON},
};

static void texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *ctx = talloc_new(NULL);
        json_t *value = NULL;
        enum err got = json_parse(ctx, rows[i].text, strlen(rows[i].text), &value);
        if (got != rows[i].want || (value != NULL) != (got == E_OK))
            fail_msg("row %zu: %s: %s", i, rows[i].text, err_name(got));
        talloc_free(ctx);
    }
}

static void a_nul_is_no_end(void **state)
{
    json_t *value;
    (void)state;
    assert_int_equal(json_parse(NULL, "{}\0", 3, &value), E_BAD_JSON);
    assert_int_equal(json_parse(NULL, "\0", 1, &value), E_BAD_JSON);
    assert_int_equal(json_parse(NULL, "[\"a\0b\"]", 7, &value), E_BAD_JSON);
}

/* n levels of one bracket around what is inside. */
static char *nested(const void *ctx, size_t n, char open, const char *inside, char close)
{
    size_t len = strlen(inside);
    char *text = mem_array(ctx, char, 2 * n + len + 1);
    memset(text, open, n);
    memcpy(text + n, inside, len);
    memset(text + n + len, close, n);
    return text;
}

static const struct {
    size_t levels;
    const char *inside;
    enum err want;
} depths[] = {
    {32, "", E_OK},
    {33, "", E_TOO_DEEP},
    {31, "{}", E_OK},
    {32, "{}", E_TOO_DEEP},
    {32, "\"[[[[{{{{\"", E_OK},      /* brackets in a string are no levels */
    {32, "\"\\\"[[[\"", E_OK},       /* nor behind a quote that does not end it */
    {32, "\"\\\\\",[]", E_TOO_DEEP}, /* but behind one that does */
    {31, "[],[],{},[]", E_OK},
    {100000, "", E_TOO_DEEP},
};

static void nesting(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        void *ctx = talloc_new(NULL);
        json_t *value;
        const char *text = nested(ctx, depths[i].levels, '[', depths[i].inside, ']');
        enum err got = json_parse(ctx, text, strlen(text), &value);
        if (got != depths[i].want)
            fail_msg("row %zu: %s", i, err_name(got));
        talloc_free(ctx);
    }
}

static void a_deep_text_that_never_closes(void **state)
{
    void *ctx = talloc_new(NULL);
    json_t *value;
    (void)state;
    size_t len = 100000 * 5;
    char *text = mem_array(ctx, char, len);
    for (size_t i = 0; i < len; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    assert_int_equal(json_parse(ctx, text, len, &value), E_TOO_DEEP);
    talloc_free(ctx);
}

static void the_sentence_has_the_place_and_not_the_content(void **state)
{
    static const char text[] = "{\n  \"password\": \"hunter2hunter2\" oops}";
    json_t *value;
    (void)state;
    assert_int_equal(json_parse(NULL, text, strlen(text), &value), E_BAD_JSON);
    const struct err_info *info = err_last(E_BAD_JSON);
    assert_non_null(strstr(info->say, "line 2, column "));
    assert_null(strstr(info->say, "hunter"));
    assert_null(strstr(info->detail, "hunter"));

    static const char twice[] = "{\"hunter2\":1,\n\"hunter2\":2}";
    assert_int_equal(json_parse(NULL, twice, strlen(twice), &value), E_DUPLICATE_FIELD);
    assert_non_null(strstr(err_last(E_DUPLICATE_FIELD)->say, "line 2"));
    assert_null(strstr(err_last(E_DUPLICATE_FIELD)->say, "hunter"));
}

static void writing(void **state)
{
    void *ctx = talloc_new(NULL);
    size_t len = 0;
    (void)state;
    json_t *object = json_own_object(ctx), *array = json_own_array(ctx);
    json_object_set_new(object, "n", json_integer(-1));
    json_object_set(object, "list", array);
    json_array_append_new(array, json_string("\xc3\xa9\n\"/"));
    assert_string_equal(json_text(ctx, object, &len), "{\"n\":-1,\"list\":[\"\xc3\xa9\\n\\\"/\"]}");
    assert_int_equal(len, strlen(json_text(ctx, object, NULL)));
    assert_string_equal(json_text(ctx, json_array_get(array, 0), NULL), "\"\xc3\xa9\\n\\\"/\"");
    talloc_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(a_nul_is_no_end),
        cmocka_unit_test(nesting),
        cmocka_unit_test(a_deep_text_that_never_closes),
        cmocka_unit_test(the_sentence_has_the_place_and_not_the_content),
        cmocka_unit_test(writing),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
