/* What changes about accounts that exist: name, role, state, quota; their sessions, all at once. */
#include "meta/sqlite.h"

#include <string.h>

/* ---- steps ---- */
enum err sqlite_user_row(struct sqlite *s, void *mem, struct id id, struct user *out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, SQL_USER_BY_ID, &q, &row, ARGS(TEXT(id.s))));
    if (!row)
        return err_set(E_NOT_FOUND, "no user %s", id.s);
    row_user(mem, q, 0, out);
    return E_OK;
}

enum err sqlite_admin_left(struct sqlite *s, const struct user *user)
{
    int64_t others;
    if (user->role != ROLE_ADMIN || user->state != USER_ACTIVE)
        return E_OK;
    TRY(db_number(&s->main, SQL_ADMINS_OTHER, &others, ARGS(TEXT(user->id.s))));
    return others > 0 ? E_OK : err_set(E_LAST_ADMIN, "user %s is the last", user->name);
}

static enum err note(struct sqlite *s, const struct user *user, const char *action, const char *text, int64_t now_ms)
{
    const struct audit audit = {.at_ms = now_ms, .user = user->id, .action = action, .note = text};
    return sqlite_audit(s, &audit);
}

static enum err end_sessions(struct sqlite *s, struct id user)
{
    return db_run(&s->main, SQL_USER_SESSIONS_DROP, ARGS(TEXT(user.s)));
}

/* ---- name ---- */
static enum err check_key(struct sqlite *s, const struct user *user, const char *key)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, SQL_USER_BY_KEY, &q, &row, ARGS(TEXT(key))));
    return row && !id_eq(row_id(q, 0), user->id) ? err_set(E_NAME_TAKEN, "user %s exists", key) : E_OK;
}

static enum err rename_user(struct sqlite *s, void *mem, struct id id, const char *name, const char *key, int64_t now_ms)
{
    struct user user;
    TRY(sqlite_user_row(s, mem, id, &user));
    TRY(check_key(s, &user, key));
    TRY(db_run(&s->main, SQL_USER_RENAME, ARGS(TEXT(id.s), TEXT(name), TEXT(key))));
    return note(s, &user, "user_rename", name, now_ms);
}

enum err sqlite_user_rename(struct meta *m, struct id user, const char *name, const char *key, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    TRY(sqlite_write(s));
    return db_end(&s->main, rename_user(s, mem, user, name, key, now_ms));
}

/* ---- role and state ---- */
static enum err set_role(struct sqlite *s, void *mem, struct id id, enum user_role role, int64_t now_ms)
{
    struct user user;
    TRY(sqlite_user_row(s, mem, id, &user));
    if (user.role == role)
        return E_OK;
    if (role != ROLE_ADMIN)
        TRY(sqlite_admin_left(s, &user));
    TRY(db_run(&s->main, SQL_USER_ROLE, ARGS(TEXT(id.s), NUMBER(role))));
    TRY(end_sessions(s, id));
    return note(s, &user, "user_role", role == ROLE_ADMIN ? "admin" : "user", now_ms);
}

enum err sqlite_user_role(struct meta *m, struct id user, enum user_role role, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    TRY(sqlite_write(s));
    return db_end(&s->main, set_role(s, mem, user, role, now_ms));
}

static enum err set_state(struct sqlite *s, void *mem, struct id id, enum user_state state, int64_t now_ms)
{
    struct user user;
    TRY(sqlite_user_row(s, mem, id, &user));
    if (user.state == state)
        return E_OK;
    if (state != USER_ACTIVE)
        TRY(sqlite_admin_left(s, &user));
    TRY(db_run(&s->main, SQL_USER_STATE, ARGS(TEXT(id.s), NUMBER(state))));
    TRY(end_sessions(s, id));
    return note(s, &user, "user_state", state == USER_ACTIVE ? "active" : "disabled", now_ms);
}

enum err sqlite_user_state(struct meta *m, struct id user, enum user_state state, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    TRY(sqlite_write(s));
    return db_end(&s->main, set_state(s, mem, user, state, now_ms));
}

/* ---- quota ---- */
static enum err set_quota(struct sqlite *s, void *mem, struct id id, int64_t quota, int64_t now_ms)
{
    struct user user;
    TRY(sqlite_user_row(s, mem, id, &user));
    TRY(db_run(&s->main, SQL_SPACE_QUOTA, ARGS(TEXT(id.s), NUMBER(quota))));
    return note(s, &user, "user_quota", mem_printf(mem, "%lld", (long long)quota), now_ms);
}

enum err sqlite_user_quota(struct meta *m, struct id user, int64_t quota, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    TRY(sqlite_write(s));
    return db_end(&s->main, set_quota(s, mem, user, quota, now_ms));
}

/* ---- sessions ---- */
static enum err end_all(struct sqlite *s, struct id user, struct id keep, int64_t now_ms)
{
    const struct audit audit = {.at_ms = now_ms, .user = user, .action = "session_end_all", .note = ""};
    TRY(db_run(&s->main, SQL_SESSION_END_OTHERS, ARGS(TEXT(user.s), TEXT(keep.s))));
    return sqlite_audit(s, &audit);
}

enum err sqlite_session_end_all(struct meta *m, struct id user, struct id keep, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, end_all(s, user, keep, now_ms));
}

static enum err read_sessions(struct sqlite *s, void *mem, struct id user, int64_t now_ms, struct session **out, size_t *n_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    *out = NULL;
    TRY(db_one(&s->main, SQL_SESSION_LIST, &q, &row, ARGS(TEXT(user.s), NUMBER(now_ms))));
    for (*n_out = 0; row; ++*n_out) {
        if ((*n_out & (*n_out - 1)) == 0) /* 0 and powers of two: grow to twice that */
            *out = talloc_realloc(mem, *out, struct session, (unsigned)(*n_out > 0 ? 2 * *n_out : 1));
        if (*out == NULL)
            mem_exhausted();
        row_session(mem, q, 0, &(*out)[*n_out]);
        TRY(db_next(&s->main, q, &row));
    }
    return E_OK;
}

enum err sqlite_session_list(struct meta *m, void *mem, struct id user, int64_t now_ms, int64_t idle_since_ms,
                             struct session **sessions_out, size_t *n_out)
{
    struct sqlite *s = sqlite_of(m);
    size_t n, kept = 0;
    TRY(sqlite_ready(s));
    TRY(read_sessions(s, mem, user, now_ms, sessions_out, &n));
    for (size_t i = 0; i < n; i++) {
        struct session *one = &(*sessions_out)[i];
        one->seen_ms = sqlite_seen(s, one, now_ms);
        if (one->seen_ms >= idle_since_ms)
            (*sessions_out)[kept++] = *one;
    }
    *n_out = kept;
    return E_OK;
}

static enum err renew(struct sqlite *s, struct id user, struct id session, const char *token_hash, int64_t now_ms)
{
    const struct audit audit = {.at_ms = now_ms, .user = user, .action = "session_renew", .note = ""};
    TRY(db_run(&s->main, SQL_SESSION_RENEW, ARGS(TEXT(user.s), TEXT(session.s), TEXT(token_hash), NUMBER(now_ms))));
    if (db_changes(&s->main) == 0)
        return err_set(E_NOT_FOUND, "user %s has no session %s", user.s, session.s);
    return sqlite_audit(s, &audit);
}

enum err sqlite_session_renew(struct meta *m, struct id user, struct id session, const char *token_hash, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, renew(s, user, session, token_hash, now_ms));
}
