/* Large contents: S3's multipart upload, a few parts at a time. Nothing is visible before the last step. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "blob/s3.h"
#include "blob/s3_xml.h"
#include "crypt/crypt.h"

enum {
    PARALLEL = 4,
    PARTS_MAX = 9000,          /* S3 takes 10,000 */
    ETAG_MAX = 128,
    JOIN_STALL_MS = 120000,    /* S3 may think about the last step for minutes */
};
#define MIB (UINT64_C(1) << 20)

struct part {
    bool done;
    char etag[ETAG_MAX];
};

struct slot {
    void *mem;                 /* NULL: free */
    struct http_call call;
    struct http_body body;
    char sha256[65];
    size_t part;
};

struct upload {
    struct s3 *s;
    struct id id;
    const char *key, *tag, *upload; /* upload: S3's id of it */
    const struct blob_source *source;
    uint64_t part_size;
    struct part *parts;
    size_t n, next;
    struct slot slots[PARALLEL];
    enum err e;                /* not S3's fault */
    struct s3_fault fault;     /* of the last part that failed in this round */
};

/* ---- the parts ---- */

static struct http_body body_of(const struct upload *u, size_t i)
{
    uint64_t at = i * u->part_size, left = u->source->size - at;
    struct http_body body = {.fd = u->source->fd, .size = left < u->part_size ? left : u->part_size};
    if (body.fd < 0)
        body.data = (const char *)u->source->data + at;
    else
        body.offset = u->source->offset + at;
    return body;
}

static enum err prepare_part(struct upload *u, struct slot *slot)
{
    slot->body = body_of(u, slot->part);
    TRY(s3_hash(&(struct blob_source){.data = slot->body.data, .fd = slot->body.fd, .offset = slot->body.offset, .size = slot->body.size},
                slot->sha256));
    const struct s3_ask ask = {
        .method = "PUT", .key = u->key, .body = &slot->body, .payload = slot->sha256,
        .query = {{"partNumber", mem_printf(slot->mem, "%zu", slot->part + 1)}, {"uploadId", u->upload}},
    };
    enum err e = s3_prepare_call(u->s, slot->mem, &ask, &slot->call);
    if (e != E_OK) {
        u->fault = (struct s3_fault){.trouble = S3_NO_KEYS};
        snprintf(u->fault.why, sizeof u->fault.why, "%.159s", err_last(e)->detail);
    }
    return e;
}

static struct slot *free_slot(struct upload *u)
{
    for (size_t i = 0; i < PARALLEL; i++)
        if (u->slots[i].mem == NULL)
            return &u->slots[i];
    return NULL;
}

/* What cannot go well any more is not begun. */
static bool hopeless(const struct upload *u)
{
    return u->e != E_OK || (u->fault.trouble != S3_FINE && !s3_may_retry(u->fault.trouble)) ||
           s3_is_unreachable(u->fault.trouble);
}

static struct http_call *next_part(void *arg)
{
    struct upload *u = arg;
    while (u->next < u->n && u->parts[u->next].done)
        u->next++;
    struct slot *slot = free_slot(u);
    if (u->next == u->n || slot == NULL || hopeless(u))
        return NULL;
    slot->part = u->next++;
    slot->mem = talloc_new(NULL);
    u->e = prepare_part(u, slot);
    if (u->e == E_OK)
        return &slot->call;
    talloc_free(slot->mem);
    slot->mem = NULL;
    return NULL;
}

/* It goes into XML as it is. */
static bool take_etag(const struct slot *slot, struct part *part)
{
    const char *etag = http_header(slot->mem, &slot->call, "etag");
    size_t n = etag != NULL ? strlen(etag) : 0;
    if (n == 0 || n >= ETAG_MAX || strpbrk(etag, "<>&") != NULL)
        return false;
    memcpy(part->etag, etag, n + 1);
    return part->done = true;
}

static void part_done(void *arg, struct http_call *call)
{
    struct upload *u = arg;
    struct slot *slot = (struct slot *)(void *)((char *)call - offsetof(struct slot, call));
    struct s3_fault fault;
    s3_judge(call, clock_now_ms(&clock_real), &fault);
    if (call->fault == HTTP_SOURCE)
        u->e = err_set(E_IO, "the source ends early");
    else if (fault.trouble == S3_FINE && !take_etag(slot, &u->parts[slot->part]))
        fault.trouble = S3_NONSENSE;
    if (fault.trouble != S3_FINE)
        u->fault = fault;
    talloc_free(slot->mem);
    slot->mem = NULL;
}

/* Round after round, each with the parts that are missing yet. A round with progress renews the patience. */
static void send_parts(struct upload *u, struct http_client *http)
{
    struct s3_patience patience;
    s3_begin(&patience);
    for (;;) {
        size_t done = 0, after = 0;
        for (size_t i = 0; i < u->n; i++)
            done += u->parts[i].done;
        u->next = 0;
        u->fault.trouble = S3_FINE;
        http_run_all(http, &(struct http_feed){.next = next_part, .done = part_done, .arg = u, .parallel = PARALLEL});
        for (size_t i = 0; i < u->n; i++)
            after += u->parts[i].done;
        if (after > done)
            s3_begin(&patience);
        if (after == u->n || u->e != E_OK || !s3_again(u->s, &patience, &u->fault))
            return;
    }
}

/* ---- beginning and end ---- */

static enum err take_upload(void *arg, const char *path, const char *text)
{
    struct upload *u = arg;
    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") == 0 && *text != '\0' && strpbrk(text, "\r\n") == NULL)
        u->upload = mem_str(u->parts, text);
    return E_OK;
}

