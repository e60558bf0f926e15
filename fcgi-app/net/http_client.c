#include "net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    HEAD_BYTES = 32 << 10,
    PIECE = 256 << 10,   /* of what libcurl reads and writes at once */
    STALL_MS = 10000,
    IDLE_MAX_S = 20,     /* an older kept connection may have been dropped on the way without a word */
    WAIT_MS = 1000,
};

struct http_client {
    CURLM *multi;
    CURL *spare;         /* one handle is kept for single calls */
    struct http_limits limits;
};

const char *http_fault_text(enum http_fault fault)
{
    static const char *const texts[] = {
        [HTTP_FINE] = "answered",
        [HTTP_DNS] = "name not found",
        [HTTP_CONNECT] = "no connection",
        [HTTP_TLS] = "TLS failed",
        [HTTP_TIMEOUT] = "no answer in time",
        [HTTP_CUT] = "connection cut",
        [HTTP_SOURCE] = "nothing to send",
        [HTTP_REFUSED] = "answer not wanted",
    };
    return texts[fault];
}

void http_call_init(struct http_call *call, const void *ctx)
{
    *call = (struct http_call){.method = "GET", .stall_ms = STALL_MS};
    buf_init(&call->head, ctx, HEAD_BYTES);
    buf_init(&call->answer, ctx, HTTP_ANSWER_MAX);
}

char *http_header(const void *ctx, const struct http_call *call, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = call->head.data; line != NULL && *line != '\0';) {
        size_t n = strcspn(line, "\n");
        if (n > len && line[len] == ':' && strncasecmp(line, name, len) == 0) {
            const char *value = line + len + 1;
            value += strspn(value, " \t");
            return mem_strn(ctx, value, (size_t)(line + n - value));
        }
        line += n + (line[n] == '\n');
    }
    return NULL;
}

/* ---- what libcurl calls ---- */

static size_t give_body(char *to, size_t one, size_t n, void *arg)
{
    struct http_call *call = arg;
    const struct http_body *body = call->body;
    uint64_t left = body->size - call->sent;
    n *= one;
    if (n > left)
        n = (size_t)left;
    if (n == 0)
        return 0;
    if (body->fd < 0) {
        memcpy(to, (const char *)body->data + call->sent, n);
    } else {
        ssize_t got = pread(body->fd, to, n, (off_t)(body->offset + call->sent));
        if (got <= 0) {
            call->fault = HTTP_SOURCE;
            return CURL_READFUNC_ABORT;
        }
        n = (size_t)got;
    }
    call->sent += n;
    return n;
}

/* A kept connection turned out dead before anything came back: libcurl sends once more, from the start. */
static int seek_body(void *arg, curl_off_t offset, int origin)
{
    struct http_call *call = arg;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > call->body->size)
        return CURL_SEEKFUNC_CANTSEEK;
    call->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t take_header(char *line, size_t one, size_t n, void *arg)
{
    struct http_call *call = arg;
    size_t len = n *= one;
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0)
        buf_reset(&call->head); /* 100 Continue came before */
    call->head_ended = len == 0;
    buf_add(&call->head, line, len);
    buf_char(&call->head, '\n');
    return n;
}

static size_t take_body(char *bytes, size_t one, size_t n, void *arg)
{
    struct http_call *call = arg;
    long status = 0;
    n *= one;
    curl_easy_getinfo((CURL *)call->easy, CURLINFO_RESPONSE_CODE, &status);
    call->status = (unsigned)status;
    if (call->sink == NULL || status / 100 != 2) {
        buf_add(&call->answer, bytes, n);
        return n;
    }
    call->sink_err = call->sink(call->arg, call, bytes, n);
    if (call->sink_err == E_OK)
        return n;
    call->fault = HTTP_REFUSED;
    return 0;
}

/* libcurl calls this about once a second, and whenever something moved. Its own CURLOPT_LOW_SPEED_TIME looks at a mean over
 * the last five seconds and calls a silence of 4 s one of 10 (measured with 7.88). */
static int watch(void *arg, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
    struct http_call *call = arg;
    int64_t now_ms = clock_monotonic_ms();
    uint64_t moved = (uint64_t)got + (uint64_t)sent + call->head.len;
    (void)to_get;
    (void)to_send;
    if (moved != call->moved) {
        call->moved = moved;
        call->moved_ms = now_ms;
    }
    if (now_ms - call->moved_ms < call->stall_ms)
        return 0;
    call->fault = HTTP_TIMEOUT;
    return 1;
}

/* ---- a call becomes a handle and back ---- */

static enum http_fault fault_of(CURLcode code, CURL *easy)
{
    curl_off_t connected_us = 0;
    switch (code) {
    case CURLE_OK:
        return HTTP_FINE;
    case CURLE_COULDNT_RESOLVE_HOST:
        return HTTP_DNS;
    case CURLE_COULDNT_CONNECT:
        return HTTP_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return HTTP_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
        return connected_us == 0 ? HTTP_CONNECT : HTTP_TIMEOUT;
    default:
        return HTTP_CUT;
    }
}

