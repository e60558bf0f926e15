/* Invitations, links for a new password, the installation's secret, leases. */
#include "meta/mongo.h"

#include <stdio.h>

struct granting {
    void *mem;
    const struct grant *in;
    const char *hash, *password_hash;
    struct id holder;
    int64_t now_ms;
};

static enum err insert(struct mongo *s, const char *collection, const struct grant *in)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    return mongo_write(s, DOC("insert", S(collection), "documents", "[", "{", "_id", S(in->hash), "user", S(in->user.s), "created_ms",
                              N(in->created_ms), "expires_ms", N(in->expires_ms), "}", "]"), &reply);
}

/* ---- invitations ---- */
static enum err add_invite(struct mongo *s, void *work)
{
    const struct granting *w = work;
    TRY(insert(s, "invite", w->in));
    return mongo_note(s, (struct id){""}, "invite_add", "", w->in->created_ms);
}

enum err mongo_invite_add(struct meta *m, const struct grant *in)
{
    struct granting w = {.in = in};
    return mongo_txn(mongo_of(m), add_invite, &w);
}

static bson_t *valid(const char *hash, int64_t now_ms)
{
    return DOC("_id", S(hash), "expires_ms", "{", "$gt", N(now_ms), "}");
}

enum err mongo_invite_check(struct meta *m, const char *hash, int64_t now_ms)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_ready(s));
    TRY(mongo_one(s, find_one("invite", valid(hash, now_ms)), &reply, &row, &found));
    return found ? E_OK : err_set(E_BAD_INVITE, "no such invitation");
}

enum err mongo_invite_take(struct mongo *s, const char *hash, int64_t now_ms)
{
    int64_t n;
    TRY(mongo_delete(s, "invite", valid(hash, now_ms), &n));
    return n > 0 ? E_OK : err_set(E_BAD_INVITE, "no such invitation");
}

/* ---- new passwords ---- */
static enum err add_reset(struct mongo *s, void *work)
{
    const struct granting *w = work;
    struct user user;
    TRY(mongo_user_row(s, w->mem, w->in->user, &user));
    TRY(mongo_update(s, "user", DOC("_id", S(user.id.s)), DOC("$inc", "{", "seq", N(1), "}"), false, NULL));
    TRY(mongo_delete(s, "reset", DOC("user", S(user.id.s)), NULL));
    TRY(insert(s, "reset", w->in));
    return mongo_note(s, user.id, "reset_add", "", w->in->created_ms);
}

enum err mongo_reset_add(struct meta *m, const struct grant *in)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct granting w = {.mem = mem, .in = in};
    return mongo_txn(mongo_of(m), add_reset, &w);
}

static enum err read_reset(struct mongo *s, void *mem, const char *hash, int64_t now_ms, struct user *out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_one(s, find_one("reset", valid(hash, now_ms)), &reply, &row, &found));
    enum err e = found ? mongo_user_row(s, mem, doc_id(&row, "user"), out) : E_NOT_FOUND;
    return e == E_NOT_FOUND ? err_set(E_BAD_RESET, "no such link") : e;
}

enum err mongo_reset_user(struct meta *m, void *mem, const char *hash, int64_t now_ms, struct user *user_out)
{
    struct mongo *s = mongo_of(m);
    TRY(mongo_ready(s));
    return read_reset(s, mem, hash, now_ms, user_out);
}

static enum err use_reset(struct mongo *s, void *work)
{
    const struct granting *w = work;
    struct user user;
    TRY(read_reset(s, w->mem, w->hash, w->now_ms, &user));
    TRY(mongo_delete(s, "reset", DOC("user", S(user.id.s)), NULL));
    return mongo_password(s, user.id, w->password_hash, (struct id){""}, w->now_ms);
}

enum err mongo_reset_use(struct meta *m, const char *hash, const char *password_hash, int64_t now_ms)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct granting w = {.mem = mem, .hash = hash, .password_hash = password_hash, .now_ms = now_ms};
    return mongo_txn(mongo_of(m), use_reset, &w);
}

/* ---- the secret ---- */
enum err mongo_secret(struct meta *m, void *mem, const char *fresh, const char **secret_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_ready(s));
    TRY(mongo_one(s, find_one("meta", DOC("_id", S("secret"))), &reply, &row, &found));
    if (!found) {
        enum err e = mongo_set_once(s, "secret", DOC("value", S(fresh)));
        if (e != E_OK && e != E_INTERNAL) /* E_INTERNAL: a duplicate, somebody was faster */
            return e;
        TRY(mongo_one(s, find_one("meta", DOC("_id", S("secret"))), &reply, &row, &found));
    }
    if (!found)
        return err_set(E_DAMAGED, "MongoDB database %s keeps no secret", s->db);
    *secret_out = doc_text(mem, &row, "value");
    return E_OK;
}

/* ---- leases: documents of meta; whoever marks blobs and whoever takes a lease write one document ---- */
static enum err take_lease(struct mongo *s, void *work)
{
    const struct granting *w = work;
    REPLY_AUTO reply = BSON_INITIALIZER;
    CLEANUP(free_mem) char *key = mem_printf(NULL, "lease:%s", w->holder.s);
    TRY(mongo_touch(s, "leases"));
    return mongo_write(s, DOC("update", S("meta"), "updates", "[", "{", "q", "{", "_id", S(key), "}", "u", "{", "$set", "{", "until_ms",
                              N(w->now_ms), "}", "}", "upsert", B(true), "}", "]"), &reply);
}

enum err mongo_lease_take(struct meta *m, struct id holder, int64_t until_ms)
{
    struct granting w = {.holder = holder, .now_ms = until_ms};
    return mongo_txn(mongo_of(m), take_lease, &w);
}

enum err mongo_lease_end(struct meta *m, struct id holder)
{
    struct mongo *s = mongo_of(m);
    CLEANUP(free_mem) char *key = mem_printf(NULL, "lease:%s", holder.s);
    TRY(mongo_ready(s));
    return mongo_delete(s, "meta", DOC("_id", S(key)), NULL);
}

enum err mongo_leases_over(struct mongo *s, int64_t now_ms, unsigned *did)
{
    int64_t n;
    TRY(mongo_delete(s, "meta", DOC("_id", "{", "$gte", S("lease:"), "$lt", S("lease;"), "}", "until_ms", "{", "$lte", N(now_ms), "}"), &n));
    *did += (unsigned)n;
    return E_OK;
}

enum err mongo_leased(struct mongo *s, bool *leased_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    return mongo_one(s, find_one("meta", DOC("_id", "{", "$gte", S("lease:"), "$lt", S("lease;"), "}")), &reply, &row, leased_out);
}
