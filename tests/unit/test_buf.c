#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

/* Pieces added one by one below a ceiling, and what is kept. */
static const struct {
    size_t max;
    const char *pieces[4];
    const char *want;
    bool over;
} rows[] = {
    {10, {NULL}, "", false},
    {10, {"abc", "def", NULL}, "abcdef", false},
    {6, {"abc", "def", NULL}, "abcdef", false},
    {5, {"abc", "def", NULL}, "abcde", true},
    {5, {"abc", "def", "g", NULL}, "abcde", true},
    {3, {"abc", "", NULL}, "abc", false},
    {0, {"", NULL}, "", false},
    {0, {"a", NULL}, "", true},
};

static void add_str(struct buf *b, const char *piece)
{
    buf_str(b, piece);
}

static void add_chars(struct buf *b, const char *piece)
{
    while (*piece != '\0')
        buf_char(b, *piece++);
}

static void add_printf(struct buf *b, const char *piece)
{
    buf_printf(b, "%s", piece);
}

static void (*const ways[])(struct buf *, const char *) = {add_str, add_chars, add_printf};

static void the_ceiling_holds_whichever_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
            void *ctx = talloc_new(NULL);
            struct buf b;
            buf_init(&b, ctx, rows[i].max);
            for (const char *const *piece = rows[i].pieces; *piece != NULL; piece++)
                ways[w](&b, *piece);
            if (strcmp(b.data, rows[i].want) != 0 || b.len != strlen(rows[i].want))
                fail_msg("row %zu, way %zu: '%s'", i, w, b.data);
            if (buf_ok(&b) != (rows[i].over ? E_TOO_LARGE : E_OK))
                fail_msg("row %zu, way %zu: over", i, w);
            talloc_free(ctx);
        }
    }
}

static void it_grows_to_the_ceiling_and_not_beyond(void **state)
{
    void *ctx = talloc_new(NULL);
    struct buf b;
    (void)state;
    buf_init(&b, ctx, 100000);
    for (size_t i = 0; i < 100000; i++) {
        buf_char(&b, (char)('a' + i % 26));
        assert_int_equal(b.data[b.len], 0);
    }
    assert_int_equal(buf_ok(&b), E_OK);
    assert_true(b.cap <= 100001 && b.cap == talloc_get_size(b.data));
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    buf_char(&b, 'x');
    assert_int_equal(buf_ok(&b), E_TOO_LARGE);
    assert_int_equal(err_last(E_TOO_LARGE)->limit, 100000);
    talloc_free(ctx);
}

static void bytes_are_bytes(void **state)
{
    void *ctx = talloc_new(NULL);
    struct buf b;
    (void)state;
    buf_init(&b, ctx, SIZE_MAX);
    buf_add(&b, "a\0b", 3);
    buf_add(&b, NULL, 0);
    buf_printf(&b, "%s", "");
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    errno = ENOENT;
    buf_printf(&b, " %200d %m", 7); /* long enough to need more memory before errno is used */
    assert_non_null(strstr(b.data + 4, "7 No such file or directory"));
    talloc_free(ctx);
}

static void reset_begins_again_in_the_same_memory(void **state)
{
    void *ctx = talloc_new(NULL);
    struct buf b;
    (void)state;
    buf_init(&b, ctx, 4);
    buf_str(&b, "abcdef");
    char *data = b.data;
    buf_reset(&b);
    assert_int_equal(buf_ok(&b), E_OK);
    assert_string_equal(b.data, "");
    buf_str(&b, "wxyz");
    assert_string_equal(b.data, "wxyz");
    assert_ptr_equal(b.data, data);
    talloc_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_holds_whichever_way),
        cmocka_unit_test(it_grows_to_the_ceiling_and_not_beyond),
        cmocka_unit_test(bytes_are_bytes),
        cmocka_unit_test(reset_begins_again_in_the_same_memory),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
