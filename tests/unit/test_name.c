#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/name.h"

#define E_ACUTE     "\xc3\xa9"  /* U+00E9 */
#define E_AND_ACUTE "e\xcc\x81" /* U+0065 U+0301 */
#define TEN         "0123456789"
#define FIFTY       TEN TEN TEN TEN TEN
#define N250        FIFTY FIFTY FIFTY FIFTY FIFTY

static const struct {
    const char *text;
    size_t len;
    bool want;
} utf8[] = {
    {"", 0, true},
    {"abc", 3, true},
    {"a\0b", 3, false},
    {"\xc3\xa9", 2, true},
    {"\xc3\xa9", 1, false},
    {"\xe2\x82\xac", 3, true},
    {"\xe2\x82\xac", 2, false},
    {"\xf0\x9f\x98\x80", 4, true},
    {"\xf0\x9f\x98\x80", 3, false},
    {"\xf4\x8f\xbf\xbf", 4, true},
    {"\xf4\x90\x80\x80", 4, false}, /* above U+10FFFF */
    {"\xed\x9f\xbf", 3, true},
    {"\xed\xa0\x80", 3, false}, /* a surrogate */
    {"\xed\xbf\xbf", 3, false},
    {"\xee\x80\x80", 3, true},
    {"\xc0\x80", 2, false}, /* overlong */
    {"\xc1\xbf", 2, false},
    {"\xe0\x9f\xbf", 3, false},
    {"\xf0\x8f\xbf\xbf", 4, false},
    {"\xf8\x88\x80\x80\x80", 5, false},
    {"\x80", 1, false},
    {"\xff", 1, false},
    {"a\xc3(", 3, false},
    {"\xef\xbf\xbf", 3, true}, /* a noncharacter is well formed */
};

static void well_formed_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof utf8 / sizeof *utf8; i++)
        if (utf8_valid(utf8[i].text, utf8[i].len) != utf8[i].want)
            fail_msg("row %zu", i);
}

#define UNKNOWN "\xef\xbf\xbd"
static const struct {
    const char *bytes;
    size_t len;
    const char *want;
    size_t uncut;
} shown[] = {
    {"", 0, "", 0},
    {"a\tb\r\n", 5, "a\tb\r\n", 5},
    {"a\0\x1b\x7f", 4, "a" UNKNOWN UNKNOWN UNKNOWN, 4},
    {"\xc2\x85", 2, UNKNOWN, 2},          /* C1 */
    {"\xef\xbb\xbf" "a", 4, "a", 4},      /* a byte order mark */
    {"\xff\xfe" "a", 3, UNKNOWN UNKNOWN "a", 3},
    {"x" E_ACUTE, 3, "x" E_ACUTE, 3},
    {"x\xc3", 2, "x" UNKNOWN, 1},
    {"\xe2\x82", 2, UNKNOWN UNKNOWN, 0},
    {"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80", 4},
    {"\xf0\x9f\x98", 3, UNKNOWN UNKNOWN UNKNOWN, 0},
    {"\x80\x80\x80\x80", 4, UNKNOWN UNKNOWN UNKNOWN UNKNOWN, 4}, /* never was UTF-8 */
};

static void any_bytes_can_be_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        CLEANUP(free_mem) char *text = utf8_shown(NULL, shown[i].bytes, shown[i].len);
        if (strcmp(text, shown[i].want) != 0 || utf8_uncut(shown[i].bytes, shown[i].len) != shown[i].uncut)
            fail_msg("row %zu: %s, %zu", i, text, utf8_uncut(shown[i].bytes, shown[i].len));
    }
}

static const struct {
    const char *text, *want; /* NULL: E_BAD_NAME */
} names[] = {
    {"report.pdf", "report.pdf"},
    {" two  blanks ", " two  blanks "},
    {"...", "..."},
    {".hidden", ".hidden"},
    {"-rf", "-rf"},
    {"a:b*c?d\"e<f>g|h", "a:b*c?d\"e<f>g|h"},
    {E_ACUTE, E_ACUTE},
    {E_AND_ACUTE, E_ACUTE},
    {"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c"}, /* Hangul */
    {"\xef\xac\x81", "\xef\xac\x81"},                         /* U+FB01 stays: NFC, not NFKC */
    {"\xe2\x84\xab", "\xc3\x85"},                             /* U+212B is U+00C5 */
    {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
     "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"},                 /* ZWJ */
    {"\xd9\x86\xe2\x80\x8c\xd9\x87", "\xd9\x86\xe2\x80\x8c\xd9\x87"}, /* ZWNJ */
    {N250 "12345", N250 "12345"},
    {N250 "1234" E_ACUTE, NULL}, /* 256 */
    {N250 "123" E_ACUTE, N250 "123" E_ACUTE},
    {N250 "123" E_AND_ACUTE, N250 "123" E_ACUTE}, /* too long only before NFC */
    {"", NULL},
    {".", NULL},
    {"..", NULL},
    {"/", NULL},
    {"a/b", NULL},
    {"a\\b", NULL},
    {"a\nb", NULL},
    {"\x1b", NULL},
    {"\x7f", NULL},
    {"\xc2\x80", NULL}, /* C1 */
    {"\xc2\x9f", NULL},
    {"\xc2\xa0", "\xc2\xa0"},
    {"\xd8\x9c", NULL}, /* U+061C */
    {"\xe2\x80\x8b", "\xe2\x80\x8b"},
    {"\xe2\x80\x8e", NULL}, /* U+200E */
    {"\xe2\x80\x8f", NULL},
    {"\xe2\x80\xa8", NULL}, /* U+2028 */
    {"\xe2\x80\xa9", NULL},
    {"\xe2\x80\xaa", NULL}, /* U+202A */
    {"photo\xe2\x80\xaegpj.exe", NULL},
    {"\xe2\x80\xaf", "\xe2\x80\xaf"},
    {"\xe2\x81\xa5", "\xe2\x81\xa5"},
    {"\xe2\x81\xa6", NULL}, /* U+2066 */
    {"\xe2\x81\xa9", NULL},
    {"\xef\xbb\xbf", NULL}, /* U+FEFF */
    {"\xff", NULL},
    {"\xc0\xaf", NULL},
    {"\xed\xa0\x80", NULL},
};

