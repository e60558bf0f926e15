/* Contents to another store. The list of what has to go over is the records': a bucket may forbid listing. */
#include <string.h>

#include "base/mem.h"
#include "jobs/backup.h"
#include "jobs/jobs.h"
#include "jobs/migrate.h"

struct moving {
    struct meta *meta;
    struct blob_store *from, *to;
    struct id store; /* whose contents these are */
};

static enum err check_source(const struct moving *mv)
{
    struct id there;
    enum err e = mv->from->ops->store_id(mv->from, &there);
    if (e == E_NOT_FOUND || (e == E_OK && !id_eq(there, mv->store)))
        return err_say(E_FOREIGN_STORE, "FROM does not hold the contents of this installation: its records are %s, FROM is %s.", mv->store.s,
                       e == E_OK ? there.s : "not marked");
    return e;
}

static enum err known_file(void *arg, const char *name, uint64_t size, int64_t modified_ms)
{
    const struct moving *mv = arg;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct id id;
    struct blob blob;
    (void)size, (void)modified_ms;
    enum err e = id_parse(name, &id) != E_OK ? E_NOT_FOUND : mv->meta->ops->blob_get(mv->meta, mem, id, &blob);
    return e == E_NOT_FOUND ? err_say(E_FOREIGN_STORE, "TO is not empty: %s in it is nothing that this installation knows.", name) : e;
}

/* Without a mark there may be what an earlier run left, and nothing else. Where listing is forbidden nobody can tell, and ids that
 * are random never meet. */
static enum err check_target(struct moving *mv)
{
    struct id there;
    TRY(mv->to->ops->prepare(mv->to));
    enum err e = mv->to->ops->store_id(mv->to, &there);
    if (e == E_OK)
        return id_eq(there, mv->store) ? E_OK : err_say(E_FOREIGN_STORE, "TO holds the contents of another installation, %s.", there.s);
    if (e != E_NOT_FOUND)
        return e;
    e = mv->to->ops->each(mv->to, known_file, mv);
    return e == E_STORE_REFUSED ? E_OK : e;
}

static enum err open_all(const void *mem, const struct conf *conf, const struct conf *from, const struct conf *to, struct moving *mv)
{
    TRY(meta_open(mem, conf, NULL, &mv->meta));
    TRY(mv->meta->ops->store_id(mv->meta, &mv->store));
    TRY(blob_open_store(mem, from, &mv->from));
    return blob_open_store(mem, to, &mv->to);
}

static enum err no_hold(void *arg, uint64_t bytes)
{
    (void)arg, (void)bytes;
    return E_OK;
}

/* Somebody on another machine who began after keepers_rest() would be found out by this. */
static enum err check_count(struct moving *mv, const struct transfer_count *c)
{
    struct backup_sum sum;
    TRY(backup_survey(mv->meta, &sum));
    if (sum.files == c->files + c->there + c->left_out)
        return E_OK;
    return err_say(E_BUSY, "The records changed meanwhile: stop Coffer on every machine, then run this again: it goes on.");
}

enum err migrate_blobs(const struct conf *conf, const struct conf *from, const struct conf *to, struct transfer *t)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct moving mv = {0};
    unsigned did;
    TRY(open_all(mem, conf, from, to, &mv));
    TRY(keepers_rest(mv.meta));
    TRY(check_source(&mv));
    TRY(check_target(&mv));
    if (mv.to->ops->tidy != NULL) /* a run that was killed may have left one half sent */
        TRY(mv.to->ops->tidy(mv.to, &did));
    t->compare = true;
    TRY(backup_blobs(mv.meta, mv.from, mv.to, t, no_hold, NULL));
    TRY(check_count(&mv, &t->count));
    return mv.to->ops->store_id_set(mv.to, mv.store);
}
