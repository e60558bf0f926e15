#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "jobs/jobs.h"
#include "pool/pool.h"

#define TICK_MS 500

#define TURN_MS 30000   /* after which another host's keeper goes on when this one is gone */
#define TURN_RENEW_MS 10000

/* What the keeper does, and how often. A job that did something runs again at the next tick. */
static const struct job {
    const char *name;
    int64_t every_ms;
    enum err (*run)(struct core *c, unsigned *did_out);
    enum { HERE, ONCE } where; /* on every host, or on one of those that share the metadata */
} jobs[] = {
    {"spool", 500, job_spool, HERE},
    {"reap", 1000, job_reap, ONCE},
    {"hash", 2000, job_hash, ONCE},
    {"expire", 60000, job_expire, ONCE},
    {"collect", 60000, job_collect, ONCE},
    {"tidy", 60000, job_tidy, HERE},
    {"checkpoint", 1000, job_checkpoint, HERE},
    {"orphans", 24 * 3600 * 1000, job_orphans, ONCE},
};
#define JOBS (sizeof jobs / sizeof *jobs)

struct keeper {
    struct core *c;
    int stop_fd;
    int64_t next_ms[JOBS];
    struct id me; /* in the metadata, when it is this host's turn */
    bool turn;
    int64_t ask_ms;
};

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

/* While the store cannot be asked, nobody has the turn: what needs it needs the store, too. */
static bool our_turn(struct keeper *k)
{
    struct meta *m = k->c->meta;
    if (m->ops->keeper_take == NULL)
        return true;
    if (clock_monotonic_ms() < k->ask_ms)
        return k->turn;
    enum err e = m->ops->keeper_take(m, k->me, TURN_MS, &k->turn);
    if (e != E_OK) {
        log_err("turn", e);
        k->turn = false;
    }
    k->ask_ms = clock_monotonic_ms() + (e == E_OK ? TURN_RENEW_MS : TICK_MS);
    return k->turn;
}

/* An orderly end lets the next one begin at once. */
static void end_turn(struct keeper *k)
{
    struct meta *m = k->c->meta;
    if (k->turn && m->ops->keeper_end(m, k->me) != E_OK)
        log_say(LOG_INFO, "keeper", "its turn ends by itself, in %d s", TURN_MS / 1000);
}

enum err keepers_rest(struct meta *m)
{
    const struct id me = id_new();
    bool mine;
    if (m->ops->keeper_take == NULL)
        return E_OK;
    TRY(m->ops->keeper_take(m, me, TURN_MS, &mine));
    if (!mine)
        return err_say(E_BUSY, "Coffer runs with these records on another machine, or was killed less than %d s ago: stop it everywhere, then "
                               "run this again.", TURN_MS / 1000);
    return m->ops->keeper_end(m, me);
}

static void tick(struct keeper *k)
{
    for (size_t i = 0; i < JOBS && !told_to_stop(k->stop_fd, 0); i++) {
        int64_t now = clock_monotonic_ms();
        unsigned did = 0;
        if (now < k->next_ms[i] || (jobs[i].where == ONCE && !our_turn(k)))
            continue;
        enum err e = jobs[i].run(k->c, &did);
        if (e != E_OK)
            log_err(jobs[i].name, e);
        k->next_ms[i] = e == E_OK && did > 0 ? now : clock_monotonic_ms() + jobs[i].every_ms;
    }
}

/* The first look for orphans waits: right after a start there is better to do. */
static void keep(const struct worker *worker, struct core *c)
{
    struct keeper k = {.c = c, .stop_fd = worker->stop_fd, .me = id_new()};
    k.next_ms[JOBS - 1] = clock_monotonic_ms() + 10 * 60 * 1000;
    while (!told_to_stop(worker->stop_fd, TICK_MS)) {
        tick(&k);
        if (worker->shm != NULL)
            atomic_store(&worker->shm->keeper_seen_ms, clock_now_ms(c->clock));
    }
    end_turn(&k);
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
