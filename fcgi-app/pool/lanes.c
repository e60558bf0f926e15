#include <stdio.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pool/child.h"
#include "pool/state.h"

/* ---- starting ---- */

struct errand {
    const struct role *role;
    struct worker worker;
};

static int run_role(const void *arg, int stop_fd)
{
    const struct errand *errand = arg;
    struct worker worker = errand->worker;

    worker.stop_fd = stop_fd;
    return errand->role->run(&worker);
}

/* +-10 %, so that workers that were started together do not retire together. */
static int64_t with_jitter(int64_t n)
{
    uint16_t random = 0;
    int64_t tenth = n / 10;

    if (tenth == 0 || getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        return n;
    return n - tenth + (int64_t)((double)(2 * tenth) * random / UINT16_MAX);
}

static enum err start(struct pool *p, struct child *c)
{
    struct errand errand = {
        .role = c->lane->role,
        .worker =
            {
                .conf = p->now.conf,
                .shm = p->shm,
                .role = c->lane->role->name,
                .number = c->number,
                .listen_fd = c->lane->listen_fd,
                .retire_after = with_jitter(p->now.conf->pool_retire),
            },
    };
    struct child_task task = {.log_level = child_log_level(p->now.conf),
                              .keep_fd = c->lane->listen_fd,
                              .run = run_role,
                              .arg = &errand};

    snprintf(task.name, sizeof task.name, "%s.%u", errand.worker.role, c->number);
    return child_start(&task, &p->mask, &c->pid, &c->stop_fd);
}

/* Twice as long with every failure; those that failed together count as one. */
static void back_off(struct lane *lane, int64_t now_ms)
{
    if (now_ms < lane->not_before_ms)
        return;
    lane->backoff_ms = lane->backoff_ms == 0 ? BACKOFF_FIRST_MS : lane->backoff_ms * 2;
    if (lane->backoff_ms > BACKOFF_MOST_MS)
        lane->backoff_ms = BACKOFF_MOST_MS;
    lane->not_before_ms = now_ms + lane->backoff_ms;
}

struct child *lane_start(struct pool *p, struct lane *lane, unsigned number, int64_t now_ms)
{
    struct child *c = mem_new(p->mem, struct child);

    *c =
        (struct child){.lane = lane, .number = number, .generation = p->now.generation, .started_ms = now_ms};
    enum err e = start(p, c);
    if (e != E_OK) {
        log_err("worker", e);
        back_off(lane, now_ms);
        talloc_free(c);
        return NULL;
    }
    c->next = p->children;
    p->children = c;
    return c;
}

/* ---- stopping ---- */

void child_stop(struct child *c, int64_t kill_ms)
{
    if (c->stop_fd >= 0)
        close(c->stop_fd);
    c->stop_fd = -1;
    c->leaving = true;
    c->kill_ms = kill_ms;
}

void lanes_stop_all(struct pool *p, int64_t kill_ms)
{
    for (struct child *c = p->children; c != NULL; c = c->next)
        child_stop(c, kill_ms);
}

static void kill_overdue(struct pool *p, int64_t now_ms)
{
    for (struct child *c = p->children; c != NULL; c = c->next) {
        if (!c->leaving || c->kill_ms == 0 || now_ms < c->kill_ms)
            continue;
        log_say(LOG_WARN, "worker", "%s.%u (process %d) did not finish within %d s and is killed",
                c->lane->role->name, c->number, (int)c->pid, DRAIN_MS / 1000);
        kill(c->pid, SIGKILL);
        c->kill_ms = 0;
        if (p->phase == PHASE_DRAIN)
            p->status = 75;
    }
}

static struct child **find(struct pool *p, pid_t pid)
{
    struct child **at = &p->children;

    while (*at != NULL && (*at)->pid != pid)
        at = &(*at)->next;
    return at;
}

static void log_ended(const struct child *c, int status, int64_t lived_ms)
{
    struct log_line line;
    bool good = c->leaving || (WIFEXITED(status) && WEXITSTATUS(status) == 0);

    log_begin(&line, good ? LOG_DEBUG : LOG_WARN, "worker_end");
    log_str(&line, "role", c->lane->role->name);
    log_int(&line, "number", c->number);
    log_int(&line, "pid", c->pid);
    log_int(&line, WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    log_int(&line, "lived_ms", lived_ms);
    if (c->lane->backoff_ms > 0)
        log_int(&line, "next_start_in_ms", c->lane->backoff_ms);
    log_end(&line);
}

void lanes_ended(struct pool *p, pid_t pid, int status, int64_t now_ms)
{
    struct child **at = find(p, pid), *c = *at;

    if (c == NULL)
        return;
    *at = c->next;
    int64_t lived_ms = now_ms - c->started_ms;
    if (lived_ms >= HEALTHY_MS)
        c->lane->backoff_ms = 0;
    else if (!c->leaving)
        back_off(c->lane, now_ms);
    log_ended(c, status, lived_ms);
    if (c == p->stale)
        p->stale = NULL;
    if (c == p->fresh)
        reload_fresh_died(p);
    if (c->stop_fd >= 0)
        close(c->stop_fd);
    talloc_free(c);
}

/* ---- keeping their number ---- */

void lanes_count(struct pool *p)
{
    for (size_t i = 0; i < p->lanes_n; i++) {
        int64_t want = p->lanes[i].role->count(p->now.conf);
        p->lanes[i].want = want > 0 ? (unsigned)want : 0;
    }
}

/* A role without a socket (the keeper) is alone in what it does: the next one waits until the last is gone.
 */
static bool is_filled(const struct pool *p, const struct lane *lane, unsigned number)
{
    for (const struct child *c = p->children; c != NULL; c = c->next)
        if (c->lane == lane && c->number == number && (!c->leaving || !lane->role->has_socket))
            return true;
    return false;
}

static bool lane_lacks(const struct pool *p, const struct lane *lane, unsigned *number_out)
{
    for (*number_out = 1; *number_out <= lane->want; ++*number_out)
        if (!is_filled(p, lane, *number_out))
            return true;
    return false;
}

static void stop_surplus(struct pool *p)
{
    for (struct child *c = p->children; c != NULL; c = c->next)
        if (!c->leaving && c->number > c->lane->want)
            child_stop(c, 0);
}

void lanes_tend(struct pool *p, int64_t now_ms)
{
    unsigned number;

    kill_overdue(p, now_ms);
    if (p->phase != PHASE_SERVE)
        return;
    stop_surplus(p);
    for (size_t i = 0; i < p->lanes_n; i++) {
        struct lane *lane = &p->lanes[i];
        while (now_ms >= lane->not_before_ms && lane_lacks(p, lane, &number))
            if (lane_start(p, lane, number, now_ms) == NULL)
                break;
    }
}

int64_t lanes_next_ms(const struct pool *p)
{
    int64_t next = INT64_MAX;
    unsigned number;

    for (const struct child *c = p->children; c != NULL; c = c->next)
        if (c->leaving && c->kill_ms > 0 && c->kill_ms < next)
            next = c->kill_ms;
    for (size_t i = 0; p->phase == PHASE_SERVE && i < p->lanes_n; i++) {
        const struct lane *lane = &p->lanes[i];
        if (lane->not_before_ms < next && lane_lacks(p, lane, &number))
            next = lane->not_before_ms;
    }
    return next;
}
