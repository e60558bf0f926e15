#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypt/crypt.h"

static int start(void **state)
{
    (void)state;
    return crypt_start() == E_OK ? 0 : -1;
}

static void tokens_are_base64url_and_never_alike(void **state)
{
    enum { N = 1000 };
    static char tokens[N][TOKEN_LEN + 1];
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (void)state;
    for (size_t i = 0; i < N; i++) {
        token_new(tokens[i]);
        if (strspn(tokens[i], alphabet) != TOKEN_LEN || tokens[i][TOKEN_LEN] != '\0')
            fail_msg("token %zu: %s", i, tokens[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(tokens[i], tokens[j]) == 0)
                fail_msg("tokens %zu and %zu are alike", j, i);
    }
}

/* 256 bits in 43 characters: every position but the last takes all 64 values, the last one 16. */
static void every_position_varies(void **state)
{
    enum { N = 4000 };
    static char seen[TOKEN_LEN][256];
    (void)state;
    for (size_t i = 0; i < N; i++) {
        char token[TOKEN_LEN + 1];
        token_new(token);
        for (size_t at = 0; at < TOKEN_LEN; at++)
            seen[at][(unsigned char)token[at]] = 1;
    }
    for (size_t at = 0; at < TOKEN_LEN; at++) {
        int values = 0;
        for (size_t c = 0; c < 256; c++)
            values += seen[at][c];
        if (values != (at < TOKEN_LEN - 1 ? 64 : 16))
            fail_msg("position %zu: %d values", at, values);
    }
}

static void the_hash_is_sha256_of_the_text(void **state)
{
    char hex[65];
    (void)state;
    token_hash("abc", hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void equality(void **state)
{
    static const struct { const char *a, *b; int want; } rows[] = {
        {"", "", 1},        {"a", "a", 1},      {"abc", "abc", 1},  {"abc", "abd", 0}, {"xbc", "abc", 0},
        {"abc", "abcd", 0}, {"abcd", "abc", 0}, {"", "a", 0},       {"a", "A", 0},     {"\xff", "\x7f", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!token_equal(rows[i].a, rows[i].b) != !rows[i].want)
            fail_msg("row %zu: %s %s", i, rows[i].a, rows[i].b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_base64url_and_never_alike),
        cmocka_unit_test(every_position_varies),
        cmocka_unit_test(the_hash_is_sha256_of_the_text),
        cmocka_unit_test(equality),
    };
    return cmocka_run_group_tests_name("token", tests, start, NULL);
}
