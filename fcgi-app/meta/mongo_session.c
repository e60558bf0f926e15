/* Sessions. Their last request is noted in their document, acknowledged by one server from memory. */
#include "meta/mongo.h"

#include <stdio.h>

#include "base/clock.h"

#define SEEN_EVERY_MS 60000

/* ---- beginning ---- */
struct begin {
    const struct session *in;
    unsigned most;
};

/* The user's document is written: two sessions that begin at once, or a new password meanwhile, exclude each other. */
static enum err touch_active(struct mongo *s, struct id user)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    TRY(mongo_write(s, DOC("update", S("user"), "updates", "[", "{", "q", "{", "_id", S(user.s), "state", N(USER_ACTIVE), "}", "u", "{",
                           "$inc", "{", "seq", N(1), "}", "}", "}", "]"), &reply));
    return reply_n(&reply) > 0 ? E_OK : err_set(E_CREDENTIALS, "user %s is gone or disabled", user.s);
}

static enum err insert(struct mongo *s, const struct session *in)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    return mongo_write(s, DOC("insert", S("session"), "documents", "[", "{", "_id", S(in->id.s), "token_hash", S(in->token_hash), "user",
                              S(in->user.s), "kind", N(in->kind), "created_ms", N(in->created_ms), "signed_in_ms",
                              N(in->signed_in_ms), "seen_ms", N(in->seen_ms > 0 ? in->seen_ms : in->created_ms), "expires_ms",
                              N(in->expires_ms), "address", S(in->address != NULL ? in->address : ""), "agent",
                              S(in->agent != NULL ? in->agent : ""), "}", "]"), &reply);
}

/* All but the new one and the youngest most - 1 others. */
static enum err trim(struct mongo *s, const struct begin *w)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    REPLY_AUTO deleted = BSON_INITIALIZER;
    LIST_AUTO deletes = list_new();
    bson_iter_t rows;
    bson_t row;
    TRY(mongo_rows(s, DOC("find", S("session"), "filter", "{", "user", S(w->in->user.s), "_id", "{", "$ne", S(w->in->id.s), "}", "}",
                          "sort", "{", "created_ms", BCON_INT32(-1), "_id", BCON_INT32(-1), "}", "projection", "{", "_id", N(1), "}",
                          "skip", N(w->most > 0 ? w->most - 1 : 0), "batchSize", BCON_INT32(100000)), &reply, &rows));
    while (rows_next(&rows, &row))
        list_add(&deletes, DOC("q", "{", "_id", S(doc_peek(&row, "_id")), "}", "limit", BCON_INT32(1)));
    if (deletes.n == 0)
        return E_OK;
    return mongo_write(s, DOC("delete", S("session"), "deletes", A(deletes.array)), &deleted);
}

static enum err add_session(struct mongo *s, void *work)
{
    const struct begin *w = work;
    WRITES_AUTO b = writes_new();
    const struct audit audit = {
        .at_ms = w->in->created_ms, .user = w->in->user, .action = "session_add", .note = w->in->address != NULL ? w->in->address : "",
    };
    TRY(touch_active(s, w->in->user));
    TRY(insert(s, w->in));
    TRY(trim(s, w));
    writes_audit(&b, &audit);
    return writes_send(s, &b);
}

enum err mongo_session_add(struct meta *m, const struct session *in, unsigned most)
{
    struct begin w = {.in = in, .most = most};
    return mongo_txn(mongo_of(m), add_session, &w);
}

/* ---- asking ---- */
/* A note that is gone tells nothing: nobody is signed out by that. */
static void doc_session(void *mem, const bson_t *doc, int64_t now_ms, struct session *out)
{
    *out = (struct session){
        .id = doc_id(doc, "_id"), .user = doc_id(doc, "user"), .kind = (enum session_kind)doc_number(doc, "kind"),
        .created_ms = doc_number(doc, "created_ms"), .signed_in_ms = doc_number(doc, "signed_in_ms"),
        .seen_ms = doc_has(doc, "seen_ms") ? doc_number(doc, "seen_ms") : now_ms, .expires_ms = doc_number(doc, "expires_ms"),
        .address = doc_text(mem, doc, "address"), .agent = doc_text(mem, doc, "agent"),
    };
    snprintf(out->token_hash, sizeof out->token_hash, "%s", doc_peek(doc, "token_hash"));
}

