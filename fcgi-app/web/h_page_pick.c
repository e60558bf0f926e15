/* What is done with files and folders ticked in a list: moved, copied, deleted. Each page asks first; its form comes
 * back to the same address, with another folder to look at or with the word to go. */
#include "base/json.h"
#include "base/mem.h"
#include "core/node.h"
#include "web/h_page.h"
#include "web/view.h"

#define FOLDERS_SHOWN 500

#define AT(member) .offset = offsetof(struct in_page_pick, member)
const struct field fields_page_pick[] = {
    {.name = "ids", .kind = FIELD_IDS, AT(ids)},
    {.name = "at", .kind = FIELD_ID, AT(at)},
    {.name = "to", .kind = FIELD_ID, AT(to)},
    {.name = "after", .kind = FIELD_TEXT, AT(after), .max = 4096},
    {.name = "go", .kind = FIELD_BOOL, AT(go)},
    {0},
};

/* ---- what to do with one of them ---- */
static enum err move_one(struct walk *w, struct id id)
{
    const struct in_page_pick *in = w->in;
    const struct in_change change = {.parent = in->at};
    struct node node;
    return node_change(w->site->core, w, &w->who, id, &change, &node);
}

static enum err copy_one(struct walk *w, struct id id)
{
    const struct in_page_pick *in = w->in;
    const struct in_copy copy = {.parent = in->at, .conflict = CONFLICT_RENAME};
    struct node node;
    return node_copy(w->site->core, w, &w->who, id, &copy, &node);
}

static enum err delete_one(struct walk *w, struct id id)
{
    static const struct expect anything;
    return node_delete(w->site->core, &w->who, id, &anything);
}

/* ---- which ones ---- */
static enum err choose_one(struct walk *w, struct id id, struct place *out)
{
    enum err e = node_show(w->site->core, w, &w->who, id, out);
    if (e == E_NOT_FOUND)
        *out = (struct place){.node = {.id = id, .name = ""}};
    else if (e == E_OK && out->depth == 0)
        return err_set(E_ROOT_NODE, "a root was chosen");
    return e == E_NOT_FOUND ? E_OK : e;
}

static enum err choose(struct walk *w, struct chosen *out)
{
    const struct in_page_pick *in = w->in;
    struct id home = {""};
    *out = (struct chosen){.n = in->ids.n, .nodes = mem_array(w, struct node, in->ids.n + 1)};
    for (size_t i = 0; i < in->ids.n; i++) {
        struct place place;
        TRY(choose_one(w, in->ids.ids[i], &place));
        out->nodes[i] = place.node;
        if (!id_is(home) && place.depth > 0)
            home = place.node.parent;
    }
    if (in->ids.n == 0)
        return err_field_say(E_FIELD_MISSING, "ids", "Nothing is selected. Tick the boxes before the names first.");
    return id_is(home) ? node_show(w->site->core, w, &w->who, home, &out->home) : err_set(E_NOT_FOUND, "all that was chosen is gone");
}

/* ---- doing it ---- */
static json_t *result(const struct node *node, enum err e)
{
    const char *say = e != E_OK ? err_last(e)->say : "";
    return json_pack("{s:s,s:s?}", "name", node->name, "problem", e == E_OK ? NULL : say[0] != '\0' ? say : err_title(e));
}

static enum err each(struct walk *w, const struct chosen *chosen, enum page_done verb, enum err (*one)(struct walk *w, struct id id))
{
    const char *back = view_folder_link(w, &chosen->home.node);
    json_t *results = json_own_object(w), *list = json_array();
    enum err first = E_OK;
    json_object_set_new(results, "list", list);
    for (size_t i = 0; i < chosen->n; i++) {
        enum err e = one(w, chosen->nodes[i].id);
        json_array_append_new(list, result(&chosen->nodes[i], e));
        first = first == E_OK ? e : first;
    }
    if (first == E_OK)
        return page_back(w, back, verb, chosen->n);
    w->reply.template = "results";
    return reply_page(w, err_status(first), view_results(w, verb, list, back));
}

static enum err pick(struct walk *w, enum page_done verb, enum err (*one)(struct walk *w, struct id id))
{
    static const struct node_query by_name = {.sort = SORT_NAME, .limit = FOLDERS_SHOWN};
    const struct in_page_pick *in = w->in;
    struct node_query q = by_name;
    struct chosen chosen;
    struct place at;
    struct node_list list;
    TRY(choose(w, &chosen));
    if (in->go && w->req->method == POST && id_is(in->at))
        return each(w, &chosen, verb, one);
    q.after = id_is(in->to) ? NULL : in->after;
    struct id where = id_is(in->to) ? in->to : id_is(in->at) ? in->at : chosen.home.node.id;
    TRY(node_entries(w->site->core, w, &w->who, where, &q, &at, &list));
    return reply_page(w, 200, view_pick(w, verb, &chosen, &at, &list));
}

enum err h_page_move(struct walk *w)
{
    return pick(w, DONE_MOVED, move_one);
}

enum err h_page_copy(struct walk *w)
{
    return pick(w, DONE_COPIED, copy_one);
}

enum err h_page_delete_many(struct walk *w)
{
    const struct in_page_pick *in = w->in;
    struct chosen chosen;
    TRY(choose(w, &chosen));
    if (in->go)
        return each(w, &chosen, DONE_DELETED, delete_one);
    return reply_page(w, 200, view_delete_many(w, &chosen));
}
