#include "pool/preflight.h"

#include "base/mem.h"

struct check {
    const struct master *master;
    const struct conf *conf;
};

static enum err check(const struct check *c, const void *mem)
{
    const struct conf *conf = c->conf;

    if (conf == NULL)
        TRY(c->master->reload(mem, &conf));
    return c->master->preflight != NULL ? c->master->preflight(conf) : E_OK;
}

static int run_check(const void *arg, int stop_fd)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    enum err e = check(arg, mem);

    (void)stop_fd; /* nothing to finish: who cannot wait kills it */
    if (e != E_OK)
        log_err("preflight", e);
    return e != E_OK;
}

enum err preflight_start(const struct master *m, const struct conf *conf, enum log_level level,
                         const sigset_t *mask, pid_t *pid_out, int *stop_out)
{
    struct check c = {m, conf};
    struct child_task task = {
        .name = "preflight", .log_level = level, .keep_fd = -1, .run = run_check, .arg = &c};

    return child_start(&task, mask, pid_out, stop_out);
}
