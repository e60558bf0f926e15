/* The pages of one file or folder: what it is, another name, away with it. */
#include "base/mem.h"
#include "core/node.h"
#include "web/h_page.h"
#include "web/view.h"

const struct field fields_page_file[] = {
    {.name = "done", .kind = FIELD_CHOICE, .offset = offsetof(struct in_page_file, done), .choices = page_dones},
    {0},
};

const struct field fields_page_rename[] = {
    {.name = "name", .kind = FIELD_TEXT, .offset = offsetof(struct in_page_rename, name), .required = true},
    {0},
};

/* A root has no page of its own beside its list: it cannot be renamed, moved or deleted. */
static enum err find(struct walk *w, struct place *out)
{
    TRY(node_show(w->site->core, w, &w->who, w->arg, out));
    return out->depth > 0 ? E_OK : err_set(E_ROOT_NODE, "asked for the page of a root");
}

enum err h_page_file(struct walk *w)
{
    struct place place;
    struct usage usage;
    TRY(find(w, &place));
    if (place.node.kind == NODE_FILE)
        return reply_page(w, 200, view_file(w, &place, NULL));
    TRY(node_sum(w->site->core, &w->who, w->arg, &usage));
    return reply_page(w, 200, view_file(w, &place, &usage));
}

enum err h_page_rename_ask(struct walk *w)
{
    struct place place;
    TRY(find(w, &place));
    return reply_page(w, 200, view_rename(w, &place, place.node.name, E_OK));
}

/* Back to the form, with what is wrong beside the name as typed. */
enum err h_page_rename(struct walk *w)
{
    const struct in_page_rename *in = w->in;
    const struct in_change change = {.name = in->name};
    struct place place;
    struct node node;
    TRY(find(w, &place));
    enum err e = node_change(w->site->core, w, &w->who, w->arg, &change, &node);
    if (e == E_NAME_TAKEN || e == E_BAD_NAME)
        return reply_page(w, err_status(e), view_rename(w, &place, in->name, e));
    TRY(e);
    return page_back(w, page_above(w, &place), DONE_RENAMED, 0);
}

enum err h_page_delete_ask(struct walk *w)
{
    struct place place;
    struct usage usage;
    TRY(find(w, &place));
    if (place.node.kind == NODE_FILE)
        return reply_page(w, 200, view_delete(w, &place, NULL));
    TRY(node_sum(w->site->core, &w->who, w->arg, &usage));
    return reply_page(w, 200, view_delete(w, &place, &usage));
}

enum err h_page_delete(struct walk *w)
{
    static const struct expect anything;
    struct place place;
    TRY(node_show(w->site->core, w, &w->who, w->arg, &place));
    TRY(node_delete(w->site->core, &w->who, w->arg, &anything));
    return page_back(w, page_above(w, &place), DONE_DELETED, 0);
}
