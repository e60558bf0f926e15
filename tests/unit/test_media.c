#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "core/media.h"

#define UNKNOWN "application/octet-stream"
#define PNG     "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0"

static const struct {
    const char *name, *head;
    size_t n;
    const char *type, *sent_as;
    int shown;
} rows[] = {
    {"a.png", "", 0, "image/png", "image/png", 1},
    {"A.JPG", "", 0, "image/jpeg", "image/jpeg", 1},
    {"notes.txt", "<html>", 6, "text/plain", "text/plain; charset=utf-8", 1},
    {"paper.pdf", "", 0, "application/pdf", "application/pdf", 0},
    {"page.html", "", 0, "text/html", UNKNOWN, 0},
    {"page.HTM", "", 0, "text/html", UNKNOWN, 0},
    {"drawing.svg", "", 0, "image/svg+xml", UNKNOWN, 0},
    {"feed.xml", "", 0, "application/xml", UNKNOWN, 0},
    {"app.js", "", 0, "text/javascript", UNKNOWN, 0},
    {"style.css", "", 0, "text/css", UNKNOWN, 0},
    {"archive.tar.gz", "", 0, "application/gzip", "application/gzip", 0},
    {"nothing", "", 0, UNKNOWN, UNKNOWN, 0},
    {".bashrc", "", 0, UNKNOWN, UNKNOWN, 0},
    {"no-extension", PNG, sizeof PNG - 1, "image/png", "image/png", 1},
    {"no-extension", "<!DOCTYPE html><html><script>", 29, "text/html", UNKNOWN, 0},
    {"file.", "%PDF-1.4\n", 9, "application/pdf", "application/pdf", 0},
};

static void types_and_what_they_are_sent_as(void **state)
{
    struct media *media = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *type = media_type(media, rows[i].name, rows[i].head, rows[i].n);
        if (strcmp(type, rows[i].type) != 0 || strcmp(media_sent_as(type), rows[i].sent_as) != 0 || media_inline(type) != rows[i].shown)
            fail_msg("row %zu: %s, sent as %s, shown %d", i, type, media_sent_as(type), media_inline(type));
    }
}

static void a_type_the_table_lacks_is_never_sent_as_itself(void **state)
{
    (void)state;
    static const char *const types[] = {"text/x-shellscript", "application/x-unheard-of", "", "text/html; charset=utf-8", "TEXT/HTML"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(media_sent_as(types[i]), UNKNOWN) != 0 || media_inline(types[i]))
            fail_msg("row %zu: %s is sent as %s", i, types[i], media_sent_as(types[i]));
    }
}

static int setup(void **state)
{
    return media_open(NULL, (struct media **)state) == E_OK ? 0 : -1;
}

static int teardown(void **state)
{
    return talloc_free(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_what_they_are_sent_as),
        cmocka_unit_test(a_type_the_table_lacks_is_never_sent_as_itself),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
