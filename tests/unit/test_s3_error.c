/* What S3 says, and what becomes of it: the kind of trouble, the error, the words for the log and for people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "blob/s3_error.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))
#define NOW_MS INT64_C(1369353600000) /* Fri, 24 May 2013 00:00:00 GMT */
#define ERROR(code) "<?xml version=\"1.0\"?><Error><Code>" code "</Code><Message>some words</Message><RequestId>r</RequestId></Error>"

static const struct {
    enum http_fault fault;
    unsigned status;
    const char *method, *head, *body, *name;
    enum err e;
    bool retry;
} rows[] = {
    {HTTP_FINE, 200, "GET", "", "", "fine", E_OK, false},
    {HTTP_FINE, 204, "DELETE", "", "", "fine", E_OK, false},
    {HTTP_FINE, 404, "GET", "", ERROR("NoSuchKey"), "missing", E_NOT_FOUND, false},
    {HTTP_FINE, 404, "HEAD", "", "", "missing", E_NOT_FOUND, false},
    {HTTP_FINE, 404, "GET", "", "<html>not found</html>", "nonsense", E_STORE_DOWN, false},
    {HTTP_FINE, 404, "GET", "", "", "nonsense", E_STORE_DOWN, false},
    {HTTP_FINE, 404, "GET", "", ERROR("NoSuchBucket"), "no-such-bucket", E_STORE_REFUSED, false},
    {HTTP_FINE, 404, "PUT", "", ERROR("NoSuchUpload"), "no-such-upload", E_IO, false},
    {HTTP_FINE, 403, "GET", "", ERROR("AccessDenied"), "access-denied", E_STORE_REFUSED, false},
    {HTTP_FINE, 403, "HEAD", "", "", "access-denied", E_STORE_REFUSED, false},
    {HTTP_FINE, 403, "GET", "", ERROR("InvalidAccessKeyId"), "unknown-key", E_STORE_REFUSED, false},
    {HTTP_FINE, 403, "GET", "", ERROR("SignatureDoesNotMatch"), "wrong-secret", E_STORE_REFUSED, false},
    {HTTP_FINE, 400, "GET", "", ERROR("ExpiredToken"), "expired-token", E_STORE_REFUSED, false},
    {HTTP_FINE, 403, "GET", "date: Fri, 24 May 2013 00:20:00 GMT\n", ERROR("RequestTimeTooSkewed"), "clock-skew", E_STORE_REFUSED, false},
    {HTTP_FINE, 301, "GET", "x-amz-bucket-region: eu-west-1\n", ERROR("PermanentRedirect"), "wrong-region", E_STORE_REFUSED, false},
    {HTTP_FINE, 301, "HEAD", "x-amz-bucket-region: eu-west-1\n", "", "wrong-region", E_STORE_REFUSED, false},
    {HTTP_FINE, 400, "GET", "", ERROR("AuthorizationHeaderMalformed"), "wrong-region", E_STORE_REFUSED, false},
    {HTTP_FINE, 503, "GET", "retry-after: 7\n", ERROR("SlowDown"), "slow-down", E_STORE_DOWN, true},
    {HTTP_FINE, 503, "GET", "", "", "slow-down", E_STORE_DOWN, true},
    {HTTP_FINE, 429, "GET", "", "busy", "slow-down", E_STORE_DOWN, true},
    {HTTP_FINE, 500, "PUT", "", ERROR("InternalError"), "server-error", E_STORE_DOWN, true},
    {HTTP_FINE, 502, "PUT", "", "<html>", "server-error", E_STORE_DOWN, true},
    {HTTP_FINE, 400, "PUT", "", ERROR("RequestTimeout"), "cut", E_STORE_DOWN, true},
    {HTTP_FINE, 400, "PUT", "", ERROR("XAmzContentSHA256Mismatch"), "damaged-on-the-way", E_IO, true},
    {HTTP_FINE, 412, "PUT", "", ERROR("PreconditionFailed"), "taken", E_IO, false},
    {HTTP_FINE, 409, "PUT", "", ERROR("ConditionalRequestConflict"), "conflict", E_STORE_DOWN, true},
    {HTTP_FINE, 501, "PUT", "", ERROR("NotImplemented"), "not-implemented", E_STORE_REFUSED, false},
    {HTTP_FINE, 403, "PUT", "", ERROR("QuotaExceeded"), "full", E_DISK_FULL, false},
    {HTTP_FINE, 418, "GET", "", "tea", "nonsense", E_STORE_DOWN, false},
    {HTTP_FINE, 400, "GET", "", "<!DOCTYPE x [<!ENTITY a 'NoSuchKey'>]><Error><Code>&a;</Code></Error>", "nonsense", E_STORE_DOWN, false},
    {HTTP_DNS, 0, "GET", "", "", "name-not-found", E_STORE_DOWN, true},
    {HTTP_CONNECT, 0, "GET", "", "", "no-connection", E_STORE_DOWN, true},
    {HTTP_TLS, 0, "GET", "", "", "tls", E_STORE_DOWN, false},
    {HTTP_TIMEOUT, 0, "GET", "", "", "timeout", E_STORE_DOWN, true},
    {HTTP_CUT, 200, "GET", "", "", "cut", E_STORE_DOWN, true},
};