static void set_method(CURL *easy, const struct http_call *call)
{
    if (strcmp(call->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (call->body != NULL) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->body->size);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static void set_functions(CURL *easy, struct http_call *call)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->why);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, call);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_body);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, call);
}

static void set_limits(CURL *easy, const struct http_limits *limits, const struct http_call *call)
{
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)limits->connect_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)call->total_ms);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)PIECE);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)PIECE);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

static void set_trust(CURL *easy, const struct http_limits *limits)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (*limits->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, limits->ca_file);
}

static struct curl_slist *header_list(const struct http_call *call)
{
    /* No waiting for 100 Continue, and no type or encoding that nobody signed. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    list = curl_slist_append(list, "Accept:");
    for (const char *const *h = call->headers; h != NULL && *h != NULL; h++)
        list = curl_slist_append(list, *h);
    if (list == NULL)
        mem_exhausted();
    return list;
}

static void call_begin(struct http_client *c, struct http_call *call, CURL *easy)
{
    call->easy = easy;
    call->fault = HTTP_FINE;
    call->why[0] = '\0';
    call->status = 0;
    call->sent = 0;
    call->sink_err = E_OK;
    call->head_ended = false;
    call->moved = 0;
    call->moved_ms = clock_monotonic_ms();
    buf_reset(&call->head);
    buf_reset(&call->answer);
    call->header_list = header_list(call);
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->header_list);
    set_method(easy, call);
    set_functions(easy, call);
    set_limits(easy, &c->limits, call);
    set_trust(easy, &c->limits);
}

static void call_end(struct http_call *call, CURLcode code)
{
    CURL *easy = call->easy;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    call->status = (unsigned)status;
    if (call->fault == HTTP_TIMEOUT) /* watch() broke it off, and libcurl says no more than that */
        snprintf(call->why, sizeof call->why, "not a byte in %u s", call->stall_ms / 1000);
    if (call->fault == HTTP_FINE)
        call->fault = fault_of(code, easy);
    if (call->fault == HTTP_FINE && !call->head_ended) { /* libcurl is content with a status line */
        call->fault = HTTP_CUT;
        snprintf(call->why, sizeof call->why, "the answer's headers broke off");
    }
    if (call->fault != HTTP_FINE && call->why[0] == '\0')
        snprintf(call->why, sizeof call->why, "%s", curl_easy_strerror(code));
    curl_slist_free_all(call->header_list);
    call->header_list = NULL;
    call->easy = NULL;
}

/* ---- running ---- */

static void start_library(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        mem_exhausted();
}

static int client_gone(struct http_client *c)
{
    curl_easy_cleanup(c->spare);
    curl_multi_cleanup(c->multi);
    return 0;
}

enum err http_client_open(const void *ctx, const struct http_limits *limits, struct http_client **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    struct http_client *c = mem_new(ctx, struct http_client);
    c->multi = curl_multi_init();
    c->spare = curl_easy_init();
    if (c->multi == NULL || c->spare == NULL)
        mem_exhausted();
    c->limits = *limits;
    c->limits.ca_file = mem_str(c, limits->ca_file);
    talloc_set_destructor(c, client_gone);
    *out = c;
    return E_OK;
}

void http_run(struct http_client *c, struct http_call *call)
{
    call_begin(c, call, c->spare);
    call_end(call, curl_easy_perform(c->spare));
}

/* Give back what is done; tells how many were. */
static unsigned collect(struct http_client *c, const struct http_feed *feed)
{
    unsigned n = 0;
    int left;
    for (const CURLMsg *m; (m = curl_multi_info_read(c->multi, &left)) != NULL; n++) {
        CURL *easy = m->easy_handle;
        CURLcode code = m->data.result;
        char *own_pointer = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &own_pointer);
        struct http_call *call = (struct http_call *)(void *)own_pointer;
        curl_multi_remove_handle(c->multi, easy);
        call_end(call, code);
        curl_easy_cleanup(easy);
        feed->done(feed->arg, call);
    }
    return n;
}

static bool begin_another(struct http_client *c, const struct http_feed *feed)
{
    struct http_call *call = feed->next(feed->arg);
    if (call == NULL)
        return false;
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        mem_exhausted();
    call_begin(c, call, easy);
    curl_multi_add_handle(c->multi, easy);
    return true;
}

void http_run_all(struct http_client *c, const struct http_feed *feed)
{
    unsigned running = 0;
    int busy;
    for (;;) {
        while (running < feed->parallel && begin_another(c, feed))
            running++;
        if (running == 0)
            return;
        curl_multi_perform(c->multi, &busy);
        unsigned finished = collect(c, feed);
        running -= finished;
        if (finished == 0)
            curl_multi_poll(c->multi, NULL, 0, WAIT_MS, NULL);
    }
}
