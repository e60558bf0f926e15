#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "pool/notify.h"
#include "pool/preflight.h"
#include "pool/state.h"

#define TRIAL_FIRST_MS 300 /* the first worker of a role with a new configuration */
#define TRIAL_MS       20  /* the others: a pause, so that the machine is not busy with starting only */

static void forget(struct settings *s)
{
    talloc_free(s->mem);
    *s = (struct settings){0};
}

static void over(struct pool *p)
{
    p->rolling = false;
    forget(&p->before);
    notify_ready("Serving");
}

void reload_begin(struct pool *p)
{
    p->reload_wanted = false;
    notify_reloading();
    log_say(LOG_NOTICE, "reload", "checking the configuration");
    enum err e = preflight_start(p->master, NULL, child_log_level(p->now.conf), &p->mask, &p->preflight,
                                 &p->preflight_stop_fd);
    if (e != E_OK) {
        log_err("reload", e);
        notify_ready("Serving; the last reload failed");
    }
}

static enum err take_over(struct pool *p)
{
    void *mem = talloc_new(p->mem);
    const struct conf *conf;
    enum err e = p->master->reload(mem, &conf);

    if (e != E_OK) {
        talloc_free(mem);
        return e;
    }
    if (strcmp(conf->server_run, p->now.conf->server_run) != 0)
        log_say(LOG_WARN, "reload",
                "server.run has changed: that takes a restart; the sockets stay where they are");
    p->before = p->now;
    p->now = (struct settings){.conf = conf, .mem = mem, .generation = ++p->generations};
    p->rolling = true;
    lanes_count(p);
    return E_OK;
}

void reload_checked(struct pool *p, bool good)
{
    enum err e = good ? take_over(p) : E_OK;

    if (e != E_OK)
        log_err("reload", e);
    if (!good || e != E_OK) {
        log_say(LOG_ERROR, "reload", "the new configuration is not used; workers go on with the old one");
        notify_ready("Serving; the last reload failed");
    }
}

void reload_fresh_died(struct pool *p)
{
    p->fresh = p->stale = NULL;
    if (p->before.conf == NULL)
        return; /* going back already */
    log_say(LOG_ERROR, "reload", "workers do not live with the new configuration; going back to the old one");
    struct settings failed = p->now;
    p->now = p->before;
    p->before = (struct settings){0};
    forget(&failed);
    lanes_count(p);
}

static struct child *outdated(const struct pool *p)
{
    for (struct child *c = p->children; c != NULL; c = c->next)
        if (!c->leaving && c->generation != p->now.generation)
            return c;
    return NULL;
}

static void replace(struct pool *p, struct child *c, int64_t now_ms)
{
    struct lane *lane = c->lane;

    if (!lane->role->has_socket) {
        child_stop(c, now_ms + DRAIN_MS); /* lanes_tend starts the next one when this is gone */
        return;
    }
    p->fresh = lane_start(p, lane, c->number, now_ms);
    p->stale = p->fresh != NULL ? c : NULL;
    p->trial_ms = now_ms + (lane->proven == p->now.generation ? TRIAL_MS : TRIAL_FIRST_MS);
}

/* The old worker ends what it does, however long that takes; the new one has the queue meanwhile. */
static void trial_passed(struct pool *p)
{
    p->fresh->lane->proven = p->now.generation;
    if (p->stale != NULL)
        child_stop(p->stale, 0);
    p->fresh = p->stale = NULL;
}

void reload_step(struct pool *p, int64_t now_ms)
{
    if (!p->rolling)
        return;
    if (p->fresh != NULL) {
        if (now_ms < p->trial_ms)
            return;
        trial_passed(p);
    }
    for (struct child *c; p->fresh == NULL && (c = outdated(p)) != NULL;) {
        if (now_ms < c->lane->not_before_ms)
            return;
        replace(p, c, now_ms);
    }
    if (p->fresh == NULL) {
        log_say(LOG_NOTICE, "reload",
                p->before.conf != NULL ? "every worker has the new configuration"
                                       : "every worker has the old configuration again");
        over(p);
    }
}

int64_t reload_next_ms(const struct pool *p)
{
    if (p->fresh != NULL)
        return p->trial_ms;
    const struct child *c = p->rolling ? outdated(p) : NULL;
    return c != NULL ? c->lane->not_before_ms : INT64_MAX;
}
