/* Inside the S3 store: what its parts know of each other.
 *
 *   <prefix>/blobs/<id>   a blob
 *   <prefix>/lost/<id>    one that no record knew of, set aside
 *   <prefix>/store_id     the id that also stands in the metadata
 *
 * and on this machine <data.path>/s3-multipart/<id>, one record per upload in parts that is under way (s3_record.c).
 *
 * s3_call.c asks and asks again; s3_read.c reads; s3_put.c and s3_parts.c store; s3_walk.c lists and sets aside; blob_s3.c
 * holds the rest. What Coffer needs to be allowed: s3:PutObject, s3:GetObject, s3:DeleteObject,
 * s3:AbortMultipartUpload. s3:ListBucket is used for finding left-overs only. Without it a key that is missing is
 * answered "access denied": then the marker tells whether we may read at all. */
#pragma once
#include "blob/blob.h"
#include "blob/s3_credentials.h"
#include "blob/s3_error.h"
#include "net/http_client.h"

struct s3 {
    struct blob_store store;    /* first: what the world sees */
    struct s3_credentials *credentials;
    struct http_client *http;   /* made when first needed: most workers only sign */
    const char *prefix;         /* "" or "prefix/" */
    bool no_conditions;         /* the server does not know If-None-Match */
};

static inline struct s3 *s3_of(struct blob_store *s)
{
    return (struct s3 *)s;
}

#define S3_HEADERS_MAX 4

/* One request, before it is signed. */
struct s3_ask {
    const char *method, *key;          /* the key below the prefix; "" for the bucket itself */
    struct s3_pair query[4];           /* ended by a row without a name, or full */
    struct s3_pair headers[S3_HEADERS_MAX];
    const struct http_body *body;
    const char *payload;               /* SHA-256 of the body; NULL: there is none */
    http_sink_fn *sink;
    void *arg;
    unsigned stall_ms;                 /* 0: the usual */
};

/* Fill a call with the signed request; everything lives on mem. */
enum err s3_prepare_call(struct s3 *s, const void *mem, const struct s3_ask *ask, struct http_call *call) MUST_CHECK;
/* The one client of this process. */
enum err s3_http(struct s3 *s, struct http_client **out) MUST_CHECK;

/* How often and how long something has been tried. */
struct s3_patience {
    unsigned tries;
    int64_t began_ms;
    bool renewed;
};
void s3_begin(struct s3_patience *p);
/* After a failed try: wait a little and say whether to try again. */
bool s3_again(struct s3 *s, struct s3_patience *p, const struct s3_fault *fault);

/* Ask once. What stands in call lives on mem. */
void s3_once(struct s3 *s, const void *mem, const struct s3_ask *ask, struct http_call *call, struct s3_fault *fault_out);
/* Ask until there is an answer or patience ends; for what may be done twice. */
void s3_ask(struct s3 *s, const void *mem, const struct s3_ask *ask, struct http_call *call, struct s3_fault *fault_out);

/* "blobs/<id>" on mem. */
char *s3_blob_key(const void *mem, struct id id);

/* What HEAD tells of a key. */
struct s3_head {
    uint64_t size;
    const char *put; /* which put wrote it (x-amz-meta-coffer-put), "" when it does not say */
};
/* S3_MISSING only when that is sure. */
void s3_head(struct s3 *s, const void *mem, const char *key, struct s3_head *out, struct s3_fault *fault_out);
/* "Access denied" for a key is how a missing one looks without s3:ListBucket: the marker tells which. */
void s3_settle_denied(struct s3 *s, const void *mem, struct s3_fault *fault);

enum err s3_read(struct blob_store *s, struct id id, uint64_t first, uint64_t length,
                 enum err (*write)(void *arg, const void *bytes, size_t n), void *arg) MUST_CHECK;
enum err s3_size(struct blob_store *s, struct id id, uint64_t *size_out) MUST_CHECK;

enum err s3_put(struct blob_store *s, struct id id, const struct blob_source *source) MUST_CHECK;
/* SHA-256 of a source; E_IO when it ends early. */
enum err s3_hash(const struct blob_source *source, char hex_out[static 65]) MUST_CHECK;
/* An upload in parts; tag marks what it writes as its own. */
#define S3_PART_MIN (UINT64_C(16) << 20)
enum err s3_put_parts(struct s3 *s, struct id id, const struct blob_source *source, const char *tag) MUST_CHECK;
/* Did that put write the blob? For when its answer was lost. */
bool s3_is_mine(struct s3 *s, const char *key, const char *tag, uint64_t size, struct s3_fault *fault_out);

/* Records of uploads in parts, so that what a crash leaves can be ended: nobody may list them, and S3 bills their
 * parts for ever. A record is locked while its upload is under way. */
enum err s3_record_folder(const struct s3 *s) MUST_CHECK;
enum err s3_record_make(const struct s3 *s, struct id id, const char *upload, int *fd_out) MUST_CHECK;
enum err s3_record_drop(const struct s3 *s, struct id id) MUST_CHECK;
enum err s3_tidy(struct blob_store *s, unsigned *did_out) MUST_CHECK;
void s3_abort_upload(struct s3 *s, struct id id, const char *upload, struct s3_fault *fault_out);

enum err s3_each(struct blob_store *s, blob_each_fn *fn, void *arg) MUST_CHECK;
enum err s3_set_aside(struct blob_store *s, const char *id) MUST_CHECK;
enum err s3_sweep(struct blob_store *s, int64_t lost_before_ms, unsigned *did_out) MUST_CHECK;
