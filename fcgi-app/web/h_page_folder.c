#include "base/mem.h"
#include "base/name.h"
#include "core/node.h"
#include "core/upload.h"
#include "web/h_page.h"
#include "web/upload_form.h"
#include "web/view.h"

#define LIST_DEFAULT 200

const char *const page_sorts[] = {[SORT_NAME] = "name", [SORT_SIZE] = "size", [SORT_MODIFIED] = "modified", [SORT_TYPE] = "type", NULL};
const char *const page_orders[] = {"asc", "desc", NULL};
const char *const page_dones[] = {
    [DONE_NOTHING] = "", [DONE_UPLOADED] = "uploaded", [DONE_CREATED] = "created",
    [DONE_DELETED] = "deleted", [DONE_RENAMED] = "renamed", [DONE_MOVED] = "moved", [DONE_COPIED] = "copied", NULL,
};

#define AT(member) .offset = offsetof(struct in_page_folder, member)
const struct field fields_page_folder[] = {
    {.name = "limit", .kind = FIELD_INT, AT(limit), .min = 1, .max = 1000},
    {.name = "sort", .kind = FIELD_CHOICE, AT(sort), .choices = page_sorts},
    {.name = "order", .kind = FIELD_CHOICE, AT(order), .choices = page_orders},
    {.name = "cursor", .kind = FIELD_TEXT, AT(cursor), .max = 4096},
    {.name = "q", .kind = FIELD_TEXT, AT(q), .max = NAME_MAX_BYTES},
    {.name = "done", .kind = FIELD_CHOICE, AT(done), .choices = page_dones},
    {.name = "n", .kind = FIELD_INT, AT(n), .min = 1, .max = 10000},
    {0},
};

const struct field fields_page_upload[] = {
    {.name = "mtime", .kind = FIELD_TIME, .offset = offsetof(struct in_page_upload, mtime_ms)},
    {0},
};

const struct field fields_page_folder_new[] = {
    {.name = "name", .kind = FIELD_NAME, .offset = offsetof(struct in_page_folder_new, name), .required = true},
    {0},
};

/* Without an id: the root. */
static enum err show(struct walk *w, struct id folder)
{
    const struct in_page_folder *in = w->in;
    struct node_query q = {
        .sort = (enum node_sort)in->sort,
        .descending = in->order == 1,
        .limit = in->limit > 0 ? (unsigned)in->limit : LIST_DEFAULT,
        .after = in->cursor,
    };
    struct place place;
    struct node_list list;
    if (view_finds(in))
        TRY(node_find(w->site->core, w, &w->who, folder, &q, in->q, &place, &list));
    else
        TRY(node_entries(w->site->core, w, &w->who, folder, &q, &place, &list));
    return reply_page(w, 200, view_folder(w, &place, &list));
}

enum err h_page_home(struct walk *w)
{
    return show(w, (struct id){""});
}

enum err h_page_folder(struct walk *w)
{
    return show(w, w->arg);
}

enum err page_back(struct walk *w, const char *folder_link, enum page_done done, size_t n)
{
    const char *link = mem_printf(w, "%s?done=%s", folder_link, page_dones[done]);
    return reply_see(w, n > 0 ? mem_printf(w, "%s&n=%zu", link, n) : link);
}

const char *page_above(const void *mem, const struct place *place)
{
    return place->depth > 1 ? link_to(mem, "page_folder", place->node.parent.s) : link_to(mem, "page_home", "");
}

/* The names come with the form, later: nothing that they decide can be asked yet. */
enum err h_page_upload_reserve(struct walk *w)
{
    struct upload_target t = {.parent = w->arg, .conflict = CONFLICT_RENAME};
    struct upload upload;
    TRY(upload_reserve(w->site->core, w, &w->who, &t, w->req->length, &upload));
    w->upload = upload.id;
    return E_OK;
}

enum err h_page_upload(struct walk *w)
{
    const struct in_page_upload *in = w->in;
    const struct upload_form form = {.parent = w->arg, .conflict = CONFLICT_FAIL, .modified_ms = in->mtime_ms, .folders = true};
    json_t *results;
    size_t stored;
    enum err first;
    TRY(upload_form(w, &form, &results, &stored, &first));
    if (first != E_OK)
        return reply_page(w, err_status(first), view_uploaded(w, results));
    return page_back(w, link_to(w, "page_folder", w->arg.s), DONE_UPLOADED, stored);
}

enum err h_page_folder_new(struct walk *w)
{
    const struct in_page_folder_new *in = w->in;
    struct node folder;
    TRY(folder_create(w->site->core, w, &w->who, w->arg, in->name, &folder));
    return page_back(w, link_to(w, "page_folder", w->arg.s), DONE_CREATED, 0);
}
