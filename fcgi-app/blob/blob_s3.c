#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "blob/file.h"
#include "blob/s3.h"
#include "crypt/crypt.h"

/* ---- the store and its marker ---- */

static enum err s3_prepare(struct blob_store *store)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    TRY(folder_make(mem_printf(mem, "%s/incoming", store->conf->data_path)));
    return s3_record_folder(s3_of(store));
}

static enum err parse_marker(const struct http_call *call, struct id *id_out)
{
    const char *text = call->answer.data;
    if (call->answer.len == ID_LEN + 1 && text[ID_LEN] == '\n') {
        CLEANUP(free_mem) char *id = mem_strn(NULL, text, ID_LEN);
        if (id_parse(id, id_out) == E_OK)
            return E_OK;
    }
    return err_set(E_FOREIGN_STORE, "the object store_id in the bucket does not hold an id: it is somebody else's");
}

static enum err s3_store_id(struct blob_store *store, struct id *id_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    struct s3_fault fault;
    s3_ask(s3_of(store), mem, &(struct s3_ask){.method = "GET", .key = "store_id"}, &call, &fault);
    if (fault.trouble == S3_FINE)
        return parse_marker(&call, id_out);
    if (fault.trouble == S3_DENIED) /* so does a missing one look when we may not list */
        return err_set(E_NOT_FOUND, "S3 denies reading store_id: there is none yet, or s3:GetObject is not allowed");
    return s3_fail(&fault, "get", "store_id");
}

static enum err write_marker(struct s3 *s, struct id id, struct s3_fault *fault)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char sha256[65];
    struct http_call call;
    const char *text = mem_printf(mem, "%s\n", id.s);
    const struct http_body body = {.data = text, .fd = -1, .size = strlen(text)};
    struct s3_ask ask = {.method = "PUT", .key = "store_id", .body = &body, .payload = sha256, .headers = {{"if-none-match", "*"}}};
    TRY(s3_hash(&(struct blob_source){.data = text, .fd = -1, .size = body.size}, sha256));
    s3_ask(s, mem, &ask, &call, fault);
    if (fault->trouble == S3_UNKNOWN_CONDITION) {
        s->no_conditions = true;
        ask.headers[0] = (struct s3_pair){0};
        s3_ask(s, mem, &ask, &call, fault);
    }
    return E_OK;
}

static enum err s3_store_id_set(struct blob_store *store, struct id id)
{
    struct id there;
    struct s3_fault fault;
    enum err e = s3_store_id(store, &there);
    if (e == E_NOT_FOUND) {
        TRY(write_marker(s3_of(store), id, &fault));
        if (fault.trouble != S3_FINE && fault.trouble != S3_TAKEN)
            return s3_fail(&fault, "put", "store_id");
        e = s3_store_id(store, &there);
    }
    if (e == E_NOT_FOUND)
        return s3_fail(&(struct s3_fault){.trouble = S3_DENIED, .status = 403}, "read what was just written,", "store_id");
    TRY(e);
    return id_eq(there, id) ? E_OK : err_set(E_FOREIGN_STORE, "the bucket belongs to store %s", there.s);
}

/* Bodies wait in the spool until they are sent: its disk is what can be full. */
static enum err s3_room(struct blob_store *store, uint64_t *bytes_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    CLEANUP(close_fd) int incoming = -1;
    TRY(folder_open(AT_FDCWD, mem_printf(mem, "%s/incoming", store->conf->data_path), &incoming));
    return folder_room(incoming, (uint64_t)store->conf->data_reserve, bytes_out);
}

/* ---- one blob ---- */

static enum err s3_remove(struct blob_store *store, struct id id)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    struct s3_fault fault;
    s3_ask(s3_of(store), mem, &(struct s3_ask){.method = "DELETE", .key = s3_blob_key(mem, id)}, &call, &fault);
    if (fault.trouble == S3_FINE || fault.trouble == S3_MISSING)
        return E_OK;
    return s3_fail(&fault, "remove", id.s);
}

/* The web server adds x-amz-content-sha256 (S3_EMPTY) and Host by itself; all the rest is signed here. */
static enum err s3_proxy(struct blob_store *store, const void *mem, struct id id, bool whole, uint64_t first, uint64_t last,
                         struct blob_proxy *out)
{
    struct s3 *s = s3_of(store);
    const struct conf *conf = store->conf;
    int64_t now_ms = clock_now_ms(&clock_real);
    struct s3_keys keys;
    struct s3_pair signed_with[S3_SIGNED_MAX];
    const char *range = whole ? "" : mem_printf(mem, "bytes=%llu-%llu", (unsigned long long)first, (unsigned long long)last);
    const struct s3_pair headers[] = {{"range", range}};
    const struct s3_request r = {
        .method = "GET", .host = conf->s3_host, .path = mem_printf(mem, "%s/%sblobs/%s", conf->s3_base, s->prefix, id.s),
        .headers = headers, .n_headers = whole ? 0 : 1, .payload = S3_EMPTY,
    };
    enum err e = s3_credentials_get(s->credentials, now_ms, &keys);
    if (e != E_OK)
        return s3_fail(&(struct s3_fault){.trouble = S3_NO_KEYS}, err_last(e)->detail, id.s);
    s3_sign(mem, &r, &keys, &(struct s3_scope){conf->s3_region, now_ms}, signed_with);
    *out = (struct blob_proxy){.target = s3_encode(mem, r.path, 1), .range = range, .token = ""};
    for (const struct s3_pair *h = signed_with; h->name != NULL; h++) {
        if (strcmp(h->name, "authorization") == 0)
            out->authorization = h->value;
        else if (strcmp(h->name, "x-amz-date") == 0)
            out->date = h->value;
        else if (strcmp(h->name, "x-amz-security-token") == 0)
            out->token = h->value;
    }
    return E_OK;
}

enum err blob_s3_open(const void *ctx, const struct conf *conf, struct blob_store **out)
{
    struct s3 *s = mem_new(ctx, struct s3);
    s->store = (struct blob_store){.ops = &blob_s3_ops, .conf = conf};
    s->credentials = s3_credentials_new(s);
    s->prefix = *conf->s3_prefix ? mem_printf(s, "%s/", conf->s3_prefix) : "";
    *out = &s->store;
    return E_OK;
}

const struct blob_ops blob_s3_ops = {
    .name = "s3",
    .can = BLOB_CAN_RANGE | BLOB_CAN_PROXY | BLOB_IS_REMOTE,
    .prepare = s3_prepare,
    .store_id = s3_store_id,
    .store_id_set = s3_store_id_set,
    .room = s3_room,
    .put = s3_put,
    .read = s3_read,
    .size = s3_size,
    .proxy = s3_proxy,
    .remove = s3_remove,
    .each = s3_each,
    .set_aside = s3_set_aside,
    .sweep = s3_sweep,
    .tidy = s3_tidy,
};
