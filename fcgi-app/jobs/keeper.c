#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "jobs/jobs.h"
#include "pool/pool.h"

#define TICK_MS 500

/* What the keeper does, and how often. A job that did something runs again at the next tick. */
static const struct job {
    const char *name;
    int64_t every_ms;
    enum err (*run)(struct core *c, unsigned *did_out);
} jobs[] = {
    {"spool", 500, job_spool},
    {"reap", 1000, job_reap},
    {"hash", 2000, job_hash},
    {"expire", 60000, job_expire},
    {"collect", 60000, job_collect},
    {"tidy", 60000, job_tidy},
    {"checkpoint", 1000, job_checkpoint},
    {"orphans", 24 * 3600 * 1000, job_orphans},
};
#define JOBS (sizeof jobs / sizeof *jobs)

enum err jobs_once(struct core *c, unsigned *did_out)
{
    *did_out = 0;
    for (size_t i = 0; i < JOBS; i++) {
        unsigned did;
        TRY(jobs[i].run(c, &did));
        *did_out += did;
    }
    return E_OK;
}

static bool told_to_stop(int stop_fd, int wait_ms)
{
    struct pollfd p = {.fd = stop_fd, .events = POLLIN};
    return poll(&p, 1, wait_ms) > 0;
}

static void tick(struct core *c, int64_t next_ms[JOBS], int stop_fd)
{
    for (size_t i = 0; i < JOBS && !told_to_stop(stop_fd, 0); i++) {
        int64_t now = clock_monotonic_ms();
        unsigned did = 0;
        if (now < next_ms[i])
            continue;
        enum err e = jobs[i].run(c, &did);
        if (e != E_OK)
            log_err(jobs[i].name, e);
        next_ms[i] = e == E_OK && did > 0 ? now : clock_monotonic_ms() + jobs[i].every_ms;
    }
}

/* The first look for orphans waits: right after a start there is better to do. */
static void keep(const struct worker *worker, struct core *c)
{
    int64_t next_ms[JOBS] = {0};
    next_ms[JOBS - 1] = clock_monotonic_ms() + 10 * 60 * 1000;
    while (!told_to_stop(worker->stop_fd, TICK_MS)) {
        tick(c, next_ms, worker->stop_fd);
        if (worker->shm != NULL)
            atomic_store(&worker->shm->keeper_seen_ms, clock_now_ms(c->clock));
    }
}

int keeper_run(const struct worker *worker)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct core *c;
    enum err e = core_open(mem, worker->conf, worker->shm, &clock_real, &c);
    if (e != E_OK) {
        log_err("keeper", e);
        return 1;
    }
    c->stop_fd = worker->stop_fd;
    keep(worker, c);
    return 0;
}
