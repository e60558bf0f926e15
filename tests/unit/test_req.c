#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/req.h"

#define SESSION   "__Host-coffer"
#define DEVICE    "__Host-device"
#define MAX_GIVEN 8

static char *method = "REQUEST_METHOD=GET", *root = "REQUEST_URI=/";

/* A GET of / with these parameters besides. */
static enum err parse(const void *mem, const char *const *given, struct req **out)
{
    char **params = mem_array(mem, char *, MAX_GIVEN + 3);
    size_t n = 0;

    params[n++] = method;
    params[n++] = root;
    for (size_t i = 0; i < MAX_GIVEN && given[i] != NULL; i++)
        params[n++] = mem_str(mem, given[i]);
    return req_parse(mem, params, SESSION, DEVICE, out);
}

static enum err parse_uri(const void *mem, const char *uri, struct req **out)
{
    char *params[] = {method, mem_printf(mem, "REQUEST_URI=%s", uri), NULL};
    return req_parse(mem, params, SESSION, DEVICE, out);
}

/* Segments with '|' before each; then "/" when the path ends with one; then the query as ?name=value. */
static const struct {
    const char *uri;
    enum err want_err;
    const char *want;
} targets[] = {
    {"/", E_OK, "/"},
    {"/?", E_OK, "/"},
    {"/a", E_OK, "|a"},
    {"/a/", E_OK, "|a/"},
    {"/a/b/c", E_OK, "|a|b|c"},
    {"/a%20b/c+d", E_OK, "|a b|c+d"},
    {"/a%2Fb", E_OK, "|a/b"}, /* stays one segment, to be refused as a name */
    {"/a%5Cb", E_OK, "|a\\b"},
    {"/a\\b", E_OK, "|a\\b"},
    {"/%C3%AF", E_OK, "|\xC3\xAF"},
    {"/\xC3\xAF", E_OK, "|\xC3\xAF"},
    {"/...", E_OK, "|..."},
    {"/.a", E_OK, "|.a"},
    {"/a;b=c", E_OK, "|a;b=c"},
    {"/a?b=c&d=e%26", E_OK, "|a?b=c?d=e&"},
    {"/a?b=/../x", E_OK, "|a?b=/../x"},
    {"/a?b?c", E_OK, "|a?b?c="},
    {"/a%3Fb", E_OK, "|a?b"},

    {"", E_BAD_PATH, NULL},
    {"a", E_BAD_PATH, NULL},
    {"*", E_BAD_PATH, NULL},
    {"?a", E_BAD_PATH, NULL},
    {"http://a/b", E_BAD_PATH, NULL},
    {"//", E_BAD_PATH, NULL},
    {"//a", E_BAD_PATH, NULL},
    {"/a//b", E_BAD_PATH, NULL},
    {"/a//", E_BAD_PATH, NULL},
    {"/.", E_BAD_PATH, NULL},
    {"/..", E_BAD_PATH, NULL},
    {"/a/../b", E_BAD_PATH, NULL},
    {"/a/%2e%2E/b", E_BAD_PATH, NULL},
    {"/a/.%2e", E_BAD_PATH, NULL},
    {"/%2e/", E_BAD_PATH, NULL},
    {"/a%00", E_BAD_PATH, NULL},
    {"/a%", E_BAD_PATH, NULL},
    {"/a%4", E_BAD_PATH, NULL},
    {"/a%4/b", E_BAD_PATH, NULL},
    {"/a%zz", E_BAD_PATH, NULL},
    {"/%FF", E_BAD_PATH, NULL},
    {"/%C3/%AF", E_BAD_PATH, NULL}, /* a character does not span segments */
    {"/a b", E_BAD_PATH, NULL},
    {"/a\tb", E_BAD_PATH, NULL},
    {"/a\x7F", E_BAD_PATH, NULL},
    {"/a#b", E_BAD_PATH, NULL},
    {"/a?%00", E_BAD_REQUEST, NULL},
    {"/a?b=%FF", E_BAD_REQUEST, NULL},
    {"/a?b=%", E_BAD_REQUEST, NULL},
};

