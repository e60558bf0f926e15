#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/doctor.h"
#include "jobs/jobs.h"
#include "jobs/lock.h"
#include "pool/pool.h"
#include "web/site.h"

enum { AGAIN_MS = 500 };

static int64_t count_api(const struct conf *conf)
{
    return conf->pool_api;
}

static int64_t count_login(const struct conf *conf)
{
    int64_t cores = sysconf(_SC_NPROCESSORS_ONLN);
    return conf->pool_login > 0 ? conf->pool_login : cores > 0 ? cores : 1;
}

static int64_t count_bulk(const struct conf *conf)
{
    return conf->pool_bulk;
}

static int64_t count_one(const struct conf *conf)
{
    (void)conf;
    return 1;
}

/* Each process that opens the stores holds the data folder by itself, until it ends: at the very first start there was none
 * that the master could have held. */
static int holding(const struct worker *worker, int (*run)(const struct worker *w))
{
    CLEANUP(close_fd) int lock = -1;
    enum err e = lock_data(worker->conf, LOCK_WITH_OTHERS, &lock);
    if (e == E_OK)
        return run(worker);
    log_err("worker", e);
    return 1;
}

static int web_holding(const struct worker *worker)
{
    return holding(worker, web_worker);
}

static int keeper_holding(const struct worker *worker)
{
    return holding(worker, keeper_run);
}

static const struct role roles[] = {
    {"api", true, count_api, web_holding},
    {"login", true, count_login, web_holding},
    {"bulk", true, count_bulk, web_holding},
    {"keeper", false, count_one, keeper_holding},
    {0},
};

/* Stores on other machines may start after this one does: there is patience for them, and for nothing else. */
static enum err prepare_patiently(const struct conf *conf)
{
    int64_t until = clock_monotonic_ms() + conf->store_wait;
    bool said = false;
    enum err e;
    while ((e = core_prepare(conf)) == E_STORE_DOWN && clock_monotonic_ms() < until) {
        if (!said)
            log_say(LOG_WARN, "preflight", "%s; trying again for %lld s (store.wait)", err_last(e)->detail, (long long)(conf->store_wait / 1000));
        said = true;
        poll(NULL, 0, AGAIN_MS);
    }
    return e;
}

/* Schema, folders, store marks and the front's key, then a trial opening of all that workers open: what they would trip over is
 * found here once, before the first of them. It runs in a child of the master, which ends it when it is itself asked to end. */
static enum err preflight(const struct conf *conf)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const char *key;
    struct site *site;
    TRY(doctor_quick(conf, DOCTOR_FIRST));
    TRY(prepare_patiently(conf));
    TRY(front_key(mem, conf, true, &key));
    TRY(doctor_quick(conf, DOCTOR_START));
    return site_open(mem, conf, NULL, "preflight", &site);
}

static const char *conf_file; /* for reload: the master is told nothing else of the command line */

static enum err reload(const void *ctx, const struct conf **conf_out)
{
    return conf_load(ctx, conf_file, conf_out);
}

int cmd_serve(struct app *app, int argc, char **argv)
{
    static const struct master master = {.roles = roles, .preflight = preflight, .reload = reload};
    CLEANUP(close_fd) int lock = -1;
    bool single = false;
    if (!command_options(&argc, argv, (struct option_row[]){{"--single", &single, NULL}, {0}}) || argc > 1)
        return command_usage("serve");
    enum err e = lock_data(app->conf, LOCK_WITH_OTHERS, &lock);
    if (e != E_OK)
        return command_fail("serve", e);
    conf_file = app->conf_file;
    return single ? master_run_single(&master, app->conf) : master_run(&master, app->conf);
}

int cmd_keeper(struct app *app, int argc, char **argv)
{
    bool once = false;
    unsigned did;
    if (!command_options(&argc, argv, (struct option_row[]){{"--once", &once, NULL}, {0}}) || argc > 1 || !once)
        return command_usage("keeper");
    enum err e = app_core(app);
    if (e == E_OK)
        e = jobs_once(app->core, &did);
    return e == E_OK ? 0 : command_fail("keeper", e);
}
