/* Reservations. What becomes of them is in sqlite_commit.c. */
#include "meta/sqlite.h"

#include <assert.h>

enum err sqlite_target(struct sqlite *s, void *mem, const char *name, enum conflict conflict, const struct expect *expect,
                       struct target *t)
{
    TRY(sqlite_child(s, mem, t->place.node.id, name, &t->node, &t->exists));
    return rule_target(t->exists ? &t->node : NULL, conflict, expect);
}

/* ---- reserving ---- */
static enum err insert(struct sqlite *s, void *mem, const struct upload *u)
{
    return db_run(&s->main, SQL_UPLOAD_ADD,
                  ARGS(TEXT(u->id.s), TEXT(u->space.s), TEXT(u->parent.s), TEXT(u->user.s), TEXT(u->blob.s), TEXT(u->name),
                       NUMBER(u->conflict), NUMBER(u->expect.must_exist), NUMBER(u->expect.must_not_exist),
                       TEXT(rule_etags_text(mem, &u->expect)), NUMBER(u->declared), NUMBER(u->charged), NUMBER(u->offset),
                       NUMBER(u->modified_ms), NUMBER(u->created_ms), NUMBER(u->expires_ms)));
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
    TRY(rule_grant(&t.place.space, in, &u.charged));
    TRY(insert(s, mem, &u));
    TRY(sqlite_charge(s, u.space, 0, u.charged));
    rule_own(mem, &u);
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