static void names_as_they_are_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *ctx = talloc_new(NULL);
        char *name = NULL;
        enum err want = names[i].want != NULL ? E_OK : E_BAD_NAME;
        enum err got = name_normal(ctx, names[i].text, strlen(names[i].text), &name);
        if (got != want || (got == E_OK && strcmp(name, names[i].want) != 0))
            fail_msg("row %zu: %s", i, got == E_OK ? name : err_last(got)->say);
        if (got != E_OK && err_last(E_BAD_NAME)->say[0] == '\0')
            fail_msg("row %zu: no sentence", i);
        if (got != E_OK && talloc_total_blocks(ctx) != 1)
            fail_msg("row %zu: left something behind", i);
        talloc_free(ctx);
    }
}

static void refusals_say_what_is_wrong(void **state)
{
    char *name;
    (void)state;
    assert_int_equal(name_normal(NULL, "a\0b", 3, &name), E_BAD_NAME);
    assert_non_null(strstr(err_last(E_BAD_NAME)->say, "U+0000"));
    assert_int_equal(name_normal(NULL, "a\xe2\x80\xae", 4, &name), E_BAD_NAME);
    assert_non_null(strstr(err_last(E_BAD_NAME)->say, "U+202E"));
    assert_int_equal(name_normal(NULL, N250 TEN, 260, &name), E_BAD_NAME);
    assert_non_null(strstr(err_last(E_BAD_NAME)->say, "260"));
}

/* The library sorts combining marks in quadratic time; a megabyte of them must not get that far. */
static void a_long_crowd_of_marks_is_refused_at_once(void **state)
{
    void *ctx = talloc_new(NULL);
    char *name, *text = mem_array(ctx, char, 1 << 20);
    (void)state;
    for (size_t i = 0; i < 1 << 20; i += 4)
        memcpy(text + i, "\xcc\x81\xcc\xa3", 4);
    assert_int_equal(name_normal(ctx, text, 1 << 20, &name), E_BAD_NAME);
    talloc_free(ctx);
}

static const struct {
    const char *a, *b;
    bool equal;
} keys[] = {
    {"README", "readme", true},
    {"\xc3\x89", E_ACUTE, true},
    {"E\xcc\x81", E_ACUTE, true},
    {"stra\xc3\x9f"
     "e",
     "STRASSE", true},
    {"\xce\xa3", "\xcf\x82", true},             /* sigma, final sigma */
    {"\xe1\xbe\xb3", "\xce\xb1\xce\xb9", true}, /* alpha with ypogegrammeni folds to alpha iota */
    {"\xe2\x84\xaa", "k", true},                /* Kelvin */
    {"\xef\xac\x81", "fi", true},
    {"e", E_ACUTE, false},
    {"a", "b", false},
    {"a.txt", "a .txt", false},
};

static void keys_are_equal_for_canonical_caseless_matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        void *ctx = talloc_new(NULL);
        const char *a = name_key(ctx, keys[i].a), *b = name_key(ctx, keys[i].b);
        if ((strcmp(a, b) == 0) != keys[i].equal)
            fail_msg("row %zu: %s, %s", i, a, b);
        talloc_free(ctx);
    }
}

#define L64 FIFTY "01234567890123"

static const struct {
    const char *text, *want; /* NULL: E_FIELD_INVALID */
} logins[] = {
    {"abc", "abc"},
    {"Ada.Lovelace+x_y-z@example.org", "ada.lovelace+x_y-z@example.org"},
    {"123", "123"},
    {L64, L64},
    {L64 "5", NULL},
    {"ab", NULL},
    {"", NULL},
    {"a b", NULL},
    {"abc\n", NULL},
    {"ab/c", NULL},
    {"\xc3\xa9\xc3\xa9", NULL},
    {"ab\xd0\xb0", NULL}, /* a Cyrillic a looks like the Latin one */
};

static void login_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof logins / sizeof *logins; i++) {
        char key[LOGIN_MAX_BYTES + 1] = "";
        enum err want = logins[i].want != NULL ? E_OK : E_FIELD_INVALID;
        if (login_key(logins[i].text, key) != want || (want == E_OK && strcmp(key, logins[i].want) != 0))
            fail_msg("row %zu: %s", i, key);
        if (want != E_OK && strcmp(err_last(E_FIELD_INVALID)->field, "username") != 0)
            fail_msg("row %zu: field", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_utf8),
        cmocka_unit_test(any_bytes_can_be_shown),
        cmocka_unit_test(names_as_they_are_kept),
        cmocka_unit_test(refusals_say_what_is_wrong),
        cmocka_unit_test(a_long_crowd_of_marks_is_refused_at_once),
        cmocka_unit_test(keys_are_equal_for_canonical_caseless_matches),
        cmocka_unit_test(login_names),
    };
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
