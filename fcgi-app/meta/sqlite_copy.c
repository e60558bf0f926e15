/* Copying: rows for every node below, no bytes. */
#include "meta/sqlite.h"

#include <string.h>

#include "base/name.h"

#define PAGE 200 /* entries of a folder that are in memory at once */

struct work {
    struct sqlite *s;
    void *mem;
    const struct guard *guard, *into;
    const struct copy *in;
    struct place from, target;
    int64_t size; /* of all files so far */
};

/* A folder that is being filled: where it is, and how deep. */
struct spot {
    struct id id;
    size_t depth, bytes;
};

/* ---- one node ---- */
static enum err add_version(struct work *w, const struct node *n)
{
    TRY(db_run(&w->s->main, SQL_BLOB_REFER, ARGS(TEXT(n->blob.s))));
    if (db_changes(&w->s->main) == 0)
        return err_set(E_DAMAGED, "file with blob %s: the blob is unknown or dying", n->blob.s);
    return db_run(&w->s->main, SQL_VERSION_ADD,
                  ARGS(TEXT(n->version.s), TEXT(n->id.s), TEXT(n->blob.s), NUMBER(n->size), TEXT(n->type), TEXT(n->sha256),
                       NUMBER(w->in->now_ms), TEXT(w->into->user.s)));
}

/* `n` is the original, and the copy when this returns. */
static enum err add_node(struct work *w, struct node *n, struct id id, struct id parent)
{
    n->id = id;
    n->parent = parent;
    n->space = w->target.space.id;
    n->created_ms = w->in->now_ms;
    if (n->kind == NODE_FILE)
        n->version = id_new();
    TRY(sqlite_node_insert(w->s, n));
    if (n->kind == NODE_FOLDER)
        return E_OK;
    if (__builtin_add_overflow(w->size, n->size, &w->size))
        return err_limit(E_QUOTA, (uint64_t)sqlite_room(&w->target.space));
    return add_version(w, n);
}

/* ---- what is below ---- */
static enum err read_page(struct work *w, void *mem, struct id parent, enum node_kind kind, const struct node *after,
                          struct node *page, size_t *n_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&w->s->main, SQL_LIST_NAME_ASC, &q, &row,
               ARGS(TEXT(parent.s), NUMBER(kind), TEXT(after->key), TEXT(after->id.s), NUMBER(PAGE))));
    for (*n_out = 0; row; ++*n_out) {
        row_node(mem, q, 0, &page[*n_out]);
        TRY(db_next(&w->s->main, q, &row));
    }
    return E_OK;
}

static enum err copy_below(struct work *w, struct id from, const struct spot *to);

static enum err copy_one(struct work *w, const struct node *from, const struct spot *to)
{
    struct node node = *from;
    const struct spot spot = {.id = id_new(), .depth = to->depth + 1, .bytes = to->bytes + strlen(from->name) + 1};
    if (spot.depth > PATH_MAX_DEPTH || spot.bytes > PATH_MAX_BYTES)
        return err_set(E_TOO_NESTED, "a copy of %s would be on level %zu, with a path of %zu bytes", from->id.s, spot.depth, spot.bytes);
    TRY(add_node(w, &node, spot.id, to->id));
    return node.kind == NODE_FOLDER ? copy_below(w, from->id, &spot) : E_OK;
}

static enum err copy_kind(struct work *w, struct id from, enum node_kind kind, const struct spot *to)
{
    CLEANUP(free_mem) struct node *page = mem_array(NULL, struct node, PAGE);
    CLEANUP(free_mem) void *last_key = NULL;
    size_t n = PAGE;
    for (struct node last = {.key = ""}; n == PAGE; last = (struct node){.id = page[n - 1].id, .key = last_key}) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        TRY(read_page(w, mem, from, kind, &last, page, &n));
        for (size_t i = 0; i < n; i++)
            TRY(copy_one(w, &page[i], to));
        if (n < PAGE)
            break;
        talloc_free(last_key);
        last_key = mem_str(NULL, page[n - 1].key);
    }
    return E_OK;
}

/* As deep as folders are nested: the store allows PATH_MAX_DEPTH levels. */
static enum err copy_below(struct work *w, struct id from, const struct spot *to)
{
    TRY(copy_kind(w, from, NODE_FOLDER, to));
    return copy_kind(w, from, NODE_FILE, to);
}

/* ---- the whole ---- */
static enum err find_target(struct work *w)
{
    const struct copy *in = w->in;
    TRY(sqlite_place(w->s, w->mem, w->guard, in->from, &w->from));
    if (w->from.depth == 0)
        return err_set(E_ROOT_NODE, "node %s is a root", in->from.s);
    TRY(rule_expect(&in->expect, &w->from.node));
    TRY(sqlite_parent(w->s, w->mem, w->into, id_is(in->parent) ? in->parent : w->from.node.parent, &w->target));
    if (rule_within(&w->target, in->from))
        return err_say(E_CYCLE, "A folder cannot be copied into itself.");
    return E_OK;
}

static enum err pick_name(struct work *w, struct node *node)
{
    struct node taken;
    bool found;
    if (w->in->name != NULL) {
        node->name = w->in->name;
        node->key = w->in->key;
    }
    TRY(sqlite_child(w->s, w->mem, w->target.node.id, node->name, &taken, &found));
    if (found && w->in->conflict != CONFLICT_RENAME)
        return err_set(E_NAME_TAKEN, "folder %s has %s", w->target.node.id.s, taken.id.s);
    if (found) {
        TRY(sqlite_free_name(w->s, w->mem, w->target.node.id, node->name, &node->name));
        node->key = name_key(w->mem, node->name);
    }
    return rule_nesting(&w->target, node->name);
}

static enum err copy_node(struct work *w, struct node *out)
{
    TRY(find_target(w));
    *out = w->from.node;
    TRY(pick_name(w, out));
    const struct spot spot = {.id = w->in->node, .depth = w->target.depth + 1, .bytes = rule_path_bytes(&w->target, out->name)};
    TRY(add_node(w, out, w->in->node, w->target.node.id));
    if (out->kind == NODE_FOLDER)
        TRY(copy_below(w, w->in->from, &spot));
    TRY(sqlite_fits(&w->target.space, w->size));
    TRY(sqlite_charge(w->s, w->target.space.id, w->size, 0));

    const struct audit audit = {
        .at_ms = w->in->now_ms, .user = w->into->user, .space = out->space, .node = out->id, .action = "node_copy", .note = out->name,
    };
    return sqlite_audit(w->s, &audit);
}

enum err sqlite_node_copy(struct meta *m, void *mem, const struct guard *g, const struct guard *into, const struct copy *in,
                          struct node *node_out)
{
    struct work w = {.s = sqlite_of(m), .mem = mem, .guard = g, .into = into, .in = in};
    TRY(sqlite_write(w.s));
    TRY(db_end(&w.s->main, copy_node(&w, node_out)));
    node_out->name = mem_str(mem, node_out->name);
    node_out->key = mem_str(mem, node_out->key);
    return E_OK;
}
