/* Invitations, links for a new password, the installation's secret. */
#include "meta/sqlite.h"

/* ---- invitations ---- */
enum err sqlite_invite_add(struct meta *m, const struct grant *in)
{
    struct sqlite *s = sqlite_of(m);
    const struct audit audit = {.at_ms = in->created_ms, .action = "invite_add", .note = ""};
    TRY(sqlite_write(s));
    enum err e = db_run(&s->main, SQL_INVITE_ADD, ARGS(TEXT(in->hash), NUMBER(in->created_ms), NUMBER(in->expires_ms)));
    return db_end(&s->main, e == E_OK ? sqlite_audit(s, &audit) : e);
}

enum err sqlite_invite_check(struct meta *m, const char *hash, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    int64_t n;
    TRY(sqlite_ready(s));
    TRY(db_number(&s->main, SQL_INVITE_GET, &n, ARGS(TEXT(hash), NUMBER(now_ms))));
    return n > 0 ? E_OK : err_set(E_BAD_INVITE, "no such invitation");
}

enum err sqlite_invite_take(struct sqlite *s, const char *hash, int64_t now_ms)
{
    TRY(db_run(&s->main, SQL_INVITE_TAKE, ARGS(TEXT(hash), NUMBER(now_ms))));
    return db_changes(&s->main) > 0 ? E_OK : err_set(E_BAD_INVITE, "no such invitation");
}

/* ---- new passwords ---- */
static enum err add_reset(struct sqlite *s, const struct grant *in)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const struct audit audit = {.at_ms = in->created_ms, .user = in->user, .action = "reset_add", .note = ""};
    struct user user;
    TRY(sqlite_user_row(s, mem, in->user, &user));
    TRY(db_run(&s->main, SQL_USER_RESETS_DROP, ARGS(TEXT(in->user.s))));
    TRY(db_run(&s->main, SQL_RESET_ADD, ARGS(TEXT(in->hash), TEXT(in->user.s), NUMBER(in->created_ms), NUMBER(in->expires_ms))));
    return sqlite_audit(s, &audit);
}

enum err sqlite_reset_add(struct meta *m, const struct grant *in)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, add_reset(s, in));
}

static enum err read_reset(struct sqlite *s, void *mem, const char *hash, int64_t now_ms, struct user *out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, SQL_RESET_USER, &q, &row, ARGS(TEXT(hash), NUMBER(now_ms))));
    if (!row)
        return err_set(E_BAD_RESET, "no such link");
    row_user(mem, q, 0, out);
    return E_OK;
}

enum err sqlite_reset_user(struct meta *m, void *mem, const char *hash, int64_t now_ms, struct user *user_out)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_ready(s));
    return read_reset(s, mem, hash, now_ms, user_out);
}

static enum err use_reset(struct sqlite *s, const char *hash, const char *password_hash, int64_t now_ms)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct user user;
    TRY(read_reset(s, mem, hash, now_ms, &user));
    TRY(db_run(&s->main, SQL_USER_RESETS_DROP, ARGS(TEXT(user.id.s))));
    return sqlite_password(s, user.id, password_hash, (struct id){""}, now_ms);
}

enum err sqlite_reset_use(struct meta *m, const char *hash, const char *password_hash, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, use_reset(s, hash, password_hash, now_ms));
}

/* ---- the secret ---- */
static enum err read_secret(struct sqlite *s, void *mem, const char **out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, SQL_META_GET, &q, &row, ARGS(TEXT("secret"))));
    *out = row ? row_text(mem, q, 0) : NULL;
    return E_OK;
}

static enum err make_secret(struct sqlite *s, void *mem, const char *fresh, const char **out)
{
    TRY(read_secret(s, mem, out)); /* somebody may have been faster */
    if (*out != NULL)
        return E_OK;
    *out = mem_str(mem, fresh);
    return db_run(&s->main, SQL_META_SET, ARGS(TEXT("secret"), TEXT(fresh)));
}

enum err sqlite_secret(struct meta *m, void *mem, const char *fresh, const char **secret_out)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_ready(s));
    TRY(read_secret(s, mem, secret_out));
    if (*secret_out != NULL)
        return E_OK;
    TRY(sqlite_write(s));
    return db_end(&s->main, make_secret(s, mem, fresh, secret_out));
}
