/* Users, their credentials and personal spaces. */
#include "meta/mongo.h"

/* ---- adding one ---- */
static enum err insert_into(struct mongo *s, const char *collection, bson_t *doc)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO mine = doc;
    return mongo_write(s, DOC("insert", S(collection), "documents", "[", D(mine), "]"), &reply);
}

static enum err check_free(struct mongo *s, const char *key)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_one(s, find_one("user", DOC("key", S(key))), &reply, &row, &found));
    return found ? err_set(E_NAME_TAKEN, "user %s exists", key) : E_OK;
}

static enum err add_user(struct mongo *s, const struct user *u, const char *hash)
{
    TRY(insert_into(s, "user", DOC("_id", S(u->id.s), "name", S(u->name), "key", S(u->key), "role", N(u->role), "state", N(u->state),
                                   "created_ms", N(u->created_ms), "seq", N(0))));
    return insert_into(s, "credential", DOC("_id", S(u->id.s), "hash", S(hash), "set_ms", N(u->created_ms)));
}

static enum err add_member(struct mongo *s, struct id user, struct id space, enum member_role role)
{
    CLEANUP(free_mem) char *id = mem_printf(NULL, "%s:%s", user.s, space.s);
    return insert_into(s, "member", DOC("_id", S(id), "user", S(user.s), "space", S(ref_of(OF_SPACE, space).s), "role", N(role)));
}

static void add_space(struct writes *b, const struct space *space, const struct user *user)
{
    const struct node root = {
        .id = space->root, .space = space->id, .parent = NODE_TOP, .name = "", .key = "", .kind = NODE_FOLDER,
        .created_ms = user->created_ms, .modified_ms = user->created_ms, .type = "", .sha256 = "",
    };
    writes_insert(b, ref_of(OF_SPACE, space->id),
                 DOC("space_kind", N(space->kind), "personal_of", S(user->id.s), "title", S(space->name != NULL ? space->name : ""),
                     "root", S(ref_of(OF_NODE, space->root).s), "quota", N(space->quota), "used", N(0), "reserved", N(0), "tree_rev",
                     N(0), "seq", N(0)));
    writes_insert(b, ref_of(OF_NODE, root.id), node_doc(&root));
}

static enum err add_all(struct mongo *s, void *work)
{
    const struct user_new *in = work;
    WRITES_AUTO b = writes_new();
    const struct audit audit = {
        .at_ms = in->user.created_ms, .user = in->user.id, .space = in->space.id, .action = "user_add", .note = in->user.name,
    };
    TRY(check_free(s, in->user.key));
    if (in->invite_hash != NULL)
        TRY(mongo_invite_take(s, in->invite_hash, in->user.created_ms));
    TRY(add_user(s, &in->user, in->password_hash));
    TRY(add_member(s, in->user.id, in->space.id, MEMBER_OWNER));
    add_space(&b, &in->space, &in->user);
    writes_audit(&b, &audit);
    return writes_send(s, &b);
}

enum err mongo_user_add(struct meta *m, const struct user_new *in)
{
    struct user_new mine = *in;
    return mongo_txn(mongo_of(m), add_all, &mine);
}

/* ---- reading ---- */
static enum err read_user(struct meta *m, void *mem, bson_t *filter, const char *by, struct user *out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO mine = filter;
    bson_t row;
    bool found;
    TRY(mongo_ready(s));
    TRY(mongo_one(s, find_one("user", bson_copy(mine)), &reply, &row, &found));
    if (!found)
        return err_set(E_NOT_FOUND, "no user %s", by);
    doc_user(mem, &row, out);
    return E_OK;
}

enum err mongo_user_by_key(struct meta *m, void *mem, const char *key, struct user *user_out)
{
    return read_user(m, mem, DOC("key", S(key)), key, user_out);
}

enum err mongo_user_by_id(struct meta *m, void *mem, struct id id, struct user *user_out)
{
    return read_user(m, mem, DOC("_id", S(id.s)), id.s, user_out);
}

enum err mongo_user_list(struct meta *m, void *mem, const char *after_key, unsigned limit, struct user **users_out, size_t *n_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    *users_out = mem_array(mem, struct user, limit);
    *n_out = 0;
    TRY(mongo_ready(s));
    TRY(mongo_rows(s, DOC("find", S("user"), "filter", "{", "key", "{", "$gt", S(after_key != NULL ? after_key : ""), "}", "}", "sort",
                          "{", "key", BCON_INT32(1), "}", "limit", N(limit), "batchSize", N(limit)), &reply, &rows));
    while (*n_out < limit && rows_next(&rows, &row))
        doc_user(mem, &row, &(*users_out)[(*n_out)++]);
    return E_OK;
}

enum err mongo_personal(struct mongo *s, void *mem, struct id user, struct space *space_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_one(s, find_one("record", DOC("personal_of", S(user.s))), &reply, &row, &found));
    if (!found)
        return err_set(E_NOT_FOUND, "user %s has no space", user.s);
    doc_space(mem, &row, space_out);
    return E_OK;
}

enum err mongo_user_space(struct meta *m, void *mem, struct id user, struct space *space_out)
{
    TRY(mongo_ready(mongo_of(m)));
    return mongo_personal(mongo_of(m), mem, user, space_out);
}

/* ---- credentials ---- */
enum err mongo_credential_get(struct meta *m, void *mem, struct id user, const char **hash_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_ready(s));
    TRY(mongo_one(s, find_one("credential", DOC("_id", S(user.s))), &reply, &row, &found));
    if (!found)
        return err_set(E_NOT_FOUND, "user %s has no credential", user.s);
    *hash_out = doc_text(mem, &row, "hash");
    return E_OK;
}

enum err mongo_password(struct mongo *s, struct id user, const char *hash, struct id keep, int64_t now_ms)
{
    int64_t n;
    TRY(mongo_update(s, "credential", DOC("_id", S(user.s)), DOC("$set", "{", "hash", S(hash), "set_ms", N(now_ms), "}"), false, &n));
    if (n == 0)
        return err_set(E_NOT_FOUND, "user %s has no credential", user.s);
    TRY(mongo_update(s, "user", DOC("_id", S(user.s)), DOC("$inc", "{", "seq", N(1), "}"), false, NULL));
    TRY(mongo_delete(s, "session", DOC("user", S(user.s), "_id", "{", "$ne", S(keep.s), "}"), NULL));
    return mongo_note(s, user, "credential_set", "", now_ms);
}

struct new_hash {
    struct id user, keep;
    const char *hash;
    int64_t now_ms;
};

static enum err set_credential(struct mongo *s, void *work)
{
    const struct new_hash *w = work;
    return mongo_password(s, w->user, w->hash, w->keep, w->now_ms);
}

enum err mongo_credential_set(struct meta *m, struct id user, const char *hash, struct id keep, int64_t now_ms)
{
    struct new_hash w = {.user = user, .keep = keep, .hash = hash, .now_ms = now_ms};
    return mongo_txn(mongo_of(m), set_credential, &w);
}
