#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "core/node.h"
#include "web/condition.h"
#include "web/deliver.h"
#include "web/handlers.h"
#include "web/record.h"
#include "web/walk.h"

#define LIST_DEFAULT 100

struct node_query list_query(const struct in_file_list *in)
{
    return (struct node_query){
        .sort = (enum node_sort)in->sort,
        .descending = in->order == 1,
        .limit = in->limit > 0 ? (unsigned)in->limit : LIST_DEFAULT,
        .after = in->cursor,
    };
}

/* A cursor of the API carries the whole question: folder, sort and order (a digit each), then the store's place. */
static const char *cursor_write(const void *mem, struct id folder, const struct node_query *q, const char *next)
{
    return next != NULL ? mem_printf(mem, "%s%d%d%s", folder.s, (int)q->sort, q->descending, next) : NULL;
}

static enum err cursor_read(const void *mem, const struct in_file_list *in, struct id *folder_out, struct node_query *q)
{
    const char *text = in->cursor;
    bool whole = strlen(text) > ID_LEN + 2;
    int sort = whole ? text[ID_LEN] - '0' : -1, order = whole ? text[ID_LEN + 1] - '0' : -1;
    if (sort < SORT_NAME || sort > SORT_TYPE || order < 0 || order > 1 || id_parse(mem_strn(mem, text, ID_LEN), folder_out) != E_OK)
        return err_set(E_BAD_CURSOR, "not a cursor of ours");
    if ((id_is(in->parent) && !id_eq(in->parent, *folder_out)) || (in->sort > 0 && in->sort != sort) || (in->order > 0 && in->order != order))
        return err_say(E_BAD_CURSOR, "The cursor belongs to another list.");
    q->sort = (enum node_sort)sort;
    q->descending = order == 1;
    q->after = text + ID_LEN + 2;
    return E_OK;
}

enum err reply_list(struct walk *w, const struct place *folder, const struct node_query *q, struct node_list *list)
{
    list->next = cursor_write(w, folder->node.id, q, list->next);
    return reply_data(w, 200, record_list(w, list));
}

enum err h_file_list(struct walk *w)
{
    const struct in_file_list *in = w->in;
    struct node_query q = list_query(in);
    struct id folder = in->parent;
    struct place place;
    struct node_list list;
    if (in->cursor != NULL)
        TRY(cursor_read(w, in, &folder, &q));
    TRY(node_entries(w->site->core, w, &w->who, folder, &q, &place, &list));
    return reply_list(w, &place, &q, &list);
}

enum err deliver(struct walk *w, struct id id, bool attachment)
{
    struct node node;
    struct delivery delivery;
    TRY(node_delivery(w->site->core, w, &w->who, id, attachment, &node, &delivery));
    return reply_delivery(w, &delivery);
}

enum err h_file_show(struct walk *w)
{
    const struct in_file_show *in = w->in;
    return deliver(w, w->arg, in->download);
}

enum err h_file_info(struct walk *w)
{
    const struct in_file_show *in = w->in;
    struct place place;
    struct usage usage;
    TRY(node_show(w->site->core, w, &w->who, w->arg, &place));
    json_t *record = record_node(w, &place.node);
    if (in->usage && place.node.kind == NODE_FOLDER) {
        TRY(node_sum(w->site->core, &w->who, w->arg, &usage));
        json_object_set_new(record, "usage", json_pack("{s:I,s:I,s:I}", "files", (json_int_t)usage.files, "folders",
                                                       (json_int_t)usage.folders, "size", (json_int_t)usage.size));
    }
    return reply_data(w, 200, record);
}

enum err h_file_delete(struct walk *w)
{
    struct expect expect;
    TRY(condition_expect(w, &expect));
    TRY(node_delete(w->site->core, &w->who, w->arg, &expect));
    return reply_empty(w);
}

enum err h_file_change(struct walk *w)
{
    struct in_change *in = w->in;
    struct node node;
    TRY(condition_expect(w, &in->expect));
    TRY(node_change(w->site->core, w, &w->who, w->arg, in, &node));
    return reply_data(w, 200, record_node(w, &node));
}

enum err h_file_copy(struct walk *w)
{
    struct in_copy *in = w->in;
    struct node node;
    in->conflict = in->conflict == 1 ? CONFLICT_RENAME : CONFLICT_FAIL;
    TRY(condition_expect(w, &in->expect));
    TRY(node_copy(w->site->core, w, &w->who, w->arg, in, &node));
    return reply_created(w, record_node(w, &node), link_to(w, "file_info", node.id.s), node.kind == NODE_FILE ? node.blob.s : NULL);
}

enum err h_folder_create(struct walk *w)
{
    const struct in_folder_create *in = w->in;
    struct node node;
    TRY(folder_create(w->site->core, w, &w->who, in->parent, in->name, &node));
    return reply_created(w, record_node(w, &node), link_to(w, "file_info", node.id.s), NULL);
}
