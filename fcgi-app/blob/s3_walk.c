#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "blob/s3.h"
#include "blob/s3_xml.h"

/* ---- listing, a thousand keys at a time ---- */

typedef enum err key_fn(void *arg, const char *name, uint64_t size, int64_t modified_ms);

struct listing {
    const void *mem;
    const char *folder;        /* prefix and "blobs/" */
    key_fn *fn;
    void *arg;
    char *key, *token;
    uint64_t size;
    int64_t modified_ms;
    bool more, whole;
};

static enum err take_key(struct listing *l)
{
    size_t n = strlen(l->folder);
    if (l->key == NULL || strncmp(l->key, l->folder, n) != 0)
        return E_OK;
    return l->fn(l->arg, l->key + n, l->size, l->modified_ms);
}

static enum err take(void *arg, const char *path, const char *text)
{
    struct listing *l = arg;
    if (strcmp(path, "ListBucketResult/Contents/Key") == 0) {
        talloc_free(l->key);
        l->key = mem_str(l->mem, text);
    } else if (strcmp(path, "ListBucketResult/Contents/Size") == 0) {
        return parse_u64(text, 0, INT64_MAX, &l->size);
    } else if (strcmp(path, "ListBucketResult/Contents/LastModified") == 0) {
        return clock_parse_rfc3339(text, &l->modified_ms);
    } else if (strcmp(path, "ListBucketResult/Contents") == 0) {
        return take_key(l);
    } else if (strcmp(path, "ListBucketResult/IsTruncated") == 0) {
        l->more = strcmp(text, "true") == 0;
    } else if (strcmp(path, "ListBucketResult/NextContinuationToken") == 0) {
        l->token = mem_str(l->mem, text);
    } else if (strcmp(path, "ListBucketResult") == 0) {
        l->whole = true;
    }
    return E_OK;
}

static enum err list_page(struct s3 *s, struct listing *l, const char *token, char **next_out)
{
    struct http_call call;
    struct s3_fault fault;
    struct s3_ask ask = {.method = "GET", .key = "", .query = {{"list-type", "2"}, {"prefix", l->folder}}};
    if (token != NULL)
        ask.query[2] = (struct s3_pair){"continuation-token", token};
    s3_ask(s, l->mem, &ask, &call, &fault);
    if (fault.trouble != S3_FINE)
        return s3_fail(&fault, "list", l->folder);
    TRY(buf_ok(&call.answer));
    l->token = NULL;
    l->more = l->whole = false;
    enum err e = s3_xml_walk(call.answer.len > 0 ? call.answer.data : "", call.answer.len, take, l);
    if (e == E_BAD_REQUEST || e == E_FIELD_INVALID || (e == E_OK && (!l->whole || (l->more && l->token == NULL)))) {
        fault.trouble = S3_NONSENSE;
        return s3_fail(&fault, "list", l->folder);
    }
    *next_out = l->more ? l->token : NULL;
    return e;
}

/* Names below the folder, handed to fn. */
static enum err list(struct s3 *s, const char *folder, key_fn *fn, void *arg)
{
    CLEANUP(free_mem) void *all = talloc_new(NULL);
    const char *whole = mem_printf(all, "%s%s", s->prefix, folder);
    char *token = NULL;
    do {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct listing l = {.mem = mem, .folder = whole, .fn = fn, .arg = arg};
        char *next;
        TRY(list_page(s, &l, token, &next));
        talloc_free(token);
        token = mem_str(all, next);
    } while (token != NULL);
    return E_OK;
}

struct eaching {
    blob_each_fn *fn;
    void *arg;
};

/* What is there beside blobs is somebody else's. */
static enum err each_key(void *arg, const char *name, uint64_t size, int64_t modified_ms)
{
    const struct eaching *e = arg;
    struct id id;
    return id_parse(name, &id) == E_OK ? e->fn(e->arg, name, size, modified_ms) : E_OK;
}

enum err s3_each(struct blob_store *store, blob_each_fn *fn, void *arg)
{
    return list(s3_of(store), "blobs/", each_key, &(struct eaching){.fn = fn, .arg = arg});
}

/* ---- lost: a copy made by S3 itself, then the original removed ---- */

#define COPY_MAX (UINT64_C(5) << 30) /* S3 copies no more at once */
enum { COPY_STALL_MS = 120000 };     /* it may think about that for minutes */

static enum err see_copied(void *arg, const char *path, const char *text)
{
    (void)text;
    if (strcmp(path, "CopyObjectResult") == 0)
        *(bool *)arg = true;
    return E_OK;
}

/* As with the end of an upload in parts, 200 may have an error behind it. */
static void copy(struct s3 *s, const void *mem, const char *from, const char *to, struct s3_fault *fault)
{
    static const struct http_body nothing = {.data = "", .fd = -1};
    const char *bucket = s->store.conf->s3_bucket;
    struct http_call call;
    bool copied = false;
    const struct s3_ask ask = {
        .method = "PUT", .key = to, .body = &nothing, .stall_ms = COPY_STALL_MS,
        .headers = {{"x-amz-copy-source", s3_encode(mem, mem_printf(mem, "/%s/%s%s", bucket, s->prefix, from), 1)}},
    };
    s3_ask(s, mem, &ask, &call, fault);
    if (fault->trouble == S3_FINE &&
        (call.answer.len == 0 || s3_xml_walk(call.answer.data, call.answer.len, see_copied, &copied) != E_OK || !copied))
        s3_judge_body(&call, fault);
}

enum err s3_set_aside(struct blob_store *store, const char *name)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct s3 *s = s3_of(store);
    struct id id;
    struct s3_head head;
    struct s3_fault fault;
    if (id_parse(name, &id) != E_OK)
        return err_set(E_NOT_FOUND, "%s is no name that the blob store lists", name);
    const char *key = s3_blob_key(mem, id);
    s3_head(s, mem, key, &head, &fault);
    if (fault.trouble != S3_FINE)
        return s3_fail(&fault, "set aside", name);
    if (head.size > COPY_MAX)
        return err_set(E_IO, "blob %s without a record is larger than 5 GiB, which S3 cannot move: it stays", name);
    copy(s, mem, key, mem_printf(mem, "lost/%s", name), &fault);
    if (fault.trouble != S3_FINE)
        return s3_fail(&fault, "set aside", name);
    return store->ops->remove(store, id);
}

struct sweep {
    struct s3 *s;
    int64_t before_ms;
    unsigned *did;
};

static enum err sweep_key(void *arg, const char *name, uint64_t size, int64_t modified_ms)
{
    struct sweep *sweep = arg;
    struct id id;
    (void)size;
    if (modified_ms >= sweep->before_ms || id_parse(name, &id) != E_OK)
        return E_OK;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    struct s3_fault fault;
    s3_ask(sweep->s, mem, &(struct s3_ask){.method = "DELETE", .key = mem_printf(mem, "lost/%s", name)}, &call, &fault);
    if (fault.trouble != S3_FINE && fault.trouble != S3_MISSING)
        return s3_fail(&fault, "remove from lost", name);
    ++*sweep->did;
    return E_OK;
}

enum err s3_sweep(struct blob_store *store, int64_t lost_before_ms, unsigned *did_out)
{
    struct s3 *s = s3_of(store);
    *did_out = 0;
    return list(s, "lost/", sweep_key, &(struct sweep){.s = s, .before_ms = lost_before_ms, .did = did_out});
}
