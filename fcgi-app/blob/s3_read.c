#include <string.h>

#include "base/mem.h"
#include "blob/s3.h"

#define PROGRESS (UINT64_C(1) << 20) /* so much, and a cut connection is one that works, not one that fails again */

struct reading {
    struct id id;
    uint64_t first, left;
    enum err (*write)(void *arg, const void *bytes, size_t n);
    void *arg;
    bool begun; /* the headers of this answer were looked at */
};

/* "bytes 0-9/10" */
static bool parse_content_range(const char *text, uint64_t *first_out, uint64_t *total_out)
{
    CLEANUP(free_mem) char *copy = mem_str(NULL, text != NULL ? text : "");
    char *dash = strchr(copy, '-'), *slash = strchr(copy, '/');
    if (strncmp(copy, "bytes ", 6) != 0 || dash == NULL || slash == NULL || slash < dash)
        return false;
    *dash = *slash = '\0';
    return parse_u64(copy + 6, 0, INT64_MAX, first_out) == E_OK && parse_u64(slash + 1, 0, INT64_MAX, total_out) == E_OK;
}

/* Before the first byte goes on: it is the range that was asked for, and the blob is as long as its record says. */
static enum err check_range(const struct reading *r, const struct http_call *call)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    uint64_t first, total;
    const char *text = http_header(mem, call, "content-range");
    if (call->status != 206 || !parse_content_range(text, &first, &total) || first != r->first)
        return err_set(E_STORE_DOWN, "S3: get %s: status %u and Content-Range %s for bytes from %llu", r->id.s, call->status,
                       text != NULL ? text : "missing", (unsigned long long)r->first);
    if (total - first < r->left)
        return err_set(E_DAMAGED, "blob %s has %llu bytes, fewer than its record says", r->id.s, (unsigned long long)total);
    return E_OK;
}

static enum err take(void *arg, const struct http_call *call, const void *bytes, size_t n)
{
    struct reading *r = arg;
    if (!r->begun)
        TRY(check_range(r, call));
    r->begun = true;
    if (n > r->left)
        return err_set(E_STORE_DOWN, "S3: get %s: more bytes than were asked for", r->id.s);
    TRY(r->write(r->arg, bytes, n));
    r->first += n;
    r->left -= n;
    return E_OK;
}

static void read_once(struct s3 *s, const void *mem, struct reading *r, struct http_call *call, struct s3_fault *fault)
{
    const struct s3_ask ask = {
        .method = "GET", .key = s3_blob_key(mem, r->id), .sink = take, .arg = r,
        .headers = {{"range", mem_printf(mem, "bytes=%llu-%llu", (unsigned long long)r->first,
                                         (unsigned long long)(r->first + r->left - 1))}},
    };
    r->begun = false;
    s3_once(s, mem, &ask, call, fault);
    if (fault->trouble == S3_FINE && r->left > 0) /* a 204, or a body shorter than what its headers say */
        fault->trouble = S3_CUT;
}

static enum err read_all(struct s3 *s, struct reading *r)
{
    struct s3_patience patience;
    struct s3_fault fault;
    uint64_t from = r->first;
    s3_begin(&patience);
    for (;;) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct http_call call = {0};
        read_once(s, mem, r, &call, &fault);
        if (fault.trouble == S3_FINE)
            return E_OK;
        if (call.fault == HTTP_REFUSED)
            return call.sink_err;
        if (r->first - from >= PROGRESS)
            s3_begin(&patience);
        from = r->first;
        if (!s3_again(s, &patience, &fault))
            break;
    }
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    s3_settle_denied(s, mem, &fault);
    return s3_fail(&fault, "get", r->id.s);
}

enum err s3_read(struct blob_store *store, struct id id, uint64_t first, uint64_t length,
                 enum err (*write)(void *arg, const void *bytes, size_t n), void *arg)
{
    struct s3 *s = s3_of(store);
    uint64_t size, end;
    if (length > 0 && !__builtin_add_overflow(first, length, &end))
        return read_all(s, &(struct reading){.id = id, .first = first, .left = length, .write = write, .arg = arg});
    TRY(s3_size(store, id, &size));
    if (length > 0 || first > size)
        return err_set(E_DAMAGED, "blob %s has %llu bytes, fewer than its record says", id.s, (unsigned long long)size);
    return E_OK;
}

/* ---- HEAD ---- */

void s3_settle_denied(struct s3 *s, const void *mem, struct s3_fault *fault)
{
    struct http_call call;
    struct s3_fault marker;
    if (fault->trouble != S3_DENIED)
        return;
    s3_ask(s, mem, &(struct s3_ask){.method = "GET", .key = "store_id"}, &call, &marker);
    if (marker.trouble == S3_FINE)
        fault->trouble = S3_MISSING;
}

/* An answer to HEAD has no body that would tell a missing key from a missing bucket or a wrong signature. */
static void ask_why(struct s3 *s, const void *mem, const char *key, struct s3_fault *fault)
{
    struct http_call call;
    s3_ask(s, mem, &(struct s3_ask){.method = "GET", .key = key, .headers = {{"range", "bytes=0-0"}}}, &call, fault);
    if (fault->trouble == S3_FINE) /* it came into being in between */
        fault->trouble = S3_FAILED;
    s3_settle_denied(s, mem, fault);
}

void s3_head(struct s3 *s, const void *mem, const char *key, struct s3_head *out, struct s3_fault *fault_out)
{
    struct http_call call;
    s3_ask(s, mem, &(struct s3_ask){.method = "HEAD", .key = key}, &call, fault_out);
    if (fault_out->trouble == S3_MISSING || fault_out->trouble == S3_DENIED || fault_out->trouble == S3_NONSENSE)
        ask_why(s, mem, key, fault_out);
    if (fault_out->trouble != S3_FINE)
        return;
    const char *size = http_header(mem, &call, "content-length"), *put = http_header(mem, &call, "x-amz-meta-coffer-put");
    out->put = put != NULL ? put : "";
    if (size == NULL || parse_u64(size, 0, INT64_MAX, &out->size) != E_OK)
        fault_out->trouble = S3_NONSENSE;
}

enum err s3_size(struct blob_store *store, struct id id, uint64_t *size_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct s3_head head;
    struct s3_fault fault;
    s3_head(s3_of(store), mem, s3_blob_key(mem, id), &head, &fault);
    if (fault.trouble != S3_FINE)
        return s3_fail(&fault, "head", id.s);
    *size_out = head.size;
    return E_OK;
}
