#include "base/json.h"
#include "base/mem.h"
#include "core/session.h"
#include "web/account.h"
#include "web/cookie.h"
#include "web/h_page.h"
#include "web/view.h"

#define NEXT_MAX 4096

static const char *const dones[] = {"", "signed-out", "password", NULL};

#define AT(member) .offset = offsetof(struct in_page_login, member)
const struct field fields_page_login[] = {
    {.name = "username", .kind = FIELD_TEXT, AT(username), .max = 1024},
    {.name = "password", .kind = FIELD_TEXT, AT(password), .max = 1024, .secret = true},
    {.name = "next", .kind = FIELD_TEXT, AT(next), .max = NEXT_MAX},
    {.name = "invite", .kind = FIELD_TEXT, AT(invite), .max = 100, .secret = true},
    {.name = "done", .kind = FIELD_CHOICE, AT(done), .choices = dones},
    {0},
};

const char *page_next(const char *next)
{
    if (next == NULL || next[0] != '/' || next[1] == '/' || next[1] == '\\')
        return "/";
    for (const char *p = next; *p != '\0'; p++)
        if (*p <= ' ' || *p > '~' || *p == '\\')
            return "/";
    return next;
}

/* Answer with the route's form: now, or with the failure beside it should the handler fail (view_sign_in). */
static enum err form(struct walk *w)
{
    w->reply.template = w->route->template;
    return reply_data(w, 200, json_own_object(w));
}

static enum err ask(struct walk *w)
{
    const struct in_page_login *in = w->in;
    if (w->who.kind == WHO_USER)
        return reply_see(w, page_next(in->next));
    return form(w);
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static enum err sign_in(struct walk *w)
{
    const struct in_page_login *in = w->in;
    struct in_login login = {.username = or_empty(in->username), .password = or_empty(in->password)};
    struct user user;
    TRY(account_login(w, &login, &user));
    return reply_see(w, page_next(in->next));
}

enum err h_page_login_ask(struct walk *w)
{
    return ask(w);
}

enum err h_page_login(struct walk *w)
{
    TRY(form(w));
    return sign_in(w);
}

enum err h_page_register_ask(struct walk *w)
{
    return ask(w);
}

enum err h_page_register(struct walk *w)
{
    const struct in_page_login *in = w->in;
    struct in_register account = {.username = or_empty(in->username), .password = or_empty(in->password), .invite = in->invite};
    struct user user;
    TRY(form(w));
    TRY(account_register(w, &account, &user));
    return sign_in(w);
}

enum err h_page_logout(struct walk *w)
{
    TRY(account_logout(w));
    TRY(cookie_session_clear(w));
    return reply_see(w, mem_printf(w, "%s?done=signed-out", link_to(w, "page_login", "")));
}
