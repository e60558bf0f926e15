/* A finished upload becomes a file: blob, version and node in, the replaced version out, the space settled.
 * Without a reservation and without anything to replace that is one query, one update and the commit; right behind a walk that
 * did not find the name, the update and the commit. */
#include "meta/mongo.h"

#include <assert.h>

#include "base/name.h"
#include "meta/rules.h"

struct work {
    struct mongo *s;
    struct writes *writes;
    void *mem;
    const struct guard *guard;
    const struct commit *in;
    const struct plan *plan; /* NULL: look */
    bool reserved;        /* the reservation is there */
    struct upload upload; /* then: its record */
    struct spot target;
    const char *name, *key;
    int64_t released;     /* of what the space has reserved */
    struct node node;
    bool replaced;
};

/* ---- where to ---- */
static enum err follow_plan(struct work *w)
{
    w->reserved = false;
    w->target = w->plan->spot;
    return w->guard->ask(w->guard, &w->target.place);
}

static enum err find_parent(struct work *w)
{
    const struct commit *in = w->in;
    struct id parent = in->parent;
    TRY(mongo_upload_row(w->s, w->mem, in->upload, &w->upload, &w->reserved));
    if (w->reserved && w->upload.name[0] != '\0')
        parent = w->upload.parent;
    else if (!w->reserved && id_is(in->upload) && !id_is(parent))
        return err_set(E_UPLOAD_GONE, "no upload %s, and no folder named", in->upload.s);
    return mongo_parent(w->s, w->mem, w->guard, parent, in->name, &w->target);
}

static enum err find_target(struct work *w)
{
    struct spot *t = &w->target;
    w->name = w->in->name;
    w->key = w->in->key;
    TRY(rule_target(t->exists ? &t->child : NULL, w->in->conflict, &w->in->expect));
    if (t->exists && w->in->conflict == CONFLICT_RENAME) {
        TRY(mongo_free_name(w->s, w->mem, t->place.node.id, w->in->name, &w->name));
        w->key = name_key(w->mem, w->name);
        t->exists = false;
    }
    return rule_nesting(&t->place, w->name);
}

/* ---- who pays ---- */
/* The reservation pays as far as it goes, the quota the rest. */
static enum err settle_reserved(struct work *w)
{
    const struct upload *u = &w->upload;
    const struct space *space = &w->target.place.space;
    bool same = w->reserved && id_eq(u->space, space->id);
    int64_t covered = !same ? 0 : u->charged < w->in->size ? u->charged : w->in->size;

    enum err e = rule_fits(space, w->in->size - covered);
    if (e == E_QUOTA && id_is(w->in->upload) && !w->reserved)
        return err_set(E_UPLOAD_GONE, "upload %s is over and its %lld bytes do not fit anew", w->in->upload.s, (long long)w->in->size);
    TRY(e);
    w->released = 0;
    if (!w->reserved)
        return E_OK;
    int64_t back = w->in->keep_upload ? covered : u->charged;
    if (w->in->keep_upload)
        writes_update(w->writes, ref_of(OF_UPLOAD, u->id), DOC("$set", "{", "charged", N(u->charged - covered), "}"));
    else
        writes_delete(w->writes, ref_of(OF_UPLOAD, u->id));
    if (same)
        w->released = back;
    else if (back > 0)
        writes_charge(w->writes, u->space, 0, -back);
    return E_OK;
}

/* ---- what goes in ---- */
static void make_node(struct work *w)
{
    const struct commit *in = w->in;
    const struct spot *t = &w->target;
    w->replaced = t->exists;
    w->node = (struct node){
        .id = t->exists ? t->child.id : in->node, .space = t->place.space.id, .parent = t->place.node.id,
        .name = mem_str(w->mem, w->name), .key = mem_str(w->mem, w->key), .kind = NODE_FILE,
        .created_ms = t->exists ? t->child.created_ms : in->now_ms,
        .modified_ms = in->modified_ms > 0 ? in->modified_ms : in->now_ms,
        .version = in->version, .blob = in->blob, .size = in->size, .type = mem_str(w->mem, in->type),
        .sha256 = mem_str(w->mem, in->sha256 != NULL ? in->sha256 : ""),
    };
}