static char *target_text(const void *mem, const struct req *r)
{
    char *text = mem_str(mem, "");
    for (size_t k = 0; k < r->n_segments; k++)
        text = mem_printf(mem, "%s|%s", text, r->segments[k]);
    if (r->trailing_slash)
        text = mem_printf(mem, "%s/", text);
    for (size_t k = 0; k < r->n_query; k++)
        text = mem_printf(mem, "%s?%s=%s", text, r->query[k].name, r->query[k].value);
    return text;
}

static void takes_targets_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct req *r;
        enum err e = parse_uri(mem, targets[i].uri, &r);
        if (e != targets[i].want_err)
            fail_msg("row %zu: %s", i, err_name(e));
        if (e != E_OK)
            continue;
        assert_string_equal(r->target, targets[i].uri);
        char *text = target_text(mem, r);
        if (strcmp(text, targets[i].want) != 0)
            fail_msg("row %zu: %s", i, text);
    }
}

static void a_target_has_16_kib(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct req *r;
    char *uri = mem_array(mem, char, 16 * 1024 + 2);
    memset(uri, 'a', 16 * 1024);
    uri[0] = '/';
    assert_int_equal(parse_uri(mem, uri, &r), E_OK);
    uri[16 * 1024] = 'a';
    assert_int_equal(parse_uri(mem, uri, &r), E_URI_TOO_LONG);
    assert_int_equal(err_last(E_URI_TOO_LONG)->limit, 16 * 1024);
}

