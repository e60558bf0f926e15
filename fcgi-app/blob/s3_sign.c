#include "blob/s3_sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "crypt/crypt.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TEXT_MAX  (1u << 20)

void s3_date(int64_t now_ms, char text[static S3_DATE_MAX])
{
    time_t s = (time_t)(now_ms / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(text, S3_DATE_MAX, "%Y%m%dT%H%M%SZ", &tm);
}

static char *text_of(const void *ctx, struct buf *b)
{
    if (buf_ok(b) != E_OK)
        mem_exhausted(); /* a megabyte of address: nobody here makes one */
    return b->data != NULL ? b->data : mem_str(ctx, "");
}

static void add_encoded(struct buf *b, const char *text, int keep_slash)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *p = text; *p != '\0'; p++) {
        if (strchr(plain, *p) != NULL || (keep_slash && *p == '/'))
            buf_char(b, *p);
        else
            buf_printf(b, "%%%02X", (unsigned)(unsigned char)*p);
    }
}

char *s3_encode(const void *ctx, const char *text, int keep_slash)
{
    struct buf b;
    buf_init(&b, ctx, TEXT_MAX);
    add_encoded(&b, text, keep_slash);
    return text_of(ctx, &b);
}

/* By name, then by value, as bytes. */
static int by_name(const void *a, const void *b)
{
    const struct s3_pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : strcmp(x->value, y->value);
}

/* Sorted after encoding: `%` comes before letters, so the order can differ from that of the plain text. */
char *s3_query(const void *ctx, const struct s3_pair *query, size_t n)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct s3_pair *encoded = mem_array(mem, struct s3_pair, n + 1);
    struct buf b;
    for (size_t i = 0; i < n; i++)
        encoded[i] = (struct s3_pair){s3_encode(mem, query[i].name, 0), s3_encode(mem, query[i].value, 0)};
    qsort(encoded, n, sizeof *encoded, by_name);
    buf_init(&b, ctx, TEXT_MAX);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%s=%s", i > 0 ? "&" : "", encoded[i].name, encoded[i].value);
    return text_of(ctx, &b);
}

/* ---- headers ---- */

/* Runs of blanks become one, those at the ends go. */
static char *trimmed(const void *ctx, const char *value)
{
    struct buf b;
    buf_init(&b, ctx, TEXT_MAX);
    for (const char *p = value + strspn(value, " \t"); *p != '\0'; p++) {
        bool blank = *p == ' ' || *p == '\t';
        if (blank && (p[1] == ' ' || p[1] == '\t' || p[1] == '\0'))
            continue;
        buf_char(&b, blank ? ' ' : *p);
    }
    return text_of(ctx, &b);
}

static char *lower(const void *ctx, const char *name)
{
    char *text = mem_str(ctx, name);
    for (char *p = text; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return text;
}

struct headers {
    struct s3_pair *rows;
    size_t n;
};

static void add_header(const void *mem, struct headers *h, const char *name, const char *value)
{
    h->rows[h->n++] = (struct s3_pair){lower(mem, name), trimmed(mem, value)};
}

/* The request's headers and host, with room for `more`. */
static struct headers headers_of(const void *mem, const struct s3_request *r, size_t more)
{
    struct headers h = {.rows = mem_array(mem, struct s3_pair, r->n_headers + 1 + more)};
    add_header(mem, &h, "host", r->host);
    for (size_t i = 0; i < r->n_headers; i++)
        add_header(mem, &h, r->headers[i].name, r->headers[i].value);
    return h;
}

/* "host;range;x-amz-date": they are sorted. */
static char *names_of(const void *ctx, const struct s3_pair *headers, size_t n)
{
    char *names = mem_str(ctx, "");
    for (size_t i = 0; i < n; i++)
        names = mem_printf(ctx, "%s%s%s", names, i > 0 ? ";" : "", headers[i].name);
    return names;
}

char *s3_canonical(const void *ctx, const struct s3_request *r, const struct s3_pair *headers, size_t n)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct buf b;
    buf_init(&b, ctx, TEXT_MAX);
    buf_printf(&b, "%s\n", r->method);
    add_encoded(&b, r->path, 1);
    buf_printf(&b, "\n%s\n", s3_query(mem, r->query, r->n_query));
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s:%s\n", headers[i].name, headers[i].value);
    buf_printf(&b, "\n%s\n%s", names_of(mem, headers, n), r->payload);
    return text_of(ctx, &b);
}

/* ---- the signature ---- */

