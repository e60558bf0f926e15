/* What changes about accounts that exist: name, role, state, quota; their sessions, all at once. */
#include "meta/mongo.h"

/* ---- steps ---- */
enum err mongo_update(struct mongo *s, const char *collection, bson_t *filter, bson_t *change, bool many, int64_t *n_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO q = filter;
    DOC_AUTO u = change;
    TRY(mongo_write(s, DOC("update", S(collection), "updates", "[", "{", "q", D(q), "u", D(u), "multi", B(many), "}", "]"), &reply));
    if (n_out != NULL)
        *n_out = reply_n(&reply);
    return E_OK;
}

enum err mongo_delete(struct mongo *s, const char *collection, bson_t *filter, int64_t *n_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO q = filter;
    TRY(mongo_write(s, DOC("delete", S(collection), "deletes", "[", "{", "q", D(q), "limit", BCON_INT32(0), "}", "]"), &reply));
    if (n_out != NULL)
        *n_out = reply_n(&reply);
    return E_OK;
}

/* Whoever writes the same document at the same time is run again. */
enum err mongo_touch(struct mongo *s, const char *what)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    return mongo_write(s, DOC("update", S("meta"), "updates", "[", "{", "q", "{", "_id", S(what), "}", "u", "{", "$inc", "{", "seq", N(1),
                              "}", "}", "upsert", B(true), "}", "]"), &reply);
}

enum err mongo_user_row(struct mongo *s, void *mem, struct id id, struct user *out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_one(s, find_one("user", DOC("_id", S(id.s))), &reply, &row, &found));
    if (!found)
        return err_set(E_NOT_FOUND, "no user %s", id.s);
    doc_user(mem, &row, out);
    return E_OK;
}

/* Of two administrators who go at once, one sees that the other is gone. */
enum err mongo_admin_left(struct mongo *s, const struct user *user)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    if (user->role != ROLE_ADMIN || user->state != USER_ACTIVE)
        return E_OK;
    TRY(mongo_touch(s, "admins"));
    TRY(mongo_one(s, find_one("user", DOC("role", N(ROLE_ADMIN), "state", N(USER_ACTIVE), "_id", "{", "$ne", S(user->id.s), "}")), &reply,
                  &row, &found));
    return found ? E_OK : err_set(E_LAST_ADMIN, "user %s is the last", user->name);
}

enum err mongo_note(struct mongo *s, struct id user, const char *action, const char *text, int64_t now_ms)
{
    WRITES_AUTO b = writes_new();
    writes_audit(&b, &(struct audit){.at_ms = now_ms, .user = user, .action = action, .note = text});
    return writes_send(s, &b);
}

/* ---- the account ---- */
struct people {
    void *mem;
    struct id user, other; /* other: the session */
    const char *name, *key;
    int64_t number, now_ms;
};

static enum err rename_user(struct mongo *s, void *work)
{
    const struct people *w = work;
    REPLY_AUTO reply = BSON_INITIALIZER;
    struct user user;
    bson_t row;
    bool found;
    TRY(mongo_user_row(s, w->mem, w->user, &user));
    TRY(mongo_one(s, find_one("user", DOC("key", S(w->key))), &reply, &row, &found));
    if (found && !id_eq(doc_id(&row, "_id"), w->user))
        return err_set(E_NAME_TAKEN, "user %s exists", w->key);
    TRY(mongo_update(s, "user", DOC("_id", S(w->user.s)), DOC("$set", "{", "name", S(w->name), "key", S(w->key), "}"), false, NULL));
    return mongo_note(s, w->user, "user_rename", w->name, w->now_ms);
}

enum err mongo_user_rename(struct meta *m, struct id user, const char *name, const char *key, int64_t now_ms)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct people w = {.mem = mem, .user = user, .name = name, .key = key, .now_ms = now_ms};
    return mongo_txn(mongo_of(m), rename_user, &w);
}

/* A field of the user's document changes, and all sessions end. */
static enum err set_field(struct mongo *s, const struct people *w, const char *field, const char *action, const char *text)
{
    TRY(mongo_update(s, "user", DOC("_id", S(w->user.s)), DOC("$set", "{", field, N(w->number), "}", "$inc", "{", "seq", N(1), "}"), false,
                     NULL));
    TRY(mongo_delete(s, "session", DOC("user", S(w->user.s)), NULL));
    return mongo_note(s, w->user, action, text, w->now_ms);
}

