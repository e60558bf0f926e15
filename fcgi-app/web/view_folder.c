#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "web/h_page.h"
#include "web/view.h"

/* The icon of a file by its media type; the first row whose text the type begins with. */
static const struct {
    const char *type, *icon;
} icons[] = {
    {"image/", "file-earmark-image"},
    {"video/", "file-earmark-play"},
    {"audio/", "file-earmark-music"},
    {"application/pdf", "file-earmark-pdf"},
    {"text/html", "file-earmark-code"},
    {"text/css", "file-earmark-code"},
    {"text/javascript", "file-earmark-code"},
    {"text/x-", "file-earmark-code"},
    {"text/csv", "file-earmark-spreadsheet"},
    {"text/", "file-earmark-text"},
    {"application/json", "file-earmark-code"},
    {"application/xml", "file-earmark-code"},
    {"application/javascript", "file-earmark-code"},
    {"application/zip", "file-earmark-zip"},
    {"application/gzip", "file-earmark-zip"},
    {"application/x-tar", "file-earmark-zip"},
    {"application/x-7z-compressed", "file-earmark-zip"},
    {"application/x-xz", "file-earmark-zip"},
    {"application/x-bzip2", "file-earmark-zip"},
    {"application/zstd", "file-earmark-zip"},
    {"application/vnd.rar", "file-earmark-zip"},
    {"application/msword", "file-earmark-text"},
    {"application/rtf", "file-earmark-text"},
    {"application/epub+zip", "file-earmark-text"},
    {"application/vnd.oasis.opendocument.spreadsheet", "file-earmark-spreadsheet"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml", "file-earmark-spreadsheet"},
    {"application/vnd.ms-excel", "file-earmark-spreadsheet"},
    {"application/vnd.oasis.opendocument.text", "file-earmark-text"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml", "file-earmark-text"},
};

const char *view_icon(const struct node *node)
{
    if (node->kind == NODE_FOLDER)
        return "folder-fill";
    for (size_t i = 0; i < sizeof icons / sizeof *icons; i++)
        if (strncmp(node->type, icons[i].type, strlen(icons[i].type)) == 0)
            return icons[i].icon;
    return "file-earmark";
}

static bool is_root(const struct node *node)
{
    return id_eq(node->parent, NODE_TOP);
}

char *view_folder_link(const void *mem, const struct node *folder)
{
    return is_root(folder) ? link_to(mem, "page_home", "") : link_to(mem, "page_folder", folder->id.s);
}

/* The script turns these into the reader's own time zone and habit; without it they are UTC and say so. */
void view_time(json_t *item, int64_t t_ms)
{
    char text[CLOCK_TEXT_MAX];
    clock_rfc3339(t_ms, text);
    json_object_set_new(item, "modified", json_string(text));
    json_object_set_new(item, "modified_day", json_sprintf("%.10s", text));
    json_object_set_new(item, "modified_text", json_sprintf("%.10s %.5s UTC", text, text + 11));
}

/* A file is opened as one of this list: its page leads to the next one in the same order. */
static char *file_link(struct walk *w, const char *about)
{
    const struct in_page_folder *in = w->in;
    bool usual = in->sort == SORT_NAME && in->order == 0;
    return mem_printf(w, usual ? "%s" : "%s?sort=%s&order=%s", about, page_sorts[in->sort], page_orders[in->order]);
}

static json_t *entry(struct walk *w, const struct node *node)
{
    bool folder = node->kind == NODE_FOLDER;
    const char *api = link_to(w, "file_show", node->id.s), *about = link_to(w, "page_file", node->id.s);
    json_t *item = json_pack("{s:s,s:s,s:b,s:s,s:s,s:s,s:s}", "id", node->id.s, "name", node->name, "folder", folder, "kind",
                             folder ? "folder" : "file", "icon", view_icon(node), "api", api, "about", about);
    json_object_set_new(item, "link", json_string(folder ? view_folder_link(w, node) : file_link(w, about)));
    json_object_set_new(item, "etag", folder ? json_null() : json_string(node->blob.s));
    json_object_set_new(item, "size", folder ? json_null() : json_string(view_size(w, node->size)));
    json_object_set_new(item, "download", folder ? json_null() : json_sprintf("%s?download=1", api));
    view_time(item, node->modified_ms);
    return item;
}

json_t *view_path(struct walk *w, const struct place *place)
{
    json_t *list = json_array();
    for (size_t i = place->depth; i > 0; i--) {
        const struct node *at = &place->ancestors[i - 1];
        const char *link = i == place->depth ? link_to(w, "page_home", "") : link_to(w, "page_folder", at->id.s);
        json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "id", at->id.s, "name", i == place->depth ? "" : at->name, "link", link));
    }
    return list;
}

/* Where the script puts files: the folder's path below the API's content address. */
static char *content_link(struct walk *w, const struct place *folder)
{
    char *link = link_to(w, "content_put", "");
    for (size_t i = folder->depth; i > 1; i--)
        link = mem_printf(w, "%s%s/", link, url_encode(w, folder->ancestors[i - 2].name));
    if (folder->depth > 0)
        link = mem_printf(w, "%s%s/", link, url_encode(w, folder->node.name));
    return link;
}

