/* The processes: a master that serves nothing, pools of single-threaded workers, one keeper.
 *
 * The pool knows nothing of requests: roles {name, function} are handed in. The master opens (or inherits)
 * the sockets, forks, restarts the dead with back-off, drains on SIGTERM and SIGINT, and on SIGHUP asks
 * `reload` and replaces workers one by one. It never opens a store. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/shm.h"
#include "conf/conf.h"

/* What a worker gets. stop_fd becomes readable when it should finish what it does and return. */
struct worker {
    const struct conf *conf;
    struct shm *shm;
    const char *role;
    unsigned number;
    int listen_fd;          /* -1 for a role without a socket (keeper) */
    int stop_fd;
    int64_t retire_after;   /* requests; 0 = never */
};

struct role {
    const char *name;                        /* socket <server.run>/<name>.sock when has_socket */
    bool has_socket;
    int64_t (*count)(const struct conf *conf);
    int (*run)(const struct worker *w);      /* in the child; the return value is its exit status */
};

struct master {
    const struct role *roles;                /* ended by a row without name */
    /* Load and check the configuration in a child (preflight); called at start and on SIGHUP. */
    enum err (*preflight)(const struct conf *conf);
    enum err (*reload)(const void *ctx, const struct conf **conf_out);
};

/* Runs until told to stop. Returns the exit status: 0 drained, 1 a failed start (already logged), 75 when
 * workers had to be killed at the end of the drain. */
int master_run(const struct master *m, const struct conf *conf);

/* One plain worker on descriptor 0 (spawn-fcgi, mod_fcgid): no master, no keeper. */
int master_run_single(const struct master *m, const struct conf *conf);
