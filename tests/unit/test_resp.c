#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/resp.h"

static void writes_a_head_in_cgi_form(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct resp r;
    struct buf out;
    resp_init(&r, mem);
    buf_init(&out, mem, 1024);
    r.status = 404;
    assert_int_equal(resp_header(&r, "Content-Length", "%d", 12), E_OK);
    assert_int_equal(resp_header(&r, "X-Tab", "a\tb \xC3\xAF"), E_OK);
    assert_int_equal(resp_header(&r, "X-Empty", "%s", ""), E_OK);
    resp_head_text(&r, &out);
    assert_string_equal(out.data, "Status: 404 Not Found\r\n"
                                  "Content-Length: 12\r\nX-Tab: a\tb \xC3\xAF\r\nX-Empty: \r\n\r\n");
}

static const struct {
    const char *name, *value;
} refused[] = {
    {"X-A", "a\r\nSet-Cookie: b"},
    {"X-A", "a\n"},
    {"X-A", "\r"},
    {"X-A", "\x01"},
    {"X-A", "\x1F"},
    {"X-A", "a\x7F"},
    {"X A", "a"},
    {"X-A:", "a"},
    {"", "a"},
    {"X-A\r\nX-B", "a"},
    {"X-\xC3\xAF", "a"},
};

static void nothing_splits_the_response(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct resp r;
        resp_init(&r, mem);
        if (resp_header(&r, refused[i].name, "%s", refused[i].value) != E_INTERNAL || r.head.len != 0)
            fail_msg("row %zu: %s", i, r.head.data);
    }
}

static void every_byte_below_blank_is_refused_but_tab(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    for (int c = 1; c < 256; c++) {
        struct resp r;
        resp_init(&r, mem);
        bool good = c == '\t' || (c >= 0x20 && c != 0x7F);
        if ((resp_header(&r, "X-A", "a%cb", c) == E_OK) != good)
            fail_msg("byte %d", c);
    }
}

static void a_head_has_a_ceiling_and_no_half_lines(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct resp r;
    resp_init(&r, mem);
    size_t before = 0, lines = 0;
    while (resp_header(&r, "X-A", "%01000d", 1) == E_OK) {
        before = r.head.len;
        assert_true(++lines < 100);
    }
    assert_true(lines > 1);
    assert_int_equal(r.head.len, before);
    assert_memory_equal(r.head.data + r.head.len - 3, "1\r\n", 3);
}

static void cleared_it_is_new(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct resp r;
    struct buf out;
    resp_init(&r, mem);
    buf_init(&out, mem, 1024);
    r.status = 201;
    r.body = "x";
    r.body_len = 1;
    assert_int_equal(resp_header(&r, "X-A", "a"), E_OK);
    resp_clear(&r);
    assert_null(r.body);
    assert_int_equal(r.body_len, 0);
    resp_head_text(&r, &out);
    assert_string_equal(out.data, "Status: 200 OK\r\n\r\n");
}

static void every_error_has_a_reason(void **state)
{
    (void)state;
    for (enum err e = 0; e < E_COUNT; e++) {
        if (strcmp(resp_reason(err_status(e)), "Unknown") == 0)
            fail_msg("%s: %u", err_name(e), err_status(e));
    }
    assert_string_equal(resp_reason(416), "Range Not Satisfiable");
    assert_string_equal(resp_reason(799), "Unknown");
}

static const struct {
    const char *name;
    int attachment;
    const char *want;
} dispositions[] = {
    {"a.txt", 1, "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt"},
    {"a.txt", 0, "inline; filename=\"a.txt\"; filename*=UTF-8''a.txt"},
    {"my file_-.z", 1, "attachment; filename=\"my file_-.z\"; filename*=UTF-8''my%20file_-.z"},
    {"na\xC3\xAFve.txt", 1, "attachment; filename=\"na_ve.txt\"; filename*=UTF-8''na%C3%AFve.txt"},
    {"\xF0\x9F\x98\x80", 1, "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80"},
    {"a\"b\\c", 1, "attachment; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc"},
    {"a\r\nb;c", 1, "attachment; filename=\"a__b_c\"; filename*=UTF-8''a%0D%0Ab%3Bc"},
    {"100%'*", 1, "attachment; filename=\"100___\"; filename*=UTF-8''100%25%27%2A"},
};

static void disposition(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dispositions / sizeof *dispositions; i++) {
        CLEANUP(free_mem)
        char *got = resp_disposition(NULL, dispositions[i].name, dispositions[i].attachment);
        if (strcmp(got, dispositions[i].want) != 0)
            fail_msg("row %zu: %s", i, got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_head_in_cgi_form),
        cmocka_unit_test(nothing_splits_the_response),
        cmocka_unit_test(every_byte_below_blank_is_refused_but_tab),
        cmocka_unit_test(a_head_has_a_ceiling_and_no_half_lines),
        cmocka_unit_test(cleared_it_is_new),
        cmocka_unit_test(every_error_has_a_reason),
        cmocka_unit_test(disposition),
    };
    return cmocka_run_group_tests_name("resp", tests, NULL, NULL);
}
