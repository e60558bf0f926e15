#include "base/json.h"
#include "base/mem.h"
#include "core/account.h"
#include "core/grant.h"
#include "web/account.h"
#include "web/cookie.h"
#include "web/handlers.h"
#include "web/record.h"
#include "web/walk.h"

enum err h_me_change(struct walk *w)
{
    struct user user;
    TRY(account_change(w->site->core, w, &w->who, w->in, &user));
    return reply_account(w, 200, &user);
}

enum err h_me_password(struct walk *w)
{
    char token[TOKEN_TEXT];
    const struct caller caller = caller_of(w);
    TRY(account_password(w->site->core, w, &caller, &w->who, w->in, token));
    TRY(account_token(w, token));
    return reply_empty(w);
}

enum err h_me_confirm(struct walk *w)
{
    const struct in_confirm *in = w->in;
    char token[TOKEN_TEXT];
    const struct caller caller = caller_of(w);
    TRY(session_confirm(w->site->core, w, &caller, &w->who, in->password, token));
    TRY(account_token(w, token));
    return reply_empty(w);
}

/* ---- sessions ---- */
enum err h_session_list(struct walk *w)
{
    struct session *sessions;
    size_t n;
    TRY(session_all(w->site->core, w, &w->who, &sessions, &n));
    json_t *o = json_own_object(w), *items = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append(items, record_session(w, &sessions[i], id_eq(sessions[i].id, w->who.session)));
    json_object_set_new(o, "items", items);
    json_object_set_new(o, "next", json_null());
    return reply_data(w, 200, o);
}

enum err h_session_end(struct walk *w)
{
    TRY(session_end_one(w->site->core, &w->who, w->arg));
    if (id_eq(w->arg, w->who.session))
        TRY(cookie_session_clear(w));
    return reply_empty(w);
}

enum err h_sessions_end(struct walk *w)
{
    const struct in_sessions_end *in = w->in;
    TRY(session_end_others(w->site->core, &w->who, in->all));
    if (in->all)
        TRY(cookie_session_clear(w));
    return reply_empty(w);
}

/* ---- without a sign-in ---- */
enum err h_reset(struct walk *w)
{
    const struct caller caller = caller_of(w);
    TRY(reset_use(w->site->core, w, &caller, w->in));
    return reply_empty(w);
}
