#include "meta/meta.h"

#include "base/mem.h"

enum err meta_open(const void *ctx, const struct conf *conf, struct shm *shm, struct meta **out)
{
    if (conf->sqlite_path != NULL && conf->sqlite_path[0] != '\0')
        return meta_sqlite_open(ctx, conf, shm, out);
    if (conf->mongodb_uri != NULL && conf->mongodb_uri[0] != '\0')
        return meta_mongo_open(ctx, conf, shm, out);
    return err_set(E_CONF, "store.metadata names no store");
}

bool meta_fault(enum err e)
{
    return e == E_STORE_DOWN || e == E_DISK_FULL || e == E_IO || e == E_DAMAGED || e == E_INTERNAL || e == E_BUSY || e == E_UNSURE;
}

/* One by one: a fault in the middle leaves what went before. */
static enum err commit_each(struct meta *m, const struct guard *g, struct commit_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct commit_row *row = &rows[i];
        struct node node;
        bool replaced;
        row->result = row->folder ? m->ops->folder_add(m, g, &row->node)
                                  : m->ops->upload_commit(m, mem, g, &row->commit, &node, &replaced);
        if (meta_fault(row->result))
            return row->result;
    }
    return E_OK;
}

enum err meta_commit_many(struct meta *m, const struct guard *g, struct commit_row *rows, size_t n)
{
    return m->ops->commit_many != NULL ? m->ops->commit_many(m, g, rows, n) : commit_each(m, g, rows, n);
}
