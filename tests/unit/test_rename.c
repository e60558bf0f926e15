#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "meta/rename.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))

static void the_number_stands_before_the_extension(void **state)
{
    static const struct { const char *name; unsigned n; const char *want; } rows[] = {
        {"a.txt", 1, "a (1).txt"},
        {"a.txt", 999, "a (999).txt"},
        {"a", 2, "a (2)"},
        {"a.tar.gz", 1, "a.tar (1).gz"},
        {".bashrc", 1, ".bashrc (1)"},
        {".a.txt", 1, ".a (1).txt"},
        {"a.", 1, "a. (1)"},
        {"a (1).txt", 1, "a (1) (1).txt"},
        {"\xc3\xa4.\xc3\xb6", 3, "\xc3\xa4 (3).\xc3\xb6"},
        {"a.this is no extension but a sentence", 1, "a.this is no extension but a sentence (1)"},
    };
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        const char *got = rename_candidate(mem, rows[i].name, rows[i].n);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("row %zu: %s", i, got);
    }
}

/* `stem` times `fill`, then the tail: what is left of it must be as long as can be, and valid. */
static void a_long_name_is_cut_at_a_character(void **state)
{
    static const struct { const char *fill; size_t times; const char *tail; unsigned n; size_t want; const char *end; } rows[] = {
        {"x", 255, "", 1, 255, "x (1)"},
        {"x", 251, ".txt", 1, 255, "x (1).txt"},
        {"x", 247, ".txt", 1, 255, "x (1).txt"},                                /* just fits */
        {"x", 251, ".txt", 100, 255, "x (100).txt"},
        {"\xc3\xa4", 125, ".txt", 1, 255, "\xc3\xa4 (1).txt"},                   /* 247 is odd: 123 characters */
        {"\xe2\x82\xac", 85, "", 1, 253 + 0, "\xe2\x82\xac (1)"},                /* 251 = 83 x 3 + 2 */
        {"\xf0\x9f\x98\x80", 63, ".md", 1, 255, "\xf0\x9f\x98\x80 (1).md"},      /* 248 = 62 x 4 */
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        char *name = mem_str(mem, "");
        for (size_t t = 0; t < rows[i].times; t++)
            name = talloc_strdup_append(name, rows[i].fill);
        name = talloc_strdup_append(name, rows[i].tail);
        const char *got = rename_candidate(mem, name, rows[i].n);
        size_t len = strlen(got), end = strlen(rows[i].end), fill = strlen(rows[i].fill);
        if (len > NAME_MAX_BYTES || !utf8_valid(got, len) || len + fill <= rows[i].want || len > rows[i].want)
            fail_msg("row %zu: %zu bytes: %s", i, len, got);
        if (strcmp(got + len - end, rows[i].end) != 0)
            fail_msg("row %zu: %s", i, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_number_stands_before_the_extension),
        cmocka_unit_test(a_long_name_is_cut_at_a_character),
    };
    return cmocka_run_group_tests_name("rename", tests, NULL, NULL);
}