static void begin_upload(struct upload *u, const void *mem)
{
    static const struct http_body nothing = {.data = "", .fd = -1};
    struct http_call call;
    const struct s3_ask ask = {
        .method = "POST", .key = u->key, .body = &nothing, .query = {{"uploads", ""}}, .headers = {{"x-amz-meta-coffer-put", u->tag}},
    };
    s3_ask(u->s, mem, &ask, &call, &u->fault);
    if (u->fault.trouble == S3_FINE &&
        (s3_xml_walk(call.answer.data, call.answer.len, take_upload, u) != E_OK || u->upload == NULL))
        u->fault.trouble = S3_NONSENSE;
}

void s3_abort_upload(struct s3 *s, struct id id, const char *upload, struct s3_fault *fault_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    s3_ask(s, mem, &(struct s3_ask){.method = "DELETE", .key = s3_blob_key(mem, id), .query = {{"uploadId", upload}}}, &call, fault_out);
}

static const char *join_list(const struct upload *u, const void *mem, size_t *len_out)
{
    struct buf b;
    buf_init(&b, mem, u->n * (ETAG_MAX + 80) + 200);
    buf_str(&b, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < u->n; i++)
        buf_printf(&b, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i + 1, u->parts[i].etag);
    buf_str(&b, "</CompleteMultipartUpload>");
    *len_out = b.len;
    return b.data;
}

static enum err see_result(void *arg, const char *path, const char *text)
{
    (void)text;
    if (strcmp(path, "CompleteMultipartUploadResult") == 0)
        *(bool *)arg = true;
    return E_OK;
}

/* 200 comes early, to keep the connection open: whether it worked stands in the body. */
static void judge_join(const struct http_call *call, struct s3_fault *fault)
{
    bool result = false;
    if (fault->trouble != S3_FINE)
        return;
    if (call->answer.len > 0 && s3_xml_walk(call->answer.data, call->answer.len, see_result, &result) == E_OK && result)
        return;
    s3_judge_body(call, fault);
}

static void join_once(struct upload *u, const void *mem)
{
    char sha256[65];
    size_t len;
    struct http_call call = {0};
    const char *list = join_list(u, mem, &len);
    const struct http_body body = {.data = list, .fd = -1, .size = len};
    struct s3_ask ask = {.method = "POST", .key = u->key, .body = &body, .payload = sha256, .query = {{"uploadId", u->upload}},
                         .stall_ms = JOIN_STALL_MS};
    if (!u->s->no_conditions)
        ask.headers[0] = (struct s3_pair){"if-none-match", "*"};
    u->e = s3_hash(&(struct blob_source){.data = list, .fd = -1, .size = len}, sha256);
    s3_once(u->s, mem, &ask, &call, &u->fault);
    judge_join(&call, &u->fault);
}

/* Unsure answers are followed by a look: an upload that is gone may be gone because it was joined. */
static void join(struct upload *u)
{
    struct s3_patience patience;
    bool unsure = false;
    s3_begin(&patience);
    do {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct s3_fault seen;
        join_once(u, mem);
        if (u->fault.trouble == S3_UNKNOWN_CONDITION && !u->s->no_conditions) {
            u->s->no_conditions = true;
            u->fault.trouble = S3_CONFLICT;
        }
        unsure = unsure || s3_is_unsure(u->fault.trouble);
        if (u->fault.trouble != S3_FINE && unsure && s3_is_mine(u->s, u->key, u->tag, u->source->size, &seen))
            u->fault.trouble = S3_FINE;
    } while (u->fault.trouble != S3_FINE && s3_again(u->s, &patience, &u->fault));
}

/* What failed for certain is ended now; what may have worked, or cannot be reached, is left to the keeper. */
static void give_up(struct upload *u)
{
    struct err_info why = err_save();
    struct s3_fault fault;
    s3_abort_upload(u->s, u->id, u->upload, &fault);
    if ((fault.trouble != S3_FINE && fault.trouble != S3_NO_UPLOAD) || s3_record_drop(u->s, u->id) != E_OK)
        log_say(LOG_NOTICE, "multipart", "the upload of blob %s is left to the keeper: %s", u->id.s, s3_trouble_name(fault.trouble));
    err_restore(&why);
}

static enum err send_and_join(struct upload *u)
{
    CLEANUP(close_fd) int record = -1;
    struct http_client *http;
    TRY(s3_http(u->s, &http));
    enum err e = s3_record_make(u->s, u->id, u->upload, &record);
    if (e == E_OK) {
        send_parts(u, http);
        e = u->e;
    }
    if (e == E_OK && u->fault.trouble == S3_FINE)
        join(u);
    if (e == E_OK && u->fault.trouble == S3_FINE)
        return s3_record_drop(u->s, u->id);
    give_up(u);
    return e != E_OK && u->fault.trouble != S3_NO_KEYS ? e : s3_fail(&u->fault, "put", u->id.s);
}

enum err s3_put_parts(struct s3 *s, struct id id, const struct blob_source *source, const char *tag)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct upload *u = mem_new(mem, struct upload);
    uint64_t part_size = source->size / PARTS_MAX / MIB * MIB + MIB; /* a little more than a 9,000th */
    *u = (struct upload){.s = s, .id = id, .key = s3_blob_key(mem, id), .tag = tag, .source = source};
    u->part_size = part_size > S3_PART_MIN ? part_size : S3_PART_MIN;
    u->n = (size_t)((source->size + u->part_size - 1) / u->part_size);
    u->parts = mem_array(mem, struct part, u->n);
    begin_upload(u, mem);
    if (u->fault.trouble != S3_FINE)
        return s3_fail(&u->fault, "begin the upload of", id.s);
    return send_and_join(u);
}
