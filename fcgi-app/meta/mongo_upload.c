/* Reservations. What becomes of them is in mongo_commit.c. */
#include "meta/mongo.h"

#include <assert.h>

#include "meta/rules.h"

/* ---- reserving ---- */
struct reserving {
    void *mem;
    const struct guard *guard;
    const struct upload *in;
    struct upload out;
};

static enum err reserve(struct mongo *s, void *work)
{
    struct reserving *w = work;
    const struct upload *in = w->in;
    WRITES_AUTO b = writes_new();
    struct spot spot;
    TRY(mongo_parent(s, w->mem, w->guard, in->parent, in->name[0] != '\0' ? in->name : NULL, &spot));
    if (in->name[0] != '\0') {
        TRY(rule_nesting(&spot.place, in->name));
        TRY(rule_target(spot.exists ? &spot.child : NULL, in->conflict, &in->expect));
    }
    w->out = *in;
    w->out.space = spot.place.space.id;
    TRY(rule_grant(&spot.place.space, in, &w->out.charged));
    writes_charge(&b, w->out.space, 0, w->out.charged);
    writes_insert(&b, ref_of(OF_UPLOAD, w->out.id), upload_doc(w->mem, &w->out));
    return writes_send(s, &b);
}

enum err mongo_upload_reserve(struct meta *m, void *mem, const struct guard *g, const struct upload *in, struct upload *out)
{
    struct reserving w = {.mem = mem, .guard = g, .in = in};
    assert(in->charged >= 0 && in->name != NULL);
    TRY(mongo_txn(mongo_of(m), reserve, &w));
    rule_own(mem, &w.out);
    *out = w.out;
    return E_OK;
}

/* ---- reading ---- */
enum err mongo_upload_get(struct meta *m, void *mem, struct id id, struct upload *out)
{
    struct mongo *s = mongo_of(m);
    bool found;
    TRY(mongo_ready(s));
    TRY(mongo_upload_row(s, mem, id, out, &found));
    return found ? E_OK : err_set(E_UPLOAD_GONE, "no upload %s", id.s);
}

enum err mongo_reserved_total(struct meta *m, uint64_t *bytes_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO stages = list_new();
    bson_t row;
    bool found;
    TRY(mongo_ready(s));
    list_add(&stages, DOC("$match", "{", "expires_ms", "{", "$gte", N(0), "}", "declared", "{", "$gte", N(0), "}", "}"));
    list_add(&stages, DOC("$group", "{", "_id", BCON_NULL, "sum", "{", "$sum", S("$charged"), "}", "}"));
    TRY(mongo_one(s, aggregate("record", &stages), &reply, &row, &found));
    *bytes_out = found ? (uint64_t)doc_number(&row, "sum") : 0;
    return E_OK;
}

enum err mongo_version_node(struct meta *m, struct id version, struct id *node_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_ready(s));
    TRY(mongo_one(s, find_one("record", DOC("_id", S(ref_of(OF_VERSION, version).s))), &reply, &row, &found));
    *node_out = found ? doc_ref(&row, "node") : (struct id){0};
    return E_OK;
}

/* ---- giving back ---- */
static enum err release(struct mongo *s, void *work)
{
    const struct id *id = work;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    WRITES_AUTO b = writes_new();
    struct upload u;
    bool found;
    TRY(mongo_upload_row(s, mem, *id, &u, &found));
    if (!found)
        return E_OK;
    writes_charge(&b, u.space, 0, -u.charged);
    writes_delete(&b, ref_of(OF_UPLOAD, u.id));
    return writes_send(s, &b);
}

enum err mongo_upload_release(struct meta *m, struct id id)
{
    return mongo_txn(mongo_of(m), release, &id);
}
