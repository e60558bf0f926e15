/* What only S3 has: uploads in parts and what a crash leaves of them, a bucket with other people's objects, and the four
 * permissions that are enough. Needs COFFER_TEST_S3_URI; the last also GUESTKEY, a second user (tests/servers/s3 makes one). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bench.h"
#include "blob/s3.h"
#include "scratch.h"

#define MIB (1024u * 1024)
#define ROWS(table) (sizeof(table) / sizeof *(table))

static void large_contents_go_in_parts_and_come_back(void **state)
{
    static const size_t sizes[] = {16 * MIB, 16 * MIB + 1, 33 * MIB, 48 * MIB, 100 * MIB + 5};
    struct bench *b = *state;
    for (size_t i = 0; i < 2 * ROWS(sizes); i++) {
        size_t n = sizes[i / 2];
        struct id id = id_new();
        unsigned char *bytes = bench_bytes(b, n + 3, (unsigned)i);
        CLEANUP(close_fd) int file = bench_file(b, NULL, bytes, n + 3);
        struct blob_source source = {.fd = i % 2 ? file : -1, .data = bytes + 3, .offset = 3, .size = n};
        if (b->s->ops->put(b->s, id, &source) != E_OK || !bench_holds(b, id, bytes + 3, n))
            fail_msg("row %zu (%s)", i / 2, i % 2 ? "file" : "memory");
        talloc_free(bytes);
    }
    assert_int_equal(bench_entries(b, "data/s3-multipart"), 0);
}

static void a_large_source_that_ends_early_leaves_nothing(void **state)
{
    struct bench *b = *state;
    struct id id = id_new();
    unsigned char *bytes = bench_bytes(b, 20 * MIB, 1);
    CLEANUP(close_fd) int file = bench_file(b, NULL, bytes, 20 * MIB);
    struct blob_source source = {.fd = file, .size = 40 * MIB};
    assert_int_equal(b->s->ops->put(b->s, id, &source), E_IO);
    assert_true(bench_lacks(b, id));
    assert_int_equal(bench_entries(b, "data/s3-multipart"), 0);
}

/* Does S3 still know an upload under that id? Its own answer to a part nobody wants. */
static bool knows_upload(struct bench *b, struct id id, const char *upload)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    struct s3_fault fault;
    s3_ask(s3_of(b->s), mem, &(struct s3_ask){.method = "GET", .key = s3_blob_key(mem, id), .query = {{"uploadId", upload}}}, &call, &fault);
    return fault.trouble == S3_FINE;
}

struct upload {
    struct bench *b;
    struct id id;
};

static int put_much(void *arg)
{
    const struct upload *u = arg;
    struct blob_store *own;
    size_t n = 200 * MIB;
    unsigned char *bytes = bench_bytes(u->b, n, 9);
    if (u->b->opener->open(u->b, &u->b->conf, &own) != E_OK)
        return 2;
    return own->ops->put(own, u->id, &(struct blob_source){.data = bytes, .fd = -1, .size = n}) == E_OK ? 0 : 1;
}

/* The upload's id, as soon as its record is there. */
static bool wait_for_record(struct bench *b, struct id id, char upload[512])
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s/data/s3-multipart/%s", b->dir, id.s);
    for (int i = 0; i < 12000; i++, usleep(10000)) {
        FILE *file = fopen(path, "re");
        if (file == NULL)
            continue;
        bool got = fgets(upload, 512, file) != NULL && fgets(upload, 512, file) != NULL;
        fclose(file);
        upload[strcspn(upload, "\n")] = '\0';
        if (got)
            return true;
    }
    return false;
}

static void what_a_crash_left_is_ended(void **state)
{
    struct bench *b = *state;
    struct upload u = {.b = b, .id = id_new()};
    char upload[512] = "";
    unsigned did = 99;
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(put_much(&u));
    assert_true(wait_for_record(b, u.id, upload));
    assert_int_equal(b->s->ops->tidy(b->s, &did), E_OK); /* under way: not to be touched */
    assert_int_equal(did, 0);
    assert_true(knows_upload(b, u.id, upload));

    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_true(knows_upload(b, u.id, upload));
    assert_int_equal(b->s->ops->tidy(b->s, &did), E_OK);
    assert_int_equal(did, 1);
    assert_false(knows_upload(b, u.id, upload));
    assert_true(bench_lacks(b, u.id));
    assert_int_equal(bench_entries(b, "data/s3-multipart"), 0);
    assert_int_equal(b->s->ops->tidy(b->s, &did), E_OK);
    assert_int_equal(did, 0);
}

static void records_of_other_buckets_and_nonsense_are_left_alone(void **state)
{
    static const char *const texts[] = {"", "nonsense", "host /bucket key\nupload\n", "\n\n"};
    struct bench *b = *state;
    unsigned did = 99;
    for (size_t i = 0; i < ROWS(texts); i++) {
        CLEANUP(free_mem) char *name = mem_printf(NULL, "data/s3-multipart/%s", id_new().s);
        close(bench_file(b, name, texts[i], strlen(texts[i])));
    }
    close(bench_file(b, "data/s3-multipart/no-id", "x", 1));
    assert_int_equal(b->s->ops->tidy(b->s, &did), E_OK);
    assert_int_equal(did, 0);
    assert_int_equal(bench_entries(b, "data/s3-multipart"), (int)ROWS(texts) + 1);
}