struct signer {
    const void *mem;
    const struct s3_keys *keys;
    const char *region;
    char date[S3_DATE_MAX];
};

static char *scope_of(const struct signer *s)
{
    return mem_printf(s->mem, "%.8s/%s/s3/aws4_request", s->date, s->region);
}

static void derive(const struct signer *s, unsigned char key[HMAC_BYTES])
{
    CLEANUP(free_mem) char *first = mem_printf(NULL, "AWS4%s", s->keys->secret);
    hmac_sha256(first, strlen(first), s->date, 8, key);
    hmac_sha256(key, HMAC_BYTES, s->region, strlen(s->region), key);
    hmac_sha256(key, HMAC_BYTES, "s3", 2, key);
    hmac_sha256(key, HMAC_BYTES, "aws4_request", 12, key);
    mem_wipe(first, strlen(first));
}

static char *signature(const struct signer *s, const char *canonical)
{
    unsigned char key[HMAC_BYTES], sum[HMAC_BYTES];
    char hash[65];
    char *hex = talloc_size(s->mem, 65);
    struct sha256 *h = sha256_new(s->mem);
    sha256_add(h, canonical, strlen(canonical));
    sha256_hex(h, hash);
    const char *text = mem_printf(s->mem, ALGORITHM "\n%s\n%s\n%s", s->date, scope_of(s), hash);
    derive(s, key);
    hmac_sha256(key, sizeof key, text, strlen(text), sum);
    mem_wipe(key, sizeof key);
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    return hex;
}

void s3_sign(const void *ctx, const struct s3_request *r, const struct s3_keys *keys, const struct s3_scope *scope,
             struct s3_pair signed_out[static S3_SIGNED_MAX])
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct signer s = {.mem = mem, .keys = keys, .region = scope->region};
    struct headers h = headers_of(mem, r, S3_SIGNED_MAX);
    size_t n = 0;
    s3_date(scope->now_ms, s.date);
    signed_out[n++] = (struct s3_pair){"x-amz-content-sha256", mem_str(ctx, r->payload)};
    signed_out[n++] = (struct s3_pair){"x-amz-date", mem_str(ctx, s.date)};
    if (*keys->token)
        signed_out[n++] = (struct s3_pair){"x-amz-security-token", mem_str(ctx, keys->token)};
    for (size_t i = 0; i < n; i++)
        add_header(mem, &h, signed_out[i].name, signed_out[i].value);
    qsort(h.rows, h.n, sizeof *h.rows, by_name);

    const char *sum = signature(&s, s3_canonical(mem, r, h.rows, h.n));
    signed_out[n++] = (struct s3_pair){
        "authorization", mem_printf(ctx, ALGORITHM " Credential=%s/%s,SignedHeaders=%s,Signature=%s", keys->id, scope_of(&s),
                                    names_of(mem, h.rows, h.n), sum)};
    signed_out[n] = (struct s3_pair){NULL, NULL};
}

char *s3_presign(const void *ctx, const struct s3_request *r, const struct s3_keys *keys, const struct s3_scope *scope,
                 unsigned expires_s)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct signer s = {.mem = mem, .keys = keys, .region = scope->region};
    struct headers h = headers_of(mem, r, 0);
    struct s3_pair *query = mem_array(mem, struct s3_pair, r->n_query + 6);
    size_t n = r->n_query;
    s3_date(scope->now_ms, s.date);
    qsort(h.rows, h.n, sizeof *h.rows, by_name);
    if (n > 0)
        memcpy(query, r->query, n * sizeof *query);
    query[n++] = (struct s3_pair){"X-Amz-Algorithm", ALGORITHM};
    query[n++] = (struct s3_pair){"X-Amz-Credential", mem_printf(mem, "%s/%s", keys->id, scope_of(&s))};
    query[n++] = (struct s3_pair){"X-Amz-Date", s.date};
    query[n++] = (struct s3_pair){"X-Amz-Expires", mem_printf(mem, "%u", expires_s)};
    query[n++] = (struct s3_pair){"X-Amz-SignedHeaders", names_of(mem, h.rows, h.n)};
    if (*keys->token)
        query[n++] = (struct s3_pair){"X-Amz-Security-Token", keys->token};

    struct s3_request whole = *r;
    whole.query = query;
    whole.n_query = n;
    whole.payload = S3_UNSIGNED;
    const char *sum = signature(&s, s3_canonical(mem, &whole, h.rows, h.n));
    return mem_printf(ctx, "%s&X-Amz-Signature=%s", s3_query(mem, query, n), sum);
}
