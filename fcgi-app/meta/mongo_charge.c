/* Accounts of spaces and blobs: what verbs of files, uploads and the keeper do alike. */
#include "meta/mongo.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

static void charge(struct writes *b, bson_t *filter, int64_t used, int64_t reserved)
{
    struct list stages = list_new();
    list_add(&stages, DOC("$set", "{",
                          "used", "{", "$max", "[", N(0), "{", "$add", "[", S("$used"), N(used), "]", "}", "]", "}",
                          "reserved", "{", "$max", "[", N(0), "{", "$add", "[", S("$reserved"), N(reserved), "]", "}", "]", "}",
                          "seq", "{", "$add", "[", S("$seq"), N(1), "]", "}", "}"));
    writes_pipeline(b, filter, &stages);
}

void writes_charge(struct writes *b, struct id space, int64_t used, int64_t reserved)
{
    charge(b, DOC("_id", S(ref_of(OF_SPACE, space).s)), used, reserved);
}

void writes_charge_at(struct writes *b, struct id space, int64_t used, int64_t reserved, int64_t seq)
{
    b->conditional = true;
    charge(b, DOC("_id", S(ref_of(OF_SPACE, space).s), "seq", N(seq)), used, reserved);
}

/* `unreferenced_ms` is there only while nothing refers to it: its index holds what can be collected. */
void writes_release(struct writes *b, struct id blob, int64_t now_ms)
{
    struct list stages = list_new();
    list_add(&stages, DOC("$set", "{", "refs", "{", "$max", "[", N(0), "{", "$subtract", "[", S("$refs"), N(1), "]", "}", "]", "}", "}"));
    list_add(&stages, DOC("$set", "{", "unreferenced_ms", "{", "$cond", "[", "{", "$lte", "[", S("$refs"), N(0), "]", "}", N(now_ms),
                          S("$$REMOVE"), "]", "}", "}"));
    writes_pipeline(b, DOC("_id", S(ref_of(OF_BLOB, blob).s)), &stages);
}

/* In the order of the deeds, as far as clocks agree. */
void writes_audit(struct writes *b, const struct audit *a)
{
    struct ref id;
    snprintf(id.s, sizeof id.s, "%c%016" PRIx64 "%08x%08x", OF_AUDIT, (uint64_t)a->at_ms, randombytes_random(), randombytes_random());
    writes_insert(b, id, DOC("at_ms", N(a->at_ms), "user", S(a->user.s), "action", S(a->action), "in_space", S(a->space.s), "at_node",
                            S(a->node.s), "note", S(a->note)));
}

enum err mongo_versions_drop(struct mongo *s, struct writes *b, struct id node, int64_t now_ms, int64_t *freed_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    *freed_out = 0;
    TRY(mongo_rows(s, DOC("find", S("record"), "filter", "{", "node", S(ref_of(OF_NODE, node).s), "}", "batchSize", BCON_INT32(100000)),
                   &reply, &rows));
    while (rows_next(&rows, &row)) {
        if (__builtin_add_overflow(*freed_out, doc_number(&row, "size"), freed_out))
            return err_set(E_DAMAGED, "the sizes of node %s do not add up", node.s);
        writes_release(b, doc_ref(&row, "blob"), now_ms);
        writes_delete(b, ref_of(OF_VERSION, doc_ref(&row, "_id")));
    }
    return E_OK;
}

enum err mongo_upload_row(struct mongo *s, void *mem, struct id id, struct upload *out, bool *found_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    *found_out = false;
    if (!id_is(id))
        return E_OK;
    TRY(mongo_one(s, find_one("record", DOC("_id", S(ref_of(OF_UPLOAD, id).s))), &reply, &row, found_out));
    if (*found_out)
        doc_upload(mem, &row, out);
    return E_OK;
}
