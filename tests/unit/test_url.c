#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/req.h"

static const struct {
    const char *text, *want;
} encoded[] = {
    {"", ""},
    {"abc-._~XYZ019", "abc-._~XYZ019"},
    {"a b", "a%20b"},
    {"a/b?c#d&e=f+g", "a%2Fb%3Fc%23d%26e%3Df%2Bg"},
    {"100%", "100%25"},
    {"na\xC3\xAFve", "na%C3%AFve"},
    {"\x01\x7F\"", "%01%7F%22"},
};

static void encodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof encoded / sizeof *encoded; i++) {
        CLEANUP(free_mem) char *got = url_encode(NULL, encoded[i].text);
        if (strcmp(got, encoded[i].want) != 0)
            fail_msg("row %zu: %s", i, got);
    }
}

static const struct {
    const char *text;
    bool form;
    enum err want_err;
    const char *want;
} decoded[] = {
    {"", false, E_OK, ""},
    {"a%20b", false, E_OK, "a b"},
    {"a+b", false, E_OK, "a+b"},
    {"a+b%2B", true, E_OK, "a b+"},
    {"%c3%AF", false, E_OK, "\xC3\xAF"},
    {"%2541", false, E_OK, "%41"}, /* once only */
    {"%", false, E_BAD_PATH, NULL},
    {"%4", false, E_BAD_PATH, NULL},
    {"ab%4", false, E_BAD_PATH, NULL},
    {"%g0", false, E_BAD_PATH, NULL},
    {"%0g", true, E_BAD_PATH, NULL},
    {"% 41", false, E_BAD_PATH, NULL},
    {"a%00b", false, E_BAD_PATH, NULL},
};

static void decodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof decoded / sizeof *decoded; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        char *got = NULL;
        size_t len;
        enum err e = url_decode(mem, decoded[i].text, strlen(decoded[i].text), decoded[i].form, &got, &len);
        if (e != decoded[i].want_err)
            fail_msg("row %zu: %s", i, err_name(e));
        if (e == E_OK && (strcmp(got, decoded[i].want) != 0 || len != strlen(got)))
            fail_msg("row %zu: %s", i, got);
    }
}

static void refuses_a_raw_nul_and_stops_at_the_length(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char *got;
    size_t len;
    assert_int_equal(url_decode(mem, "a\0b", 3, false, &got, &len), E_BAD_PATH);
    assert_int_equal(url_decode(mem, "a%41", 3, false, &got, &len), E_BAD_PATH);
    assert_int_equal(url_decode(mem, "abcd", 2, false, &got, &len), E_OK);
    assert_string_equal(got, "ab");
}

static void every_byte_comes_back(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char all[256], *got;
    size_t len;
    for (int c = 1; c < 256; c++)
        all[c - 1] = (char)c;
    all[255] = '\0';
    char *text = url_encode(mem, all);
    assert_int_equal(url_decode(mem, text, strlen(text), false, &got, &len), E_OK);
    assert_int_equal(len, 255);
    assert_memory_equal(got, all, 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes),
        cmocka_unit_test(decodes),
        cmocka_unit_test(refuses_a_raw_nul_and_stops_at_the_length),
        cmocka_unit_test(every_byte_comes_back),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
