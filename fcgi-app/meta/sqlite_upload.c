/* Reservations. What becomes of them is in sqlite_commit.c. */
#include "meta/sqlite.h"

#include <assert.h>

enum err sqlite_target(struct sqlite *s, void *mem, const char *name, enum conflict conflict, const struct expect *expect,
                       struct target *t)
{
    TRY(sqlite_child(s, mem, t->place.node.id, name, &t->node, &t->exists));
    TRY(rule_expect(expect, t->exists ? &t->node : NULL));
    if (t->exists && conflict == CONFLICT_FAIL)
        return err_set(E_NAME_TAKEN, "folder %s has %s", t->place.node.id.s, t->node.id.s);
    if (t->exists && conflict == CONFLICT_REPLACE && t->node.kind == NODE_FOLDER)
        return err_set(E_IS_FOLDER, "%s is a folder", t->node.id.s);
    return E_OK;
}

/* ---- reserving ---- */
static enum err insert(struct sqlite *s, void *mem, const struct upload *u)
{
    return db_run(&s->main, SQL_UPLOAD_ADD,
                  ARGS(TEXT(u->id.s), TEXT(u->space.s), TEXT(u->parent.s), TEXT(u->user.s), TEXT(u->blob.s), TEXT(u->name),
                       NUMBER(u->conflict), NUMBER(u->expect.must_exist), NUMBER(u->expect.must_not_exist),
                       TEXT(etags_text(mem, &u->expect)), NUMBER(u->declared), NUMBER(u->charged), NUMBER(u->offset),
                       NUMBER(u->modified_ms), NUMBER(u->created_ms), NUMBER(u->expires_ms)));
}

static enum err grant(const struct space *space, const struct upload *in, int64_t *charged_out)
{
    int64_t room = sqlite_room(space);
    *charged_out = in->charged;
    if (in->declared >= 0)
        return sqlite_fits(space, in->charged);
    if (*charged_out > room)
        *charged_out = room;
    return E_OK;
}

/* A copy of the row on mem, as it stands in the store. */
static void own_strings(void *mem, struct upload *u)
{
    struct id *etags = mem_array(mem, struct id, u->expect.n);
    for (size_t i = 0; i < u->expect.n; i++)
        etags[i] = u->expect.etags[i];
    u->expect.etags = etags;
    u->name = mem_str(mem, u->name);
}

static enum err reserve(struct sqlite *s, void *mem, const struct guard *g, const struct upload *in, struct upload *out)
{
    struct target t;
    TRY(sqlite_parent(s, mem, g, in->parent, &t.place));
    if (in->name[0] != '\0') {
        TRY(rule_nesting(&t.place, in->name));
        TRY(sqlite_target(s, mem, in->name, in->conflict, &in->expect, &t));
    }
    struct upload u = *in;
    u.space = t.place.space.id;
    TRY(grant(&t.place.space, in, &u.charged));
    TRY(insert(s, mem, &u));
    TRY(sqlite_charge(s, u.space, 0, u.charged));
    own_strings(mem, &u);
    *out = u;
    return E_OK;
}

enum err sqlite_upload_reserve(struct meta *m, void *mem, const struct guard *g, const struct upload *in, struct upload *out)
{
    struct sqlite *s = sqlite_of(m);
    assert(in->charged >= 0 && in->name != NULL);
    TRY(sqlite_write(s));
    return db_end(&s->main, reserve(s, mem, g, in, out));
}

/* ---- reading ---- */
enum err sqlite_upload_row(struct sqlite *s, void *mem, struct id id, struct upload *out, bool *found_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    TRY(db_one(&s->main, SQL_UPLOAD_GET, &q, found_out, ARGS(TEXT(id.s))));
    if (*found_out)
        row_upload(mem, q, 0, out);
    return E_OK;
}

enum err sqlite_upload_get(struct meta *m, void *mem, struct id id, struct upload *out)
{
    struct sqlite *s = sqlite_of(m);
    bool found;
    TRY(sqlite_ready(s));
    TRY(sqlite_upload_row(s, mem, id, out, &found));
    return found ? E_OK : err_set(E_UPLOAD_GONE, "no upload %s", id.s);
}

enum err sqlite_reserved_total(struct meta *m, uint64_t *bytes_out)
{
    struct sqlite *s = sqlite_of(m);
    int64_t sum;
    TRY(sqlite_ready(s));
    TRY(db_number(&s->main, SQL_RESERVED_TOTAL, &sum, NO_ARGS));
    *bytes_out = (uint64_t)sum;
    return E_OK;
}

enum err sqlite_version_node(struct meta *m, struct id version, struct id *node_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(sqlite_ready(s));
    TRY(db_one(&s->main, SQL_VERSION_NODE, &q, &row, ARGS(TEXT(version.s))));
    *node_out = row ? row_id(q, 0) : (struct id){0};
    return E_OK;
}

/* ---- giving back ---- */
enum err sqlite_upload_release(struct meta *m, struct id id)
{
    struct sqlite *s = sqlite_of(m);
    bool found;
    TRY(sqlite_write(s));
    return db_end(&s->main, sqlite_upload_drop(s, id, &found));
}
