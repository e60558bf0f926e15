/* Users, their credentials and personal spaces. */
#include "meta/sqlite.h"

/* ---- adding one ---- */
static enum err check_free(struct sqlite *s, const char *key)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, SQL_USER_BY_KEY, &q, &row, ARGS(TEXT(key))));
    return row ? err_set(E_NAME_TAKEN, "user %s exists", key) : E_OK;
}

static enum err add_user(struct sqlite *s, const struct user *user, const char *hash)
{
    TRY(db_run(&s->main, SQL_USER_ADD,
               ARGS(TEXT(user->id.s), TEXT(user->name), TEXT(user->key), NUMBER(user->role), NUMBER(user->state),
                    NUMBER(user->created_ms))));
    return db_run(&s->main, SQL_CREDENTIAL_ADD, ARGS(TEXT(user->id.s), TEXT(hash), NUMBER(user->created_ms)));
}

static enum err add_space(struct sqlite *s, const struct space *space, const struct user *user)
{
    const struct node root = {
        .id = space->root, .space = space->id, .parent = NODE_TOP, .name = "", .key = "", .kind = NODE_FOLDER,
        .created_ms = user->created_ms, .modified_ms = user->created_ms, .type = "", .sha256 = "",
    };
    TRY(db_run(&s->main, SQL_SPACE_ADD,
               ARGS(TEXT(space->id.s), TEXT(user->id.s), TEXT(space->name != NULL ? space->name : ""), TEXT(space->root.s),
                    NUMBER(space->quota))));
    TRY(db_run(&s->main, SQL_MEMBER_ADD, ARGS(TEXT(user->id.s), TEXT(space->id.s), NUMBER(MEMBER_OWNER))));
    return sqlite_node_insert(s, &root);
}

static enum err add_all(struct sqlite *s, const struct user_new *in)
{
    const struct audit audit = {
        .at_ms = in->user.created_ms, .user = in->user.id, .space = in->space.id, .action = "user_add", .note = in->user.name,
    };
    TRY(check_free(s, in->user.key));
    if (in->invite_hash != NULL)
        TRY(sqlite_invite_take(s, in->invite_hash, in->user.created_ms));
    TRY(add_user(s, &in->user, in->password_hash));
    TRY(add_space(s, &in->space, &in->user));
    return sqlite_audit(s, &audit);
}

enum err sqlite_user_add(struct meta *m, const struct user_new *in)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, add_all(s, in));
}

/* ---- reading ---- */
static enum err read_user(struct meta *m, void *mem, enum sql id, const char *by, struct user *out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(sqlite_ready(s));
    TRY(db_one(&s->main, id, &q, &row, ARGS(TEXT(by))));
    if (!row)
        return err_set(E_NOT_FOUND, "no user %s", by);
    row_user(mem, q, 0, out);
    return E_OK;
}

enum err sqlite_user_by_key(struct meta *m, void *mem, const char *key, struct user *user_out)
{
    return read_user(m, mem, SQL_USER_BY_KEY, key, user_out);
}

enum err sqlite_user_by_id(struct meta *m, void *mem, struct id id, struct user *user_out)
{
    return read_user(m, mem, SQL_USER_BY_ID, id.s, user_out);
}

enum err sqlite_user_list(struct meta *m, void *mem, const char *after_key, unsigned limit, struct user **users_out, size_t *n_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    *users_out = mem_array(mem, struct user, limit);
    *n_out = 0;
    TRY(sqlite_ready(s));
    TRY(db_one(&s->main, SQL_USER_LIST, &q, &row, ARGS(TEXT(after_key != NULL ? after_key : ""), NUMBER(limit))));
    while (row) {
        row_user(mem, q, 0, &(*users_out)[(*n_out)++]);
        TRY(db_next(&s->main, q, &row));
    }
    return E_OK;
}

enum err sqlite_personal(struct sqlite *s, void *mem, struct id user, struct space *space_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, SQL_USER_SPACE, &q, &row, ARGS(TEXT(user.s))));
    if (!row)
        return err_set(E_NOT_FOUND, "user %s has no space", user.s);
    row_space(mem, q, 0, space_out);
    return E_OK;
}

enum err sqlite_user_space(struct meta *m, void *mem, struct id user, struct space *space_out)
{
    TRY(sqlite_ready(sqlite_of(m)));
    return sqlite_personal(sqlite_of(m), mem, user, space_out);
}

/* ---- credentials ---- */
enum err sqlite_credential_get(struct meta *m, void *mem, struct id user, const char **hash_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(sqlite_ready(s));
    TRY(db_one(&s->main, SQL_CREDENTIAL_GET, &q, &row, ARGS(TEXT(user.s))));
    if (!row)
        return err_set(E_NOT_FOUND, "user %s has no credential", user.s);
    *hash_out = row_text(mem, q, 0);
    return E_OK;
}

enum err sqlite_password(struct sqlite *s, struct id user, const char *hash, struct id keep, int64_t now_ms)
{
    const struct audit audit = {.at_ms = now_ms, .user = user, .action = "credential_set", .note = ""};
    TRY(db_run(&s->main, SQL_CREDENTIAL_SET, ARGS(TEXT(user.s), TEXT(hash), NUMBER(now_ms))));
    if (db_changes(&s->main) == 0)
        return err_set(E_NOT_FOUND, "user %s has no credential", user.s);
    TRY(db_run(&s->main, SQL_SESSION_END_OTHERS, ARGS(TEXT(user.s), TEXT(keep.s))));
    return sqlite_audit(s, &audit);
}

enum err sqlite_credential_set(struct meta *m, struct id user, const char *hash, struct id keep, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, sqlite_password(s, user, hash, keep, now_ms));
}
