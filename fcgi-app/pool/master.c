/* The master's loop: wait for a signal or a time, deal with it, look after the lanes. It forks and waits and
 * does nothing else that could fail or block. */
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pool/child.h"
#include "pool/notify.h"
#include "pool/preflight.h"
#include "pool/signals.h"
#include "pool/sockets.h"
#include "pool/state.h"

/* ---- opening and closing ---- */

static enum err lane_open(const struct pool *p, struct lane *lane)
{
    if (!lane->role->has_socket)
        return E_OK;
    TRY(socket_inherited(lane->role->name, &lane->listen_fd));
    if (lane->listen_fd >= 0)
        return E_OK;
    TRY(socket_listen(p->now.conf->server_run, lane->role->name, &lane->listen_fd));
    lane->own_socket = true;
    return E_OK;
}

static enum err lanes_open(struct pool *p)
{
    for (size_t i = 0; i < p->lanes_n; i++)
        TRY(lane_open(p, &p->lanes[i]));
    sockets_inherited_done();
    return E_OK;
}

static void lanes_close(struct pool *p, const char *folder)
{
    for (size_t i = 0; i < p->lanes_n; i++) {
        struct lane *lane = &p->lanes[i];
        if (lane->own_socket)
            socket_remove(folder, lane->role->name);
        if (lane->listen_fd >= 0)
            close(lane->listen_fd);
    }
}

static void lanes_make(struct pool *p)
{
    while (p->master->roles[p->lanes_n].name != NULL)
        p->lanes_n++;
    p->lanes = mem_array(p->mem, struct lane, p->lanes_n);
    for (size_t i = 0; i < p->lanes_n; i++)
        p->lanes[i] = (struct lane){.role = &p->master->roles[i], .listen_fd = -1};
}

static enum err pool_open(struct pool *p)
{
    lanes_make(p);
    notify_open();
    TRY(run_folder_lock(p->now.conf->server_run, &p->lock_fd));
    TRY(signals_open(&p->signal_fd, &p->mask));
    return preflight_start(p->master, p->now.conf, child_log_level(p->now.conf), &p->mask, &p->preflight,
                           &p->preflight_stop_fd);
}

static void pool_close(struct pool *p, const char *folder)
{
    lanes_close(p, folder);
    if (p->signal_fd >= 0) {
        close(p->signal_fd);
        sigprocmask(SIG_SETMASK, &p->mask, NULL);
    }
    if (p->lock_fd >= 0)
        close(p->lock_fd); /* last: until here nobody else may make sockets in the folder */
    talloc_free(p->mem);
}

/* ---- events ---- */

static enum err begin_serving(struct pool *p)
{
    TRY(lanes_open(p));
    p->shm = shm_new();
    p->phase = PHASE_SERVE;
    lanes_count(p);
    lanes_tend(p, clock_monotonic_ms());
    log_say(LOG_NOTICE, "start", "serving in %s", p->now.conf->server_run);
    notify_ready("Serving");
    return E_OK;
}

static void give_up(struct pool *p)
{
    p->status = 1;
    p->phase = PHASE_OVER;
}

static void preflight_ended(struct pool *p, int status)
{
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    close(p->preflight_stop_fd);
    p->preflight = 0;
    if (WIFSIGNALED(status) && p->phase != PHASE_DRAIN)
        log_say(LOG_ERROR, "preflight", "the check of the configuration was ended by signal %d",
                WTERMSIG(status));
    if (p->phase == PHASE_SERVE)
        reload_checked(p, good);
    if (p->phase != PHASE_CHECK)
        return;
    enum err e = good ? begin_serving(p) : E_OK;
    if (e != E_OK)
        log_err("start", e);
    if (!good || e != E_OK)
        give_up(p);
}

static void reap(struct pool *p)
{
    int status;

    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid == p->preflight)
            preflight_ended(p, status);
        else
            lanes_ended(p, pid, status, clock_monotonic_ms());
    }
}

static void drain(struct pool *p, int number)
{
    if (p->phase == PHASE_DRAIN)
        return; /* a terminal's INT and the TERM of whoever started us often come together */
    log_say(LOG_NOTICE, "stop", "signal %d: finishing what is under way", number);
    notify_stopping();
    p->phase = PHASE_DRAIN;
    p->rolling = false;
    p->fresh = p->stale = NULL;
    if (p->preflight > 0)
        kill(p->preflight, SIGKILL);
    lanes_stop_all(p, clock_monotonic_ms() + DRAIN_MS);
}

static void on_signal(struct pool *p, int number)
{
    if (number == SIGCHLD)
        reap(p);
    else if (number == SIGHUP)
        p->reload_wanted = true;
    else
        drain(p, number);
}

/* ---- the loop ---- */

static void wait_for_event(const struct pool *p)
{
    struct pollfd fd = {.fd = p->signal_fd, .events = POLLIN};
    int64_t now = clock_monotonic_ms(), lanes = lanes_next_ms(p), reload = reload_next_ms(p);
    int64_t next = lanes < reload ? lanes : reload, wait = next - now;

    poll(&fd, 1, next == INT64_MAX ? -1 : wait < 0 ? 0 : wait < 60000 ? (int)wait : 60000);
}

static void loop(struct pool *p)
{
    while (p->phase != PHASE_OVER) {
        wait_for_event(p);
        for (int number; p->phase != PHASE_OVER && (number = signals_next(p->signal_fd)) != 0;)
            on_signal(p, number);
        if (p->phase == PHASE_SERVE && p->reload_wanted && p->preflight == 0 && !p->rolling)
            reload_begin(p);
        int64_t now = clock_monotonic_ms();
        reload_step(p, now);
        lanes_tend(p, now);
        if (p->phase == PHASE_DRAIN && p->children == NULL && p->preflight == 0)
            p->phase = PHASE_OVER;
    }
}

int master_run(const struct master *m, const struct conf *conf)
{
    struct pool p = {
        .mem = talloc_new(NULL),
        .master = m,
        .now = {.conf = conf, .generation = 1},
        .generations = 1,
        .lock_fd = -1,
        .signal_fd = -1,
    };

    log_setup(child_log_level(conf), "master");
    enum err e = pool_open(&p);
    if (e == E_OK)
        loop(&p);
    else
        log_err("start", e);
    int status = e == E_OK ? p.status : 1;
    if (status != 1)
        log_say(LOG_NOTICE, "stop", status == 0 ? "stopped" : "stopped; some workers had to be killed");
    pool_close(&p, conf->server_run);
    return status;
}
