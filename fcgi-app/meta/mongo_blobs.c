/* Blobs and the hashes of versions: what the keeper and fsck ask about contents. */
#include "meta/mongo.h"

/* A page of the kind whose _ids begin with `what`, by _id. */
static bson_t *page_of(enum of_what what, struct id after, unsigned limit)
{
    const char end[2] = {(char)(what + 1), '\0'}, first[2] = {(char)what, '\0'};
    struct ref from = ref_of(what, after);
    return DOC("find", S("record"), "filter", "{", "_id", "{", "$gt", S(id_is(after) ? from.s : first), "$lt", S(end), "}", "}", "sort",
               "{", "_id", BCON_INT32(1), "}", "hint", "{", "_id", BCON_INT32(1), "}", "limit", N(limit), "batchSize", N(limit));
}

/* ---- collection ---- */
static enum err read_unreferenced(struct mongo *s, enum blob_state state, int64_t before_ms, struct id *ids, unsigned most, size_t *n)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    if (most == 0)
        return E_OK;
    TRY(mongo_rows(s, DOC("find", S("record"), "filter", "{", "unreferenced_ms", "{", "$lt", N(before_ms), "}", "blob_state", N(state),
                          "}", "sort", "{", "unreferenced_ms", BCON_INT32(1), "}", "hint", S("blob_unreferenced"), "limit", N(most), "batchSize", N(most)), &reply,
                   &rows));
    for (unsigned i = 0; i < most && rows_next(&rows, &row); i++)
        ids[(*n)++] = doc_ref(&row, "_id");
    return E_OK;
}

struct marking {
    const struct id *ids;
    size_t n;
};

/* Marked while nothing refers to it: a copy that takes a reference at the same time writes the same document, and
 * one that takes a lease the leases'. */
static enum err mark(struct mongo *s, void *work)
{
    const struct marking *w = work;
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO updates = list_new();
    bool leased;
    TRY(mongo_touch(s, "leases"));
    TRY(mongo_leased(s, &leased));
    if (leased)
        return E_OK;
    for (size_t i = 0; i < w->n; i++)
        list_add(&updates, DOC("q", "{", "_id", S(ref_of(OF_BLOB, w->ids[i]).s), "refs", N(0), "blob_state", N(BLOB_LIVE), "}", "u", "{",
                               "$set", "{", "blob_state", N(BLOB_DYING), "}", "}"));
    return mongo_write(s, DOC("update", S("record"), "updates", A(updates.array)), &reply);
}

/* An id is handed out only when its mark is durable: from then on nobody can take a reference any more. */
enum err mongo_blobs_dying(struct meta *m, void *mem, int64_t before_ms, unsigned batch, struct id **ids_out, size_t *n_out)
{
    struct mongo *s = mongo_of(m);
    size_t dying = 0;
    *ids_out = mem_array(mem, struct id, batch);
    *n_out = 0;
    TRY(mongo_ready(s));
    TRY(read_unreferenced(s, BLOB_DYING, INT64_MAX, *ids_out, batch, &dying));
    struct marking due = {.ids = *ids_out};
    TRY(read_unreferenced(s, BLOB_LIVE, before_ms, *ids_out, batch - (unsigned)dying, &due.n));
    if (due.n > 0)
        TRY(mongo_txn(s, mark, &due));
    return read_unreferenced(s, BLOB_DYING, INT64_MAX, *ids_out, batch, n_out);
}

enum err mongo_blob_drop(struct meta *m, struct id id)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    REPLY_AUTO read = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_ready(s));
    TRY(mongo_write(s, DOC("delete", S("record"), "deletes", "[", "{", "q", "{", "_id", S(ref_of(OF_BLOB, id).s), "blob_state",
                           N(BLOB_DYING), "refs", N(0), "}", "limit", BCON_INT32(1), "}", "]"), &reply));
    if (reply_n(&reply) > 0)
        return E_OK;
    TRY(mongo_one(s, find_one("record", DOC("_id", S(ref_of(OF_BLOB, id).s))), &read, &row, &found));
    return found ? err_set(E_INTERNAL, "blob %s is not dying", id.s) : E_OK; /* another keeper was first */
}

/* ---- reading ---- */
enum err mongo_blob_get(struct meta *m, void *mem, struct id id, struct blob *out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_ready(s));
    TRY(mongo_one(s, find_one("record", DOC("_id", S(ref_of(OF_BLOB, id).s))), &reply, &row, &found));
    if (!found)
        return err_set(E_NOT_FOUND, "no blob %s", id.s);
    doc_blob(mem, &row, out);
    return E_OK;
}

enum err mongo_blob_list(struct meta *m, void *mem, struct id after, unsigned limit, struct blob **out, size_t *n_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    *out = mem_array(mem, struct blob, limit);
    *n_out = 0;
    TRY(mongo_ready(s));
    TRY(mongo_rows(s, page_of(OF_BLOB, after, limit), &reply, &rows));
    while (*n_out < limit && rows_next(&rows, &row))
        doc_blob(mem, &row, &(*out)[(*n_out)++]);
    return E_OK;
}

enum err mongo_version_list(struct meta *m, void *mem, struct id after, unsigned limit, struct version **out, size_t *n_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    *out = mem_array(mem, struct version, limit);
    *n_out = 0;
    TRY(mongo_ready(s));
    TRY(mongo_rows(s, page_of(OF_VERSION, after, limit), &reply, &rows));
    while (*n_out < limit && rows_next(&rows, &row))
        doc_version(mem, &row, &(*out)[(*n_out)++]);
    return E_OK;
}

/* ---- hashes ---- */
enum err mongo_hash_pending(struct meta *m, void *mem, unsigned limit, struct id *versions_out, struct id *blobs_out, size_t *n_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    (void)mem;
    *n_out = 0;
    TRY(mongo_ready(s));
    TRY(mongo_rows(s, DOC("find", S("record"), "filter", "{", "unhashed_ms", "{", "$gte", N(0), "}", "}", "sort", "{", "unhashed_ms",
                          BCON_INT32(1), "}", "limit", N(limit), "batchSize", N(limit)), &reply, &rows));
    while (*n_out < limit && rows_next(&rows, &row)) {
        versions_out[*n_out] = doc_ref(&row, "_id");
        blobs_out[(*n_out)++] = doc_ref(&row, "blob");
    }
    return E_OK;
}

struct hashing {
    struct id version;
    const char *sha256;
};

/* A version that was replaced meanwhile needs no hash: neither document is there in this form any more. */
static enum err set_hash(struct mongo *s, void *work)
{
    const struct hashing *w = work;
    REPLY_AUTO found = BSON_INITIALIZER;
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool known;
    struct ref version = ref_of(OF_VERSION, w->version);
    TRY(mongo_one(s, find_one("record", DOC("_id", S(version.s))), &found, &row, &known));
    if (!known)
        return E_OK;
    return mongo_write(s, DOC("update", S("record"), "updates", "[",
                              "{", "q", "{", "_id", S(version.s), "}", "u", "{", "$set", "{", "sha256", S(w->sha256), "}", "$unset",
                              "{", "unhashed_ms", N(1), "}", "}", "}",
                              "{", "q", "{", "_id", S(doc_peek(&row, "node")), "version", S(version.s), "}", "u", "{", "$set", "{",
                              "sha256", S(w->sha256), "}", "}", "}", "]"), &reply);
}

enum err mongo_hash_set(struct meta *m, struct id version, const char *sha256)
{
    struct hashing w = {.version = version, .sha256 = sha256};
    return mongo_txn(mongo_of(m), set_hash, &w);
}
