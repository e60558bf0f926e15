/* A folder's entries, page by page, and the sums of what is below it. A page is one query: the folder's place,
 * and behind the cursor its folders and its files, each read in order from the index. */
#include "meta/mongo.h"

#include "meta/cursor.h"

static const char *const fields[] = {
    [SORT_NAME] = "name_key", [SORT_SIZE] = "size", [SORT_MODIFIED] = "modified_ms", [SORT_TYPE] = "type",
};

/* Before everything in the order of the list: "" and the smallest number, or what no text comes behind. */
static void cursor_start(const struct node_query *q, struct cursor *out)
{
    *out = (struct cursor){.text = "", .number = INT64_MIN};
    if (q->descending)
        *out = (struct cursor){.id = {"~"}, .text = "\xf4\x8f\xbf\xbf", .number = INT64_MAX}; /* U+10FFFF */
}

static void append_key(bson_t *doc, const char *field, const struct node_query *q, const struct cursor *after)
{
    if (sort_by_text(q->sort))
        BSON_APPEND_UTF8(doc, field, after->text);
    else
        BSON_APPEND_INT64(doc, field, after->number);
}

/* {live, kind, key >= after's, and not (key = after's and id <= after's)}: a tight range of the index. */
static bson_t *behind(const struct node_query *q, enum node_kind kind, const struct cursor *after)
{
    const char *field = fields[q->sort];
    DOC_AUTO bound = bson_new();
    DOC_AUTO beyond = bson_new();
    DOC_AUTO same = bson_new();
    append_key(bound, q->descending ? "$lte" : "$gte", q, after);
    append_key(beyond, q->descending ? "$lt" : "$gt", q, after);
    append_key(same, field, q, after);
    DOC_AUTO id = DOC(q->descending ? "$lt" : "$gt", S(ref_of(OF_NODE, after->id).s));
    BSON_APPEND_DOCUMENT(same, "_id", id);
    return DOC("live", B(true), "kind", N(kind), field, D(bound), "$or", "[", "{", field, D(beyond), "}", D(same), "]");
}

static void list_stage(struct list *stages, const struct node_query *q, enum node_kind kind, const struct cursor *after, size_t most,
                       const char *as)
{
    DOC_AUTO match = behind(q, kind, after);
    int32_t order = q->descending ? -1 : 1;
    list_add(stages, DOC("$lookup", "{", "from", S("record"), "localField", S("_id"), "foreignField", S("parent"), "pipeline", "[",
                         "{", "$match", D(match), "}",
                         "{", "$sort", "{", fields[q->sort], BCON_INT32(order), "_id", BCON_INT32(order), "}", "}",
                         "{", "$limit", N(most), "}", "]", "as", S(as), "}"));
}

static void add_rows(void *mem, const bson_t *doc, const char *array, size_t most, struct node_list *list)
{
    bson_iter_t rows;
    bson_t row;
    if (!doc_rows(doc, array, &rows))
        return;
    while (list->n < most && rows_next(&rows, &row))
        doc_node(mem, &row, &list->items[list->n++]);
}

/* One more than asked for is read: it tells whether there is a next page. */
static void fill(void *mem, const bson_t *doc, const struct node_query *q, size_t limit, struct node_list *list)
{
    *list = (struct node_list){.items = mem_array(mem, struct node, limit + 1)};
    add_rows(mem, doc, "folders", limit + 1, list);
    add_rows(mem, doc, "files", limit + 1, list);
    if (list->n > limit) {
        list->n = limit;
        list->next = cursor_text(mem, q, &list->items[limit - 1]);
    }
}

static void page_stages(struct list *stages, const struct guard *g, struct id parent, const struct node_query *q,
                        const struct cursor *after, size_t limit)
{
    struct cursor start;
    cursor_start(q, &start);
    list_add(stages, DOC("$match", "{", "_id", S(ref_of(OF_NODE, parent).s), "}"));
    place_stages(stages, g);
    if (after->kind == NODE_FOLDER)
        list_stage(stages, q, NODE_FOLDER, after, limit + 1, "folders");
    list_stage(stages, q, NODE_FILE, after->kind == NODE_FOLDER ? &start : after, limit + 1, "files");
}

enum err mongo_node_list(struct meta *m, void *mem, const struct guard *g, struct id parent, const struct node_query *q,
                         struct place *place_out, struct node_list *list_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO stages = list_new();
    size_t limit = q->limit < 1 ? 1 : q->limit > 1000 ? 1000 : q->limit;
    struct cursor after;
    bson_t doc;
    bool found;
    if (q->after == NULL)
        cursor_start(q, &after);
    else
        TRY(cursor_parse(mem, q, &after));
    TRY(mongo_ready(s));
    page_stages(&stages, g, parent, q, &after, limit);
    TRY(mongo_one(s, aggregate("record", &stages), &reply, &doc, &found));
    if (!found)
        return err_set(E_NOT_FOUND, "node %s is unknown", parent.s);
    TRY(place_read(mem, &doc, place_out));
    TRY(g->ask(g, place_out));
    if (place_out->node.kind != NODE_FOLDER)
        return err_set(E_NOT_FOLDER, "node %s is a file", parent.s);
    fill(mem, &doc, q, limit, list_out);
    return E_OK;
}
