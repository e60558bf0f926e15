/* The check before the first worker and before a new configuration, in a child: a store must not be open on
 * both sides of a fork, and whatever the check opens or trips over is gone with the process. */
#pragma once
#include "pool/child.h"
#include "pool/pool.h"

/* Start it for `conf`; NULL: for what `reload` loads now. Exits 0 when good; else it has logged why. */
enum err preflight_start(const struct master *m, const struct conf *conf, enum log_level level, const sigset_t *mask,
                         pid_t *pid_out, int *stop_out) MUST_CHECK;
