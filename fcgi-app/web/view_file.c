#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "core/media.h"
#include "web/h_page.h"
#include "web/view.h"

/* What a page of ours can show of a file, by the first row whose text its type begins with. The file itself stays
 * behind its own policy: elements of our page load it as data, and text is printed as text. */
static const struct {
    const char *type, *element;
    bool shown; /* only types that are sent as what they are */
} previews[] = {
    {"image/svg", "text", false},
    {"image/", "image", true},
    {"audio/", "audio", true},
    {"video/", "video", true},
    {"text/", "text", false},
    {"application/json", "text", false},
    {"application/xml", "text", false},
    {"application/javascript", "text", false},
};

/* NULL: not shown. */
static const char *element_of(const struct node *node)
{
    for (size_t i = 0; i < sizeof previews / sizeof *previews; i++)
        if (strncmp(node->type, previews[i].type, strlen(previews[i].type)) == 0)
            return previews[i].shown && !media_inline(node->type) ? NULL : previews[i].element;
    return NULL;
}

bool view_shows_text(const struct node *node)
{
    const char *element = element_of(node);
    return element != NULL && strcmp(element, "text") == 0;
}

static json_t *preview(const struct node *node, const struct shown *shown)
{
    const char *element = element_of(node);
    if (element == NULL)
        return json_null();
    if (!view_shows_text(node))
        return json_pack("{s:b}", element, true);
    return json_pack("{s:{s:s?,s:b,s:b}}", element, "body", shown->text, "cut", shown->text != NULL && !shown->whole, "failed",
                     shown->text == NULL);
}

/* The next file keeps the order of the list. */
static json_t *beside(struct walk *w, const struct node *node)
{
    const struct in_page_file *in = w->in;
    if (node->name[0] == '\0')
        return json_null();
    json_t *o = json_pack("{s:s,s:s}", "name", node->name, "link", link_to(w, "page_file", node->id.s));
    if (in->sort != SORT_NAME || in->order != 0)
        json_object_set_new(o, "link", json_sprintf("%s?sort=%s&order=%s", link_to(w, "page_file", node->id.s), page_sorts[in->sort], page_orders[in->order]));
    return o;
}

static json_t *etag_of(const struct node *node)
{
    return node->kind == NODE_FILE ? json_string(node->blob.s) : json_null();
}

static json_t *content_of(const struct usage *usage)
{
    return usage == NULL ? json_null() : json_pack("{s:I,s:I}", "files", (json_int_t)usage->files, "folders", (json_int_t)usage->folders);
}

static json_t *size_of(struct walk *w, const struct node *node, const struct usage *usage)
{
    return json_string(view_size(w, usage != NULL ? usage->size : node->size));
}

static void set_links(struct walk *w, json_t *page, const struct place *place)
{
    const struct node *node = &place->node;
    bool file = node->kind == NODE_FILE;
    const char *api = link_to(w, "file_show", node->id.s);
    json_object_set_new(page, "open", json_string(file ? api : view_folder_link(w, node)));
    json_object_set_new(page, "api", json_string(api));
    json_object_set_new(page, "download", file ? json_sprintf("%s?download=1", api) : json_null());
    json_object_set_new(page, "rename", json_string(link_to(w, "page_rename", node->id.s)));
    json_object_set_new(page, "remove", json_string(link_to(w, "page_delete", node->id.s)));
    json_object_set_new(page, "back", json_string(page_above(w, place)));
    json_object_set_new(page, "move", json_sprintf("%s?ids=%s", link_to(w, "page_move", ""), node->id.s));
    json_object_set_new(page, "copy", json_sprintf("%s?ids=%s", link_to(w, "page_copy", ""), node->id.s));
}

json_t *view_about(struct walk *w, const struct place *place, const struct usage *usage)
{
    const struct in_page_file *in = w->in;
    const struct node *node = &place->node;
    json_t *page = json_own_object(w);
    json_object_set_new(page, "name", json_string(node->name));
    json_object_set_new(page, "kind", json_string(usage != NULL ? "folder" : "file"));
    json_object_set_new(page, "icon", json_string(view_icon(node)));
    json_object_set_new(page, "folder", content_of(usage));
    json_object_set_new(page, "size", size_of(w, node, usage));
    json_object_set_new(page, "path", view_path(w, place));
    json_object_set_new(page, "notice", view_notice(in->done, 0));
    view_time(page, node->modified_ms);
    set_links(w, page, place);
    return page;
}

json_t *view_file(struct walk *w, const struct place *place, const struct shown *shown)
{
    const struct node *node = &place->node;
    json_t *page = view_about(w, place, NULL);
    json_object_set_new(page, "type", json_string(node->type));
    json_object_set_new(page, "sha256", node->sha256 != NULL && node->sha256[0] != '\0' ? json_string(node->sha256) : json_null());
    json_object_set_new(page, "preview", preview(node, shown));
    json_object_set_new(page, "before", beside(w, &shown->before));
    json_object_set_new(page, "after", beside(w, &shown->after));
    return page;
}

json_t *view_rename(struct walk *w, const struct place *place, const char *name, enum err problem)
{
    json_t *page = json_own_object(w);
    json_object_set_new(page, "name", json_string(place->node.name));
    json_object_set_new(page, "typed", json_string(name));
    json_object_set_new(page, "problem", view_problem(problem));
    json_object_set_new(page, "etag", etag_of(&place->node));
    json_object_set_new(page, "rename", json_string(link_to(w, "page_rename_do", place->node.id.s)));
    json_object_set_new(page, "back", json_string(page_above(w, place)));
    return page;
}

json_t *view_delete(struct walk *w, const struct place *place, const struct usage *usage)
{
    json_t *page = json_own_object(w);
    json_object_set_new(page, "name", json_string(place->node.name));
    json_object_set_new(page, "size", size_of(w, &place->node, usage));
    json_object_set_new(page, "folder", content_of(usage));
    json_object_set_new(page, "etag", etag_of(&place->node));
    json_object_set_new(page, "remove", json_string(link_to(w, "page_delete_do", place->node.id.s)));
    json_object_set_new(page, "back", json_string(page_above(w, place)));
    return page;
}
