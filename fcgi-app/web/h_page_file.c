/* The pages of one file or folder: what it is, another name, away with it. */
#include "base/log.h"
#include "base/mem.h"
#include "core/node.h"
#include "web/h_page.h"
#include "web/view.h"

#define TEXT_MOST (256 * 1024)

const struct field fields_page_file[] = {
    {.name = "done", .kind = FIELD_CHOICE, .offset = offsetof(struct in_page_file, done), .choices = page_dones},
    {.name = "sort", .kind = FIELD_CHOICE, .offset = offsetof(struct in_page_file, sort), .choices = page_sorts},
    {.name = "order", .kind = FIELD_CHOICE, .offset = offsetof(struct in_page_file, order), .choices = page_orders},
    {0},
};

const struct field fields_page_rename[] = {
    {.name = "name", .kind = FIELD_TEXT, .offset = offsetof(struct in_page_rename, name), .required = true},
    {.name = "etag", .kind = FIELD_ID, .offset = offsetof(struct in_page_rename, etag)},
    {0},
};

const struct field fields_page_delete[] = {
    {.name = "etag", .kind = FIELD_ID, .offset = offsetof(struct in_page_delete, etag)},
    {0},
};

/* What a form was made for is what it is about, or it is not done. */
static struct expect as_seen(const struct id *etag)
{
    return (struct expect){.n = id_is(*etag), .etags = etag};
}

/* A root has no page of its own beside its list: it cannot be renamed, moved or deleted. */
static enum err find(struct walk *w, struct place *out)
{
    TRY(node_show(w->site->core, w, &w->who, w->arg, out));
    return out->depth > 0 ? E_OK : err_set(E_ROOT_NODE, "asked for the page of a root");
}

/* Contents that cannot be read are no reason to show nothing. */
static enum err read_text(struct walk *w, struct shown *shown)
{
    enum err e = node_text(w->site->core, w, &w->who, w->arg, TEXT_MOST, &shown->text, &shown->whole);
    if (e == E_NOT_FOUND)
        return e;
    if (e != E_OK)
        log_err("preview", e);
    return E_OK;
}

static enum err show_file(struct walk *w, const struct place *place)
{
    const struct in_page_file *in = w->in;
    const struct node_query q = {.sort = (enum node_sort)in->sort, .descending = in->order == 1};
    struct shown shown = {0};
    TRY(node_beside(w->site->core, w, &w->who, &place->node, &q, &shown.before, &shown.after));
    if (view_shows_text(&place->node))
        TRY(read_text(w, &shown));
    return reply_page(w, 200, view_file(w, place, &shown));
}

enum err h_page_file(struct walk *w)
{
    struct place place;
    struct usage usage;
    TRY(find(w, &place));
    if (place.node.kind == NODE_FILE)
        return show_file(w, &place);
    TRY(node_sum(w->site->core, &w->who, w->arg, &usage));
    return reply_page(w, 200, view_about(w, &place, &usage));
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
    const struct in_change change = {.name = in->name, .expect = as_seen(&in->etag)};
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
    const struct in_page_delete *in = w->in;
    const struct expect expect = as_seen(&in->etag);
    struct place place;
    TRY(node_show(w->site->core, w, &w->who, w->arg, &place));
    TRY(node_delete(w->site->core, &w->who, w->arg, &expect));
    return page_back(w, page_above(w, &place), DONE_DELETED, 0);
}
