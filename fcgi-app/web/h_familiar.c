/* Addresses that people know from similar systems. A program gets JSON, a browser the page; conflicts replace. */
#include <sodium.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "core/node.h"
#include "core/upload.h"
#include "web/condition.h"
#include "web/deliver.h"
#include "web/handlers.h"
#include "web/record.h"
#include "web/walk.h"

#define ALL_NAMES 1000

/* Split "a/b/c" into names; empty ones ("/a", "a//b") are left out. */
static const char *const *split_path(struct walk *w, const char *path, size_t *n_out)
{
    size_t n = 0, room = 1;
    for (const char *p = path; *p != '\0'; p++)
        room += *p == '/';
    const char **names = mem_array(w, const char *, room + 1);
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        if (len > 0)
            names[n++] = mem_strn(w, path, len);
        path += len + (path[len] == '/');
    }
    *n_out = n;
    return names;
}

static enum err file_at(struct walk *w, const char *path, struct node *out)
{
    struct spot spot;
    size_t n;
    const char *const *names = split_path(w, path, &n);
    TRY(node_at(w->site->core, w, &w->who, (struct id){""}, names, n, &spot));
    if (spot.missing > 0)
        return err_set(E_NOT_FOUND, "no such path");
    *out = spot.place.node;
    return E_OK;
}

static const char *asked_path(const struct in_familiar *in)
{
    return in->filename != NULL ? in->filename : in->file;
}

/* By path (filename, file) or by id (key). */
static enum err asked_node(struct walk *w, struct id *id_out)
{
    const struct in_familiar *in = w->in;
    struct node node;
    if (asked_path(in) == NULL && in->key == NULL)
        return err_field(E_FIELD_MISSING, "filename");
    if (asked_path(in) == NULL)
        return id_parse(in->key, id_out);
    TRY(file_at(w, asked_path(in), &node));
    *id_out = node.id;
    return E_OK;
}

enum err h_familiar_download(struct walk *w)
{
    struct id id;
    TRY(asked_node(w, &id));
    return deliver(w, id, true);
}

enum err h_familiar_key(struct walk *w)
{
    return deliver(w, w->arg, true);
}

enum err h_familiar_name(struct walk *w)
{
    struct spot spot;
    TRY(node_at(w->site->core, w, &w->who, (struct id){""}, &w->arg_text, 1, &spot));
    if (spot.missing > 0)
        return err_set(E_NOT_FOUND, "no such name");
    return deliver(w, spot.place.node.id, true);
}

enum err h_familiar_delete(struct walk *w)
{
    struct expect expect;
    struct id id;
    TRY(asked_node(w, &id));
    TRY(condition_expect(w, &expect));
    TRY(node_delete(w->site->core, &w->who, id, &expect));
    return reply_empty(w);
}

/* Every entry of the root, page by page: these addresses know no cursor. */
static enum err each_entry(struct walk *w, json_t *array, json_t *(*make)(const void *mem, const struct node *node))
{
    struct node_query q = {.limit = ALL_NAMES};
    struct node_list list;
    struct place place;
    do {
        TRY(node_entries(w->site->core, w, &w->who, (struct id){""}, &q, &place, &list));
        for (size_t i = 0; i < list.n; i++)
            json_array_append(array, make(w, &list.items[i]));
        q.after = list.next;
    } while (list.next != NULL);
    return E_OK;
}

static json_t *name_of(const void *mem, const struct node *node)
{
    return own(mem, json_string(node->name), (void (*)(void *))json_decref);
}

static enum err list_all(struct walk *w, json_t *(*make)(const void *mem, const struct node *node))
{
    json_t *array = json_own_array(w);
    if (walk_html(w))
        return reply_see(w, "/");
    TRY(each_entry(w, array, make));
    return reply_data(w, 200, array);
}

enum err h_familiar_names(struct walk *w)
{
    const struct in_familiar *in = w->in;
    struct node node;
    if (in->file_name == NULL)
        return list_all(w, name_of);
    TRY(file_at(w, in->file_name, &node));
    return deliver(w, node.id, true);
}

enum err h_familiar_records(struct walk *w)
{
    return list_all(w, record_node);
}

static enum err decode(struct walk *w, const struct in_familiar_put *in, struct upload_bytes *out)
{
    size_t len = strlen(in->content), n = len;
    const void *data = in->content;
    if (in->encoding == 1) {
        unsigned char *bytes = talloc_size(w, len + 1);
        if (sodium_base642bin(bytes, len + 1, in->content, len, "\r\n ", &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
            return err_field(E_FIELD_INVALID, "content");
        data = bytes;
    }
    *out = (struct upload_bytes){.spool_fd = -1, .size = n, .source = {.data = data, .fd = -1, .size = n}};
    return E_OK;
}

enum err h_familiar_put(struct walk *w)
{
    const struct in_familiar_put *in = w->in;
    struct upload_target t = {.conflict = CONFLICT_REPLACE, .modified_ms = in->mtime_ms};
    struct upload_bytes bytes;
    struct node node;
    size_t n;
    bool replaced = false;
    const char *const *names = split_path(w, in->file_name, &n);
    if (n == 0)
        return err_field(E_FIELD_INVALID, "fileName");
    TRY(condition_expect(w, &t.expect));
    TRY(decode(w, in, &bytes));
    TRY(names_check(w, names, n));
    TRY(folder_ensure(w->site->core, w, &w->who, (struct id){""}, names, n - 1, &t.parent));
    t.name = names[n - 1];
    TRY(upload_store(w->site->core, w, &w->who, &t, (struct id){""}, false, &bytes, &node, &replaced));
    return reply_created(w, record_node(w, &node), link_to(w, "file_show", node.id.s), node.blob.s);
}
