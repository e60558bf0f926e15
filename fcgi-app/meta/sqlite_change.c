/* Renaming, moving, setting the time: one row, whatever hangs below it. */
#include "meta/sqlite.h"

#include <string.h>

#include "base/name.h"

struct work {
    struct sqlite *s;
    void *mem;
    const struct guard *guard, *into;
    const struct change *change;
    struct place place, target; /* of the node, of the folder it will be in */
    struct node after;
    bool moves;
};

/* ---- where to ---- */
/* Writers follow one another, so what is above the target now is above it until this move is done: two moves at
 * once cannot make a cycle. */
static enum err find_target(struct work *w)
{
    const struct id node = w->place.node.id;
    TRY(sqlite_parent(w->s, w->mem, w->into, w->change->parent, &w->target));
    if (!id_eq(w->target.space.id, w->place.space.id))
        return err_set(E_CROSS_SPACE, "node %s is in space %s, folder %s in %s", node.s, w->place.space.id.s,
                       w->target.node.id.s, w->target.space.id.s);
    if (rule_within(&w->target, node))
        return err_set(E_CYCLE, "folder %s lies in %s", w->target.node.id.s, node.s);
    w->moves = true;
    return E_OK;
}

/* The folder it stays in, from what is known of its ancestors. */
static void stay(struct work *w)
{
    w->target = (struct place){
        .space = w->place.space, .node = w->place.ancestors[0], .depth = w->place.depth - 1, .ancestors = w->place.ancestors + 1,
    };
}

static enum err read_reach(struct work *w, enum node_kind last, size_t *depth_out, size_t *bytes_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&w->s->main, SQL_NODE_REACH, &q, &row, ARGS(TEXT(w->place.node.id.s), NUMBER(last))));
    *depth_out = (size_t)sqlite3_column_int64(q, 0);
    *bytes_out = (size_t)sqlite3_column_int64(q, 1);
    return E_OK;
}

/* Does all below the node still fit? Folders are few: files are looked at only when it is close. */
static enum err check_below(struct work *w)
{
    size_t depth, bytes, at = w->target.depth + 1, path = rule_path_bytes(&w->target, w->after.name);
    TRY(rule_nesting(&w->target, w->after.name));
    if (w->after.kind == NODE_FILE)
        return E_OK;
    TRY(read_reach(w, NODE_FOLDER, &depth, &bytes));
    if (at + depth + 1 <= PATH_MAX_DEPTH && path + bytes + NAME_MAX_BYTES + 1 <= PATH_MAX_BYTES)
        return E_OK;
    TRY(read_reach(w, NODE_FILE, &depth, &bytes));
    if (at + depth > PATH_MAX_DEPTH || path + bytes > PATH_MAX_BYTES)
        return err_set(E_TOO_NESTED, "%zu levels and %zu bytes would be below folder %s", depth, bytes, w->target.node.id.s);
    return E_OK;
}

static enum err check_name(struct work *w)
{
    struct node taken;
    bool found;
    TRY(sqlite_child(w->s, w->mem, w->target.node.id, w->after.name, &taken, &found));
    if (found && !id_eq(taken.id, w->place.node.id))
        return err_set(E_NAME_TAKEN, "folder %s has %s", w->target.node.id.s, taken.id.s);
    return E_OK;
}

/* ---- the change ---- */
static enum err write_row(struct work *w)
{
    const struct node *n = &w->after;
    TRY(db_run(&w->s->main, SQL_NODE_CHANGE,
               ARGS(TEXT(n->id.s), TEXT(n->parent.s), TEXT(n->name), TEXT(n->key), NUMBER(n->modified_ms))));
    if (w->moves)
        TRY(db_run(&w->s->main, SQL_SPACE_TREE_REV, ARGS(TEXT(n->space.s))));

    const struct audit audit = {
        .at_ms = w->change->now_ms, .user = w->guard->user, .space = n->space, .node = n->id, .action = "node_change",
        .note = n->name,
    };
    return sqlite_audit(w->s, &audit);
}

static enum err change_node(struct work *w, struct id id)
{
    const struct change *c = w->change;
    TRY(sqlite_place(w->s, w->mem, w->guard, id, &w->place));
    if (w->place.depth == 0)
        return err_set(E_ROOT_NODE, "node %s is a root", id.s);
    TRY(rule_expect(&c->expect, &w->place.node));
    if (id_is(c->parent) && !id_eq(c->parent, w->place.node.parent))
        TRY(find_target(w));
    else
        stay(w);

    w->after = w->place.node;
    w->after.parent = w->target.node.id;
    if (c->name != NULL) {
        w->after.name = c->name;
        w->after.key = c->key;
    }
    if (c->modified_ms > 0)
        w->after.modified_ms = c->modified_ms;
    TRY(check_name(w));
    if (w->moves || strlen(w->after.name) > strlen(w->place.node.name))
        TRY(check_below(w));
    return write_row(w);
}

enum err sqlite_node_change(struct meta *m, void *mem, const struct guard *g, const struct guard *into, struct id id,
                            const struct change *change, struct node *node_out)
{
    struct work w = {.s = sqlite_of(m), .mem = mem, .guard = g, .into = into, .change = change};
    TRY(sqlite_write(w.s));
    TRY(db_end(&w.s->main, change_node(&w, id)));
    *node_out = w.after;
    node_keep(mem, node_out);
    return E_OK;
}
