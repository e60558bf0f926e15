#include "base/mem.h"
#include "core/session.h"
#include "web/account.h"
#include "web/cookie.h"
#include "web/handlers.h"
#include "web/record.h"
#include "web/walk.h"

struct caller caller_of(const struct walk *w)
{
    return (struct caller){.address = w->req->address, .agent = w->req->user_agent, .device = w->req->cookie_device};
}

enum err account_token(struct walk *w, char token[static TOKEN_TEXT])
{
    TRY(cookie_session(w, mem_str(w, token)));
    mem_wipe(token, TOKEN_TEXT);
    return E_OK;
}

enum err account_register(struct walk *w, const struct in_register *in, struct user *user_out)
{
    struct caller caller = caller_of(w);
    return user_register(w->site->core, w, &caller, in, user_out);
}

enum err account_login(struct walk *w, const struct in_login *in, struct user *user_out)
{
    char token[TOKEN_TEXT];
    const char *device;
    struct caller caller = caller_of(w);
    TRY(session_begin(w->site->core, w, &caller, in, user_out, token, &device));
    TRY(account_logout(w)); /* the browser's earlier session would live on without a cookie that names it */
    TRY(cookie_device(w, device));
    return account_token(w, token);
}

enum err account_logout(struct walk *w)
{
    return w->who.kind == WHO_USER ? session_end(w->site->core, &w->who) : E_OK;
}

enum err reply_account(struct walk *w, unsigned status, const struct user *user)
{
    struct who who = {.kind = WHO_USER, .user = *user, .scopes = VERB_ALL};
    struct account account;
    TRY(account_show(w->site->core, w, &who, &account));
    return reply_data(w, status, record_account(w, &account.user, &account.space));
}

enum err h_register(struct walk *w)
{
    struct user user;
    TRY(account_register(w, w->in, &user));
    return reply_data(w, 201, record_account(w, &user, NULL));
}

enum err h_login(struct walk *w)
{
    struct user user;
    TRY(account_login(w, w->in, &user));
    return reply_account(w, 200, &user);
}

enum err h_logout(struct walk *w)
{
    TRY(account_logout(w));
    TRY(cookie_session_clear(w));
    return reply_empty(w);
}

enum err h_me(struct walk *w)
{
    return reply_account(w, 200, &w->who.user);
}
