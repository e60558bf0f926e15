/* Starting a process that belongs to this one: it dies with its parent, and learns from one descriptor that it
 * should stop. */
#pragma once
#include <signal.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/log.h"
#include "conf/conf.h"

struct child_task {
    char name[32];                       /* "api.3": in the log, and as the process's name behind "coffer " */
    enum log_level log_level;
    int keep_fd;                         /* the one descriptor beside 0-2 the child keeps; -1: none */
    int (*run)(const void *arg, int stop_fd); /* its return value is the exit status */
    const void *arg;
};

/* Fork. The parent's end of the stop socket in *stop_out: closing it (or the parent's death) makes the
 * child's stop_fd readable. `mask` is the signal mask of before signals_open. */
enum err child_start(const struct child_task *task, const sigset_t *mask, pid_t *pid_out, int *stop_out) MUST_CHECK;

enum log_level child_log_level(const struct conf *conf); /* server.log_level */

/* What a process that holds secrets does first: no core files, no looking in by others of the same user. */
void process_harden(void);
