/* Copying: documents for every node below, no bytes. */
#include "meta/mongo.h"

#include <string.h>

#include "base/name.h"
#include "meta/rules.h"

#define AT_ONCE 300 /* nodes that are written with one command */

struct work {
    struct mongo *s;
    struct writes *writes;
    void *mem;
    const struct guard *guard, *into;
    const struct copy *in;
    struct place from, target;
    int64_t size; /* of all files so far */
    struct node out;
};

/* A folder that is being filled: where it is, and how deep. */
struct into {
    struct id id;
    size_t depth, bytes;
};

/* ---- one node ---- */
static enum err flush(struct work *w, unsigned most)
{
    return w->writes->updates.n > most ? writes_send(w->s, w->writes) : E_OK;
}

/* Only while the blob lives: a dying one's bytes may be gone. */
static enum err refer(struct work *w, struct id blob)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    TRY(mongo_write(w->s, DOC("update", S("record"), "updates", "[", "{", "q", "{", "_id", S(ref_of(OF_BLOB, blob).s), "blob_state",
                              N(BLOB_LIVE), "}", "u", "{", "$inc", "{", "refs", N(1), "}", "$unset", "{", "unreferenced_ms",
                              N(1), "}", "}", "}", "]"), &reply));
    return reply_n(&reply) > 0 ? E_OK : err_set(E_DAMAGED, "blob %s is unknown or dying", blob.s);
}

static enum err add_version(struct work *w, const struct node *n)
{
    const struct version version = {
        .id = n->version, .node = n->id, .blob = n->blob, .size = n->size, .created_ms = w->in->now_ms, .type = n->type, .sha256 = n->sha256,
    };
    TRY(refer(w, n->blob));
    writes_insert(w->writes, ref_of(OF_VERSION, n->version), version_doc(&version, w->into->user));
    return E_OK;
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
    writes_insert(w->writes, ref_of(OF_NODE, n->id), node_doc(n));
    if (n->kind == NODE_FOLDER)
        return flush(w, AT_ONCE);
    if (__builtin_add_overflow(w->size, n->size, &w->size))
        return err_limit(E_QUOTA, (uint64_t)rule_room(&w->target.space));
    TRY(add_version(w, n));
    return flush(w, AT_ONCE);
}

/* ---- what is below ---- */
static enum err copy_below(struct work *w, struct id from, const struct into *to);

static enum err copy_one(struct work *w, struct node *node, const struct into *to)
{
    struct id from = node->id;
    const struct into mine = {.id = id_new(), .depth = to->depth + 1, .bytes = to->bytes + strlen(node->name) + 1};
    if (mine.depth > PATH_MAX_DEPTH || mine.bytes > PATH_MAX_BYTES)
        return err_set(E_TOO_NESTED, "a copy of %s would be on level %zu, with a path of %zu bytes", from.s, mine.depth, mine.bytes);
    TRY(add_node(w, node, mine.id, to->id));
    return node->kind == NODE_FOLDER ? copy_below(w, from, &mine) : E_OK;
}

/* As deep as folders are nested: the store allows PATH_MAX_DEPTH levels. Pages go by id. */
static enum err copy_below(struct work *w, struct id from, const struct into *to)
{
    struct ref after = {"n"};
    for (bool more = true; more;) {
        REPLY_AUTO reply = BSON_INITIALIZER;
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        bson_iter_t rows;
        bson_t row;
        TRY(mongo_rows(w->s, DOC("find", S("record"), "filter", "{", "parent", S(ref_of(OF_NODE, from).s), "live", B(true), "_id", "{",
                                 "$gt", S(after.s), "}", "}", "sort", "{", "_id", BCON_INT32(1), "}", "limit", BCON_INT32(AT_ONCE),
                                 "batchSize", BCON_INT32(AT_ONCE)), &reply, &rows));
        for (more = false; rows_next(&rows, &row); more = true) {
            struct node node;
            doc_node(mem, &row, &node);
            after = ref_of(OF_NODE, node.id);
            TRY(copy_one(w, &node, to));
        }
    }
    return E_OK;
}

/* ---- the whole ---- */
static enum err find_target(struct work *w)
{
    const struct copy *in = w->in;
    struct spot spot;
    TRY(mongo_place(w->s, w->mem, w->guard, in->from, NULL, &spot));
    w->from = spot.place;
    if (w->from.depth == 0)
        return err_set(E_ROOT_NODE, "node %s is a root", in->from.s);
    TRY(rule_expect(&in->expect, &w->from.node));
    TRY(mongo_parent(w->s, w->mem, w->into, id_is(in->parent) ? in->parent : w->from.node.parent, NULL, &spot));
    w->target = spot.place;
    if (rule_within(&w->target, in->from))
        return err_say(E_CYCLE, "A folder cannot be copied into itself.");
    return E_OK;
}

static enum err pick_name(struct work *w, struct node *node)
{
    struct node taken;
    bool found;
    if (w->in->name != NULL) {
        node->name = mem_str(w->mem, w->in->name);
        node->key = mem_str(w->mem, w->in->key);
    }
    TRY(mongo_child(w->s, w->mem, w->target.node.id, node->name, &taken, &found));
    if (found && w->in->conflict != CONFLICT_RENAME)
        return err_set(E_NAME_TAKEN, "folder %s has %s", w->target.node.id.s, taken.id.s);
    if (found) {
        TRY(mongo_free_name(w->s, w->mem, w->target.node.id, node->name, &node->name));
        node->key = name_key(w->mem, node->name);
    }
    return rule_nesting(&w->target, node->name);
}

static enum err copy_all(struct work *w)
{
    struct node *n = &w->out;
    TRY(find_target(w));
    *n = w->from.node;
    w->size = 0;
    TRY(pick_name(w, n));
    const struct into top = {.id = w->in->node, .depth = w->target.depth + 1, .bytes = rule_path_bytes(&w->target, n->name)};
    TRY(add_node(w, n, w->in->node, w->target.node.id));
    if (n->kind == NODE_FOLDER)
        TRY(copy_below(w, w->in->from, &top));
    TRY(rule_fits(&w->target.space, w->size));

    const struct audit audit = {
        .at_ms = w->in->now_ms, .user = w->into->user, .space = n->space, .node = n->id, .action = "node_copy", .note = n->name,
    };
    writes_charge(w->writes, w->target.space.id, w->size, 0);
    writes_audit(w->writes, &audit);
    return flush(w, 0);
}

static enum err copy_node(struct mongo *s, void *work)
{
    struct work *w = work;
    WRITES_AUTO b = writes_new();
    w->s = s;
    w->writes = &b;
    return copy_all(w);
}

enum err mongo_node_copy(struct meta *m, void *mem, const struct guard *g, const struct guard *into, const struct copy *in,
                         struct node *node_out)
{
    struct work w = {.mem = mem, .guard = g, .into = into, .in = in};
    TRY(mongo_txn(mongo_of(m), copy_node, &w));
    *node_out = w.out;
    return E_OK;
}
