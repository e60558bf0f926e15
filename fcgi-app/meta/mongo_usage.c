/* Going down a tree, level by level: sums of what is below a folder, and how far it reaches. */
#include "meta/mongo.h"

#include "meta/rules.h"

#define PARENTS 500 /* folders whose children are asked for in one query */

struct level {
    struct id *ids;
    size_t n, room;
};

static void level_add(void *mem, struct level *l, struct id id)
{
    if (l->n == l->room) {
        l->room = l->room > 0 ? l->room * 2 : 64;
        l->ids = talloc_realloc(mem, l->ids, struct id, (unsigned)l->room);
        if (l->ids == NULL)
            mem_exhausted();
    }
    l->ids[l->n++] = id;
}

static bson_t *ids_array(const struct id *ids, size_t n)
{
    bson_t *array = bson_new();
    for (size_t i = 0; i < n; i++) {
        char text[16];
        const char *key;
        bson_uint32_to_string((uint32_t)i, &key, text, sizeof text);
        bson_append_utf8(array, key, -1, ref_of(OF_NODE, ids[i]).s, -1);
    }
    return array;
}

/* Live children of up to PARENTS folders: folders go to the next level, files are summed by the server. */
static enum err sum_files(struct mongo *s, const bson_t *parents, struct usage *sum)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO stages = list_new();
    bson_t row;
    bool found;
    list_add(&stages, DOC("$match", "{", "parent", "{", "$in", A(parents), "}", "live", B(true), "kind", N(NODE_FILE), "}"));
    list_add(&stages, DOC("$group", "{", "_id", BCON_NULL, "n", "{", "$sum", N(1), "}", "size", "{", "$sum", S("$size"), "}", "}"));
    TRY(mongo_one(s, aggregate("record", &stages), &reply, &row, &found));
    if (found) {
        sum->files += doc_number(&row, "n");
        sum->size += doc_number(&row, "size");
    }
    return E_OK;
}

static enum err find_folders(struct mongo *s, void *mem, const bson_t *parents, struct level *next)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    TRY(mongo_rows(s, DOC("find", S("record"), "filter", "{", "parent", "{", "$in", A(parents), "}", "live", B(true), "kind",
                          N(NODE_FOLDER), "}", "projection", "{", "_id", N(1), "}", "batchSize", BCON_INT32(1000000)), &reply, &rows));
    while (rows_next(&rows, &row))
        level_add(mem, next, doc_ref(&row, "_id"));
    return E_OK;
}

static enum err sum_level(struct mongo *s, void *mem, const struct level *at, struct level *next, struct usage *sum)
{
    for (size_t i = 0; i < at->n; i += PARENTS) {
        DOC_AUTO parents = ids_array(at->ids + i, at->n - i < PARENTS ? at->n - i : PARENTS);
        TRY(sum_files(s, parents, sum));
        TRY(find_folders(s, mem, parents, next));
    }
    sum->folders += (int64_t)next->n;
    return E_OK;
}

struct summing {
    void *mem;
    const struct guard *guard;
    struct id id;
    struct usage sum;
};

static enum err ask_and_sum(struct mongo *s, void *work)
{
    struct summing *w = work;
    struct spot spot;
    struct level at = {0};
    TRY(mongo_place(s, w->mem, w->guard, w->id, NULL, &spot));
    w->sum = (struct usage){0};
    if (spot.place.node.kind == NODE_FILE) {
        w->sum = (struct usage){.files = 1, .size = spot.place.node.size};
        return E_OK;
    }
    level_add(w->mem, &at, w->id);
    while (at.n > 0) {
        struct level next = {0};
        TRY(sum_level(s, w->mem, &at, &next, &w->sum));
        at = next;
    }
    return E_OK;
}

/* In one transaction: all levels as they are at one moment. */
enum err mongo_node_usage(struct meta *m, const struct guard *g, struct id id, struct usage *usage_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct summing w = {.mem = mem, .guard = g, .id = id};
    TRY(mongo_txn(mongo_of(m), ask_and_sum, &w));
    *usage_out = w.sum;
    return E_OK;
}