static enum s3_trouble write_object(struct s3 *s, const char *key, const char *text)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    struct s3_fault fault;
    struct http_body body = {.data = text, .fd = -1, .size = strlen(text)};
    char sha256[65];
    assert_int_equal(s3_hash(&(struct blob_source){.data = text, .fd = -1, .size = body.size}, sha256), E_OK);
    s3_ask(s, mem, &(struct s3_ask){.method = "PUT", .key = key, .body = &body, .payload = sha256}, &call, &fault);
    return fault.trouble;
}

static bool has_object(struct s3 *s, const char *key)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    struct s3_fault fault;
    s3_ask(s, mem, &(struct s3_ask){.method = "GET", .key = key}, &call, &fault);
    return fault.trouble == S3_FINE;
}

static void other_peoples_objects_are_not_ours(void **state)
{
    static const char *const keys[] = {"readme.txt", "blobs/readme.txt", "blobs/sub/0123456789abcdef0123456789abcdef", "lost/theirs", "blobsx/y"};
    struct bench *b = *state;
    struct s3 *s = s3_of(b->s);
    unsigned did;
    for (size_t i = 0; i < ROWS(keys); i++)
        assert_int_equal(write_object(s, keys[i], "theirs"), S3_FINE);
    assert_int_equal(bench_put(b, id_new(), "ours", 4), E_OK);
    assert_int_equal(bench_list(b).blobs, 1);
    assert_int_equal(bench_list(b).strangers, 0);
    assert_int_equal(b->s->ops->set_aside(b->s, "readme.txt"), E_NOT_FOUND);
    assert_int_equal(b->s->ops->sweep(b->s, INT64_MAX, &did), E_OK);
    assert_int_equal(did, 0);
    for (size_t i = 0; i < ROWS(keys); i++)
        assert_true(has_object(s, keys[i]));
}

static void many_are_listed_page_by_page(void **state)
{
    enum { MANY = 1003 };
    struct bench *b = *state;
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(bench_put(b, id_new(), "x", 1), E_OK);
    assert_int_equal(bench_list(b).blobs, MANY);
}

static const char policy[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"arn:aws:iam:::user/guest\"]},"
    "\"Action\":[\"s3:PutObject\",\"s3:GetObject\",\"s3:DeleteObject\",\"s3:AbortMultipartUpload\"],"
    "\"Resource\":[\"arn:aws:s3:::%s/*\"]}]}";

static bool allow_guest(struct s3 *s)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    struct s3_fault fault;
    struct buf text;
    char sha256[65];
    buf_init(&text, mem, 4096);
    for (const char *p = policy; *p != '\0'; p++) {
        if (strncmp(p, "%s", 2) == 0)
            buf_str(&text, s->store.conf->s3_bucket), p++;
        else
            buf_char(&text, *p);
    }
    struct http_body body = {.data = text.data, .fd = -1, .size = text.len};
    if (s3_hash(&(struct blob_source){.data = text.data, .fd = -1, .size = text.len}, sha256) != E_OK)
        return false;
    s3_ask(s, mem, &(struct s3_ask){.method = "PUT", .key = "", .query = {{"policy", ""}}, .body = &body, .payload = sha256}, &call, &fault);
    return fault.trouble == S3_FINE;
}

static enum err no_entry(void *arg, const char *id, uint64_t size, int64_t modified_ms)
{
    (void)arg, (void)id, (void)size, (void)modified_ms;
    return E_OK;
}

static enum err no_bytes(void *arg, const void *bytes, size_t n)
{
    (void)arg, (void)bytes, (void)n;
    return E_OK;
}

