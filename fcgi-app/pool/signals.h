/* Signals: the master reads them from a descriptor, between two steps and never in the middle of one; a worker
 * only learns that it should stop. */
#pragma once
#include <signal.h>

#include "base/err.h"

/* Block what the master cares for (TERM, INT, QUIT, HUP, CHLD) and give a descriptor to read it from.
 * *before_out is the mask to give back to children, and to the process at the end. */
enum err signals_open(int *fd_out, sigset_t *before_out) MUST_CHECK;

/* The next signal that has come, 0 for none. */
int signals_next(int fd);

/* In a child: the mask back; TERM makes stop_fd (a socket) readable; what the terminal sends to the whole
 * group (INT, QUIT, HUP) is the master's business and ignored. */
void signals_worker(const sigset_t *mask, int stop_fd);

/* As the only process: TERM, INT, QUIT and USR1 (mod_fcgid, Apache) make stop_fd readable. */
void signals_single(int stop_fd);
