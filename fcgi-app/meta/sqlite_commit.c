/* A finished upload becomes a file: blob, version and node in, the replaced version out, the space settled. */
#include "meta/sqlite.h"

#include <assert.h>

#include "base/name.h"

struct work {
    struct sqlite *s;
    void *mem;
    const struct guard *guard;
    const struct commit *in;
    bool reserved;        /* the reservation is there */
    struct upload upload; /* then: its row */
    struct target target;
    const char *name, *key;
};

/* ---- where to ---- */
static enum err find_parent(struct work *w)
{
    const struct commit *in = w->in;
    struct id parent = in->parent;
    if (id_is(in->upload))
        TRY(sqlite_upload_row(w->s, w->mem, in->upload, &w->upload, &w->reserved));
    if (w->reserved && w->upload.name[0] != '\0')
        parent = w->upload.parent;
    else if (!w->reserved && id_is(in->upload) && !id_is(parent))
        return err_set(E_UPLOAD_GONE, "no upload %s, and no folder named", in->upload.s);
    return sqlite_parent(w->s, w->mem, w->guard, parent, &w->target.place);
}

static enum err pick_name(struct work *w)
{
    TRY(sqlite_free_name(w->s, w->mem, w->target.place.node.id, w->in->name, &w->name));
    w->key = name_key(w->mem, w->name);
    w->target.exists = false;
    return E_OK;
}

static enum err find_target(struct work *w)
{
    w->name = w->in->name;
    w->key = w->in->key;
    TRY(sqlite_target(w->s, w->mem, w->name, w->in->conflict, &w->in->expect, &w->target));
    if (w->target.exists && w->in->conflict == CONFLICT_RENAME)
        TRY(pick_name(w));
    return rule_nesting(&w->target.place, w->name);
}

/* ---- who pays ---- */
/* The reservation pays as far as it goes, the quota the rest. */
static enum err settle_reserved(struct work *w)
{
    const struct upload *u = &w->upload;
    bool same = w->reserved && id_eq(u->space, w->target.place.space.id);
    int64_t covered = !same ? 0 : u->charged < w->in->size ? u->charged : w->in->size;
    bool found;

    enum err e = rule_fits(&w->target.place.space, w->in->size - covered);
    if (e == E_QUOTA && id_is(w->in->upload) && !w->reserved)
        return err_set(E_UPLOAD_GONE, "upload %s is over and its %lld bytes do not fit anew", w->in->upload.s, (long long)w->in->size);
    TRY(e);
    if (!w->reserved)
        return E_OK;
    if (!w->in->keep_upload)
        return sqlite_upload_drop(w->s, u->id, &found);
    TRY(db_run(&w->s->main, SQL_UPLOAD_CHARGE, ARGS(TEXT(u->id.s), NUMBER(u->charged - covered))));
    return sqlite_charge(w->s, u->space, 0, -covered);
}

/* ---- what goes in ---- */
static void make_node(const struct work *w, struct node *out)
{
    const struct commit *in = w->in;
    *out = (struct node){
        .id = w->target.exists ? w->target.node.id : in->node, .space = w->target.place.space.id,
        .parent = w->target.place.node.id, .name = mem_str(w->mem, w->name), .key = mem_str(w->mem, w->key), .kind = NODE_FILE,
        .created_ms = w->target.exists ? w->target.node.created_ms : in->now_ms,
        .modified_ms = in->modified_ms > 0 ? in->modified_ms : in->now_ms,
        .version = in->version, .blob = in->blob, .size = in->size, .type = mem_str(w->mem, in->type),
        .sha256 = mem_str(w->mem, in->sha256 != NULL ? in->sha256 : ""),
    };
}

static enum err put_node(struct work *w, const struct node *node, int64_t *freed_out)
{
    *freed_out = 0;
    if (!w->target.exists)
        return sqlite_node_insert(w->s, node);
    TRY(sqlite_versions_drop(w->s, node->id, w->in->now_ms, freed_out));
    return db_run(&w->s->main, SQL_NODE_REPLACE,
                  ARGS(TEXT(node->id.s), NUMBER(node->modified_ms), TEXT(node->version.s), TEXT(node->blob.s), NUMBER(node->size),
                       TEXT(node->type), TEXT(node->sha256)));
}

static enum err put_rows(struct work *w, const struct node *node)
{
    int64_t freed;
    TRY(db_run(&w->s->main, SQL_BLOB_ADD, ARGS(TEXT(node->blob.s), NUMBER(node->size), NUMBER(w->in->now_ms))));
    TRY(put_node(w, node, &freed));
    TRY(db_run(&w->s->main, SQL_VERSION_ADD,
               ARGS(TEXT(node->version.s), TEXT(node->id.s), TEXT(node->blob.s), NUMBER(node->size), TEXT(node->type),
                    TEXT(node->sha256), NUMBER(w->in->now_ms), TEXT(w->guard->user.s))));
    return sqlite_charge(w->s, node->space, node->size - freed, 0);
}

static enum err commit(struct work *w, struct node *node_out, bool *replaced_out)
{
    TRY(find_parent(w));
    TRY(find_target(w));
    TRY(settle_reserved(w));
    make_node(w, node_out);
    TRY(put_rows(w, node_out));
    *replaced_out = w->target.exists;

    const struct audit audit = {
        .at_ms = w->in->now_ms, .user = w->guard->user, .space = node_out->space, .node = node_out->id,
        .action = "upload_commit", .note = node_out->name,
    };
    return sqlite_audit(w->s, &audit);
}

enum err sqlite_commit_rows(struct sqlite *s, void *mem, const struct guard *g, const struct commit *in, struct node *node_out,
                            bool *replaced_out)
{
    struct work w = {.s = s, .mem = mem, .guard = g, .in = in};
    assert(in->size >= 0);
    return commit(&w, node_out, replaced_out);
}

enum err sqlite_upload_commit(struct meta *m, void *mem, const struct guard *g, const struct commit *in, struct node *node_out,
                              bool *replaced_out)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, sqlite_commit_rows(s, mem, g, in, node_out, replaced_out));
}