/* What is refused, or not, whatever it says. */
static const struct {
    const char *given[MAX_GIVEN];
    enum err want;
} headers[] = {
    {{NULL}, E_OK},
    {{"HTTP_HOST=a", "HTTP_HOST=a"}, E_DUPLICATE_HEADER},
    {{"HTTP_HOST=", "HTTP_HOST=a"}, E_DUPLICATE_HEADER},
    {{"HTTP_HOST=a,b"}, E_DUPLICATE_HEADER},
    {{"HTTP_HOST=a, a"}, E_DUPLICATE_HEADER},
    {{"HTTP_AUTHORIZATION=Bearer a", "HTTP_AUTHORIZATION=Bearer b"}, E_DUPLICATE_HEADER},
    {{"HTTP_AUTHORIZATION=Bearer a, Bearer b"}, E_DUPLICATE_HEADER},
    {{"HTTP_COOKIE=a=b", "HTTP_COOKIE=c=d"}, E_DUPLICATE_HEADER},
    {{"HTTP_ORIGIN=https://a", "HTTP_ORIGIN=https://a"}, E_DUPLICATE_HEADER},
    {{"HTTP_RANGE=bytes=0-1,2-3"}, E_OK},
    {{"HTTP_RANGE=bytes=0-1", "HTTP_RANGE=bytes=2-3"}, E_DUPLICATE_HEADER},
    {{"HTTP_IF_RANGE=\"a\"", "HTTP_IF_RANGE=\"a\""}, E_DUPLICATE_HEADER},
    {{"HTTP_USER_AGENT=a", "HTTP_USER_AGENT=b"}, E_DUPLICATE_HEADER},
    {{"HTTP_X_REQUESTED_WITH=a", "HTTP_X_REQUESTED_WITH=a"}, E_DUPLICATE_HEADER},
    {{"HTTP_X_NEVER_HEARD_OF=a", "HTTP_X_NEVER_HEARD_OF=a"}, E_DUPLICATE_HEADER},
    {{"HTTP_X_A=a", "HTTP_X_AB=a", "HTTP_X_=a"}, E_OK},
    {{"HTTP_X_FORWARDED_FOR=a", "HTTP_X_FORWARDED_FOR=b"}, E_OK},
    {{"HTTP_SEC_FETCH_SITE=none", "HTTP_SEC_FETCH_SITE=none"}, E_DUPLICATE_HEADER},
    {{"HTTP_SEC_FETCH_USER=?1", "HTTP_SEC_FETCH_USER=?1"}, E_DUPLICATE_HEADER},
    {{"CONTENT_TYPE=a/b", "HTTP_CONTENT_TYPE=a/b", "HTTP_CONTENT_TYPE=c/d"}, E_DUPLICATE_HEADER},
    {{"CONTENT_TYPE=a/b", "CONTENT_TYPE=a/b"}, E_DUPLICATE_HEADER},
    {{"CONTENT_TYPE=a/b, c/d"}, E_DUPLICATE_HEADER},
    {{"CONTENT_TYPE=multipart/form-data; boundary=\"a,b\""}, E_OK},
    {{"CONTENT_TYPE=a/b; c=\"d\\\",e\""}, E_OK},
    {{"CONTENT_TYPE=a/b; c=\"d\", e/f"}, E_DUPLICATE_HEADER},
    {{"CONTENT_LENGTH=1", "HTTP_CONTENT_LENGTH=1", "HTTP_CONTENT_LENGTH=1"}, E_DUPLICATE_HEADER},
    {{"CONTENT_LENGTH=1, 1"}, E_DUPLICATE_HEADER},
    {{"CONTENT_LENGTH=1", "HTTP_CONTENT_LENGTH=1"}, E_OK},
    {{"CONTENT_LENGTH=-1"}, E_BAD_REQUEST},
    {{"CONTENT_LENGTH=+1"}, E_BAD_REQUEST},
    {{"CONTENT_LENGTH= 1"}, E_BAD_REQUEST},
    {{"CONTENT_LENGTH=1x"}, E_BAD_REQUEST},
    {{"CONTENT_LENGTH=0x1"}, E_BAD_REQUEST},
    {{"CONTENT_LENGTH=9223372036854775807"}, E_OK},
    {{"CONTENT_LENGTH=9223372036854775808"}, E_BAD_REQUEST},
    {{"HTTP_ACCEPT=a/b", "HTTP_ACCEPT=c/d"}, E_OK},
    {{"HTTP_ACCEPT_LANGUAGE=a", "HTTP_ACCEPT_LANGUAGE=b"}, E_OK},
    {{"HTTP_ACCEPT=\xFF", "HTTP_REFERER=\xFF", "HTTP_USER_AGENT=\xFF"}, E_OK},
    {{"REQUEST_URI=/a"}, E_DUPLICATE_HEADER},
    {{"COFFER_FRONT=1:a", "COFFER_FRONT=1:b"}, E_DUPLICATE_HEADER},
    {{"COFFER_PHASE="}, E_OK},
    {{"COFFER_PHASE=plain"}, E_BAD_REQUEST},
    {{"COFFER_PHASE=Commit"}, E_BAD_REQUEST},
    {{"COFFER_PHASE=commit", "COFFER_LENGTH=x"}, E_BAD_REQUEST},
    {{"COFFER_MSEC=1700000000"}, E_BAD_REQUEST},
    {{"COFFER_MSEC=.123"}, E_BAD_REQUEST},
    {{"COFFER_MSEC=1700000000.12"}, E_BAD_REQUEST},
    {{"COFFER_MSEC=-1700000000.123"}, E_BAD_REQUEST},
    {{"COFFER_MSEC=1.5.123"}, E_BAD_REQUEST},
    {{"no equals sign"}, E_OK},
    {{"=", "HTTP_X"}, E_OK},
};

static void single_headers_and_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct req *r;
        enum err e = parse(mem, headers[i].given, &r);
        if (e != headers[i].want)
            fail_msg("row %zu: %s", i, err_name(e));
    }
}

static void names_the_header_that_stands_twice(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct req *r;
    const char *given[] = {"HTTP_IF_RANGE=a", "HTTP_IF_RANGE=b", NULL};
    assert_int_equal(parse(mem, given, &r), E_DUPLICATE_HEADER);
    assert_non_null(strstr(err_last(E_DUPLICATE_HEADER)->say, " if-range "));
}

