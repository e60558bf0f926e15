#include "meta/rules.h"

#include <string.h>

#include "base/mem.h"
#include "base/name.h"

/* ---- quotas ---- */
int64_t rule_room(const struct space *space)
{
    int64_t taken, most = space->quota > 0 ? space->quota : INT64_MAX;
    if (__builtin_add_overflow(space->used, space->reserved, &taken) || taken > most)
        return 0; /* the quota was lowered below what is stored */
    return most - taken;
}

enum err rule_fits(const struct space *space, int64_t bytes)
{
    int64_t room = rule_room(space);
    return bytes <= room ? E_OK : err_limit(E_QUOTA, (uint64_t)room);
}

enum err rule_grant(const struct space *space, const struct upload *in, int64_t *charged_out)
{
    int64_t room = rule_room(space);
    *charged_out = in->charged;
    if (in->declared >= 0)
        return rule_fits(space, in->charged);
    if (*charged_out > room)
        *charged_out = room;
    return E_OK;
}

void rule_own(void *mem, struct upload *u)
{
    struct id *etags = mem_array(mem, struct id, u->expect.n);
    for (size_t i = 0; i < u->expect.n; i++)
        etags[i] = u->expect.etags[i];
    u->expect.etags = etags;
    u->name = mem_str(mem, u->name);
}

/* ---- the tree ---- */
size_t rule_path_bytes(const struct place *parent, const char *name)
{
    size_t bytes = strlen(name) + 1 + strlen(parent->node.name) + 1;
    for (size_t i = 0; i < parent->depth; i++)
        bytes += strlen(parent->ancestors[i].name) + 1;
    return bytes - 1; /* the root's name is empty and has no separator */
}

enum err rule_nesting(const struct place *parent, const char *name)
{
    size_t bytes = rule_path_bytes(parent, name);
    if (parent->depth + 1 > PATH_MAX_DEPTH)
        return err_set(E_TOO_NESTED, "folder %s is at the last level", parent->node.id.s);
    if (bytes > PATH_MAX_BYTES)
        return err_set(E_TOO_NESTED, "a path of %zu bytes", bytes);
    return E_OK;
}

enum err rule_top(const struct place *place)
{
    const struct node *top = place->depth > 0 ? &place->ancestors[place->depth - 1] : &place->node;
    if (!id_eq(top->parent, NODE_TOP))
        return err_set(E_DAMAGED, "node %s: nothing above %s", place->node.id.s, top->id.s);
    return E_OK;
}

bool rule_within(const struct place *folder, struct id id)
{
    if (id_eq(folder->node.id, id))
        return true;
    for (size_t i = 0; i < folder->depth; i++)
        if (id_eq(folder->ancestors[i].id, id))
            return true;
    return false;
}

/* ---- preconditions ---- */
static bool has_etag(const struct expect *expect, const struct node *node)
{
    for (size_t i = 0; i < expect->n; i++)
        if (id_is(node->blob) && id_eq(expect->etags[i], node->blob))
            return true;
    return false;
}

enum err rule_expect(const struct expect *expect, const struct node *node)
{
    if (expect->must_exist && node == NULL)
        return err_set(E_PRECONDITION, "there is no such file");
    if (expect->must_not_exist && node != NULL)
        return err_set(E_PRECONDITION, "%s is there", node->id.s);
    if (expect->n > 0 && (node == NULL || !has_etag(expect, node)))
        return err_set(E_PRECONDITION, "%s has other contents", node != NULL ? node->id.s : "nothing");
    return E_OK;
}

enum err rule_target(const struct node *node, enum conflict conflict, const struct expect *expect)
{
    TRY(rule_expect(expect, node));
    if (node != NULL && conflict == CONFLICT_FAIL)
        return err_set(E_NAME_TAKEN, "folder %s has %s", node->parent.s, node->id.s);
    if (node != NULL && conflict == CONFLICT_REPLACE && node->kind == NODE_FOLDER)
        return err_set(E_IS_FOLDER, "%s is a folder", node->id.s);
    return E_OK;
}

/* ---- entity tags ---- */
const char *rule_etags_text(void *mem, const struct expect *expect)
{
    char *text = mem_array(mem, char, expect->n * (ID_LEN + 1) + 1);
    for (size_t i = 0; i < expect->n; i++) {
        memset(text + i * (ID_LEN + 1), ' ', ID_LEN + 1);
        memcpy(text + i * (ID_LEN + 1), expect->etags[i].s, strlen(expect->etags[i].s));
    }
    if (expect->n > 0)
        text[expect->n * (ID_LEN + 1) - 1] = '\0';
    return text;
}

void rule_etags_read(void *mem, const char *text, struct expect *out)
{
    size_t most = (strlen(text) + 1) / (ID_LEN + 1);
    struct id *etags = most > 0 ? mem_array(mem, struct id, most) : NULL;
    for (out->n = 0; out->n < most; out->n++)
        memcpy(etags[out->n].s, text + out->n * (ID_LEN + 1), ID_LEN);
    out->etags = etags;
}