static enum err set_role(struct mongo *s, void *work)
{
    const struct people *w = work;
    struct user user;
    TRY(mongo_user_row(s, w->mem, w->user, &user));
    if (user.role == (enum user_role)w->number)
        return E_OK;
    if (w->number != ROLE_ADMIN)
        TRY(mongo_admin_left(s, &user));
    return set_field(s, w, "role", "user_role", w->number == ROLE_ADMIN ? "admin" : "user");
}

enum err mongo_set_role(struct meta *m, struct id user, enum user_role role, int64_t now_ms)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct people w = {.mem = mem, .user = user, .number = role, .now_ms = now_ms};
    return mongo_txn(mongo_of(m), set_role, &w);
}

/* A place says the user's state: whoever planned by it must look again. */
enum err mongo_spaces_touch(struct mongo *s, struct id user)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO updates = list_new();
    REPLY_AUTO touched = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    TRY(mongo_rows(s, DOC("find", S("member"), "filter", "{", "_id", "{", "$gte", S(mem_printf(mem, "%s:", user.s)), "$lt",
                          S(mem_printf(mem, "%s;", user.s)), "}", "}", "batchSize", BCON_INT32(100000)), &reply, &rows));
    while (rows_next(&rows, &row))
        list_add(&updates, DOC("q", "{", "_id", S(doc_peek(&row, "space")), "}", "u", "{", "$inc", "{", "seq", N(1), "}", "}"));
    return updates.n > 0 ? mongo_write(s, DOC("update", S("record"), "updates", A(updates.array)), &touched) : E_OK;
}

static enum err set_state(struct mongo *s, void *work)
{
    const struct people *w = work;
    struct user user;
    TRY(mongo_user_row(s, w->mem, w->user, &user));
    if (user.state == (enum user_state)w->number)
        return E_OK;
    if (w->number != USER_ACTIVE)
        TRY(mongo_admin_left(s, &user));
    TRY(mongo_spaces_touch(s, w->user));
    return set_field(s, w, "state", "user_state", w->number == USER_ACTIVE ? "active" : "disabled");
}

enum err mongo_set_state(struct meta *m, struct id user, enum user_state state, int64_t now_ms)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct people w = {.mem = mem, .user = user, .number = state, .now_ms = now_ms};
    return mongo_txn(mongo_of(m), set_state, &w);
}

static enum err set_quota(struct mongo *s, void *work)
{
    const struct people *w = work;
    struct user user;
    TRY(mongo_user_row(s, w->mem, w->user, &user));
    TRY(mongo_update(s, "record", DOC("personal_of", S(w->user.s)), DOC("$set", "{", "quota", N(w->number), "}", "$inc", "{", "seq", N(1),
                                                                        "}"), false, NULL));
    return mongo_note(s, w->user, "user_quota", mem_printf(w->mem, "%lld", (long long)w->number), w->now_ms);
}

enum err mongo_user_quota(struct meta *m, struct id user, int64_t quota, int64_t now_ms)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct people w = {.mem = mem, .user = user, .number = quota, .now_ms = now_ms};
    return mongo_txn(mongo_of(m), set_quota, &w);
}

/* ---- sessions ---- */
static enum err end_all(struct mongo *s, void *work)
{
    const struct people *w = work;
    TRY(mongo_update(s, "user", DOC("_id", S(w->user.s)), DOC("$inc", "{", "seq", N(1), "}"), false, NULL));
    TRY(mongo_delete(s, "session", DOC("user", S(w->user.s), "_id", "{", "$ne", S(w->other.s), "}"), NULL));
    return mongo_note(s, w->user, "session_end_all", "", w->now_ms);
}

enum err mongo_session_end_all(struct meta *m, struct id user, struct id keep, int64_t now_ms)
{
    struct people w = {.user = user, .other = keep, .now_ms = now_ms};
    return mongo_txn(mongo_of(m), end_all, &w);
}

static enum err renew(struct mongo *s, void *work)
{
    const struct people *w = work;
    int64_t n;
    TRY(mongo_update(s, "session", DOC("_id", S(w->other.s), "user", S(w->user.s)),
                     DOC("$set", "{", "token_hash", S(w->key), "signed_in_ms", N(w->now_ms), "}"), false, &n));
    if (n == 0)
        return err_set(E_NOT_FOUND, "user %s has no session %s", w->user.s, w->other.s);
    return mongo_note(s, w->user, "session_renew", "", w->now_ms);
}

enum err mongo_session_renew(struct meta *m, struct id user, struct id session, const char *token_hash, int64_t now_ms)
{
    struct people w = {.user = user, .other = session, .key = token_hash, .now_ms = now_ms};
    return mongo_txn(mongo_of(m), renew, &w);
}
