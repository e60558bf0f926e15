#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "jobs/jobs.h"

#define BATCH 200
#define DAY_MS INT64_C(86400000)

enum err job_expire(struct core *c, unsigned *did_out)
{
    int64_t now = clock_now_ms(c->clock);
    return c->meta->ops->expire(c->meta, now, now - c->conf->session_idle, BATCH, did_out);
}

enum err job_reap(struct core *c, unsigned *did_out)
{
    return c->meta->ops->reap(c->meta, BATCH, did_out);
}

enum err job_checkpoint(struct core *c, unsigned *did_out)
{
    *did_out = 0;
    c->meta->ops->checkpoint(c->meta);
    return E_OK;
}

enum err job_spool(struct core *c, unsigned *did_out)
{
    enum err e = spool_sweep(c->conf, clock_now_ms(c->clock) - DAY_MS, did_out);
    *did_out = 0; /* nothing waits for the next tick */
    return e;
}

/* Marked dying first, in the store; then the bytes; then the row: a crash between any two is finished by the next round. */
enum err job_collect(struct core *c, unsigned *did_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct id *ids;
    size_t n;
    *did_out = 0;
    TRY(c->meta->ops->blobs_dying(c->meta, mem, clock_now_ms(c->clock) - c->conf->gc_grace, BATCH, &ids, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(c->blobs->ops->remove(c->blobs, ids[i]));
        TRY(c->meta->ops->blob_drop(c->meta, ids[i]));
        ++*did_out;
    }
    return E_OK;
}

enum err job_tidy(struct core *c, unsigned *did_out)
{
    *did_out = 0;
    return c->blobs->ops->tidy != NULL ? c->blobs->ops->tidy(c->blobs, did_out) : E_OK;
}

/* Which files have no row? Collected first, acted on after: a round that would take too many takes none. */
struct hunt {
    struct core *c;
    const void *mem;
    int64_t before_ms;
    size_t all, n;
    const char **found;
};

static bool has_row(struct hunt *h, void *mem, const char *name)
{
    struct id id;
    struct blob blob;
    if (id_parse(name, &id) != E_OK)
        return false;
    return h->c->meta->ops->blob_get(h->c->meta, mem, id, &blob) != E_NOT_FOUND; /* in doubt: it has one */
}

static enum err look(void *arg, const char *name, uint64_t size, int64_t modified_ms)
{
    struct hunt *h = arg;
    (void)size;
    h->all++;
    if (modified_ms >= h->before_ms)
        return E_OK;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    if (has_row(h, mem, name))
        return E_OK;
    if ((h->n & (h->n - 1)) == 0)
        h->found = talloc_realloc(h->mem, h->found, const char *, (unsigned)(h->n > 0 ? 2 * h->n : 1));
    h->found[h->n++] = mem_str(h->mem, name);
    return E_OK;
}

enum err job_orphans(struct core *c, unsigned *did_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    int64_t now = clock_now_ms(c->clock);
    struct hunt h = {.c = c, .mem = mem, .before_ms = now - DAY_MS};
    *did_out = 0;
    enum err e = c->blobs->ops->each(c->blobs, look, &h);
    if (e == E_STORE_REFUSED) { /* a permission that is not needed otherwise */
        log_say(LOG_NOTICE, "orphans", "not looked for: the blob store may not be listed (%s)", err_last(e)->detail);
        return E_OK;
    }
    TRY(e);
    size_t most = h.all / 100 > 100 ? h.all / 100 : 100;
    if (h.n > most)
        return err_set(E_DAMAGED, "%zu of %zu files in the blob store have no record; that is too many to be left-overs: "
                                  "is this the right metadata? `coffer fsck` lists them", h.n, h.all);
    for (size_t i = 0; i < h.n; i++) {
        TRY(c->blobs->ops->set_aside(c->blobs, h.found[i]));
        log_say(LOG_NOTICE, "orphans", "%s has no record: moved to lost/", h.found[i]);
        ++*did_out;
    }
    unsigned swept;
    return c->blobs->ops->sweep(c->blobs, now - c->conf->gc_lost, &swept);
}