static void make_call(const void *mem, size_t i, struct http_call *call)
{
    http_call_init(call, mem);
    call->method = rows[i].method;
    call->fault = rows[i].fault;
    call->status = rows[i].status;
    buf_str(&call->head, rows[i].head);
    buf_str(&call->answer, rows[i].body);
}

static void every_answer_has_its_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct http_call call;
        struct s3_fault fault;
        make_call(mem, i, &call);
        s3_judge(&call, NOW_MS, &fault);
        if (strcmp(s3_trouble_name(fault.trouble), rows[i].name) != 0 || s3_may_retry(fault.trouble) != rows[i].retry)
            fail_msg("row %zu: %s", i, s3_trouble_name(fault.trouble));
        if (fault.trouble != S3_FINE && s3_fail(&fault, "get", "x") != rows[i].e)
            fail_msg("row %zu: error", i);
    }
}

static const struct err_info *told(const char *name)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct http_call call;
        struct s3_fault fault;
        if (strcmp(rows[i].name, name) != 0)
            continue;
        make_call(mem, i, &call);
        s3_judge(&call, NOW_MS, &fault);
        return err_last(s3_fail(&fault, "put", "blobs/1"));
    }
    fail_msg("no row %s", name);
    return NULL;
}

static void the_log_is_told_all_of_it(void **state)
{
    (void)state;
    assert_string_equal(told("access-denied")->detail, "S3: put blobs/1: access-denied (status 403) AccessDenied: some words");
    assert_non_null(strstr(told("wrong-region")->detail, "its region is eu-west-1"));
    assert_non_null(strstr(told("clock-skew")->detail, "our clock is 1200 s behind"));
    assert_int_equal(told("slow-down")->retry_after_s, 7);
    assert_int_equal(told("no-connection")->retry_after_s, 2);
}

/* Each kind of trouble that an administrator can cure has a sentence of its own. */
static void people_are_told_apart_too(void **state)
{
    char seen[ROWS(rows)][256];
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        if (rows[i].e != E_STORE_REFUSED || (i > 0 && strcmp(rows[i].name, rows[i - 1].name) == 0))
            continue;
        snprintf(seen[n], sizeof *seen, "%s", told(rows[i].name)->say);
        assert_true(seen[n][0] != '\0' && strstr(seen[n], "some words") == NULL);
        for (size_t j = 0; j < n; j++)
            if (strcmp(seen[j], seen[n]) == 0 && strcmp(rows[i].name, "wrong-region") != 0)
                fail_msg("row %zu: %s", i, seen[n]);
        n++;
    }
    assert_true(n >= 8);
}

static void a_200_with_an_error_in_it_is_an_error(void **state)
{
    static const struct { const char *body; const char *name; } bodies[] = {
        {ERROR("InternalError"), "server-error"},
        {ERROR("NoSuchUpload"), "no-such-upload"},
        {ERROR("SomethingNew"), "nonsense"},
        {"", "nonsense"},
        {"<Other/>", "nonsense"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(bodies); i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct http_call call;
        struct s3_fault fault = {0};
        http_call_init(&call, mem);
        call.status = 200;
        buf_str(&call.answer, bodies[i].body);
        s3_judge_body(&call, &fault);
        if (strcmp(s3_trouble_name(fault.trouble), bodies[i].name) != 0)
            fail_msg("row %zu: %s", i, s3_trouble_name(fault.trouble));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_its_meaning),
        cmocka_unit_test(the_log_is_told_all_of_it),
        cmocka_unit_test(people_are_told_apart_too),
        cmocka_unit_test(a_200_with_an_error_in_it_is_an_error),
    };
    return cmocka_run_group_tests_name("s3_error", tests, NULL, NULL);
}