static enum err put_node(struct work *w, int64_t *freed_out)
{
    const struct node *n = &w->node;
    *freed_out = 0;
    if (!w->replaced) {
        writes_insert(w->writes, ref_of(OF_NODE, n->id), node_doc(n));
        return E_OK;
    }
    TRY(mongo_versions_drop(w->s, w->writes, n->id, w->in->now_ms, freed_out));
    writes_update(w->writes, ref_of(OF_NODE, n->id),
                 DOC("$set", "{", "modified_ms", N(n->modified_ms), "version", S(ref_of(OF_VERSION, n->version).s), "contents",
                     S(ref_of(OF_BLOB, n->blob).s), "size", N(n->size), "type", S(n->type), "sha256", S(n->sha256), "}"));
    return E_OK;
}

static enum err put_rows(struct work *w)
{
    const struct node *n = &w->node;
    const struct version version = {
        .id = n->version, .node = n->id, .blob = n->blob, .size = n->size, .created_ms = w->in->now_ms, .type = n->type, .sha256 = n->sha256,
    };
    const struct audit audit = {
        .at_ms = w->in->now_ms, .user = w->guard->user, .space = n->space, .node = n->id, .action = "upload_commit", .note = n->name,
    };
    int64_t freed;
    TRY(put_node(w, &freed));
    if (w->plan != NULL)
        writes_charge_at(w->writes, n->space, n->size, 0, w->plan->seq);
    else
        writes_charge(w->writes, n->space, n->size - freed, -w->released);
    writes_insert(w->writes, ref_of(OF_BLOB, n->blob),
                 DOC("size", N(n->size), "refs", N(1), "blob_state", N(BLOB_LIVE), "created_ms", N(w->in->now_ms), "format", N(0),
                     "key_id", S("")));
    writes_insert(w->writes, ref_of(OF_VERSION, n->version), version_doc(&version, w->guard->user));
    writes_audit(w->writes, &audit);
    return E_OK;
}

static enum err commit_rows(struct work *w)
{
    WRITES_AUTO b = writes_new();
    w->writes = &b;
    TRY(w->plan != NULL ? follow_plan(w) : find_parent(w));
    TRY(find_target(w));
    TRY(settle_reserved(w));
    make_node(w);
    TRY(put_rows(w));
    return writes_send(w->s, &b);
}

static enum err commit(struct mongo *s, void *work)
{
    struct work *w = work;
    w->s = s;
    bool planned = w->plan != NULL;
    enum err e = commit_rows(w);
    w->plan = NULL;
    if (planned && !meta_fault(e))
        s->again = s->again || e != E_OK; /* a refusal may be of yesterday */
    return e;
}

enum err mongo_upload_commit(struct meta *m, void *mem, const struct guard *g, const struct commit *in, struct node *node_out,
                             bool *replaced_out)
{
    struct work w = {.mem = mem, .guard = g, .in = in};
    assert(in->size >= 0);
    if (!id_is(in->upload))
        w.plan = plan_take(mongo_of(m), mem, g, in->parent, in->name);
    TRY(mongo_txn(mongo_of(m), commit, &w));
    *node_out = w.node;
    *replaced_out = w.replaced;
    return E_OK;
}

/* ---- many at once ---- */
struct many {
    const struct guard *guard;
    struct commit_row *rows;
    size_t n;
};

static enum err commit_row(struct mongo *s, const struct guard *g, const struct commit_row *row)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct work w = {.mem = mem, .guard = g, .in = &row->commit};
    return row->folder ? mongo_folder_rows(s, mem, g, &row->node) : commit(s, &w);
}

/* A refused row has sent nothing, so the transaction goes on without it. */
static enum err commit_all(struct mongo *s, void *work)
{
    const struct many *w = work;
    for (size_t i = 0; i < w->n; i++) {
        w->rows[i].result = commit_row(s, w->guard, &w->rows[i]);
        if (meta_fault(w->rows[i].result))
            return w->rows[i].result;
    }
    return E_OK;
}

enum err mongo_commit_many(struct meta *m, const struct guard *g, struct commit_row *rows, size_t n)
{
    struct many w = {.guard = g, .rows = rows, .n = n};
    return mongo_txn(mongo_of(m), commit_all, &w);
}
