#include "core/node.h"

#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "core/media.h"
#include "core/perm.h"

/* "" stands for the root of the personal space. */
static enum err or_root(struct core *c, void *mem, const struct who *who, struct id id, struct id *id_out)
{
    struct space space;
    *id_out = id;
    if (id_is(id))
        return E_OK;
    TRY(c->meta->ops->user_space(c->meta, mem, who->user.id, &space));
    *id_out = space.root;
    return E_OK;
}

static enum err normal_names(void *mem, const char *const *names, size_t n, const char *const **out)
{
    size_t bytes = 0;
    if (n > PATH_MAX_DEPTH)
        return err_set(E_TOO_NESTED, "%zu names in a path", n);
    const char **normal = mem_array(mem, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        char *one;
        TRY(name_normal(mem, names[i], strlen(names[i]), &one));
        normal[i] = one;
        bytes += strlen(one) + 1;
    }
    if (bytes > PATH_MAX_BYTES)
        return err_set(E_TOO_NESTED, "a path of %zu bytes", bytes);
    *out = normal;
    return E_OK;
}

enum err node_show(struct core *c, void *mem, const struct who *who, struct id id, struct place *out)
{
    struct perm see = perm_for(who, VERB_SEE);
    return c->meta->ops->node_get(c->meta, mem, &see.guard, id, out);
}

enum err node_at(struct core *c, void *mem, const struct who *who, struct id root, const char *const *names, size_t n, struct spot *out)
{
    struct perm see = perm_for(who, VERB_SEE);
    const char *const *normal = NULL;
    size_t found;
    TRY(normal_names(mem, names, n, &normal));
    TRY(c->meta->ops->node_walk(c->meta, mem, &see.guard, root, normal, n, &out->place, &found));
    out->missing = n - found;
    out->rest = normal + found;
    return E_OK;
}

enum err node_entries(struct core *c, void *mem, const struct who *who, struct id parent, const struct node_query *q,
                      struct place *place_out, struct node_list *out)
{
    struct perm read = perm_for(who, VERB_READ);
    struct id id;
    TRY(or_root(c, mem, who, parent, &id));
    return c->meta->ops->node_list(c->meta, mem, &read.guard, id, q, place_out, out);
}

enum err folder_create(struct core *c, void *mem, const struct who *who, struct id parent, const char *name, struct node *out)
{
    struct perm add = perm_for(who, VERB_ADD), see = perm_for(who, VERB_SEE);
    struct node node = {.id = id_new(), .kind = NODE_FOLDER, .created_ms = clock_now_ms(c->clock)};
    struct place place;
    char *normal;
    node.modified_ms = node.created_ms;
    TRY(name_normal(mem, name, strlen(name), &normal));
    node.name = normal;
    node.key = name_key(mem, normal);
    TRY(or_root(c, mem, who, parent, &node.parent));
    TRY(parent_gone(c->meta->ops->folder_add(c->meta, &add.guard, &node)));
    TRY(c->meta->ops->node_get(c->meta, mem, &see.guard, node.id, &place));
    *out = place.node;
    return E_OK;
}

/* One folder of a path; somebody else making it first is as good. */
static enum err ensure_one(struct core *c, void *mem, const struct who *who, struct id parent, const char *name, struct id *id_out)
{
    struct node made;
    enum err e = folder_create(c, mem, who, parent, name, &made);
    if (e == E_OK) {
        *id_out = made.id;
        return E_OK;
    }
    if (e != E_NAME_TAKEN)
        return e;
    struct spot spot;
    TRY(node_at(c, mem, who, parent, &name, 1, &spot));
    if (spot.missing > 0)
        return err_set(E_NO_PARENT, "the folder vanished while the path was made");
    if (spot.place.node.kind != NODE_FOLDER)
        return err_set(E_NOT_FOLDER, "a file has the name of a folder in the path");
    *id_out = spot.place.node.id;
    return E_OK;
}

enum err names_check(const void *mem, const char *const *names, size_t n)
{
    char *normal;
    for (size_t i = 0; i < n; i++)
        TRY(name_normal(mem, names[i], strlen(names[i]), &normal));
    return E_OK;
}

enum err folder_ensure(struct core *c, void *mem, const struct who *who, struct id from, const char *const *names, size_t n, struct id *id_out)
{
    TRY(or_root(c, mem, who, from, id_out));
    for (size_t i = 0; i < n; i++)
        TRY(ensure_one(c, mem, who, *id_out, names[i], id_out));
    return E_OK;
}

enum err node_delete(struct core *c, const struct who *who, struct id id, const struct expect *expect)
{
    struct perm remove = perm_for(who, VERB_REMOVE);
    return c->meta->ops->node_remove(c->meta, &remove.guard, id, expect, clock_now_ms(c->clock));
}

enum err node_sum(struct core *c, const struct who *who, struct id id, struct usage *out)
{
    struct perm read = perm_for(who, VERB_READ);
    return c->meta->ops->node_usage(c->meta, &read.guard, id, out);
}

void delivery_of(const struct node *node, bool attachment, struct delivery *out)
{
    *out = (struct delivery){
        .blob = node->blob, .size = node->size, .modified_ms = node->modified_ms, .name = node->name, .type = node->type,
        .attachment = attachment || !media_inline(node->type),
    };
}

enum err node_delivery(struct core *c, void *mem, const struct who *who, struct id id, bool attachment, struct node *node_out,
                       struct delivery *out)
{
    struct perm read = perm_for(who, VERB_READ);
    struct place place;
    TRY(c->meta->ops->node_get(c->meta, mem, &read.guard, id, &place));
    if (place.node.kind != NODE_FILE)
        return err_set(E_IS_FOLDER, "%s is a folder", id.s);
    *node_out = place.node;
    delivery_of(node_out, attachment, out);
    return E_OK;
}
