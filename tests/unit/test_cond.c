#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/cond.h"

#define ETAG        "0123abcd"
#define MODIFIED_MS 784111777500 /* half a second past Sun, 06 Nov 1994 08:49:37 GMT */
#define EXACT       "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE      "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER       "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct {
    const char *match, *none_match, *modified_since, *unmodified_since;
    enum cond want;
} rows[] = {
    {NULL, NULL, NULL, NULL, COND_SEND},

    {"\"" ETAG "\"", NULL, NULL, NULL, COND_SEND},
    {"*", NULL, NULL, NULL, COND_SEND},
    {"\"x\", \"" ETAG "\"", NULL, NULL, NULL, COND_SEND},
    {"\"x\"", NULL, NULL, NULL, COND_FAILED},
    {"W/\"" ETAG "\"", NULL, NULL, NULL, COND_FAILED}, /* strong comparison */
    {ETAG, NULL, NULL, NULL, COND_FAILED},             /* malformed: not met */

    {NULL, "\"" ETAG "\"", NULL, NULL, COND_NOT_MODIFIED},
    {NULL, "W/\"" ETAG "\"", NULL, NULL, COND_NOT_MODIFIED}, /* weak comparison */
    {NULL, "*", NULL, NULL, COND_NOT_MODIFIED},
    {NULL, "\"x\"", NULL, NULL, COND_SEND},
    {NULL, ETAG, NULL, NULL, COND_SEND}, /* malformed: names nothing */

    {NULL, NULL, EXACT, NULL, COND_NOT_MODIFIED},
    {NULL, NULL, AFTER, NULL, COND_NOT_MODIFIED},
    {NULL, NULL, BEFORE, NULL, COND_SEND},
    {NULL, NULL, "yesterday", NULL, COND_SEND},
    {NULL, NULL, NULL, EXACT, COND_SEND},
    {NULL, NULL, NULL, AFTER, COND_SEND},
    {NULL, NULL, NULL, BEFORE, COND_FAILED},
    {NULL, NULL, NULL, "yesterday", COND_SEND},

    /* RFC 9110 13.2.2: the tag decides over the date, If-Match comes before If-None-Match */
    {"\"" ETAG "\"", NULL, NULL, BEFORE, COND_SEND},
    {"\"x\"", NULL, NULL, AFTER, COND_FAILED},
    {NULL, "\"x\"", AFTER, NULL, COND_SEND},
    {NULL, "\"" ETAG "\"", BEFORE, NULL, COND_NOT_MODIFIED},
    {"\"x\"", "\"" ETAG "\"", NULL, NULL, COND_FAILED},
    {"\"" ETAG "\"", "\"" ETAG "\"", NULL, NULL, COND_NOT_MODIFIED},
    {NULL, "\"" ETAG "\"", NULL, BEFORE, COND_FAILED},
};

static void precedence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct req r = {.method = GET,
                        .if_match = rows[i].match,
                        .if_none_match = rows[i].none_match,
                        .if_modified_since = rows[i].modified_since,
                        .if_unmodified_since = rows[i].unmodified_since};
        enum cond got = cond_read(&r, ETAG, MODIFIED_MS);
        if (got != rows[i].want)
            fail_msg("row %zu: %d", i, (int)got);
    }
}

static const struct {
    const char *header;
    bool want;
} if_range[] = {
    {NULL, true},
    {"\"" ETAG "\"", true},
    {"W/\"" ETAG "\"", false},
    {"\"" ETAG "x\"", false},
    {"\"0123\"", false},
    {"\"" ETAG "\" ", false},
    {"\"" ETAG "\", \"x\"", false}, /* one, not a list */
    {ETAG, false},
    {"*", false},
    {"", false},
    {EXACT, true},
    {AFTER, false}, /* not "unmodified since" but "is exactly" */
    {BEFORE, false},
};

static void if_range_is_exact(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof if_range / sizeof *if_range; i++) {
        if (cond_if_range(if_range[i].header, ETAG, MODIFIED_MS) != if_range[i].want)
            fail_msg("row %zu", i);
    }
}

/* The tags with ';' behind each; "*" for any. */
static const struct {
    const char *header;
    bool strong;
    const char *want; /* NULL: malformed */
} lists[] = {
    {"*", true, "*"},
    {" * ", true, "*"},
    {"\"a\"", true, "a;"},
    {"\"\"", true, ";"},
    {"\"a\",\"b\"", true, "a;b;"},
    {" \"a\" ,\t\"b\" ", true, "a;b;"},
    {",, \"a\",,\"b\",", true, "a;b;"},
    {"W/\"a\", \"b\"", true, "b;"},
    {"W/\"a\", \"b\"", false, "a;b;"},
    {"W/\"a\"", true, ""},
    {"\"a,b\"", true, "a,b;"},
    {"\"a\\\"", true, "a\\;"}, /* a backslash is itself */
    {"\"\xC3\xAF\"", true, "\xC3\xAF;"},
    {"", true, NULL},
    {" , ", true, NULL},
    {"a", true, NULL},
    {"\"a", true, NULL},
    {"\"a\" \"b\"", true, NULL},
    {"\"a\"b", true, NULL},
    {"w/\"a\"", false, NULL},
    {"W/a", false, NULL},
    {"*, \"a\"", true, NULL},
    {"\"a\", *", true, NULL},
    {"\"a b\"", true, NULL},
    {"\"a\x7F\"", true, NULL},
};

static void tags(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        const char *const *got;
        size_t n;
        bool any;
        enum err e = cond_tags(mem, lists[i].header, lists[i].strong, &any, &got, &n);
        if ((e == E_OK) != (lists[i].want != NULL))
            fail_msg("row %zu: %s", i, err_name(e));
        if (e != E_OK)
            continue;
        char *text = mem_str(mem, any ? "*" : "");
        for (size_t k = 0; k < n; k++)
            text = mem_printf(mem, "%s%s;", text, got[k]);
        if (strcmp(text, lists[i].want) != 0)
            fail_msg("row %zu: %s", i, text);
    }
}

static void times_before_1970(void **state)
{
    (void)state;
    struct req r = {.if_modified_since = "Thu, 01 Jan 1970 00:00:00 GMT"};
    assert_int_equal(cond_read(&r, ETAG, -1), COND_NOT_MODIFIED);
    assert_false(cond_if_range("Thu, 01 Jan 1970 00:00:00 GMT", ETAG, -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence),
        cmocka_unit_test(if_range_is_exact),
        cmocka_unit_test(tags),
        cmocka_unit_test(times_before_1970),
    };
    return cmocka_run_group_tests_name("cond", tests, NULL, NULL);
}
