/* The examples that AWS publishes ("Signature Calculations for the Authorization Header", "Authenticating Requests: Using
 * Query Parameters"), and what encoding and order do to odd keys and queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "blob/s3_sign.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))

static const struct s3_keys keys = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
static const struct s3_scope scope = {"us-east-1", INT64_C(1369353600000)}; /* 2013-05-24T00:00:00Z */
#define HOST "examplebucket.s3.amazonaws.com"

static const struct {
    const char *method, *path;
    struct s3_pair query[3], headers[4];
    const char *payload, *names, *want;
} examples[] = {
    {"GET", "/test.txt", {{0}}, {{"Range", "bytes=0-9"}}, S3_EMPTY, "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT", "/test$file.text", {{0}}, {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET", "/", {{"lifecycle", ""}}, {{0}}, S3_EMPTY, "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET", "/", {{"max-keys", "2"}, {"prefix", "J"}}, {{0}}, S3_EMPTY, "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    {"GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {{0}}, S3_EMPTY, "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static size_t count(const struct s3_pair *pairs, size_t most)
{
    size_t n = 0;
    while (n < most && pairs[n].name != NULL)
        n++;
    return n;
}

static void the_published_examples_give_their_signatures(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(examples); i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct s3_pair out[S3_SIGNED_MAX];
        struct s3_request r = {
            .method = examples[i].method, .host = HOST, .path = examples[i].path,
            .query = examples[i].query, .n_query = count(examples[i].query, 3),
            .headers = examples[i].headers, .n_headers = count(examples[i].headers, 4), .payload = examples[i].payload,
        };
        s3_sign(mem, &r, &keys, &scope, out);
        const char *want = mem_printf(mem, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                                           "SignedHeaders=%s,Signature=%s", examples[i].names, examples[i].want);
        if (strcmp(out[2].value, want) != 0 || out[3].name != NULL)
            fail_msg("row %zu: %s", i, out[2].value);
        assert_string_equal(out[0].value, examples[i].payload);
        assert_string_equal(out[1].value, "20130524T000000Z");
    }
}

static void the_published_presigned_address(void **state)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct s3_request r = {.method = "GET", .host = HOST, .path = "/test.txt"};
    (void)state;
    assert_string_equal(
        s3_presign(mem, &r, &keys, &scope, 86400),
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

static void a_session_token_is_sent_and_signed(void **state)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct s3_keys temporary = keys;
    struct s3_pair out[S3_SIGNED_MAX];
    struct s3_request r = {.method = "GET", .host = HOST, .path = "/", .payload = S3_EMPTY};
    (void)state;
    temporary.token = "a/token+of==";
    s3_sign(mem, &r, &temporary, &scope, out);
    assert_string_equal(out[2].name, "x-amz-security-token");
    assert_string_equal(out[2].value, "a/token+of==");
    assert_non_null(strstr(out[3].value, "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
    assert_null(out[4].name);
    assert_non_null(strstr(s3_presign(mem, &r, &temporary, &scope, 60), "X-Amz-Security-Token=a%2Ftoken%2Bof%3D%3D"));
}

static void the_canonical_request_is_the_published_one(void **state)
{
    static const struct s3_pair headers[] = {
        {"host", HOST}, {"range", "bytes=0-9"}, {"x-amz-content-sha256", S3_EMPTY}, {"x-amz-date", "20130524T000000Z"}};
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct s3_request r = {.method = "GET", .host = HOST, .path = "/test.txt", .payload = S3_EMPTY};
    (void)state;
    assert_string_equal(s3_canonical(mem, &r, headers, ROWS(headers)),
                        "GET\n/test.txt\n\nhost:" HOST "\nrange:bytes=0-9\nx-amz-content-sha256:" S3_EMPTY
                        "\nx-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\n" S3_EMPTY);
}

static void odd_characters_are_encoded(void **state)
{
    static const struct { const char *text, *key, *value; } rows[] = {
        {"", "", ""},
        {"a/b", "a/b", "a%2Fb"},
        {"//..//", "//..//", "%2F%2F..%2F%2F"},
        {"a b+c", "a%20b%2Bc", "a%20b%2Bc"},
        {"~-._", "~-._", "~-._"},
        {"$&?#=%", "%24%26%3F%23%3D%25", "%24%26%3F%23%3D%25"},
        {"%41", "%2541", "%2541"},
        {"\xC3\xA9\xF0\x9F\x98\x80", "%C3%A9%F0%9F%98%80", "%C3%A9%F0%9F%98%80"},
        {"\x01\x7F\"<>\\^`{|}", "%01%7F%22%3C%3E%5C%5E%60%7B%7C%7D", "%01%7F%22%3C%3E%5C%5E%60%7B%7C%7D"},
    };
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        if (strcmp(s3_encode(mem, rows[i].text, 1), rows[i].key) != 0 || strcmp(s3_encode(mem, rows[i].text, 0), rows[i].value) != 0)
            fail_msg("row %zu", i);
    }
}

static void queries_are_sorted_by_encoded_name_then_value(void **state)
{
    static const struct s3_pair rows[] = {{"b", "2"}, {"b", "1"}, {"a", ""}, {"B", "x"}, {"a-", "y"}, {"a=", "z"}, {"\xC3\xA9", "/"}};
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    (void)state;
    assert_string_equal(s3_query(mem, rows, ROWS(rows)), "%C3%A9=%2F&B=x&a=&a%3D=z&a-=y&b=1&b=2");
    assert_string_equal(s3_query(mem, NULL, 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_examples_give_their_signatures),
        cmocka_unit_test(the_published_presigned_address),
        cmocka_unit_test(a_session_token_is_sent_and_signed),
        cmocka_unit_test(the_canonical_request_is_the_published_one),
        cmocka_unit_test(odd_characters_are_encoded),
        cmocka_unit_test(queries_are_sorted_by_encoded_name_then_value),
    };
    return cmocka_run_group_tests_name("s3_sign", tests, NULL, NULL);
}
