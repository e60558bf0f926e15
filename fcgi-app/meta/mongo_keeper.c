/* What the keeper does, in batches, so that nobody waits for long: what is over goes, dead folders are emptied. */
#include "meta/mongo.h"

#include "base/clock.h"

#define REAP_MOST_MS 1000 /* a transaction does not grow old */
#define REAP_AT_ONCE 50   /* nodes per transaction */

/* ---- what is over ---- */
/* These are only ever deleted: no other document has to agree. `field` is below `before`. */
static enum err drop_over(struct mongo *s, const char *collection, const char *field, const char *how, int64_t before, unsigned batch, unsigned *did)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    REPLY_AUTO deleted = BSON_INITIALIZER;
    LIST_AUTO deletes = list_new();
    bson_iter_t rows;
    bson_t row;
    TRY(mongo_rows(s, DOC("find", S(collection), "filter", "{", field, "{", how, N(before), "}", "}", "sort", "{", field, BCON_INT32(1),
                          "}", "limit", N(batch), "batchSize", N(batch)), &reply, &rows));
    while (rows_next(&rows, &row))
        list_add(&deletes, DOC("q", "{", "_id", S(doc_peek(&row, "_id")), field, "{", how, N(before), "}", "}", "limit", BCON_INT32(1)));
    if (deletes.n == 0)
        return E_OK;
    TRY(mongo_write(s, DOC("delete", S(collection), "deletes", A(deletes.array)), &deleted));
    *did += (unsigned)reply_n(&deleted);
    return E_OK;
}

struct expiring {
    int64_t now_ms;
    unsigned batch, did;
};

static enum err drop_uploads(struct mongo *s, void *work)
{
    struct expiring *w = work;
    REPLY_AUTO reply = BSON_INITIALIZER;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    WRITES_AUTO b = writes_new();
    bson_iter_t rows;
    bson_t row;
    TRY(mongo_rows(s, DOC("find", S("record"), "filter", "{", "expires_ms", "{", "$lte", N(w->now_ms), "}", "}", "sort", "{",
                          "expires_ms", BCON_INT32(1), "}", "limit", N(w->batch), "batchSize", N(w->batch)), &reply, &rows));
    for (w->did = 0; rows_next(&rows, &row); w->did++) {
        struct upload u;
        doc_upload(mem, &row, &u);
        writes_charge(&b, u.space, 0, -u.charged);
        writes_delete(&b, ref_of(OF_UPLOAD, u.id));
    }
    return writes_send(s, &b);
}

static enum err uploads_due(struct mongo *s, int64_t now_ms, bool *due_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    return mongo_one(s, find_one("record", DOC("expires_ms", "{", "$lte", N(now_ms), "}")), &reply, &row, due_out);
}

enum err mongo_expire(struct meta *m, int64_t now_ms, int64_t idle_since_ms, unsigned batch, unsigned *did_out)
{
    struct mongo *s = mongo_of(m);
    struct expiring w = {.now_ms = now_ms, .batch = batch};
    unsigned did = 0;
    bool due;
    *did_out = 0;
    TRY(mongo_ready(s));
    TRY(drop_over(s, "session", "expires_ms", "$lte", now_ms, batch, &did));
    TRY(drop_over(s, "session", "seen_ms", "$lt", idle_since_ms, batch, &did));
    TRY(drop_over(s, "invite", "expires_ms", "$lte", now_ms, batch, &did));
    TRY(drop_over(s, "reset", "expires_ms", "$lte", now_ms, batch, &did));
    TRY(mongo_leases_over(s, now_ms, &did));
    TRY(uploads_due(s, now_ms, &due));
    if (due)
        TRY(mongo_txn(s, drop_uploads, &w));
    TRY(mongo_throttles_over(s, now_ms, batch, &did));
    *did_out = did + w.did;
    return E_OK;
}

/* ---- dead folders ---- */
struct dead {
    struct id id, space, parent;
    enum node_kind kind;
};

struct reaping {
    unsigned most, did;
};