static void methods(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err want_err;
        enum method want;
    } rows[] = {
        {"GET", E_OK, GET},         {"HEAD", E_OK, HEAD},        {"POST", E_OK, POST},
        {"PUT", E_OK, PUT},         {"PATCH", E_OK, PATCH},      {"DELETE", E_OK, DELETE},
        {"OPTIONS", E_OK, OPTIONS}, {"get", E_OK, METHOD_OTHER}, {"PROPFIND", E_OK, METHOD_OTHER},
        {"", E_BAD_REQUEST, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        char *params[] = {mem_printf(mem, "REQUEST_METHOD=%s", rows[i].text), root, NULL};
        struct req *r;
        enum err e = req_parse(mem, params, SESSION, DEVICE, &r);
        if (e != rows[i].want_err ||
            (e == E_OK && (r->method != rows[i].want || strcmp(r->method_text, rows[i].text) != 0)))
            fail_msg("row %zu: %s", i, err_name(e));
    }
}

static void lengths_and_phases(void **state)
{
    (void)state;
    static const struct {
        const char *given[MAX_GIVEN];
        enum phase phase;
        int64_t length;
    } rows[] = {
        {{NULL}, PHASE_PLAIN, 0},
        {{"CONTENT_LENGTH="}, PHASE_PLAIN, 0},
        {{"CONTENT_LENGTH=7"}, PHASE_PLAIN, 7},
        {{"CONTENT_LENGTH=0"}, PHASE_PLAIN, 0},
        {{"HTTP_TRANSFER_ENCODING=chunked"}, PHASE_PLAIN, -1},
        {{"CONTENT_LENGTH=", "HTTP_TRANSFER_ENCODING=chunked"}, PHASE_PLAIN, -1},
        {{"CONTENT_LENGTH=7", "HTTP_TRANSFER_ENCODING=chunked"},
         PHASE_PLAIN,
         7}, /* counted by the web server */
        {{"CONTENT_LENGTH=7", "COFFER_LENGTH=9"}, PHASE_PLAIN, 7},
        {{"COFFER_PHASE=reserve", "COFFER_LENGTH=9"}, PHASE_RESERVE, 9},
        {{"COFFER_PHASE=reserve", "COFFER_LENGTH=9", "CONTENT_LENGTH=7"}, PHASE_RESERVE, 9},
        {{"COFFER_PHASE=reserve", "COFFER_LENGTH="}, PHASE_RESERVE, -1},
        {{"COFFER_PHASE=commit", "COFFER_LENGTH=0"}, PHASE_COMMIT, 0},
        {{"COFFER_PHASE=commit"}, PHASE_COMMIT, -1},
        {{"COFFER_PHASE=disk-full"}, PHASE_DISK_FULL, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct req *r;
        assert_int_equal(parse(mem, rows[i].given, &r), E_OK);
        if (r->phase != rows[i].phase || r->length != rows[i].length)
            fail_msg("row %zu: phase %d length %jd", i, (int)r->phase, (intmax_t)r->length);
    }
}

static void what_the_web_server_tells(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct req *r;
    const char *given[] = {
        "COFFER_FRONT=1:key",    "COFFER_SEND=x-accel-redirect", "COFFER_BODY_FILE=/i/0000000001",
        "COFFER_UPLOAD=ab12",    "COFFER_MSEC=1700000000.123",   "HTTPS=on",
        "REMOTE_ADDR=192.0.2.7", "CONTENT_TYPE=text/plain",      NULL};
    assert_int_equal(parse(mem, given, &r), E_OK);
    assert_string_equal(r->front, "1:key");
    assert_string_equal(r->hands, "x-accel-redirect");
    assert_string_equal(r->body_file, "/i/0000000001");
    assert_string_equal(r->upload, "ab12");
    assert_int_equal(r->queued_ms, 1700000000123);
    assert_true(r->https);
    assert_string_equal(r->address, "192.0.2.7");
    assert_string_equal(r->content_type, "text/plain");
}

static void what_it_does_not_tell(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct req *r;
    const char *given[] = {
        "HTTP_HOST=", "HTTP_AUTHORIZATION=", "HTTP_RANGE=", "CONTENT_TYPE=", "COFFER_MSEC=", "HTTPS=", NULL};
    assert_int_equal(parse(mem, given, &r), E_OK);
    assert_string_equal(r->front, "");
    assert_string_equal(r->hands, "");
    assert_string_equal(r->body_file, "");
    assert_string_equal(r->upload, "");
    assert_string_equal(r->address, "");
    assert_int_equal(r->queued_ms, 0);
    assert_false(r->https);
    assert_null(r->host);
    assert_null(r->authorization);
    assert_null(r->range);
    assert_null(r->content_type);
    assert_null(r->user_agent);
    assert_null(r->cookie_session);
}

static void headers_of_lists_are_joined(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct req *r;
    const char *given[] = {"HTTP_IF_NONE_MATCH=\"a\"", "HTTP_ACCEPT=text/html",    "HTTP_IF_NONE_MATCH=\"b\"",
                           "HTTP_IF_MATCH=\"c\"",      "HTTP_IF_NONE_MATCH=\"d\"", NULL};
    assert_int_equal(parse(mem, given, &r), E_OK);
    assert_string_equal(r->if_none_match, "\"a\", \"b\", \"d\"");
    assert_string_equal(r->if_match, "\"c\"");
    assert_string_equal(r->accept, "text/html");
}

static const struct {
    const char *cookie;
    enum err want_err;
    const char *session, *device;
} cookies[] = {
    {"a=b", E_OK, NULL, NULL},
    {SESSION "=v", E_OK, "v", NULL},
    {"a=b; " SESSION "=v; c=d", E_OK, "v", NULL},
    {"a=b;" SESSION "=v ;c=d", E_OK, "v", NULL},
    {SESSION "=v; " DEVICE "=w", E_OK, "v", "w"},
    {SESSION "=", E_OK, "", NULL},
    {SESSION "=a=b", E_OK, "a=b", NULL},
    {SESSION, E_OK, NULL, NULL},
    {"x" SESSION "=v", E_OK, NULL, NULL},
    {SESSION "x=v", E_OK, NULL, NULL},
    {"__host-coffer=v", E_OK, NULL, NULL},
    {"a=" SESSION "=v", E_OK, NULL, NULL},
    {"a=b," SESSION "=v", E_OK, NULL, NULL}, /* a part of another cookie's value */
    {";;; ", E_OK, NULL, NULL},
    {SESSION "=v; " SESSION "=w", E_DUPLICATE_HEADER, NULL, NULL},
    {SESSION "=v; " SESSION "=v", E_DUPLICATE_HEADER, NULL, NULL},
    {SESSION "=v; a=b;" SESSION "=", E_DUPLICATE_HEADER, NULL, NULL},
    {DEVICE "=v; " DEVICE "=w", E_OK, NULL, NULL},
};

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void finds_its_cookies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct req *r;
        const char *given[] = {mem_printf(mem, "HTTP_COOKIE=%s", cookies[i].cookie), NULL};
        enum err e = parse(mem, given, &r);
        if (e != cookies[i].want_err)
            fail_msg("row %zu: %s", i, err_name(e));
        if (e == E_OK &&
            !(same(r->cookie_session, cookies[i].session) && same(r->cookie_device, cookies[i].device)))
            fail_msg("row %zu: %s %s", i, r->cookie_session, r->cookie_device);
    }
}

