#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "meta/cursor.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))
#define ID          "00112233445566778899aabbccddeeff"

static void what_was_written_is_read(void **state)
{
    static const struct { enum node_sort sort; bool descending; struct node node; const char *text; int64_t number; } rows[] = {
        {SORT_NAME, false, {.kind = NODE_FILE, .key = "a.txt"}, "a.txt", 0},
        {SORT_NAME, true, {.kind = NODE_FOLDER, .key = ""}, "", 0},
        {SORT_NAME, false, {.kind = NODE_FILE, .key = "\xc3\xa4 \xf0\x9f\x98\x80 \"/?"}, "\xc3\xa4 \xf0\x9f\x98\x80 \"/?", 0},
        {SORT_TYPE, false, {.kind = NODE_FILE, .type = "text/plain"}, "text/plain", 0},
        {SORT_TYPE, true, {.kind = NODE_FOLDER, .type = ""}, "", 0},
        {SORT_SIZE, false, {.kind = NODE_FILE, .size = INT64_MAX}, NULL, INT64_MAX},
        {SORT_SIZE, true, {.kind = NODE_FOLDER, .size = 0}, NULL, 0},
        {SORT_MODIFIED, false, {.kind = NODE_FILE, .modified_ms = INT64_MIN}, NULL, INT64_MIN},
        {SORT_MODIFIED, true, {.kind = NODE_FILE, .modified_ms = -1}, NULL, -1},
    };
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct node_query q = {.sort = rows[i].sort, .descending = rows[i].descending};
        struct node node = rows[i].node;
        struct cursor got;
        node.id = (struct id){ID};
        q.after = cursor_text(mem, &q, &node);
        if (strspn(q.after, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(q.after))
            fail_msg("row %zu: %s does not fit into an address", i, q.after);
        if (cursor_parse(mem, &q, &got) != E_OK)
            fail_msg("row %zu: %s", i, q.after);
        if (got.kind != node.kind || strcmp(got.id.s, ID) != 0)
            fail_msg("row %zu: kind %d, id %s", i, got.kind, got.id.s);
        if (rows[i].text != NULL ? strcmp(got.text, rows[i].text) != 0 : got.number != rows[i].number)
            fail_msg("row %zu: %s, %lld", i, got.text, (long long)got.number);
    }
}

static void what_we_did_not_write_is_refused(void **state)
{
    static const struct { enum node_sort sort; const char *plain; size_t len; } rows[] = {
        {SORT_NAME, "", 0},
        {SORT_NAME, "1nai", 4},
        {SORT_NAME, "1nai" ID, 35},                       /* the id is cut */
        {SORT_NAME, "2nai" ID "a", 37},                   /* another format */
        {SORT_NAME, "1sai" ID "a", 37},                   /* another sort */
        {SORT_NAME, "1ndi" ID "a", 37},                   /* another order */
        {SORT_NAME, "1nax" ID "a", 37},                   /* no kind */
        {SORT_NAME, "1nai00112233445566778899aabbccddeefg" "a", 37},
        {SORT_NAME, "1nai00112233445566778899AABBCCDDEEFF" "a", 37},
        {SORT_NAME, "1nai" ID "a\0b", 39},
        {SORT_NAME, "1nai" ID "\xff", 37},
        {SORT_SIZE, "1sai" ID, 36},
        {SORT_SIZE, "1sai" ID "x", 37},
        {SORT_SIZE, "1sai" ID "1 ", 38},
        {SORT_SIZE, "1sai" ID "9223372036854775808", 55},
    };
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        char text[128];
        struct cursor got;
        sodium_bin2base64(text, sizeof text, (const unsigned char *)rows[i].plain, rows[i].len,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        const struct node_query q = {.sort = rows[i].sort, .after = text};
        enum err e = cursor_parse(mem, &q, &got);
        if (e != E_BAD_CURSOR)
            fail_msg("row %zu: %s", i, err_name(e));
    }
}

static void what_is_no_base64url_is_refused(void **state)
{
    static const char *const rows[] = {"?", "MW5haQ==", "MW5h aQ", "MW5ha+", "MW5ha/", "A", "\xc3\xa4", "MW5haQ\n"};
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct cursor got;
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct node_query q = {.sort = SORT_NAME, .after = rows[i]};
        if (cursor_parse(mem, &q, &got) != E_BAD_CURSOR)
            fail_msg("row %zu", i);
    }
    char *much = mem_array(mem, char, 1 << 20);
    memset(much, 'A', (1 << 20) - 1);
    const struct node_query q = {.sort = SORT_NAME, .after = much};
    assert_int_equal(cursor_parse(mem, &q, &got), E_BAD_CURSOR);
}

/* The longest key there can be: a name of 255 bytes that folding makes longer. */
static void the_longest_key_fits(void **state)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char *key = mem_array(mem, char, 255 * 3 + 1);
    (void)state;
    memset(key, 'k', 255 * 3);
    const struct node node = {.id = {ID}, .kind = NODE_FILE, .key = key};
    struct node_query q = {.sort = SORT_NAME};
    struct cursor got;
    q.after = cursor_text(mem, &q, &node);
    assert_int_equal(cursor_parse(mem, &q, &got), E_OK);
    assert_string_equal(got.text, key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(what_we_did_not_write_is_refused),
        cmocka_unit_test(what_is_no_base64url_is_refused),
        cmocka_unit_test(the_longest_key_fits),
    };
    return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}
