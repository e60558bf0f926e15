#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "web/h_page.h"
#include "web/view.h"

static json_t *with_next(struct walk *w, const char *route, const char *next)
{
    return json_sprintf("%s?next=%s", link_to(w, route, ""), url_encode(w, next));
}

/* The wait that a failure asks for, in a unit that a person reads easily. */
static void set_wait(json_t *page, const json_t *problem)
{
    json_int_t s = json_integer_value(json_object_get(problem, "retry_after"));
    json_object_set_new(page, "minutes", s > 120 ? json_integer((s + 59) / 60) : json_null());
    json_object_set_new(page, "seconds", s > 0 && s <= 120 ? json_integer(s) : json_null());
}

/* The name typed, never the password; it is whatever somebody sent, so shown only as text. */
json_t *view_sign_in(struct walk *w)
{
    const struct in_page_login *in = w->in;
    const char *next = page_next(in != NULL ? in->next : NULL);
    const char *invite = in != NULL ? in->invite : NULL;
    bool invited = strcmp(w->site->conf->site_register, "invite") == 0 && invite != NULL && invite[0] != '\0';
    bool open = invited || strcmp(w->site->conf->site_register, "open") == 0;
    json_t *page = json_own_object(w);
    json_object_set_new(page, "username", json_string(in != NULL && in->username != NULL ? in->username : ""));
    json_object_set_new(page, "next", json_string(next));
    json_object_set_new(page, "invite", invited ? json_string(invite) : json_null());
    json_object_set_new(page, "login", with_next(w, "page_login", next));
    json_object_set_new(page, "register", open ? with_next(w, "page_register", next) : json_null());
    json_object_set_new(page, "closed", json_boolean(!open));
    json_object_set_new(page, "password_set", json_boolean(in != NULL && in->done == 2 && w->reply.problem == E_OK));
    json_object_set_new(page, "signed_out", json_boolean(in != NULL && in->done == 1 && w->reply.problem == E_OK));
    json_object_set(page, "problem", w->reply.problem != E_OK ? w->reply.data : json_null());
    set_wait(page, w->reply.problem != E_OK ? w->reply.data : NULL);
    return page;
}

/* Which advice the error page gives: by code where the status alone does not tell, else by status. */
static const struct {
    enum err err;
    unsigned status;
    const char *advice;
} advices[] = {
    {.err = E_NAME_TAKEN, .advice = "taken"},
    {.err = E_BAD_NAME, .advice = "taken"},
    {.err = E_IS_FOLDER, .advice = "taken"},
    {.err = E_REAUTH, .advice = "sign_in"},
    {.status = 401, .advice = "sign_in"},
    {.status = 403, .advice = "denied"},
    {.status = 404, .advice = "missing"},
    {.status = 409, .advice = "changed"},
    {.status = 412, .advice = "seen"},
    {.status = 413, .advice = "too_large"},
    {.status = 429, .advice = "wait"},
    {.status = 507, .advice = "full"},
};

static const char *advice_for(enum err e)
{
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
        if (advices[i].status == 0 ? advices[i].err == e : advices[i].status == err_status(e))
            return advices[i].advice;
    return err_status(e) >= 500 ? "broken" : "request";
}

/* A form of the page of a folder or file that failed leads back to that page; one that is not there does not. */
static json_t *back(struct walk *w, const char *folder, const char *route)
{
    bool form = w->route != NULL && w->req->method == POST && strncmp(w->route->pattern, folder, strlen(folder)) == 0;
    return form && w->reply.problem != E_NOT_FOUND ? json_string(link_to(w, route, w->arg.s)) : json_null();
}

json_t *view_error(struct walk *w)
{
    const json_t *problem = w->reply.data, *limit = json_object_get(problem, "limit");
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    bool more = detail != NULL && strcmp(detail, err_title(w->reply.problem)) != 0;
    json_t *page = json_own_object(w);
    json_object_set_new(page, "detail", more ? json_string(detail) : json_null());
    json_object_set_new(page, "limit", limit != NULL ? json_string(view_size(w, json_integer_value(limit))) : json_null());
    json_object_set_new(page, "back", back(w, "/folder/", "page_folder"));
    json_object_set_new(page, "look", back(w, "/file/", "page_file"));
    json_object_set_new(page, advice_for(w->reply.problem), json_true());
    set_wait(page, problem);
    return page;
}
