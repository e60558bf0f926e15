#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "blob/s3.h"

enum {
    CONNECT_MS = 1500,      /* with the web server's own try before: an answer within 3 s when S3 is gone */
    TRIES = 4,
    UNREACHABLE_MS = 1000,  /* nobody there: not tried again after this */
    SMALL = 1 << 20,        /* bytes of a body; what carries less than this is answered soon by an S3 that is well ... */
    SMALL_STALL_MS = 4000,  /* ... and called silent after this; larger ones may take as long as http_call_init says */
    SILENT_MS = 15000,      /* silence: tried once more within this */
    ALL_MS = 60000,
    PAUSE_MS = 100,         /* doubled each time, and then a random part of it */
    PAUSE_MAX_MS = 2000,
    MARK_MS = 1000,
};

char *s3_blob_key(const void *mem, struct id id)
{
    return mem_printf(mem, "blobs/%s", id.s);
}

enum err s3_http(struct s3 *s, struct http_client **out)
{
    if (s->http == NULL)
        TRY(http_client_open(s, &(struct http_limits){.connect_ms = CONNECT_MS, .ca_file = s->store.conf->store_s3_ca}, &s->http));
    *out = s->http;
    return E_OK;
}

/* ---- one request ---- */

static size_t count(const struct s3_pair *rows, size_t most)
{
    size_t n = 0;
    while (n < most && rows[n].name != NULL)
        n++;
    return n;
}

static const char *url_of(const struct s3 *s, const void *mem, const struct s3_request *r)
{
    const char *query = s3_query(mem, r->query, r->n_query);
    return mem_printf(mem, "%s://%s%s%s%s", s->store.conf->s3_tls ? "https" : "http", r->host, s3_encode(mem, r->path, 1),
                      *query ? "?" : "", query);
}

static const char **header_lines(const void *mem, const struct s3_request *r, const struct s3_pair *more)
{
    const char **lines = mem_array(mem, const char *, r->n_headers + S3_SIGNED_MAX + 2);
    size_t n = 0;
    for (size_t i = 0; i < r->n_headers; i++)
        lines[n++] = mem_printf(mem, "%s: %s", r->headers[i].name, r->headers[i].value);
    for (; more->name != NULL; more++)
        lines[n++] = mem_printf(mem, "%s: %s", more->name, more->value);
    lines[n++] = "Content-Type:"; /* none that libcurl thinks of */
    return lines;
}

enum err s3_prepare_call(struct s3 *s, const void *mem, const struct s3_ask *ask, struct http_call *call)
{
    const struct conf *conf = s->store.conf;
    int64_t now_ms = clock_now_ms(&clock_real);
    struct s3_keys keys;
    struct s3_pair signed_with[S3_SIGNED_MAX];
    struct s3_request r = {
        .method = ask->method, .host = conf->s3_host,
        .path = mem_printf(mem, "%s/%s%s", conf->s3_base, *ask->key ? s->prefix : "", ask->key),
        .query = ask->query, .n_query = count(ask->query, sizeof ask->query / sizeof *ask->query),
        .headers = ask->headers, .n_headers = count(ask->headers, S3_HEADERS_MAX),
        .payload = ask->payload != NULL ? ask->payload : S3_EMPTY,
    };
    TRY(s3_credentials_get(s->credentials, now_ms, &keys));
    s3_sign(mem, &r, &keys, &(struct s3_scope){conf->s3_region, now_ms}, signed_with);
    http_call_init(call, mem);
    call->method = ask->method;
    call->url = url_of(s, mem, &r);
    call->headers = header_lines(mem, &r, signed_with);
    call->body = ask->body;
    call->sink = ask->sink;
    call->arg = ask->arg;
    if (ask->stall_ms > 0)
        call->stall_ms = ask->stall_ms;
    else if (ask->body == NULL || ask->body->size < SMALL)
        call->stall_ms = SMALL_STALL_MS;
    return E_OK;
}

/* ---- the mark that all processes of this host share: S3 could not be reached a moment ago ---- */

static bool is_marked(const struct s3 *s)
{
    return s->store.shm != NULL && atomic_load(&s->store.shm->blobs_down_until_ms) > clock_monotonic_ms();
}

static void mark(const struct s3 *s)
{
    if (s->store.shm != NULL)
        atomic_store(&s->store.shm->blobs_down_until_ms, clock_monotonic_ms() + MARK_MS);
}

static void unmark(const struct s3 *s)
{
    if (s->store.shm != NULL && atomic_load(&s->store.shm->blobs_down_until_ms) != 0)
        atomic_store(&s->store.shm->blobs_down_until_ms, 0);
}

/* ---- patience ---- */

void s3_begin(struct s3_patience *p)
{
    *p = (struct s3_patience){.began_ms = clock_monotonic_ms()};
}

static bool in_time(const struct s3_patience *p, const struct s3_fault *fault)
{
    int64_t spent_ms = clock_monotonic_ms() - p->began_ms;
    if (fault->trouble == S3_TIMEOUT)
        return p->tries < 2 && spent_ms < SILENT_MS;
    if (s3_is_unreachable(fault->trouble))
        return spent_ms < UNREACHABLE_MS;
    return spent_ms < ALL_MS;
}

/* Everybody who failed at the same moment comes back at another one. */
static void pause_before(unsigned tries, unsigned retry_after_s)
{
    unsigned most = PAUSE_MS << (tries < 6 ? tries : 6);
    most = most < PAUSE_MAX_MS ? most : PAUSE_MAX_MS;
    if (retry_after_s > 0 && retry_after_s * 1000 <= PAUSE_MAX_MS)
        most = retry_after_s * 1000;
    poll(NULL, 0, (int)(most / 4 + randombytes_uniform(most)));
}

bool s3_again(struct s3 *s, struct s3_patience *p, const struct s3_fault *fault)
{
    enum s3_trouble t = fault->trouble;
    if ((t == S3_BAD_ID || t == S3_BAD_SECRET || t == S3_EXPIRED || t == S3_DENIED) && !p->renewed) {
        p->renewed = true;
        if (s3_credentials_renew(s->credentials))
            return true;
    }
    p->tries++;
    if (s3_may_retry(t) && p->tries < TRIES && in_time(p, fault)) {
        pause_before(p->tries, fault->retry_after_s);
        return true;
    }
    if (s3_is_unreachable(t))
        mark(s);
    return false;
}

/* ---- asking ---- */

static void no_keys(struct s3_fault *fault, enum err e)
{
    *fault = (struct s3_fault){.trouble = S3_NO_KEYS};
    snprintf(fault->why, sizeof fault->why, "%.159s", err_last(e)->detail);
}

void s3_once(struct s3 *s, const void *mem, const struct s3_ask *ask, struct http_call *call, struct s3_fault *fault_out)
{
    struct http_client *http;
    *fault_out = (struct s3_fault){.trouble = S3_MARKED};
    if (is_marked(s))
        return;
    enum err e = s3_prepare_call(s, mem, ask, call);
    if (e == E_OK)
        e = s3_http(s, &http);
    if (e != E_OK) {
        no_keys(fault_out, e);
        return;
    }
    http_run(http, call);
    s3_judge(call, clock_now_ms(&clock_real), fault_out);
    if (call->fault == HTTP_FINE)
        unmark(s);
}

void s3_ask(struct s3 *s, const void *mem, const struct s3_ask *ask, struct http_call *call, struct s3_fault *fault_out)
{
    struct s3_patience p;
    s3_begin(&p);
    do
        s3_once(s, mem, ask, call, fault_out);
    while (fault_out->trouble != S3_FINE && s3_again(s, &p, fault_out));
}
