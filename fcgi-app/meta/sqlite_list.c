/* A folder's entries, page by page: each page starts behind the last entry of the one before, wherever that
 * stands by now, so that nothing comes twice and nothing that stayed is left out. */
#include "meta/sqlite.h"

#include "meta/cursor.h"

static const enum sql statements[][2] = {
    [SORT_NAME] = {SQL_LIST_NAME_ASC, SQL_LIST_NAME_DESC},
    [SORT_SIZE] = {SQL_LIST_SIZE_ASC, SQL_LIST_SIZE_DESC},
    [SORT_MODIFIED] = {SQL_LIST_MODIFIED_ASC, SQL_LIST_MODIFIED_DESC},
    [SORT_TYPE] = {SQL_LIST_TYPE_ASC, SQL_LIST_TYPE_DESC},
};

/* Before everything in the order of the list: "" and the smallest number, or 0xff, which no text contains. */
static void cursor_start(const struct node_query *q, struct cursor *out)
{
    *out = (struct cursor){.text = "", .number = INT64_MIN};
    if (q->descending)
        *out = (struct cursor){.id = {"\xff"}, .text = "\xff", .number = INT64_MAX};
}

/* Entries of one kind behind `after`, until the list has `most`. */
static enum err add_kind(struct sqlite *s, void *mem, struct id parent, const struct node_query *q, enum node_kind kind,
                         const struct cursor *after, size_t most, struct node_list *list)
{
    CLEANUP(db_reset) sqlite3_stmt *stmt = NULL;
    struct arg key = {.number = after->number};
    bool row;
    if (sort_by_text(q->sort))
        key.text = after->text;
    TRY(db_one(&s->main, statements[q->sort][q->descending], &stmt, &row,
               ARGS(TEXT(parent.s), NUMBER(kind), key, TEXT(after->id.s), NUMBER((int64_t)(most - list->n)))));
    while (row) {
        row_node(mem, stmt, 0, &list->items[list->n++]);
        TRY(db_next(&s->main, stmt, &row));
    }
    return E_OK;
}

/* One more than asked for is read: it tells whether there is a next page. */
static enum err fill(struct sqlite *s, void *mem, struct id parent, const struct node_query *q, const struct cursor *after,
                     size_t limit, struct node_list *list)
{
    struct cursor start;
    cursor_start(q, &start);
    *list = (struct node_list){.items = mem_array(mem, struct node, limit + 1)};
    if (after->kind == NODE_FOLDER) {
        TRY(add_kind(s, mem, parent, q, NODE_FOLDER, after, limit + 1, list));
        after = &start;
    }
    if (list->n <= limit)
        TRY(add_kind(s, mem, parent, q, NODE_FILE, after, limit + 1, list));
    if (list->n > limit) {
        list->n = limit;
        list->next = cursor_text(mem, q, &list->items[limit - 1]);
    }
    return E_OK;
}

static enum err ask_and_list(struct sqlite *s, void *mem, const struct guard *g, struct id parent, const struct node_query *q,
                             const struct cursor *after, struct place *place_out, struct node_list *list_out)
{
    size_t limit = q->limit < 1 ? 1 : q->limit > 1000 ? 1000 : q->limit;
    TRY(sqlite_place(s, mem, g, parent, place_out));
    if (place_out->node.kind != NODE_FOLDER)
        return err_set(E_NOT_FOLDER, "node %s is a file", parent.s);
    return fill(s, mem, parent, q, after, limit, list_out);
}

enum err sqlite_node_list(struct meta *m, void *mem, const struct guard *g, struct id parent, const struct node_query *q,
                          struct place *place_out, struct node_list *list_out)
{
    struct sqlite *s = sqlite_of(m);
    struct cursor after;
    if (q->after == NULL)
        cursor_start(q, &after);
    else
        TRY(cursor_parse(mem, q, &after));
    TRY(sqlite_read(s));
    return db_end(&s->main, ask_and_list(s, mem, g, parent, q, &after, place_out, list_out));
}
