#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "core/node.h"
#include "core/upload.h"
#include "web/condition.h"
#include "web/deliver.h"
#include "web/handlers.h"
#include "web/record.h"
#include "web/view.h"
#include "web/walk.h"

/* The address of a path below /api/v1/content, each name encoded. */
static const char *content_link(struct walk *w)
{
    char *link = mem_str(w, "/api/v1/content");
    for (size_t i = 0; i < w->n_path; i++)
        link = mem_printf(w, "%s/%s", link, url_encode(w, w->path[i]));
    return link;
}

static enum err find(struct walk *w, struct spot *out)
{
    TRY(node_at(w->site->core, w, &w->who, (struct id){""}, w->path, w->n_path, out));
    return out->missing == 0 ? E_OK : err_set(E_NOT_FOUND, "%zu names of the path do not exist", out->missing);
}

static json_t *index_entry(struct walk *w, const struct node *node)
{
    const char *slash = node->kind == NODE_FOLDER ? "/" : "";
    return json_pack("{s:o,s:o}", "name", json_sprintf("%s%s", node->name, slash), "href", json_sprintf("%s%s", url_encode(w, node->name), slash));
}

/* The whole folder as links, for people and for tools that follow links. */
static enum err show_index(struct walk *w, const struct node *folder)
{
    struct node_query q = {.limit = 1000};
    struct place place;
    struct node_list list;
    json_t *page = json_own_object(w), *items = json_array();
    json_object_set_new(page, "items", items);
    json_object_set_new(page, "name", json_string(folder->name));
    json_object_set_new(page, "inside", json_boolean(w->n_path > 0));
    do {
        TRY(node_entries(w->site->core, w, &w->who, folder->id, &q, &place, &list));
        for (size_t i = 0; i < list.n; i++)
            json_array_append_new(items, index_entry(w, &list.items[i]));
        q.after = list.next;
    } while (list.next != NULL);
    w->reply.template = "index";
    return reply_page(w, 200, page);
}

/* A folder answers below its trailing slash, so that relative links work. */
static enum err show_folder(struct walk *w, const struct node *folder)
{
    struct node_query q = {.limit = 1000};
    struct place place;
    struct node_list list;
    if (!w->req->trailing_slash)
        return reply_redirect(w, 301, mem_printf(w, "%s/", content_link(w)));
    if (!req_wants_json(w->req))
        return show_index(w, folder);
    TRY(node_entries(w->site->core, w, &w->who, folder->id, &q, &place, &list));
    return reply_list(w, &place, &q, &list);
}

enum err h_content_get(struct walk *w)
{
    const struct in_file_show *in = w->in;
    struct spot spot;
    TRY(find(w, &spot));
    if (spot.place.node.kind == NODE_FOLDER)
        return show_folder(w, &spot.place.node);
    if (w->req->trailing_slash)
        return err_set(E_NOT_FOUND, "a file has no trailing slash");
    return deliver(w, spot.place.node.id, in->download);
}

enum err h_content_delete(struct walk *w)
{
    struct spot spot;
    struct expect expect;
    TRY(find(w, &spot));
    TRY(condition_expect(w, &expect));
    TRY(node_delete(w->site->core, &w->who, spot.place.node.id, &expect));
    return reply_empty(w);
}

/* Where a PUT goes: the folder that exists (or is made, when asked), and the last name. */
static enum err put_target(struct walk *w, struct upload_target *t)
{
    const struct in_content_put *in = w->in;
    struct spot spot;
    *t = (struct upload_target){.conflict = CONFLICT_REPLACE, .modified_ms = in->mtime_ms};
    if (w->n_path == 0 || w->req->trailing_slash)
        return err_set(E_IS_FOLDER, "a PUT needs the name of a file");
    TRY(condition_expect(w, &t->expect));
    t->name = w->path[w->n_path - 1];
    /* The whole path: what a store saw on the way to a name it can use again when that is given to a file. */
    TRY(node_at(w->site->core, w, &w->who, (struct id){""}, w->path, w->n_path, &spot));
    t->parent = spot.missing > 0 ? spot.place.node.id : spot.place.node.parent;
    if (spot.missing > 1 && !in->parents)
        return err_set(E_NO_PARENT, "%zu folders of the path do not exist", spot.missing - 1);
    TRY(names_check(w, &t->name, 1));
    if (spot.missing < 2)
        return E_OK;
    return folder_ensure(w->site->core, w, &w->who, t->parent, spot.rest, spot.missing - 1, &t->parent);
}

enum err h_content_reserve(struct walk *w)
{
    struct upload_target t;
    struct upload upload;
    TRY(put_target(w, &t));
    TRY(upload_reserve(w->site->core, w, &w->who, &t, w->req->length, &upload));
    w->upload = upload.id;
    return E_OK;
}

/* With a reservation the target was settled then: a folder renamed meanwhile still gets its file. */
static enum err commit_target(struct walk *w, struct upload_target *t)
{
    const struct in_content_put *in = w->in;
    if (!id_is(w->upload))
        return put_target(w, t);
    *t = (struct upload_target){.conflict = CONFLICT_REPLACE, .modified_ms = in->mtime_ms};
    return condition_expect(w, &t->expect);
}

enum err h_content_put(struct walk *w)
{
    struct upload_target t;
    struct node node;
    bool replaced = false;
    struct upload_bytes bytes = body_bytes(w);
    TRY(commit_target(w, &t));
    TRY(upload_store(w->site->core, w, &w->who, &t, w->upload, false, &bytes, &node, &replaced));
    TRY(reply_created(w, record_node(w, &node), content_link(w), node.blob.s));
    if (replaced)
        w->reply.status = 200;
    return E_OK;
}

struct upload_bytes body_bytes(const struct walk *w)
{
    const struct body *b = &w->body;
    return (struct upload_bytes){
        .spool_fd = b->kind == BODY_SPOOL ? b->fd : -1,
        .source = {.data = b->data, .fd = -1, .size = b->size},
        .size = b->size,
    };
}
