#include "web/record.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

static json_t *time_text(int64_t t_ms)
{
    char text[CLOCK_TEXT_MAX];
    clock_rfc3339(t_ms, text);
    return json_string(text);
}

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

json_t *record_node(const void *mem, const struct node *node)
{
    bool file = node->kind == NODE_FILE;
    json_t *o = json_own_object(mem);
    json_object_set_new(o, "id", json_string(node->id.s));
    json_object_set_new(o, "kind", json_string(file ? "file" : "folder"));
    json_object_set_new(o, "name", json_string(node->name));
    json_object_set_new(o, "parent", id_eq(node->parent, NODE_TOP) ? json_null() : json_string(node->parent.s));
    json_object_set_new(o, "space", json_string(node->space.s));
    json_object_set_new(o, "size", file ? json_integer(node->size) : json_null());
    json_object_set_new(o, "type", file ? text_or_null(node->type) : json_null());
    json_object_set_new(o, "etag", file ? json_sprintf("\"%s\"", node->blob.s) : json_null());
    json_object_set_new(o, "sha256", file ? text_or_null(node->sha256) : json_null());
    json_object_set_new(o, "created", time_text(node->created_ms));
    json_object_set_new(o, "modified", time_text(node->modified_ms));
    return o;
}

json_t *record_account(const void *mem, const struct user *user, const struct space *space)
{
    json_t *o = json_own_object(mem);
    json_object_set_new(o, "id", json_string(user->id.s));
    json_object_set_new(o, "username", json_string(user->name));
    json_object_set_new(o, "role", json_string(user->role == ROLE_ADMIN ? "admin" : "user"));
    if (space == NULL)
        return o;
    json_object_set_new(o, "space", json_string(space->id.s));
    json_object_set_new(o, "root", json_string(space->root.s));
    json_object_set_new(o, "used", json_integer(space->used));
    json_object_set_new(o, "quota", space->quota > 0 ? json_integer(space->quota) : json_null());
    return o;
}

json_t *record_session(const void *mem, const struct session *session, bool current)
{
    json_t *o = json_own_object(mem);
    json_object_set_new(o, "id", json_string(session->id.s));
    json_object_set_new(o, "current", json_boolean(current));
    json_object_set_new(o, "created", time_text(session->created_ms));
    json_object_set_new(o, "signed_in", time_text(session->signed_in_ms));
    json_object_set_new(o, "seen", time_text(session->seen_ms));
    json_object_set_new(o, "expires", time_text(session->expires_ms));
    json_object_set_new(o, "address", text_or_null(session->address));
    json_object_set_new(o, "agent", text_or_null(session->agent));
    return o;
}

json_t *record_list(const void *mem, const struct node_list *list)
{
    json_t *o = json_own_object(mem), *items = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append(items, record_node(mem, &list->items[i]));
    json_object_set_new(o, "items", items);
    json_object_set_new(o, "next", list->next != NULL ? json_string(list->next) : json_null());
    return o;
}
