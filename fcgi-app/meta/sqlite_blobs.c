/* Blobs and the hashes of versions: what the keeper and fsck ask about contents. */
#include "meta/sqlite.h"

/* ---- collection ---- */
static enum err read_dying(struct sqlite *s, struct id *ids, unsigned batch, size_t *n_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    *n_out = 0;
    TRY(db_one(&s->main, SQL_BLOBS_DYING, &q, &row, ARGS(NUMBER(batch))));
    while (row) {
        ids[(*n_out)++] = row_id(q, 0);
        TRY(db_next(&s->main, q, &row));
    }
    return E_OK;
}

static enum err mark_dying(struct sqlite *s, int64_t before_ms, unsigned most)
{
    int64_t due;
    TRY(db_number(&s->main, SQL_BLOBS_DUE, &due, ARGS(NUMBER(before_ms))));
    if (!due || most == 0)
        return E_OK;
    TRY(sqlite_write(s));
    return db_end(&s->main, db_run(&s->main, SQL_BLOBS_MARK, ARGS(NUMBER(before_ms), NUMBER(most))));
}

/* An id is handed out only when its mark is durable: from then on nobody can take a reference any more. */
enum err sqlite_blobs_dying(struct meta *m, void *mem, int64_t before_ms, unsigned batch, struct id **ids_out, size_t *n_out)
{
    struct sqlite *s = sqlite_of(m);
    *ids_out = mem_array(mem, struct id, batch);
    TRY(sqlite_ready(s));
    TRY(read_dying(s, *ids_out, batch, n_out));
    TRY(mark_dying(s, before_ms, batch - (unsigned)*n_out));
    return read_dying(s, *ids_out, batch, n_out);
}

static enum err drop_blob(struct sqlite *s, struct id id)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_run(&s->main, SQL_BLOB_DROP, ARGS(TEXT(id.s))));
    if (db_changes(&s->main) > 0)
        return E_OK;
    TRY(db_one(&s->main, SQL_BLOB_GET, &q, &row, ARGS(TEXT(id.s))));
    return row ? err_set(E_INTERNAL, "blob %s is not dying", id.s) : E_OK; /* another keeper was first */
}

enum err sqlite_blob_drop(struct meta *m, struct id id)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, drop_blob(s, id));
}

/* ---- reading ---- */
enum err sqlite_blob_get(struct meta *m, void *mem, struct id id, struct blob *out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(sqlite_ready(s));
    TRY(db_one(&s->main, SQL_BLOB_GET, &q, &row, ARGS(TEXT(id.s))));
    if (!row)
        return err_set(E_NOT_FOUND, "no blob %s", id.s);
    row_blob(mem, q, 0, out);
    return E_OK;
}

enum err sqlite_blob_list(struct meta *m, void *mem, struct id after, unsigned limit, struct blob **out, size_t *n_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    *out = mem_array(mem, struct blob, limit);
    *n_out = 0;
    TRY(sqlite_ready(s));
    TRY(db_one(&s->main, SQL_BLOB_LIST, &q, &row, ARGS(TEXT(after.s), NUMBER(limit))));
    while (row) {
        row_blob(mem, q, 0, &(*out)[(*n_out)++]);
        TRY(db_next(&s->main, q, &row));
    }
    return E_OK;
}

enum err sqlite_version_list(struct meta *m, void *mem, struct id after, unsigned limit, struct version **out, size_t *n_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    *out = mem_array(mem, struct version, limit);
    *n_out = 0;
    TRY(sqlite_ready(s));
    TRY(db_one(&s->main, SQL_VERSION_LIST, &q, &row, ARGS(TEXT(after.s), NUMBER(limit))));
    while (row) {
        row_version(mem, q, 0, &(*out)[(*n_out)++]);
        TRY(db_next(&s->main, q, &row));
    }
    return E_OK;
}

/* ---- hashes ---- */
enum err sqlite_hash_pending(struct meta *m, void *mem, unsigned limit, struct id *versions_out, struct id *blobs_out, size_t *n_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    (void)mem;
    *n_out = 0;
    TRY(sqlite_ready(s));
    TRY(db_one(&s->main, SQL_HASH_PENDING, &q, &row, ARGS(NUMBER(limit))));
    while (row) {
        versions_out[*n_out] = row_id(q, 0);
        blobs_out[(*n_out)++] = row_id(q, 1);
        TRY(db_next(&s->main, q, &row));
    }
    return E_OK;
}

/* A version that was replaced meanwhile needs no hash: nothing changes. */
static enum err set_hash(struct sqlite *s, struct id version, const char *sha256)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, SQL_VERSION_HASH, &q, &row, ARGS(TEXT(version.s), TEXT(sha256))));
    if (!row)
        return E_OK;
    struct id node = row_id(q, 0);
    TRY(db_next(&s->main, q, &row));
    return db_run(&s->main, SQL_NODE_HASH, ARGS(TEXT(node.s), TEXT(version.s), TEXT(sha256)));
}

enum err sqlite_hash_set(struct meta *m, struct id version, const char *sha256)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, set_hash(s, version, sha256));
}
