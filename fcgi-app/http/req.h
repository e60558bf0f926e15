/* A request, taken apart once: everything after this works on checked, decoded parts.
 *
 * Made from FastCGI parameters only, so a test can make one from strings. What is refused here: a target
 * over 16 KiB (E_URI_TOO_LONG), one not starting with '/', bad percent-encoding, an encoded NUL, a segment
 * that is not UTF-8 (E_BAD_PATH); single-valued headers sent twice (E_DUPLICATE_HEADER); two session
 * cookies; a Content-Length that is not a number. The path is taken from REQUEST_URI (raw) only: '%2F' and '%5C' inside a
 * segment stay part of that segment (and are then refused as a name), "." and ".." segments in any encoding are E_BAD_PATH. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/field.h"

enum method { GET = 1, HEAD = 2, POST = 4, PUT = 8, PATCH = 16, DELETE = 32, OPTIONS = 64, METHOD_OTHER = 128 };

/* Which of the web server's calls this is; told by its own file (trusted after the front key was checked). */
enum phase {
    PHASE_PLAIN,     /* body, if any, comes through FastCGI */
    PHASE_RESERVE,   /* auth_request before a large body: no body; length says what is coming */
    PHASE_COMMIT,    /* the body lies in body_file */
    PHASE_DISK_FULL, /* the web server could not store the body */
    PHASE_RELEASE,   /* an upload is over, however it ended: what is still reserved for it is given back */
};

struct req {
    enum method method;
    const char *method_text;
    const char *target;             /* REQUEST_URI as sent; for links back only, never for the log */
    size_t n_segments;
    const char *const *segments;    /* decoded path, without the empty ones at the ends; inner empty ones are E_BAD_PATH */
    bool trailing_slash;            /* also for "/" */
    size_t n_query;
    const struct pair *query;       /* decoded, in order */

    enum phase phase;
    int64_t length;                 /* declared body length; -1: unknown (chunked) */
    const char *body_file;          /* PHASE_COMMIT: path as the web server gave it; "" = none (an empty body has no file) */
    const char *upload;             /* reservation id handed on by the web server, "" = none */
    const char *front;              /* COFFER_FRONT as given, "" = none */
    const char *hands;              /* COFFER_SEND: "x-accel-redirect", "x-sendfile", "" = cannot send files */
    int64_t queued_ms;              /* real time when the web server got the request; 0 = not told */

    /* headers; NULL when absent or empty; lists sent in several lines (Accept, If-Match, If-None-Match) are joined;
     * user_agent is made fit to be shown: valid UTF-8, U+FFFD for what cannot be */
    const char *host, *accept, *content_type, *authorization, *origin, *sec_fetch_site, *sec_fetch_dest,
        *user_agent, *range, *if_range, *if_match, *if_none_match, *if_modified_since, *if_unmodified_since,
        *requested_with;
    const char *cookie_session;     /* value of the session cookie, NULL when absent */
    const char *cookie_device;      /* value of the device cookie, NULL when absent or sent twice */
    const char *address;            /* REMOTE_ADDR, "" when unknown (unix socket) */
    bool https;
};

/* params: as fcgi_params. Strings are owned by ctx. `cookie_session`/`cookie_device`: the cookies' names. */
enum err req_parse(const void *ctx, char *const *params, const char *cookie_session, const char *cookie_device,
                   struct req **out) MUST_CHECK;

/* The one query value of that name, NULL when absent (E_DUPLICATE_FIELD is for field_fill to find). */
const char *req_query(const struct req *r, const char *name);

/* Accept says that a person's browser asks: names text/html with q > 0. */
bool req_wants_html(const struct req *r);
/* Accept names application/json with q > 0. */
bool req_wants_json(const struct req *r);

/* Percent-encode for a path segment or query value: everything but unreserved (RFC 3986 2.3), on ctx. */
char *url_encode(const void *ctx, const char *text);
/* Decode %XX (and '+' as blank when `form`); E_BAD_PATH on bad hex or NUL. */
enum err url_decode(const void *ctx, const char *text, size_t len, bool form, char **out, size_t *len_out) MUST_CHECK;
