/* Accounts of spaces and blobs: what verbs of files, uploads and the keeper do alike. */
#include "meta/sqlite.h"

enum err sqlite_charge(struct sqlite *s, struct id space, int64_t used, int64_t reserved)
{
    if (used == 0 && reserved == 0)
        return E_OK;
    return db_run(&s->main, SQL_SPACE_CHARGE, ARGS(TEXT(space.s), NUMBER(used), NUMBER(reserved)));
}

enum err sqlite_versions_drop(struct sqlite *s, struct id node, int64_t now_ms, int64_t *freed_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    *freed_out = 0;
    TRY(db_one(&s->main, SQL_VERSIONS_DROP, &q, &row, ARGS(TEXT(node.s))));
    while (row) {
        struct id blob = row_id(q, 0);
        if (__builtin_add_overflow(*freed_out, sqlite3_column_int64(q, 1), freed_out))
            return err_set(E_DAMAGED, "the sizes of node %s do not add up", node.s);
        TRY(db_run(&s->main, SQL_BLOB_RELEASE, ARGS(TEXT(blob.s), NUMBER(now_ms))));
        TRY(db_next(&s->main, q, &row));
    }
    return E_OK;
}

enum err sqlite_upload_drop(struct sqlite *s, struct id upload, bool *found_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    TRY(db_one(&s->main, SQL_UPLOAD_DROP, &q, found_out, ARGS(TEXT(upload.s))));
    if (!*found_out)
        return E_OK;
    struct id space = row_id(q, 0);
    int64_t charged = sqlite3_column_int64(q, 1);
    bool more;
    TRY(db_next(&s->main, q, &more));
    return sqlite_charge(s, space, 0, -charged);
}

enum err sqlite_audit(struct sqlite *s, const struct audit *a)
{
    return db_run(&s->main, SQL_AUDIT_ADD,
                  ARGS(NUMBER(a->at_ms), TEXT(a->user.s), TEXT(a->action), TEXT(a->space.s), TEXT(a->node.s), TEXT(a->note)));
}
