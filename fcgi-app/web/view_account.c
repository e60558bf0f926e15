#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "web/h_page.h"
#include "web/view.h"

/* What people call the thing in their hands; the first word that stands in the User-Agent. Browsers claim to be one
 * another, so order matters: whoever is imitated comes last. */
static const char *const programs[][2] = {
    {"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
};
static const char *const systems[][2] = {
    {"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Mac OS X", "Mac"}, {"Linux", "Linux"},
};

static const char *named(const char *const words[][2], size_t n, const char *agent)
{
    for (size_t i = 0; i < n; i++)
        if (strstr(agent, words[i][0]) != NULL)
            return words[i][1];
    return NULL;
}

static json_t *or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *session(struct walk *w, const struct session *s)
{
    const char *agent = s->agent != NULL ? s->agent : "";
    const char *program = named(programs, sizeof programs / sizeof *programs, agent);
    json_t *o = json_object();
    json_object_set_new(o, "program", or_null(program != NULL ? program : agent));
    json_object_set_new(o, "system", or_null(named(systems, sizeof systems / sizeof *systems, agent)));
    json_object_set_new(o, "address", or_null(s->address));
    json_object_set_new(o, "this", json_boolean(id_eq(s->id, w->who.session)));
    json_object_set_new(o, "end", json_string(link_to(w, "page_session_end", s->id.s)));
    view_time(o, s->seen_ms > 0 ? s->seen_ms : s->created_ms);
    return o;
}

static json_t *problem_of(enum err e)
{
    const char *say = e != E_OK ? err_last(e)->say : "";
    return e == E_OK ? json_null() : json_string(say[0] != '\0' ? say : err_title(e));
}

/* Its words stand beside the form that was sent. */
static void set_problem(struct walk *w, json_t *page, enum err problem)
{
    bool confirming = w->route != NULL && strcmp(w->route->name, "page_confirm") == 0;
    json_object_set_new(page, "password_problem", confirming ? json_null() : problem_of(problem));
    json_object_set_new(page, "confirm_problem", confirming ? problem_of(problem) : json_null());
}

static void set_sessions(struct walk *w, json_t *page, const struct self *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->n_sessions; i++)
        json_array_append_new(list, session(w, &self->sessions[i]));
    json_object_set_new(page, "sessions", list);
    json_object_set_new(page, "others", json_boolean(self->n_sessions > 1));
    json_object_set_new(page, "fresh", json_boolean(self->fresh));
    json_object_set_new(page, "end_others", json_string(link_to(w, "page_sessions_end", "")));
    json_object_set_new(page, "confirm", json_string(link_to(w, "page_confirm", "")));
    json_object_set_new(page, "password", json_string(link_to(w, "page_password", "")));
}

json_t *view_account(struct walk *w, const struct self *self, enum err problem)
{
    const struct in_page_account *in = w->in;
    const struct space *space = &self->space;
    json_t *page = json_own_object(w);
    json_object_set_new(page, "account", json_true());
    json_object_set_new(page, "username", json_string(self->user.name));
    json_object_set_new(page, "admin", json_boolean(self->user.role == ROLE_ADMIN));
    json_object_set_new(page, "used", json_string(view_size(w, space->used)));
    json_object_set_new(page, "used_bytes", json_integer(space->used));
    json_object_set_new(page, "quota", space->quota > 0 ? json_string(view_size(w, space->quota)) : json_null());
    json_object_set_new(page, "quota_bytes", json_integer(space->quota));
    json_object_set_new(page, "high_bytes", json_integer(space->quota / 10 * 9));
    json_object_set_new(page, "changed", json_boolean(in->done == 1));
    json_object_set_new(page, "confirmed", json_boolean(in->done == 2));
    json_object_set_new(page, "ended", json_boolean(in->done == 3));
    set_problem(w, page, problem);
    set_sessions(w, page, self);
    return page;
}

json_t *view_reset(struct walk *w, const struct user *user, const char *token, enum err problem)
{
    json_t *page = json_own_object(w);
    json_object_set_new(page, "username", json_string(user->name));
    json_object_set_new(page, "token", json_string(token));
    json_object_set_new(page, "problem", problem_of(problem));
    json_object_set_new(page, "action", json_string(link_to(w, "page_reset_do", "")));
    return page;
}
