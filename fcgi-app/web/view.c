#include "web/view.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "web/h_page.h"

/* Templates that show failures beside a form, or nothing but the failure. The others get "page" from their handler. */
static const struct {
    const char *template;
    json_t *(*make)(struct walk *w);
} made_here[] = {
    {"login", view_sign_in},
    {"register", view_sign_in},
    {"error", view_error},
};

enum err reply_page(struct walk *w, unsigned status, json_t *page)
{
    json_t *data = json_own_object(w);
    json_object_set(data, "page", page);
    return reply_data(w, status, data);
}

static json_t *asset(const struct walk *w, const char *name)
{
    const char *file = json_string_value(json_object_get(w->site->assets, name));
    return json_sprintf("/assets/%s", file != NULL ? file : name);
}

static json_t *site(const struct walk *w)
{
    return json_pack("{s:s,s:o,s:o,s:o,s:o}", "title", w->site->conf->site_title, "css", asset(w, "coffer.css"), "js",
                     asset(w, "coffer.js"), "icons", asset(w, "icons.svg"), "favicon", asset(w, "favicon.svg"));
}

static json_t *links(struct walk *w)
{
    static const char *const names[][2] = {
        {"home", "page_home"},         {"login", "page_login"},     {"logout", "page_logout"},
        {"register", "page_register"}, {"account", "page_account"},
    };
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_object_set_new(o, names[i][0], json_string(link_to(w, names[i][1], "")));
    return o;
}

static const char *template_of(const struct walk *w)
{
    if (w->reply.template != NULL)
        return w->reply.template;
    return w->reply.problem != E_OK || w->route == NULL ? "error" : w->route->template;
}

json_t *view_make(struct walk *w)
{
    const char *template = template_of(w);
    json_t *root = json_own_object(w);
    bool signed_in = w->who.kind == WHO_USER;

    if (w->reply.problem != E_OK)
        json_object_set(root, "problem", w->reply.data);
    else
        json_object_update(root, w->reply.data);
    json_object_set_new(root, "site", site(w));
    json_object_set_new(root, "link", links(w));
    json_object_set_new(root, "user", signed_in ? json_pack("{s:s}", "name", w->who.user.name) : json_null());
    for (size_t i = 0; i < sizeof made_here / sizeof *made_here; i++)
        if (strcmp(template, made_here[i].template) == 0)
            json_object_set(root, "page", made_here[i].make(w));
    return root;
}

/* Half up, and to the next unit from 999.5 on: 999,950 bytes are "1.0 MB", never "1000 kB". */
char *view_size(const void *mem, int64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    size_t unit = 0;
    int64_t one = 1000;
    if (bytes < one)
        return mem_printf(mem, "%lld B", (long long)bytes);
    for (; unit + 1 < sizeof units / sizeof *units && bytes / (one / 2) >= 1999; unit++)
        one *= 1000;
    if (bytes / (one / 20) >= 1999) /* 99.95: no room for a decimal */
        return mem_printf(mem, "%lld %s", (long long)(bytes / one + (bytes % one >= one / 2)), units[unit]);
    int64_t tenths = bytes / (one / 10) + (bytes % (one / 10) >= one / 20);
    return mem_printf(mem, "%lld.%lld %s", (long long)(tenths / 10), (long long)(tenths % 10), units[unit]);
}

json_t *view_problem(enum err e)
{
    const char *say = e != E_OK ? err_last(e)->say : "";
    return e == E_OK ? json_null() : json_string(say[0] != '\0' ? say : err_title(e));
}

json_t *view_notice(int done, int64_t n)
{
    if (done == DONE_NOTHING)
        return json_null();
    return json_pack("{s:b,s:o}", page_dones[done], true, "n", n > 0 ? json_integer(n) : json_null());
}