static const struct {
    const char *sent, *want;
} agents[] = {
    {"curl/7.88.1", "curl/7.88.1"},
    {"na\xC3\xAFve", "na\xC3\xAFve"},
    {"a\xFF"
     "b",
     "a\xEF\xBF\xBD"
     "b"},
    {"\xC3", "\xEF\xBF\xBD"},
    {"a\tb\x7F", "a\xEF\xBF\xBD"
                 "b\xEF\xBF\xBD"},
    {"a\xE2\x80\xAE"
     "b",
     "a\xEF\xBF\xBD"
     "b"}, /* right-to-left override */
    {"a\xC2\x85"
     "b",
     "a\xEF\xBF\xBD"
     "b"},
    {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
};

static void shows_any_user_agent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct req *r;
        const char *given[] = {mem_printf(mem, "HTTP_USER_AGENT=%s", agents[i].sent), NULL};
        assert_int_equal(parse(mem, given, &r), E_OK);
        if (strcmp(r->user_agent, agents[i].want) != 0)
            fail_msg("row %zu: %s", i, r->user_agent);
    }
}

static const struct {
    const char *accept;
    bool want;
} accepts[] = {
    {NULL, false},
    {"text/html", true},
    {"TEXT/HTML", true},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true},
    {"application/json, text/html", true},
    {"application/json;q=0.5 , text/html ; q=0.1", true},
    {"text/html;level=1;q=0.001", true},
    {"text/html;q=1", true},
    {"text/html;q=0", false},
    {"text/html; Q=0.000", false},
    {"text/html;q=0, text/html", true},
    {"text/html;q=0,q=1", false},
    {"*/*", false},
    {"text/*", false},
    {"application/json", false},
    {"text/html5", false},
    {"xtext/html", false},
    {"application/json;x=text/html", false},
    {"", false},
    {",,", false},
};

