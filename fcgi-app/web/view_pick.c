#include "base/json.h"
#include "base/mem.h"
#include "web/view.h"

/* Everything that was chosen, so that the next form still knows. */
static void set_chosen(json_t *page, const struct chosen *chosen)
{
    json_t *list = json_array();
    for (size_t i = 0; i < chosen->n; i++) {
        const struct node *node = &chosen->nodes[i];
        json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:s,s:s,s:s?}", "id", node->id.s, "name", node->name, "folder",
                                              node->kind == NODE_FOLDER, "kind", node->kind == NODE_FOLDER ? "folder" : "file", "icon",
                                              view_icon(node), "etag", node->kind == NODE_FILE && id_is(node->blob) ? node->blob.s : NULL));
    }
    json_object_set_new(page, "chosen", list);
    json_object_set_new(page, "n", json_integer((json_int_t)chosen->n));
    json_object_set_new(page, "one", chosen->n == 1 ? json_string(chosen->nodes[0].name) : json_null());
}

static bool is_chosen(const struct chosen *chosen, struct id id)
{
    for (size_t i = 0; i < chosen->n; i++)
        if (id_eq(chosen->nodes[i].id, id))
            return true;
    return false;
}

/* The way down to the folder looked at, each a button. */
static json_t *trail(const struct place *at)
{
    json_t *list = json_array();
    for (size_t i = at->depth; i > 0; i--)
        json_array_append_new(list, json_pack("{s:s,s:s}", "id", at->ancestors[i - 1].id.s, "name", i == at->depth ? "" : at->ancestors[i - 1].name));
    return list;
}

/* Folders come first in the list, so the first file ends them. `next` stands for more of them. */
static json_t *folders(const struct chosen *chosen, enum page_done verb, const struct node_list *list, bool *all_out)
{
    json_t *rows = json_array();
    *all_out = false;
    for (size_t i = 0; i < list->n && !*all_out; i++) {
        const struct node *node = &list->items[i];
        *all_out = node->kind != NODE_FOLDER;
        if (!*all_out)
            json_array_append_new(rows, json_pack("{s:s,s:s,s:b}", "id", node->id.s, "name", node->name, "closed",
                                                  verb == DONE_MOVED && is_chosen(chosen, node->id)));
    }
    return rows;
}

json_t *view_pick(struct walk *w, enum page_done verb, const struct chosen *chosen, const struct place *at, const struct node_list *list,
                  enum err problem)
{
    const struct in_page_pick *in = w->in;
    bool moving = verb == DONE_MOVED, home = id_eq(at->node.id, chosen->home.node.id), all;
    json_t *page = json_own_object(w), *rows = folders(chosen, verb, list, &all);
    set_chosen(page, chosen);
    json_object_set_new(page, "moving", json_boolean(moving));
    json_object_set_new(page, "action", json_string(link_to(w, moving ? "page_move_do" : "page_copy_do", "")));
    json_object_set_new(page, "at", json_string(at->node.id.s));
    json_object_set_new(page, "name", json_string(at->depth > 0 ? at->node.name : ""));
    json_object_set_new(page, "path", trail(at));
    json_object_set_new(page, "inside", json_boolean(at->depth > 0));
    json_object_set_new(page, "none", json_boolean(json_array_size(rows) == 0));
    json_object_set_new(page, "folders", rows);
    json_object_set_new(page, "after", !all && list->next != NULL ? json_string(list->next) : json_null());
    json_object_set_new(page, "problem", view_problem(problem));
    json_object_set_new(page, "typed", json_string(problem != E_OK && in->name != NULL ? in->name : ""));
    json_object_set_new(page, "there", json_boolean(moving && home));
    json_object_set_new(page, "back", json_string(view_folder_link(w, &chosen->home.node)));
    return page;
}

json_t *view_delete_many(struct walk *w, const struct chosen *chosen, const struct usage *all)
{
    json_t *page = json_own_object(w);
    set_chosen(page, chosen);
    json_object_set_new(page, "all", json_pack("{s:I,s:I,s:s}", "files", (json_int_t)all->files, "folders", (json_int_t)all->folders, "size",
                                               view_size(w, all->size)));
    json_object_set_new(page, "action", json_string(link_to(w, "page_delete_many", "")));
    json_object_set_new(page, "back", json_string(view_folder_link(w, &chosen->home.node)));
    return page;
}

json_t *view_results(struct walk *w, enum page_done verb, json_t *results, const char *back)
{
    json_t *page = json_own_object(w);
    json_object_set_new(page, page_dones[verb], json_true());
    json_object_set(page, "results", results);
    json_object_set_new(page, "back", json_string(back));
    return page;
}