static enum err read_session(struct mongo *s, void *mem, const char *token_hash, int64_t now_ms, struct session *session_out,
                             struct user *user_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO stages = list_new();
    bson_t row, user;
    bool found;
    list_add(&stages, DOC("$match", "{", "token_hash", S(token_hash), "}"));
    list_add(&stages, DOC("$lookup", "{", "from", S("user"), "localField", S("user"), "foreignField", S("_id"), "as", S("whose"), "}"));
    TRY(mongo_one(s, aggregate("session", &stages), &reply, &row, &found));
    if (!found || !doc_first(&row, "whose", &user))
        return err_set(E_SIGN_IN, "no such session");
    doc_session(mem, &row, now_ms, session_out);
    doc_user(mem, &user, user_out);
    return E_OK;
}

static void note_seen(struct mongo *s, struct id session, int64_t now_ms)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    if (mongo_volatile(s, DOC("update", S("session"), "updates", "[", "{", "q", "{", "_id", S(session.s), "}", "u", "{", "$max", "{",
                              "seen_ms", N(now_ms), "}", "}", "}", "]"), &reply) != E_OK)
        err_clear();
}

enum err mongo_session_get(struct meta *m, void *mem, const char *token_hash, int64_t now_ms, int64_t idle_since_ms,
                           struct session *session_out, struct user *user_out)
{
    struct mongo *s = mongo_of(m);
    TRY(mongo_ready(s));
    TRY(read_session(s, mem, token_hash, now_ms, session_out, user_out));
    if (user_out->state != USER_ACTIVE)
        return err_set(E_SIGN_IN, "user %s is disabled", user_out->id.s);
    if (session_out->expires_ms <= now_ms)
        return err_set(E_SIGN_IN, "session %s is over", session_out->id.s);
    if (session_out->seen_ms < idle_since_ms)
        return err_set(E_SIGN_IN, "session %s was idle for too long", session_out->id.s);
    if (now_ms - session_out->seen_ms >= SEEN_EVERY_MS)
        note_seen(s, session_out->id, now_ms);
    return E_OK;
}

enum err mongo_session_list(struct meta *m, void *mem, struct id user, int64_t now_ms, int64_t idle_since_ms,
                            struct session **sessions_out, size_t *n_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows, count;
    bson_t row;
    size_t n = 0;
    TRY(mongo_ready(s));
    TRY(mongo_rows(s, DOC("find", S("session"), "filter", "{", "user", S(user.s), "expires_ms", "{", "$gt", N(now_ms), "}", "}", "sort", "{",
                          "created_ms", BCON_INT32(-1), "_id", BCON_INT32(-1), "}", "batchSize", BCON_INT32(100000)), &reply, &rows));
    for (count = rows; rows_next(&count, &row);)
        n++;
    *sessions_out = mem_array(mem, struct session, n);
    for (*n_out = 0; rows_next(&rows, &row);) {
        struct session *one = &(*sessions_out)[*n_out];
        doc_session(mem, &row, now_ms, one);
        *n_out += one->seen_ms >= idle_since_ms;
    }
    return E_OK;
}

/* ---- ending ---- */
struct ending {
    struct id user, session;
};

static enum err end_session(struct mongo *s, void *work)
{
    const struct ending *w = work;
    REPLY_AUTO reply = BSON_INITIALIZER;
    WRITES_AUTO b = writes_new();
    TRY(mongo_write(s, DOC("delete", S("session"), "deletes", "[", "{", "q", "{", "_id", S(w->session.s), "user", S(w->user.s), "}",
                           "limit", BCON_INT32(1), "}", "]"), &reply));
    if (reply_n(&reply) == 0)
        return err_set(E_NOT_FOUND, "user %s has no session %s", w->user.s, w->session.s);
    writes_audit(&b, &(struct audit){.at_ms = clock_now_ms(&clock_real), .user = w->user, .action = "session_end", .note = ""});
    return writes_send(s, &b);
}

enum err mongo_session_end(struct meta *m, struct id user, struct id session)
{
    struct ending w = {.user = user, .session = session};
    return mongo_txn(mongo_of(m), end_session, &w);
}
