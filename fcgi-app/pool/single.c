/* One plain worker for process managers (spawn-fcgi, mod_fcgid): they listen, start and restart. */
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "pool/child.h"
#include "pool/pool.h"
#include "pool/preflight.h"
#include "pool/signals.h"
#include "pool/sockets.h"

static enum err check(const struct master *m, const struct conf *conf)
{
    sigset_t mask;
    pid_t pid;
    int stop, status;

    sigprocmask(SIG_SETMASK, NULL, &mask);
    TRY(preflight_start(m, conf, child_log_level(conf), &mask, &pid, &stop));
    pid_t ended = waitpid(pid, &status, 0);
    close(stop);
    if (ended != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(E_CONF, "the check of the configuration failed");
    return E_OK;
}

/* The role with the most patience: it also moves bytes, which any request may ask for. */
static const struct role *widest(const struct role *roles)
{
    const struct role *found = NULL;

    for (; roles->name != NULL; roles++)
        if (roles->has_socket)
            found = roles;
    return found;
}

static enum err serve(const struct master *m, const struct conf *conf, int *status_out)
{
    const struct role *role = widest(m->roles);
    int ends[2];

    if (role == NULL || !socket_listens(STDIN_FILENO))
        return err_set(E_CONF,
                       "descriptor 0 is not a listening socket: a FastCGI process manager starts this "
                       "command; by hand, use coffer serve without --single");
    TRY(check(m, conf));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(E_IO, "socketpair: %m");
    signals_single(ends[1]);
    process_harden();
    struct worker worker = {.conf = conf,
                            .shm = shm_new(),
                            .role = role->name,
                            .number = 1,
                            .listen_fd = STDIN_FILENO,
                            .stop_fd = ends[1]};
    *status_out = role->run(&worker);
    close(ends[0]);
    close(ends[1]);
    return E_OK;
}

int master_run_single(const struct master *m, const struct conf *conf)
{
    int status = 1;

    log_setup(child_log_level(conf), "single");
    enum err e = serve(m, conf, &status);
    if (e != E_OK)
        log_err("start", e);
    return status;
}