static void a_browser_asks_for_html(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++) {
        struct req r = {.accept = accepts[i].accept};
        if (req_wants_html(&r) != accepts[i].want)
            fail_msg("row %zu", i);
    }
}

static void a_program_asks_for_json(void **state)
{
    static const struct { const char *accept; bool want; } asked[] = {
        {NULL, false},
        {"*/*", false},
        {"application/json", true},
        {"Application/JSON;q=0.3, */*", true},
        {"text/html, application/json", true},
        {"application/json;q=0", false},
        {"application/json5", false},
        {"text/html", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct req r = {.accept = asked[i].accept};
        if (req_wants_json(&r) != asked[i].want)
            fail_msg("row %zu", i);
    }
}

static void query_values_by_name(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct req *r;
    assert_int_equal(parse_uri(mem, "/?b=2&a=1&a=3&c", &r), E_OK);
    assert_string_equal(req_query(r, "a"), "1");
    assert_string_equal(req_query(r, "b"), "2");
    assert_string_equal(req_query(r, "c"), "");
    assert_null(req_query(r, "d"));
}

static void has_a_limit_of_headers(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char **params = mem_array(mem, char *, 1001);
    struct req *r;
    params[0] = method;
    params[1] = root;
    for (size_t i = 2; i < 400; i++)
        params[i] = mem_printf(mem, "HTTP_X_%zu=a", i);
    assert_int_equal(req_parse(mem, params, SESSION, DEVICE, &r), E_OK);
    for (size_t i = 400; i < 1000; i++)
        params[i] = mem_printf(mem, "HTTP_X_%zu=a", i);
    assert_int_equal(req_parse(mem, params, SESSION, DEVICE, &r), E_BAD_REQUEST);
}

static void owns_its_strings(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char *params[] = {mem_str(mem, "REQUEST_METHOD=PUT"), mem_str(mem, "REQUEST_URI=/a?b=c"),
                      mem_str(mem, "HTTP_HOST=h"), NULL};
    struct req *r;
    assert_int_equal(req_parse(mem, params, SESSION, DEVICE, &r), E_OK);
    for (size_t i = 0; params[i] != NULL; i++)
        memset(params[i], '!', strlen(params[i]));
    assert_string_equal(r->method_text, "PUT");
    assert_string_equal(r->target, "/a?b=c");
    assert_string_equal(r->segments[0], "a");
    assert_string_equal(r->host, "h");
    assert_string_equal(r->query[0].value, "c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_targets_apart),
        cmocka_unit_test(a_target_has_16_kib),
        cmocka_unit_test(single_headers_and_numbers),
        cmocka_unit_test(names_the_header_that_stands_twice),
        cmocka_unit_test(methods),
        cmocka_unit_test(lengths_and_phases),
        cmocka_unit_test(what_the_web_server_tells),
        cmocka_unit_test(what_it_does_not_tell),
        cmocka_unit_test(headers_of_lists_are_joined),
        cmocka_unit_test(finds_its_cookies),
        cmocka_unit_test(shows_any_user_agent),
        cmocka_unit_test(a_browser_asks_for_html),
        cmocka_unit_test(a_program_asks_for_json),
        cmocka_unit_test(query_values_by_name),
        cmocka_unit_test(has_a_limit_of_headers),
        cmocka_unit_test(owns_its_strings),
    };
    return cmocka_run_group_tests_name("req", tests, NULL, NULL);
}