static void read_dead(const bson_t *doc, struct dead *out)
{
    *out = (struct dead){
        .id = doc_ref(doc, "_id"), .space = doc_ref(doc, "space"), .parent = doc_ref(doc, "parent"),
        .kind = (enum node_kind)doc_number(doc, "kind"),
    };
}

static enum err first_dead(struct mongo *s, struct dead *out, int64_t *removed_out, bool *found_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    TRY(mongo_one(s, DOC("find", S("record"), "filter", "{", "removed_ms", "{", "$gte", N(INT64_MIN), "}", "}", "sort", "{",
                         "removed_ms", BCON_INT32(1), "_id", BCON_INT32(1), "}", "limit", BCON_INT32(1)), &reply, &row, found_out));
    if (*found_out) {
        read_dead(&row, out);
        *removed_out = doc_number(&row, "removed_ms");
    }
    return E_OK;
}

static enum err children(struct mongo *s, const struct dead *at, unsigned most, struct dead *out, unsigned *n_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    *n_out = 0;
    TRY(mongo_rows(s, DOC("find", S("record"), "filter", "{", "parent", S(ref_of(OF_NODE, at->id).s), "}", "limit", N(most), "batchSize",
                          N(most)), &reply, &rows));
    while (*n_out < most && rows_next(&rows, &row))
        read_dead(&row, &out[(*n_out)++]);
    return E_OK;
}

/* Blobs count as unreferenced since their folder was removed. */
static enum err drop_dead(struct mongo *s, struct writes *b, const struct dead *at, int64_t removed_ms, int64_t *freed)
{
    int64_t bytes = 0;
    if (at->kind == NODE_FILE)
        TRY(mongo_versions_drop(s, b, at->id, removed_ms, &bytes));
    if (__builtin_add_overflow(*freed, bytes, freed))
        return err_set(E_DAMAGED, "the sizes in space %s do not add up", at->space.s);
    writes_delete(b, ref_of(OF_NODE, at->id));
    return E_OK;
}

/* Down from the first dead node to a folder with nothing but files in it, and those go, then the folder itself:
 * whatever is left after a batch still hangs below a dead node. */
static enum err reap_some(struct mongo *s, void *work)
{
    struct reaping *w = work;
    WRITES_AUTO b = writes_new();
    struct dead at, below[REAP_AT_ONCE];
    int64_t removed_ms, freed = 0;
    unsigned n, most = w->most < REAP_AT_ONCE ? w->most : REAP_AT_ONCE;
    bool found;
    w->did = 0;
    TRY(first_dead(s, &at, &removed_ms, &found));
    if (!found)
        return E_OK;
    for (;;) {
        unsigned folder = 0;
        TRY(children(s, &at, most, below, &n));
        while (folder < n && below[folder].kind == NODE_FILE)
            folder++;
        if (folder == n)
            break;
        at = below[folder];
    }
    for (unsigned i = 0; i < n; i++)
        TRY(drop_dead(s, &b, &below[i], removed_ms, &freed));
    if (n < most)
        TRY(drop_dead(s, &b, &at, removed_ms, &freed));
    w->did = n + (n < most);
    writes_charge(&b, at.space, -freed, 0);
    TRY(writes_send(s, &b));
    return n < most && id_eq(at.parent, NODE_TOP) ? mongo_space_drop(s, at.space) : E_OK; /* a removed user's */
}

enum err mongo_reap(struct meta *m, unsigned batch, unsigned *did_out)
{
    struct mongo *s = mongo_of(m);
    int64_t end_ms = clock_monotonic_ms() + REAP_MOST_MS, removed_ms;
    struct dead dead;
    bool found;
    *did_out = 0;
    TRY(mongo_ready(s));
    TRY(first_dead(s, &dead, &removed_ms, &found));
    while (found && *did_out < batch && (*did_out == 0 || clock_monotonic_ms() < end_ms)) {
        struct reaping w = {.most = batch - *did_out};
        TRY(mongo_txn(s, reap_some, &w));
        *did_out += w.did;
        found = w.did > 0;
    }
    return E_OK;
}
