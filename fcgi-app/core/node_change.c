/* Renaming, moving, copying. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "core/node.h"
#include "core/perm.h"

/* The name as it is kept and its key; both NULL for none. */
static enum err normal(void *mem, const char *name, const char **name_out, const char **key_out)
{
    char *text;
    *name_out = *key_out = NULL;
    if (name == NULL)
        return E_OK;
    TRY(name_normal(mem, name, strlen(name), &text));
    *name_out = text;
    *key_out = name_key(mem, text);
    return E_OK;
}

enum err node_change(struct core *c, void *mem, const struct who *who, struct id id, const struct in_change *in, struct node *out)
{
    struct perm change = perm_for(who, VERB_CHANGE), add = perm_for(who, VERB_ADD);
    struct change row = {
        .parent = in->parent, .modified_ms = in->modified_ms, .expect = in->expect, .now_ms = clock_now_ms(c->clock),
    };
    TRY(normal(mem, in->name, &row.name, &row.key));
    return parent_gone(c->meta->ops->node_change(c->meta, mem, &change.guard, &add.guard, id, &row, out));
}

enum err node_copy(struct core *c, void *mem, const struct who *who, struct id id, const struct in_copy *in, struct node *out)
{
    struct perm read = perm_for(who, VERB_READ), add = perm_for(who, VERB_ADD);
    struct copy row = {
        .from = id, .parent = in->parent, .node = id_new(), .conflict = in->conflict, .expect = in->expect,
        .now_ms = clock_now_ms(c->clock),
    };
    assert(in->conflict != CONFLICT_REPLACE);
    TRY(normal(mem, in->name, &row.name, &row.key));
    return parent_gone(c->meta->ops->node_copy(c->meta, mem, &read.guard, &add.guard, &row, out));
}
