/* Going out by HTTP: the only place that sees libcurl.
 *
 * A client keeps connections open between calls and belongs to one process: make it after the fork. No
 * redirect is followed, no proxy used, certificates are always verified. A call says what to send and gets
 * what came back; what the statuses mean is the caller's affair. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Why there is no answer, or none to rely on. */
enum http_fault {
    HTTP_FINE,    /* a whole answer: see status */
    HTTP_DNS,     /* no address for the name */
    HTTP_CONNECT, /* nobody there, or not within the connect limit; nothing was sent */
    HTTP_TLS,     /* a certificate or handshake that does not pass; nothing was sent */
    HTTP_TIMEOUT, /* connected, but too slow or silent */
    HTTP_CUT,     /* the connection broke in between, or what came is not HTTP */
    HTTP_SOURCE,  /* the file to send ends early or cannot be read */
    HTTP_REFUSED, /* the sink did not want it: see sink_err */
};
const char *http_fault_text(enum http_fault fault); /* "no connection" */

/* What is sent after the headers: memory, or a range of an open file when fd >= 0. */
struct http_body {
    const void *data;
    int fd;
    uint64_t offset, size;
};

struct http_call;
/* Takes a piece of a 2xx answer's body. Anything but E_OK breaks off. The call's status and headers stand. */
typedef enum err http_sink_fn(void *arg, const struct http_call *call, const void *bytes, size_t n);

struct http_call {
    /* what to send */
    const char *method, *url;
    const char *const *headers;   /* "Name: value", NULL-ended */
    const struct http_body *body; /* NULL: none, and no Content-Length */
    http_sink_fn *sink;           /* NULL: the body goes to `answer` */
    void *arg;
    unsigned stall_ms;            /* no byte in either direction for this long (to the second) is HTTP_TIMEOUT */
    unsigned total_ms;            /* limit for all of it; 0: only stalls count */

    /* what came; the buffers live on the context of http_call_init */
    enum http_fault fault;
    char why[256];                /* the library's words for a fault; no secrets */
    unsigned status;
    struct buf head;              /* header lines of the last answer, "name: value\n" each */
    struct buf answer;            /* the body where no sink took it; what is beyond the ceiling is dropped */
    enum err sink_err;

    /* the client's own */
    void *easy, *header_list;
    bool head_ended;
    uint64_t sent, moved;         /* bytes of the body given away; of all that moved, and when it last did */
    int64_t moved_ms;
};

#define HTTP_ANSWER_MAX (1u << 20)
/* A call with empty buffers on ctx and usual limits. */
void http_call_init(struct http_call *call, const void *ctx);
/* An answer's header, NULL when absent; on ctx. */
char *http_header(const void *ctx, const struct http_call *call, const char *name);

struct http_limits {
    unsigned connect_ms;
    const char *ca_file; /* "": the system's */
};

struct http_client;
/* Goes with ctx. */
enum err http_client_open(const void *ctx, const struct http_limits *limits, struct http_client **out) MUST_CHECK;

/* Run one call to its end; the outcome stands in the call. */
void http_run(struct http_client *c, struct http_call *call);

/* Run calls side by side, at most `parallel`: next() gives another one or NULL when there is none at the
 * moment, done() gets each back. Returns when none is under way and next() gave NULL. */
struct http_feed {
    struct http_call *(*next)(void *arg);
    void (*done)(void *arg, struct http_call *call);
    void *arg;
    unsigned parallel;
};
void http_run_all(struct http_client *c, const struct http_feed *feed);
