/* The invariants among records. Each is a statement that gives one sentence per finding, and perhaps one that
 * mends them all (sql/statements.sql, "check"). Findings are read from one moment without holding up writers,
 * one at a time; the mending statement works the truth out anew within its own transaction. */
#include "meta/sqlite.h"

/* In this order: what is mended first is what the later ones build on. */
static const struct {
    enum sql find;
    enum sql mend;   /* SQL_COUNT: cannot be computed */
    bool damage;     /* contents or records are missing */
} rows[] = {
    {SQL_CHECK_FILE, SQL_COUNT, true},
    {SQL_CHECK_LINKS, SQL_COUNT, true},
    {SQL_CHECK_VERSION_BLOB, SQL_COUNT, true},
    {SQL_CHECK_VERSION_SIZE, SQL_COUNT, true},
    {SQL_CHECK_VERSION_NODE, SQL_COUNT, true},
    {SQL_CHECK_NODE_SPACE, SQL_COUNT, true},
    {SQL_CHECK_NODE_PARENT, SQL_COUNT, true},
    {SQL_CHECK_NODE_TOP, SQL_COUNT, true},
    {SQL_CHECK_SPACE_ROOT, SQL_COUNT, true},
    {SQL_CHECK_USER_SPACE, SQL_COUNT, true},
    {SQL_CHECK_NODE_VERSION, SQL_COUNT, true},
    {SQL_CHECK_FOLDER, SQL_COUNT, true},
    {SQL_CHECK_NODE_COPY, SQL_MEND_NODE_COPY, false},
    {SQL_CHECK_BLOB_REFS, SQL_MEND_BLOB_REFS, false},
    {SQL_CHECK_BLOB_SINCE, SQL_MEND_BLOB_SINCE, false},
    {SQL_CHECK_BLOB_DYING, SQL_MEND_BLOB_DYING, true},
    {SQL_CHECK_SPACE_USED, SQL_MEND_SPACE_USED, false},
    {SQL_CHECK_SPACE_RESERVED, SQL_MEND_SPACE_RESERVED, false},
};

static enum err find(struct sqlite *s, size_t i, bool repair, finding_fn *report, void *arg, bool *any_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, rows[i].find, &q, &row, NO_ARGS));
    *any_out = row;
    while (row) {
        const struct finding finding = {
            .repaired = repair && rows[i].mend != SQL_COUNT, .damage = rows[i].damage, .mendable = rows[i].mend != SQL_COUNT,
            .line = (const char *)sqlite3_column_text(q, 0),
        };
        report(arg, &finding);
        TRY(db_next(&s->main, q, &row));
    }
    return E_OK;
}

static enum err check_one(struct sqlite *s, size_t i, bool repair, finding_fn *report, void *arg)
{
    bool any;
    TRY(find(s, i, repair, report, arg, &any));
    if (!any || !repair || rows[i].mend == SQL_COUNT)
        return E_OK;
    TRY(sqlite_write(s));
    return db_end(&s->main, db_run(&s->main, rows[i].mend, NO_ARGS));
}

enum err sqlite_check(struct meta *m, bool repair, finding_fn *report, void *arg)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_ready(s));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        TRY(check_one(s, i, repair, report, arg));
    return E_OK;
}
