/* One request's way through Coffer: a struct and a list of stages (walk.c: read that first).
 *
 * Everything a request allocates hangs off walk.mem and goes with one call. Stages run once, forwards; a
 * stage that fails skips to the ones marked `always` (reply, note). Nothing calls back up. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

#include "base/field.h"
#include "core/core.h"
#include "http/fcgi.h"
#include "http/range.h"
#include "http/req.h"
#include "http/resp.h"
#include "render/render.h"
#include "web/route.h"

/* What is the same for every request of a process. */
struct site {
    struct core *core;
    const struct conf *conf;
    struct shm *shm;
    struct templates *templates;
    json_t *assets;             /* "coffer.css" -> "/assets/coffer-1a2b3c4d.css" */
    const char *front_key;      /* what COFFER_FRONT must be: "1:<key>" */
    const char *role;           /* the pool this process is in */
};

/* The body of a request, wherever it is. */
struct body {
    enum { BODY_ABSENT, BODY_MEMORY, BODY_SPOOL } kind;
    const char *data;           /* BODY_MEMORY, NUL-terminated */
    int fd;                     /* BODY_SPOOL: checked by spool_open; closed with walk.mem */
    uint64_t size;
};

/* What the handler wants said. The stage `reply` alone turns it into bytes. */
enum reply_kind { REPLY_NONE, REPLY_DATA, REPLY_EMPTY, REPLY_TEXT, REPLY_REDIRECT, REPLY_DELIVERY };

struct reply {
    enum reply_kind kind;
    unsigned status;
    json_t *data;               /* REPLY_DATA: what OpenAPI describes; a page's view adds "page" */
    const char *template;       /* the page to render it with; NULL: the route's */
    const char *location;       /* of a redirect, or of what was made */
    const char *etag;           /* without quotes */
    const char *text, *type;    /* REPLY_TEXT */
    struct delivery delivery;   /* REPLY_DELIVERY */
    const char *set_cookie[4];  /* whole values, made by cookie.c */
    size_t n_cookies;
    unsigned allow;             /* for 405: bits of enum method */
    enum err problem;           /* E_OK, or this request failed: data is the problem document */
};

struct walk {
    const void *mem;
    const struct site *site;
    struct fcgi *fcgi;

    struct req *req;            /* after `read` */
    const struct route *route;  /* after `match`; NULL when nothing matched */
    struct id arg;              /* {id} of the route */
    const char *arg_text;       /* {name} or {key} of the route */
    const char *const *path;    /* {path...} of the route: decoded segments */
    size_t n_path;

    struct who who;             /* after `who` */
    struct body body;           /* after `form` */
    void *in;                   /* after `form`: the route's struct, filled and checked */
    struct pair *form;          /* form fields of the body, when it is a form */
    size_t n_form;
    struct id upload;           /* the reservation of this upload; "" = none */

    struct reply reply;
    struct resp resp;
    bool stream;                /* the delivery passes through us: range says which bytes */
    struct range range;
    uint64_t bytes_sent;
    int64_t began_ms;           /* monotonic */
};

/* Serve one accepted request from beginning to end. Never fails: what goes wrong is answered. */
void walk_run(const struct site *site, struct fcgi *fcgi);

/* A stage of the walk; see the table in walk.c. */
enum err stage_read(struct walk *w);   /* stage_read.c: FastCGI -> request, front key */
enum err stage_match(struct walk *w);  /* stage_gate.c from here: route, host */
enum err stage_limit(struct walk *w);
enum err stage_who(struct walk *w);
enum err stage_csrf(struct walk *w);
enum err stage_allow(struct walk *w);
enum err stage_form(struct walk *w);   /* stage_form.c: body -> the route's struct */
enum err stage_act(struct walk *w);    /* stage_act.c */
enum err stage_reply(struct walk *w);  /* reply.c */
enum err stage_note(struct walk *w);   /* note.c */

/* A role's function: accept and walk until told to stop. */
struct worker;
int web_worker(const struct worker *worker);

/* ---- how handlers answer ---- */
enum err reply_data(struct walk *w, unsigned status, json_t *data);
enum err reply_created(struct walk *w, json_t *data, const char *location, const char *etag);
enum err reply_empty(struct walk *w);                                /* 204 */
enum err reply_see(struct walk *w, const char *location);            /* 303 */
enum err reply_redirect(struct walk *w, unsigned status, const char *location);
enum err reply_text(struct walk *w, const char *type, const char *text);
enum err reply_delivery(struct walk *w, const struct delivery *delivery);

/* The answer is a page (HTML) rather than JSON: by the route's face and, on familiar addresses, by Accept. */
bool walk_html(const struct walk *w);
