#include "base/json.h"
#include "base/mem.h"
#include "core/node.h"
#include "web/handlers.h"
#include "web/record.h"
#include "web/walk.h"

struct step {
    struct walk *w;
    const struct in_batch *in;
    struct id id;
};

/* ---- one of many: its record, or NULL for what has none any more ---- */
static enum err remove_one(const struct step *s, json_t **record_out)
{
    *record_out = NULL;
    return node_delete(s->w->site->core, &s->w->who, s->id, NULL);
}

static enum err move_one(const struct step *s, json_t **record_out)
{
    const struct in_change in = {.parent = s->in->parent};
    struct node node;
    TRY(node_change(s->w->site->core, s->w, &s->w->who, s->id, &in, &node));
    *record_out = record_node(s->w, &node);
    return E_OK;
}

static enum err copy_one(const struct step *s, json_t **record_out)
{
    const struct in_copy in = {.parent = s->in->parent, .conflict = s->in->conflict == 1 ? CONFLICT_RENAME : CONFLICT_FAIL};
    struct node node;
    TRY(node_copy(s->w->site->core, s->w, &s->w->who, s->id, &in, &node));
    *record_out = record_node(s->w, &node);
    return E_OK;
}

/* ---- all of them ---- */
static const struct deed {
    const char *field;
    size_t list;              /* where in struct in_batch */
    bool needs_parent;
    unsigned status;
    enum err (*one)(const struct step *s, json_t **record_out);
} deeds[] = {
    {"delete", offsetof(struct in_batch, remove), false, 204, remove_one},
    {"move", offsetof(struct in_batch, move), true, 200, move_one},
    {"copy", offsetof(struct in_batch, copy), true, 201, copy_one},
};

static const struct id_list *list_of(const struct in_batch *in, const struct deed *deed)
{
    return (const struct id_list *)((const char *)in + deed->list);
}

static enum err find_deed(const struct in_batch *in, const struct deed **out)
{
    *out = NULL;
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (list_of(in, &deeds[i])->n == 0)
            continue;
        if (*out != NULL)
            return err_field_say(E_FIELD_INVALID, deeds[i].field, "Only one of delete, move and copy at a time.");
        *out = &deeds[i];
    }
    if (*out == NULL)
        return err_field_say(E_FIELD_MISSING, "delete", "One of delete, move and copy is needed.");
    if ((*out)->needs_parent && !id_is(in->parent))
        return err_field(E_FIELD_MISSING, "parent");
    return E_OK;
}

static json_t *failed(const void *mem, struct id id, enum err e)
{
    const struct err_info *info = err_last(e);
    json_t *o = json_own_object(mem);
    json_object_set_new(o, "id", json_string(id.s));
    json_object_set_new(o, "code", json_string(err_code(e)));
    json_object_set_new(o, "title", json_string(err_title(e)));
    json_object_set_new(o, "detail", json_string(info->say[0] != '\0' ? info->say : err_title(e)));
    return o;
}

static json_t *result(const struct step *s, const struct deed *deed)
{
    json_t *o = NULL;
    enum err e = deed->one(s, &o);
    if (e != E_OK) {
        o = failed(s->w, s->id, e);
    } else if (o == NULL) {
        o = json_own_object(s->w);
        json_object_set_new(o, "id", json_string(s->id.s));
    }
    json_object_set_new(o, "status", json_integer((json_int_t)(e == E_OK ? deed->status : err_status(e))));
    return o;
}

enum err h_batch(struct walk *w)
{
    const struct in_batch *in = w->in;
    const struct deed *deed;
    TRY(find_deed(in, &deed));
    const struct id_list *ids = list_of(in, deed);
    json_t *o = json_own_object(w), *items = json_array();
    json_object_set_new(o, "items", items);
    for (size_t i = 0; i < ids->n; i++) {
        const struct step step = {.w = w, .in = in, .id = ids->ids[i]};
        json_array_append(items, result(&step, deed));
    }
    return reply_data(w, 200, o);
}
