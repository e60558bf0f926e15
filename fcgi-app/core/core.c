#include "core/core.h"

#include "base/mem.h"
#include "core/media.h"

/* Metadata that knows contents must not be joined with an empty or a foreign blob store: every file would
 * look lost, and the collector would see orphans. */
static enum err match_stores(struct core *c, bool may_mark)
{
    struct id meta_id, blob_id;
    TRY(c->meta->ops->store_id(c->meta, &meta_id));
    enum err e = c->blobs->ops->store_id(c->blobs, &blob_id);
    if (e == E_OK && id_eq(meta_id, blob_id))
        return E_OK;
    if (e == E_OK)
        return err_set(E_FOREIGN_STORE, "the blob store is marked %s, the metadata %s: they belong to different installations. To take an "
                                        "installation to another store, use coffer migrate", blob_id.s, meta_id.s);
    if (e != E_NOT_FOUND)
        return e;

    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct blob *known;
    size_t n;
    TRY(c->meta->ops->blob_list(c->meta, mem, (struct id){""}, 1, &known, &n));
    if (n > 0)
        return err_set(E_FOREIGN_STORE, "the blob store has no mark of ours but the metadata knows contents: %s Coffer migrate takes them to "
                                        "another store (coffer migrate --blobs FROM TO)",
                       *c->conf->disk_path ? "is the right disk mounted at the path of store.blobs?"
                                           : "does store.blobs name the right bucket and prefix, and may it be read (s3:GetObject)?");
    if (!may_mark)
        return err_set(E_FOREIGN_STORE, "the blob store is not prepared; start `coffer serve` once");
    return c->blobs->ops->store_id_set(c->blobs, meta_id);
}

static struct core *core_new(const void *ctx, const struct conf *conf, struct shm *shm, const struct clock *clock)
{
    struct core *c = mem_new(ctx, struct core);
    c->conf = conf;
    c->clock = clock;
    c->shm = shm;
    c->stop_fd = -1;
    return c;
}

enum err core_open(const void *ctx, const struct conf *conf, struct shm *shm, const struct clock *clock, struct core **out)
{
    struct core *c = core_new(ctx, conf, shm, clock);
    TRY(meta_open(c, conf, shm, &c->meta));
    TRY(blob_open_store(c, conf, &c->blobs));
    c->blobs->shm = shm;
    /* A worker of `serve` opens what the preflight matched just before; one that had to ask a store behind a
     * network could not start while that is away, and would not serve what needs no such store either. */
    if (shm == NULL || (c->meta->ops->one_host && !(c->blobs->ops->can & BLOB_IS_REMOTE)))
        TRY(match_stores(c, false));
    *out = c;
    return media_open(c, &c->media);
}

enum err parent_gone(enum err e)
{
    return e == E_NO_PARENT ? err_set(E_NOT_FOUND, "the folder is gone or never was") : e;
}

enum err core_prepare(const struct conf *conf)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct core *c = core_new(mem, conf, NULL, &clock_real);
    TRY(blob_open_store(c, conf, &c->blobs));
    TRY(c->blobs->ops->prepare(c->blobs)); /* makes the data folder, where SQLite's file will be */
    TRY(meta_open(c, conf, NULL, &c->meta));
    TRY(c->meta->ops->upgrade(c->meta));
    return match_stores(c, true);
}
