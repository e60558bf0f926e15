#include "web/problem.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"

static const struct {
    unsigned bit;
    const char *name;
} methods[] = {{GET, "GET"}, {HEAD, "HEAD"}, {POST, "POST"}, {PUT, "PUT"}, {PATCH, "PATCH"}, {DELETE, "DELETE"}};

static json_t *document(struct walk *w, enum err e)
{
    const struct err_info *info = err_last(e);
    const char *detail = info->say[0] != '\0' ? info->say : err_title(e);
    json_t *o = json_own_object(w);
    json_object_set_new(o, "type", json_string("about:blank"));
    json_object_set_new(o, "title", json_string(err_title(e)));
    json_object_set_new(o, "status", json_integer((json_int_t)err_status(e)));
    json_object_set_new(o, "detail", json_string(detail));
    json_object_set_new(o, "code", json_string(err_code(e)));
    if (info->field[0] != '\0')
        json_object_set_new(o, "field", json_string(info->field));
    if (info->limit > 0)
        json_object_set_new(o, "limit", json_integer((json_int_t)info->limit));
    if (info->retry_after_s > 0)
        json_object_set_new(o, "retry_after", json_integer((json_int_t)info->retry_after_s));
    return o;
}

/* Nobody signed in on a page: the way to the sign-in page, and back. */
static bool leads_to_sign_in(const struct walk *w, enum err e)
{
    return e == E_SIGN_IN && w->route != NULL && walk_html(w) && w->req->phase == PHASE_PLAIN;
}

void problem_fill(struct walk *w)
{
    enum err e = w->reply.problem;
    const char *template = w->reply.kind == REPLY_DATA ? w->reply.template : NULL;
    unsigned allow = w->reply.allow;
    w->reply = (struct reply){.problem = e, .allow = allow, .kind = REPLY_DATA, .status = err_status(e), .template = template};
    if (leads_to_sign_in(w, e)) {
        const char *back = w->req->method == GET ? w->req->target : "/";
        w->reply.kind = REPLY_REDIRECT;
        w->reply.status = 303;
        w->reply.location = mem_printf(w, "/login?next=%s", url_encode(w, back));
        return;
    }
    w->reply.data = document(w, e);
}

static enum err allow_header(struct walk *w)
{
    const char *list = "";
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (w->reply.allow & methods[i].bit)
            list = mem_printf(w, "%s%s%s", list, *list ? ", " : "", methods[i].name);
    return *list ? resp_header(&w->resp, "Allow", "%s", list) : E_OK;
}

enum err problem_headers(struct walk *w)
{
    enum err e = w->reply.problem;
    unsigned wait = err_last(e)->retry_after_s;
    if (wait == 0 && (err_status(e) == 503 || err_status(e) == 429))
        wait = 2;
    if (wait > 0)
        TRY(resp_header(&w->resp, "Retry-After", "%u", wait));
    if (err_status(e) == 401 && w->reply.kind != REPLY_REDIRECT)
        TRY(resp_header(&w->resp, "WWW-Authenticate", "Bearer"));
    if (e == E_BAD_RANGE) /* the limit is the size of the file (RFC 9110 15.5.17) */
        TRY(resp_header(&w->resp, "Content-Range", "bytes */%llu", (unsigned long long)err_last(e)->limit));
    return allow_header(w);
}
