/* Sessions: records in the main file, their last request in the volatile one. */
#include "meta/sqlite.h"

#include "base/clock.h"

#define SEEN_EVERY_MS 60000

/* ---- beginning ---- */
static enum err check_active(struct sqlite *s, struct id user)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct user u;
    bool row;
    TRY(db_one(&s->main, SQL_USER_BY_ID, &q, &row, ARGS(TEXT(user.s))));
    if (!row)
        return err_set(E_CREDENTIALS, "user %s is gone", user.s);
    row_user(mem, q, 0, &u);
    return u.state == USER_ACTIVE ? E_OK : err_set(E_CREDENTIALS, "user %s is disabled", user.s);
}

static enum err add_session(struct sqlite *s, const struct session *in, unsigned most)
{
    const char *address = in->address != NULL ? in->address : "";
    const struct audit audit = {.at_ms = in->created_ms, .user = in->user, .action = "session_add", .note = address};
    TRY(check_active(s, in->user));
    TRY(db_run(&s->main, SQL_SESSION_ADD,
               ARGS(TEXT(in->id.s), TEXT(in->token_hash), TEXT(in->user.s), NUMBER(in->kind), NUMBER(in->created_ms),
                    NUMBER(in->signed_in_ms), NUMBER(in->expires_ms), TEXT(address), TEXT(in->agent != NULL ? in->agent : ""))));
    TRY(db_run(&s->main, SQL_SESSION_TRIM, ARGS(TEXT(in->user.s), TEXT(in->id.s), NUMBER(most > 0 ? most - 1 : 0))));
    return sqlite_audit(s, &audit);
}

enum err sqlite_session_add(struct meta *m, const struct session *in, unsigned most)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    TRY(db_end(&s->main, add_session(s, in, most)));
    sqlite_seen_note(s, in->id, in->seen_ms > 0 ? in->seen_ms : in->created_ms);
    return E_OK;
}

/* ---- asking ---- */
static enum err read_session(struct sqlite *s, void *mem, const char *token_hash, struct session *session_out, struct user *user_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, SQL_SESSION_GET, &q, &row, ARGS(TEXT(token_hash))));
    if (!row)
        return err_set(E_SIGN_IN, "no such session");
    row_session(mem, q, 0, session_out);
    row_user(mem, q, 9, user_out);
    return E_OK;
}

enum err sqlite_session_get(struct meta *m, void *mem, const char *token_hash, int64_t now_ms, int64_t idle_since_ms,
                            struct session *session_out, struct user *user_out)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_ready(s));
    TRY(read_session(s, mem, token_hash, session_out, user_out));
    if (user_out->state != USER_ACTIVE)
        return err_set(E_SIGN_IN, "user %s is disabled", user_out->id.s);
    if (session_out->expires_ms <= now_ms)
        return err_set(E_SIGN_IN, "session %s is over", session_out->id.s);
    session_out->seen_ms = sqlite_seen(s, session_out, now_ms);
    if (session_out->seen_ms < idle_since_ms)
        return err_set(E_SIGN_IN, "session %s was idle for too long", session_out->id.s);
    if (now_ms - session_out->seen_ms >= SEEN_EVERY_MS)
        sqlite_seen_note(s, session_out->id, now_ms);
    return E_OK;
}

/* ---- ending ---- */
static enum err end_session(struct sqlite *s, struct id user, struct id session)
{
    const struct audit audit = {.at_ms = clock_now_ms(&clock_real), .user = user, .action = "session_end", .note = ""};
    TRY(db_run(&s->main, SQL_SESSION_END, ARGS(TEXT(session.s), TEXT(user.s))));
    if (db_changes(&s->main) == 0)
        return err_set(E_NOT_FOUND, "user %s has no session %s", user.s, session.s);
    return sqlite_audit(s, &audit);
}

enum err sqlite_session_end(struct meta *m, struct id user, struct id session)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    TRY(db_end(&s->main, end_session(s, user, session)));
    sqlite_seen_drop(s, session);
    return E_OK;
}
