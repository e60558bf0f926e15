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
    {.name = "seen", .kind = FIELD_IDS, AT(seen)},
    {.name = "at", .kind = FIELD_ID, AT(at)},
    {.name = "to", .kind = FIELD_ID, AT(to)},
    {.name = "after", .kind = FIELD_TEXT, AT(after), .max = 4096},
    {.name = "name", .kind = FIELD_TEXT, AT(name)},
    {.name = "make", .kind = FIELD_BOOL, AT(make)},
    {.name = "go", .kind = FIELD_BOOL, AT(go)},
    {0},
};

/* ---- what to do with one of them ---- */
static enum err move_one(struct walk *w, const struct node *chosen)
{
    const struct in_page_pick *in = w->in;
    const struct in_change change = {.parent = in->at};
    struct node node;
    return node_change(w->site->core, w, &w->who, chosen->id, &change, &node);
}

static enum err copy_one(struct walk *w, const struct node *chosen)
{
    const struct in_page_pick *in = w->in;
    const struct in_copy copy = {.parent = in->at, .conflict = CONFLICT_RENAME};
    struct node node;
    return node_copy(w->site->core, w, &w->who, chosen->id, &copy, &node);
}

/* Contents that nobody has seen are not deleted. */
static enum err delete_one(struct walk *w, const struct node *chosen)
{
    const struct in_page_pick *in = w->in;
    const struct expect expect = {.n = chosen->kind == NODE_FILE ? in->seen.n : 0, .etags = in->seen.ids};
    return node_delete(w->site->core, &w->who, chosen->id, &expect);
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
typedef enum err one_fn(struct walk *w, const struct node *chosen);

static json_t *result(const struct node *node, enum err e)
{
    return json_pack("{s:s,s:o}", "name", node->name, "problem", view_problem(e));
}

static enum err each(struct walk *w, const struct chosen *chosen, enum page_done verb, one_fn *one)
{
    const char *back = view_folder_link(w, &chosen->home.node);
    json_t *results = json_own_object(w), *list = json_array();
    enum err first = E_OK;
    json_object_set_new(results, "list", list);
    for (size_t i = 0; i < chosen->n; i++) {
        enum err e = one(w, &chosen->nodes[i]);
        json_array_append_new(list, result(&chosen->nodes[i], e));
        first = first == E_OK ? e : first;
    }
    if (first == E_OK)
        return page_back(w, back, verb, chosen->n);
    w->reply.template = "results";
    return reply_page(w, err_status(first), view_results(w, verb, list, back));
}

/* A new folder where somebody looks, and then looks into it. What is wrong with its name is said beside it. */
static enum err make_folder(struct walk *w, struct id *where, enum err *problem_out)
{
    const struct in_page_pick *in = w->in;
    struct node folder;
    enum err e = folder_create(w->site->core, w, &w->who, *where, in->name != NULL ? in->name : "", &folder);
    *problem_out = e == E_NAME_TAKEN || e == E_BAD_NAME || e == E_TOO_NESTED ? e : E_OK;
    if (e == E_OK)
        *where = folder.id;
    return *problem_out != E_OK ? E_OK : e;
}

static enum err pick(struct walk *w, enum page_done verb, one_fn *one)
{
    static const struct node_query by_name = {.sort = SORT_NAME, .limit = FOLDERS_SHOWN};
    const struct in_page_pick *in = w->in;
    struct node_query q = by_name;
    struct chosen chosen;
    struct place at;
    struct node_list list;
    enum err problem = E_OK;
    TRY(choose(w, &chosen));
    if (in->go && w->req->method == POST && id_is(in->at))
        return each(w, &chosen, verb, one);
    q.after = id_is(in->to) || in->make ? NULL : in->after;
    struct id where = id_is(in->to) ? in->to : id_is(in->at) ? in->at : chosen.home.node.id;
    if (in->make && w->req->method == POST)
        TRY(make_folder(w, &where, &problem));
    TRY(node_entries(w->site->core, w, &w->who, where, &q, &at, &list));
    return reply_page(w, problem == E_OK ? 200 : err_status(problem), view_pick(w, verb, &chosen, &at, &list, problem));
}

enum err h_page_move(struct walk *w)
{
    return pick(w, DONE_MOVED, move_one);
}

enum err h_page_copy(struct walk *w)
{
    return pick(w, DONE_COPIED, copy_one);
}

/* All that would go: what is in folders counts, gone is gone. */
static enum err sum(struct walk *w, const struct chosen *chosen, struct usage *out)
{
    *out = (struct usage){0};
    for (size_t i = 0; i < chosen->n; i++) {
        const struct node *node = &chosen->nodes[i];
        struct usage below = {0};
        if (node->name[0] == '\0')
            continue;
        if (node->kind == NODE_FOLDER)
            TRY(node_sum(w->site->core, &w->who, node->id, &below));
        out->files += below.files + (node->kind == NODE_FILE);
        out->folders += below.folders + (node->kind == NODE_FOLDER);
        out->size += below.size + node->size;
    }
    return E_OK;
}

enum err h_page_delete_many(struct walk *w)
{
    const struct in_page_pick *in = w->in;
    struct chosen chosen;
    struct usage all;
    TRY(choose(w, &chosen));
    if (in->go)
        return each(w, &chosen, DONE_DELETED, delete_one);
    TRY(sum(w, &chosen, &all));
    return reply_page(w, 200, view_delete_many(w, &chosen, &all));
}
