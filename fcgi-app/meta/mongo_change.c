/* Renaming, moving, setting the time: one document, whatever hangs below it. */
#include "meta/mongo.h"

#include <string.h>

#include "base/name.h"
#include "meta/rules.h"

struct work {
    void *mem;
    const struct guard *guard, *into;
    struct id id;
    const struct change *change;
    struct place place, target; /* of the node, of the folder it will be in */
    struct node after;
    bool moves;
};

/* ---- where to ---- */
/* Every move writes the space's document: of two at once one is run again, and sees what the other did. */
static enum err find_target(struct mongo *s, struct work *w)
{
    const struct id node = w->place.node.id;
    struct spot spot;
    TRY(mongo_parent(s, w->mem, w->into, w->change->parent, NULL, &spot));
    w->target = spot.place;
    if (!id_eq(w->target.space.id, w->place.space.id))
        return err_set(E_CROSS_SPACE, "node %s is in space %s, folder %s in %s", node.s, w->place.space.id.s, w->target.node.id.s,
                       w->target.space.id.s);
    if (rule_within(&w->target, node))
        return err_set(E_CYCLE, "folder %s lies in %s", w->target.node.id.s, node.s);
    w->moves = true;
    return E_OK;
}

/* The folder it stays in, from what is known of its ancestors. */
static void stay(struct work *w)
{
    w->moves = false;
    w->target = (struct place){
        .space = w->place.space, .node = w->place.ancestors[0], .depth = w->place.depth - 1, .ancestors = w->place.ancestors + 1,
    };
}

/* ---- what hangs below ---- */
struct below {
    struct ref id;
    size_t bytes;
};

/* As deep as folders are nested. */
static enum err check_children(struct mongo *s, struct below at, size_t level)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    TRY(mongo_rows(s, DOC("find", S("record"), "filter", "{", "parent", S(at.id.s), "live", B(true), "}", "projection", "{", "name",
                          N(1), "kind", N(1), "}", "batchSize", BCON_INT32(1000000)), &reply, &rows));
    while (rows_next(&rows, &row)) {
        struct below child = {.id = ref_of(OF_NODE, doc_ref(&row, "_id")), .bytes = at.bytes + strlen(doc_peek(&row, "name")) + 1};
        if (level > PATH_MAX_DEPTH || child.bytes > PATH_MAX_BYTES)
            return err_set(E_TOO_NESTED, "%s would be on level %zu, with a path of %zu bytes", child.id.s, level, child.bytes);
        if (doc_number(&row, "kind") == NODE_FOLDER)
            TRY(check_children(s, child, level + 1));
    }
    return E_OK;
}

enum err mongo_fits_below(struct mongo *s, struct id folder, size_t bytes, size_t level)
{
    return check_children(s, (struct below){.id = ref_of(OF_NODE, folder), .bytes = bytes}, level);
}

static enum err check_below(struct mongo *s, struct work *w)
{
    TRY(rule_nesting(&w->target, w->after.name));
    return w->after.kind == NODE_FILE
               ? E_OK
               : mongo_fits_below(s, w->id, rule_path_bytes(&w->target, w->after.name), w->target.depth + 2);
}

static enum err check_name(struct mongo *s, struct work *w)
{
    struct node taken;
    bool found;
    TRY(mongo_child(s, w->mem, w->target.node.id, w->after.name, &taken, &found));
    if (found && !id_eq(taken.id, w->id))
        return err_set(E_NAME_TAKEN, "folder %s has %s", w->target.node.id.s, taken.id.s);
    return E_OK;
}

/* ---- the change ---- */
static enum err write_rows(struct mongo *s, struct work *w)
{
    const struct node *n = &w->after;
    WRITES_AUTO b = writes_new();
    const struct audit audit = {
        .at_ms = w->change->now_ms, .user = w->guard->user, .space = n->space, .node = n->id, .action = "node_change", .note = n->name,
    };
    writes_update(&b, ref_of(OF_SPACE, n->space), DOC("$inc", "{", "tree_rev", N(w->moves), "seq", N(1), "}"));
    writes_update(&b, ref_of(OF_NODE, n->id),
                 DOC("$set", "{", "parent", S(ref_of(OF_NODE, n->parent).s), "name", S(n->name), "name_key", S(n->key), "modified_ms",
                     N(n->modified_ms), "}"));
    writes_audit(&b, &audit);
    return writes_send(s, &b);
}

static void make_after(struct work *w)
{
    const struct change *c = w->change;
    w->after = w->place.node;
    w->after.parent = w->target.node.id;
    if (c->name != NULL) {
        w->after.name = mem_str(w->mem, c->name);
        w->after.key = mem_str(w->mem, c->key);
    }
    if (c->modified_ms > 0)
        w->after.modified_ms = c->modified_ms;
}

static enum err change_node(struct mongo *s, void *work)
{
    struct work *w = work;
    const struct change *c = w->change;
    struct spot spot;
    TRY(mongo_place(s, w->mem, w->guard, w->id, NULL, &spot));
    w->place = spot.place;
    if (w->place.depth == 0)
        return err_set(E_ROOT_NODE, "node %s is a root", w->id.s);
    TRY(rule_expect(&c->expect, &w->place.node));
    if (id_is(c->parent) && !id_eq(c->parent, w->place.node.parent))
        TRY(find_target(s, w));
    else
        stay(w);
    make_after(w);
    TRY(check_name(s, w));
    if (w->moves || strlen(w->after.name) > strlen(w->place.node.name))
        TRY(check_below(s, w));
    return write_rows(s, w);
}

enum err mongo_node_change(struct meta *m, void *mem, const struct guard *g, const struct guard *into, struct id id,
                           const struct change *change, struct node *node_out)
{
    struct work w = {.mem = mem, .guard = g, .into = into, .id = id, .change = change};
    TRY(mongo_txn(mongo_of(m), change_node, &w));
    *node_out = w.after;
    return E_OK;
}
