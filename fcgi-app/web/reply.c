/* The only writer of headers and bodies: everything a client ever gets leaves through here. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/media.h"
#include "http/cond.h"
#include "http/range.h"
#include "web/cookie.h"
#include "web/problem.h"
#include "web/send.h"
#include "web/view.h"
#include "web/walk.h"

#define PAGE_MAX (16u << 20)
#define CSP_PAGE                                                                                                       \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "  \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
#define CSP_DATA "default-src 'none'; frame-ancestors 'none'; sandbox"

enum err reply_data(struct walk *w, unsigned status, json_t *data)
{
    w->reply.kind = REPLY_DATA;
    w->reply.status = status;
    w->reply.data = data;
    return E_OK;
}

/* The strings are copied: a handler's record may be gone when the reply is written. */
enum err reply_created(struct walk *w, json_t *data, const char *location, const char *etag)
{
    w->reply.location = mem_str(w, location);
    w->reply.etag = etag != NULL ? mem_str(w, etag) : NULL;
    return reply_data(w, 201, data);
}

enum err reply_empty(struct walk *w)
{
    w->reply.kind = REPLY_EMPTY;
    w->reply.status = 204;
    return E_OK;
}

enum err reply_redirect(struct walk *w, unsigned status, const char *location)
{
    w->reply.kind = REPLY_REDIRECT;
    w->reply.status = status;
    w->reply.location = location;
    return E_OK;
}

enum err reply_see(struct walk *w, const char *location)
{
    return reply_redirect(w, 303, location);
}

enum err reply_text(struct walk *w, const char *type, const char *text)
{
    w->reply.kind = REPLY_TEXT;
    w->reply.status = 200;
    w->reply.type = type;
    w->reply.text = text;
    return E_OK;
}

enum err reply_delivery(struct walk *w, const struct delivery *delivery)
{
    w->reply.kind = REPLY_DELIVERY;
    w->reply.status = 200;
    w->reply.delivery = *delivery;
    return E_OK;
}

bool walk_html(const struct walk *w)
{
    if (w->req == NULL)
        return false;
    if (w->route == NULL)
        return req_wants_html(w->req) && (w->req->n_segments == 0 || strcmp(w->req->segments[0], "api") != 0);
    if (w->route->face == FACE_CONTENT) /* the index of a folder */
        return w->reply.template != NULL && w->reply.problem == E_OK;
    return w->route->face == FACE_PAGE || (w->route->face == FACE_EITHER && req_wants_html(w->req));
}

/* On every answer, whatever it is. */
static enum err security_headers(struct walk *w, const char *csp)
{
    struct resp *r = &w->resp;
    TRY(resp_header(r, "Content-Security-Policy", "%s", csp));
    TRY(resp_header(r, "X-Content-Type-Options", "nosniff"));
    TRY(resp_header(r, "X-Frame-Options", "DENY"));
    TRY(resp_header(r, "Referrer-Policy", "same-origin"));
    TRY(resp_header(r, "Cross-Origin-Opener-Policy", "same-origin"));
    TRY(resp_header(r, "Cross-Origin-Resource-Policy", "same-origin"));
    TRY(resp_header(r, "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"));
    if (w->site->conf->hsts)
        TRY(resp_header(r, "Strict-Transport-Security", "max-age=31536000"));
    return E_OK;
}

static enum err common_headers(struct walk *w)
{
    struct resp *r = &w->resp;
    const struct reply *reply = &w->reply;
    r->status = reply->status;
    if (reply->kind != REPLY_DELIVERY) {
        TRY(resp_header(r, "Cache-Control", "no-store"));
        if (w->route == NULL || w->route->face == FACE_EITHER || w->route->access == ACCESS_USER)
            TRY(resp_header(r, "Vary", "Accept, Cookie, Authorization"));
    }
    if (reply->location != NULL)
        TRY(resp_header(r, "Location", "%s", reply->location));
    if (reply->etag != NULL)
        TRY(resp_header(r, "ETag", "\"%s\"", reply->etag));
    for (size_t i = 0; i < reply->n_cookies; i++)
        TRY(resp_header(r, "Set-Cookie", "%s", reply->set_cookie[i]));
    return E_OK;
}

