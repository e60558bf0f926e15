#include "base/log.h"
#include "base/mem.h"
#include "pool/pool.h"
#include "web/site.h"
#include "web/walk.h"

static enum err serve(const struct worker *worker, const struct site *site, struct fcgi *fcgi)
{
    int64_t served = 0;
    for (;;) {
        bool got;
        TRY(fcgi_accept(fcgi, worker->stop_fd, &got));
        if (!got)
            return E_OK;
        walk_run(site, fcgi);
        fcgi_finish(fcgi);
        if (worker->retire_after > 0 && ++served >= worker->retire_after)
            return E_OK;
    }
}

int web_worker(const struct worker *worker)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct site *site;
    struct fcgi *fcgi;
    enum err e = site_open(mem, worker->conf, worker->shm, worker->role, &site);
    if (e == E_OK)
        e = fcgi_open(mem, worker->listen_fd, &fcgi);
    if (e == E_OK)
        e = serve(worker, site, fcgi);
    if (e != E_OK)
        log_err("worker", e);
    return e == E_OK ? 0 : 1;
}
