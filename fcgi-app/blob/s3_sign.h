/* Signature Version 4 as S3 wants it (AWS, "Authenticating Requests (AWS Signature Version 4)"). Pure functions: time, keys
 * and request come in, text on ctx goes out. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct s3_pair {
    const char *name, *value;
};

struct s3_keys {
    const char *id, *secret, *token; /* token "": none */
};

/* A request before it is encoded. */
struct s3_request {
    const char *method;
    const char *host;               /* as the Host header has it, with the port where not the default */
    const char *path;               /* decoded: "/bucket/some key" */
    const struct s3_pair *query;    /* decoded; any order */
    size_t n_query;
    const struct s3_pair *headers;  /* beside host and those the signer adds; names in any case */
    size_t n_headers;
    const char *payload;            /* SHA-256 of the body in hex, or S3_UNSIGNED */
};

struct s3_scope {
    const char *region;
    int64_t now_ms;
};

#define S3_UNSIGNED "UNSIGNED-PAYLOAD"
#define S3_EMPTY    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* SHA-256 of nothing */
#define S3_DATE_MAX 17 /* 20130524T000000Z */

void s3_date(int64_t now_ms, char text[static S3_DATE_MAX]);

/* Percent-encode all but unreserved characters (RFC 3986 2.3), and `/` unless told to keep it. */
char *s3_encode(const void *ctx, const char *text, int keep_slash);
/* "a=1&b=": encoded, in canonical order; good for the address as well. */
char *s3_query(const void *ctx, const struct s3_pair *query, size_t n);

/* What is hashed. headers: all that are signed, host among them. */
char *s3_canonical(const void *ctx, const struct s3_request *r, const struct s3_pair *headers, size_t n);

/* The headers that make a request acceptable, ended by a row without a name: x-amz-content-sha256, x-amz-date,
 * x-amz-security-token when there is a token, authorization. Those of the request are signed with them. */
#define S3_SIGNED_MAX 5
void s3_sign(const void *ctx, const struct s3_request *r, const struct s3_keys *keys, const struct s3_scope *scope,
             struct s3_pair signed_out[static S3_SIGNED_MAX]);

/* A query string with which anybody may make this request (its headers and host as given) for expires_s. */
char *s3_presign(const void *ctx, const struct s3_request *r, const struct s3_keys *keys, const struct s3_scope *scope,
                 unsigned expires_s);