static void four_permissions_are_enough(void **state)
{
    struct bench *b = *state;
    struct blob_store *guest;
    struct id id = id_new(), large = id_new(), got;
    uint64_t size;
    unsigned did;
    if (!allow_guest(s3_of(b->s)))
        skip();
    CLEANUP(free_mem) char *key = mem_str(NULL, getenv("AWS_ACCESS_KEY_ID"));
    CLEANUP(free_mem) char *secret = mem_str(NULL, getenv("AWS_SECRET_ACCESS_KEY"));
    setenv("AWS_ACCESS_KEY_ID", "GUESTKEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "GUESTSECRET", 1);
    assert_int_equal(b->opener->open(b, &b->conf, &guest), E_OK);
    assert_int_equal(guest->ops->prepare(guest), E_OK);
    assert_int_equal(guest->ops->store_id(guest, &got), E_NOT_FOUND);
    assert_int_equal(guest->ops->store_id_set(guest, id), E_OK);
    assert_int_equal(guest->ops->store_id_set(guest, large), E_FOREIGN_STORE);

    const struct blob_source small = {.data = "hello", .fd = -1, .size = 5};
    unsigned char *bytes = bench_bytes(b, 20 * MIB, 1);
    assert_int_equal(guest->ops->put(guest, id, &small), E_OK);
    assert_int_equal(guest->ops->put(guest, large, &(struct blob_source){.data = bytes, .fd = -1, .size = 20 * MIB}), E_OK);
    assert_int_equal(guest->ops->size(guest, large, &size), E_OK);
    assert_int_equal(size, 20 * MIB);
    assert_int_equal(guest->ops->read(guest, id, 1, 3, no_bytes, NULL), E_OK);
    /* missing, and not listable: the answer of S3 is "access denied" */
    assert_int_equal(guest->ops->read(guest, id_new(), 0, 1, no_bytes, NULL), E_NOT_FOUND);
    assert_int_equal(guest->ops->size(guest, id_new(), &size), E_NOT_FOUND);
    assert_int_equal(guest->ops->each(guest, no_entry, NULL), E_STORE_REFUSED);
    assert_int_equal(guest->ops->set_aside(guest, large.s), E_OK);
    assert_int_equal(guest->ops->remove(guest, id), E_OK);
    assert_int_equal(guest->ops->remove(guest, id), E_OK);
    assert_int_equal(guest->ops->read(guest, id, 0, 1, no_bytes, NULL), E_NOT_FOUND);
    assert_int_equal(guest->ops->tidy(guest, &did), E_OK);
    setenv("AWS_ACCESS_KEY_ID", key, 1);
    setenv("AWS_SECRET_ACCESS_KEY", secret, 1);
}

static void wrong_keys_buckets_and_places_are_told_apart(void **state)
{
    static const struct { const char *id, *secret, *bucket, *host; enum err e; const char *says; } rows[] = {
        {"NOSUCHKEY", "x", NULL, NULL, E_STORE_REFUSED, "unknown-key"},
        {NULL, "wrong", NULL, NULL, E_STORE_REFUSED, "wrong-secret"},
        {NULL, NULL, "coffer-no-such-bucket", NULL, E_STORE_REFUSED, "no-such-bucket"},
        {NULL, NULL, NULL, "127.0.0.1:1", E_STORE_DOWN, "no-connection"},
        {NULL, NULL, NULL, "no.such.host.invalid", E_STORE_DOWN, "name-not-found"},
    };
    struct bench *b = *state;
    CLEANUP(free_mem) char *key = mem_str(NULL, getenv("AWS_ACCESS_KEY_ID"));
    CLEANUP(free_mem) char *secret = mem_str(NULL, getenv("AWS_SECRET_ACCESS_KEY"));
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct conf conf = b->conf;
        struct blob_store *own;
        uint64_t size;
        setenv("AWS_ACCESS_KEY_ID", rows[i].id ? rows[i].id : key, 1);
        setenv("AWS_SECRET_ACCESS_KEY", rows[i].secret ? rows[i].secret : secret, 1);
        if (rows[i].bucket != NULL) {
            conf.s3_bucket = rows[i].bucket;
            conf.s3_base = mem_printf(b, "/%s", rows[i].bucket);
        }
        conf.s3_host = rows[i].host ? rows[i].host : conf.s3_host;
        assert_int_equal(b->opener->open(b, &conf, &own), E_OK);
        enum err e = own->ops->size(own, id_new(), &size);
        enum err put = own->ops->put(own, id_new(), &(struct blob_source){.data = "x", .fd = -1, .size = 1});
        if (e != rows[i].e || put != e || strstr(err_last(put)->detail, rows[i].says) == NULL || err_last(put)->say[0] == '\0' ||
            strstr(err_last(put)->detail, secret) != NULL)
            fail_msg("row %zu: %s %s: %s", i, err_name(e), err_name(put), err_last(put)->detail);
    }
    setenv("AWS_ACCESS_KEY_ID", key, 1);
    setenv("AWS_SECRET_ACCESS_KEY", secret, 1);
}

int main(void)
{
    static const struct { const char *name; CMUnitTestFunction test; } tests[] = {
#define TEST(test) {#test, test}
        TEST(large_contents_go_in_parts_and_come_back),
        TEST(a_large_source_that_ends_early_leaves_nothing),
        TEST(what_a_crash_left_is_ended),
        TEST(records_of_other_buckets_and_nonsense_are_left_alone),
        TEST(other_peoples_objects_are_not_ours),
        TEST(many_are_listed_page_by_page),
        TEST(four_permissions_are_enough),
        TEST(wrong_keys_buckets_and_places_are_told_apart),
    };
    struct CMUnitTest all[ROWS(tests)];
    for (size_t i = 0; i < ROWS(all); i++)
        bench_test(&all[i], &openers[1], tests[i].name, tests[i].test);
    return cmocka_run_group_tests_name("blob_s3", all, NULL, NULL);
}
