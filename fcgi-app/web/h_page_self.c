/* The page of one's own account, its forms, and the page that a reset link leads to. */
#include "base/mem.h"
#include "core/account.h"
#include "core/grant.h"
#include "web/account.h"
#include "web/h_page.h"
#include "web/view.h"

#define PASSWORD_MAX 1024

static const char *const dones[] = {"", "password", "confirmed", "ended", NULL};

#define AT(member) .offset = offsetof(struct in_page_account, member)
const struct field fields_page_account[] = {
    {.name = "current_password", .kind = FIELD_TEXT, AT(current_password), .max = PASSWORD_MAX, .secret = true},
    {.name = "new_password", .kind = FIELD_TEXT, AT(new_password), .max = PASSWORD_MAX, .secret = true},
    {.name = "password", .kind = FIELD_TEXT, AT(password), .max = PASSWORD_MAX, .secret = true},
    {.name = "done", .kind = FIELD_CHOICE, AT(done), .choices = dones},
    {0},
};
#undef AT

#define AT(member) .offset = offsetof(struct in_page_reset, member)
const struct field fields_page_reset[] = {
    {.name = "token", .kind = FIELD_TEXT, AT(token), .max = 100, .required = true, .secret = true},
    {.name = "new_password", .kind = FIELD_TEXT, AT(new_password), .max = PASSWORD_MAX, .secret = true},
    {0},
};

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* A form that can be filled in again; anything else is a page of its own. */
static bool is_said_beside(enum err e)
{
    return e == E_CREDENTIALS || e == E_WEAK_PASSWORD || e == E_FIELD_INVALID || e == E_THROTTLED;
}

static enum err show(struct walk *w, enum err problem)
{
    const struct err_info saved = err_save();
    struct account account;
    struct self self;
    TRY(account_show(w->site->core, w, &w->who, &account));
    self = (struct self){.user = account.user, .space = account.space};
    TRY(session_all(w->site->core, w, &w->who, &self.sessions, &self.n_sessions));
    self.fresh = session_fresh(w->site->core, &w->who) == E_OK;
    err_restore(&saved);
    return reply_page(w, problem == E_OK ? 200 : err_status(problem), view_account(w, &self, problem));
}

static enum err back(struct walk *w, int done)
{
    return reply_see(w, mem_printf(w, "%s?done=%s", link_to(w, "page_account", ""), dones[done]));
}

enum err h_page_account(struct walk *w)
{
    return show(w, E_OK);
}

enum err h_page_password(struct walk *w)
{
    const struct in_page_account *in = w->in;
    const struct in_password change = {.current_password = or_empty(in->current_password), .new_password = or_empty(in->new_password)};
    const struct caller caller = caller_of(w);
    char token[TOKEN_TEXT];
    enum err e = account_password(w->site->core, w, &caller, &w->who, &change, token);
    if (is_said_beside(e))
        return show(w, e);
    TRY(e);
    TRY(account_token(w, token));
    return back(w, 1);
}

enum err h_page_confirm(struct walk *w)
{
    const struct in_page_account *in = w->in;
    const struct caller caller = caller_of(w);
    char token[TOKEN_TEXT];
    enum err e = session_confirm(w->site->core, w, &caller, &w->who, or_empty(in->password), token);
    if (is_said_beside(e))
        return show(w, e);
    TRY(e);
    TRY(account_token(w, token));
    return back(w, 2);
}

enum err h_page_session_end(struct walk *w)
{
    TRY(session_end_one(w->site->core, &w->who, w->arg));
    return back(w, 3);
}

enum err h_page_sessions_end(struct walk *w)
{
    TRY(session_end_others(w->site->core, &w->who, false));
    return back(w, 3);
}

/* ---- a new password by a link ---- */
static enum err ask(struct walk *w, enum err problem)
{
    const struct in_page_reset *in = w->in;
    const struct err_info saved = err_save();
    const struct caller caller = caller_of(w);
    struct user user;
    TRY(reset_show(w->site->core, w, &caller, in->token, &user));
    err_restore(&saved);
    return reply_page(w, problem == E_OK ? 200 : err_status(problem), view_reset(w, &user, in->token, problem));
}

enum err h_page_reset_ask(struct walk *w)
{
    return ask(w, E_OK);
}

enum err h_page_reset(struct walk *w)
{
    const struct in_page_reset *in = w->in;
    const struct in_reset reset = {.token = in->token, .new_password = or_empty(in->new_password)};
    const struct caller caller = caller_of(w);
    enum err e = reset_use(w->site->core, w, &caller, &reset);
    if (e == E_WEAK_PASSWORD || e == E_FIELD_INVALID)
        return ask(w, e);
    TRY(e);
    return reply_see(w, mem_printf(w, "%s?done=password", link_to(w, "page_login", "")));
}
