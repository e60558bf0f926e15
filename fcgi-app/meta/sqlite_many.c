/* Many folders and files in one transaction. */
#include "meta/sqlite.h"

static enum err commit_one(struct sqlite *s, const struct guard *g, const struct commit_row *row)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct node node;
    bool replaced;
    if (row->folder)
        return sqlite_folder_rows(s, mem, g, &row->node);
    return sqlite_commit_rows(s, mem, g, &row->commit, &node, &replaced);
}

/* A refused row has written nothing, so the transaction goes on without it. */
static enum err commit_all(struct sqlite *s, const struct guard *g, struct commit_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        rows[i].result = commit_one(s, g, &rows[i]);
        if (meta_fault(rows[i].result))
            return rows[i].result;
    }
    return E_OK;
}

enum err sqlite_commit_many(struct meta *m, const struct guard *g, struct commit_row *rows, size_t n)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, commit_all(s, g, rows, n));
}