static enum err render_body(struct walk *w, const char **type_out, bool *html_out)
{
    *html_out = walk_html(w) && (w->reply.template != NULL || w->reply.problem != E_OK || (w->route != NULL && w->route->template != NULL));
    if (!*html_out) {
        *type_out = w->reply.problem != E_OK ? "application/problem+json" : "application/json";
        w->resp.body = json_text(w, w->reply.data, &w->resp.body_len);
        return E_OK;
    }
    struct buf page;
    const char *template = w->reply.template != NULL ? w->reply.template : w->reply.problem != E_OK ? "error" : w->route->template;
    buf_init(&page, w, PAGE_MAX);
    TRY(templates_render(w->site->templates, template, view_make(w), &page));
    TRY(buf_ok(&page));
    *type_out = "text/html; charset=utf-8";
    w->resp.body = page.data;
    w->resp.body_len = page.len;
    return E_OK;
}

static enum err make_data(struct walk *w)
{
    const char *type;
    bool html;
    TRY(render_body(w, &type, &html));
    TRY(common_headers(w));
    TRY(security_headers(w, html ? CSP_PAGE : CSP_DATA));
    TRY(resp_header(&w->resp, "Content-Type", "%s", type));
    return resp_header(&w->resp, "Content-Length", "%zu", w->resp.body_len);
}

static enum err make_text(struct walk *w)
{
    w->resp.body = w->reply.text;
    w->resp.body_len = strlen(w->reply.text);
    TRY(common_headers(w));
    TRY(security_headers(w, CSP_DATA));
    TRY(resp_header(&w->resp, "Content-Type", "%s", w->reply.type));
    return resp_header(&w->resp, "Content-Length", "%zu", w->resp.body_len);
}

static enum err make_bare(struct walk *w)
{
    TRY(common_headers(w));
    TRY(security_headers(w, CSP_DATA));
    if (w->req->phase == PHASE_RESERVE && id_is(w->upload))
        TRY(resp_header(&w->resp, "Coffer-Upload", "%s", w->upload.s));
    return E_OK;
}

static enum err make_delivery(struct walk *w)
{
    TRY(send_prepare(w));
    TRY(common_headers(w));
    return security_headers(w, "sandbox; default-src 'none'");
}

static enum err make(struct walk *w)
{
    switch (w->reply.kind) {
    case REPLY_DATA:
        return make_data(w);
    case REPLY_TEXT:
        return make_text(w);
    case REPLY_DELIVERY:
        return make_delivery(w);
    default:
        return make_bare(w);
    }
}

/* A reservation refused: the web server answers for us, from these headers, without reading the body
 * (`return` in its file). It knows 403 alone as a refusal; the true status travels beside it. */
static enum err fold_refusal(struct walk *w)
{
    struct resp answer = w->resp;
    for (size_t i = 0; i < answer.body_len; i++)
        if (answer.body[i] == '\n' || answer.body[i] == '\r' || answer.body[i] == '\t')
            ((char *)answer.body)[i] = ' ';
    resp_clear(&w->resp);
    w->resp.status = 403;
    TRY(resp_header(&w->resp, "Coffer-Status", "%u", answer.status));
    TRY(resp_header(&w->resp, "Coffer-Face", "%s", walk_html(w) ? "html" : "json"));
    TRY(resp_header(&w->resp, "Content-Security-Policy", "%s", walk_html(w) ? CSP_PAGE : CSP_DATA));
    TRY(problem_headers(w));
    TRY(resp_header(&w->resp, "Coffer-Body", "%s", answer.body));
    return resp_header(&w->resp, "Content-Length", "0");
}

/* Asked before the body? Also told when the request could not be taken apart. */
static bool is_reservation(const struct walk *w)
{
    if (w->req != NULL)
        return w->req->phase == PHASE_RESERVE;
    for (char *const *param = fcgi_params(w->fcgi); *param != NULL; param++)
        if (strcmp(*param, "COFFER_PHASE=reserve") == 0)
            return true;
    return false;
}

/* The same failure as an answer; should even that fail, a bare 500 is left. */
static void make_problem(struct walk *w)
{
    resp_clear(&w->resp);
    problem_fill(w);
    if (make(w) == E_OK && (is_reservation(w) ? fold_refusal(w) : problem_headers(w)) == E_OK)
        return;
    log_err("reply", E_INTERNAL);
    resp_clear(&w->resp);
    w->resp.status = 500;
}

enum err stage_reply(struct walk *w)
{
    if (w->reply.problem == E_OK) {
        enum err e = make(w);
        if (e != E_OK)
            w->reply.problem = e;
    }
    if (w->reply.problem != E_OK)
        make_problem(w);
    return send_all(w);
}