/* This list again, in an order, with what is looked for. */
static const char *list_link(struct walk *w, const char *here, enum node_sort sort, bool descending)
{
    const struct in_page_folder *in = w->in;
    const char *link = mem_printf(w, "%s?sort=%s&order=%s", here, page_sorts[sort], page_orders[descending]);
    if (in->limit > 0)
        link = mem_printf(w, "%s&limit=%lld", link, (long long)in->limit);
    return view_finds(in) ? mem_printf(w, "%s&q=%s", link, url_encode(w, in->q)) : link;
}

/* A heading that sorts: again the one in force turns it round. */
static json_t *sort_by(struct walk *w, const char *here, enum node_sort sort)
{
    const struct in_page_folder *in = w->in;
    bool current = in->sort == (int)sort, descending = current && in->order == 1;
    return json_pack("{s:s,s:s?,s:s?}", "link", list_link(w, here, sort, current && !descending), "order",
                     !current ? NULL : descending ? "descending" : "ascending", "arrow",
                     !current ? NULL : descending ? "arrow-down" : "arrow-up");
}

static json_t *sorts(struct walk *w, const char *here)
{
    return json_pack("{s:o,s:o,s:o}", "name", sort_by(w, here, SORT_NAME), "size", sort_by(w, here, SORT_SIZE), "modified",
                     sort_by(w, here, SORT_MODIFIED));
}

static json_t *link_or_null(const char *link)
{
    return link != NULL ? json_string(link) : json_null();
}

static void set_pages(struct walk *w, json_t *page, const char *here, const struct node_list *list)
{
    const struct in_page_folder *in = w->in;
    const char *first = list_link(w, here, (enum node_sort)in->sort, in->order == 1);
    const char *next = list->next != NULL ? mem_printf(w, "%s&cursor=%s", first, url_encode(w, list->next)) : NULL;
    json_object_set_new(page, "first", link_or_null(in->cursor != NULL ? first : NULL));
    json_object_set_new(page, "next", link_or_null(next));
    json_object_set_new(page, "later", json_boolean(in->cursor != NULL));
    json_object_set_new(page, "paged", json_boolean(in->cursor != NULL || next != NULL));
}

bool view_finds(const struct in_page_folder *in)
{
    return in->q != NULL && in->q[0] != '\0';
}

/* The form that looks for names keeps the order of the list. */
static json_t *finding(struct walk *w, const char *here, const struct node_list *list)
{
    const struct in_page_folder *in = w->in;
    bool finds = view_finds(in);
    return json_pack("{s:s,s:s,s:s,s:s,s:o,s:b}", "action", here, "q", finds ? in->q : "", "sort", page_sorts[in->sort], "order",
                     page_orders[in->order], "found", finds ? json_integer((json_int_t)list->n) : json_null(), "more",
                     finds && list->next != NULL);
}

json_t *view_folder(struct walk *w, const struct place *folder, const struct node_list *list)
{
    const struct in_page_folder *in = w->in;
    const char *id = folder->node.id.s, *here = view_folder_link(w, &folder->node);
    json_t *page = json_own_object(w), *items = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(items, entry(w, &list->items[i]));
    json_object_set_new(page, "items", items);
    json_object_set_new(page, "any", json_boolean(list->n > 0));
    json_object_set_new(page, "name", json_string(is_root(&folder->node) ? "" : folder->node.name));
    json_object_set_new(page, "inside", json_boolean(folder->depth > 0));
    json_object_set_new(page, "path", view_path(w, folder));
    json_object_set_new(page, "id", json_string(id));
    json_object_set_new(page, "sort", sorts(w, here));
    json_object_set_new(page, "find", finding(w, here, list));
    json_object_set_new(page, "upload", json_string(link_to(w, "page_upload", id)));
    json_object_set_new(page, "create", json_string(link_to(w, "page_folder_new", id)));
    json_object_set_new(page, "content", json_string(content_link(w, folder)));
    json_object_set_new(page, "act", json_pack("{s:s,s:s,s:s}", "move", link_to(w, "page_move_do", ""), "copy", link_to(w, "page_copy_do", ""),
                                               "remove", link_to(w, "page_delete_many", "")));
    json_object_set_new(page, "notice", view_notice(in->done, in->n));
    set_pages(w, page, here, list);
    return page;
}

json_t *view_uploaded(struct walk *w, json_t *results)
{
    json_t *page = json_own_object(w), *list = json_array(), *result;
    size_t i;
    json_array_foreach(results, i, result) {
        bool failed = json_object_get(result, "code") != NULL;
        json_t *why = failed ? json_object_get(result, "detail") : json_null();
        json_array_append_new(list, json_pack("{s:O,s:O}", "name", json_object_get(result, "name"), "problem", why));
    }
    json_object_set_new(page, "uploaded", json_true());
    json_object_set_new(page, "results", list);
    json_object_set_new(page, "back", json_string(link_to(w, "page_folder", w->arg.s)));
    return page;
}
