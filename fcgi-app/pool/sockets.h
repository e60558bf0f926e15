/* The folder of the sockets (server.run) and what listens in it. */
#pragma once
#include <stdbool.h>

#include "base/err.h"

/* Make the folder (0750) when it is not there, check that it is ours, and lock it: one master per folder.
 * The lock lives as long as the descriptor and the process; a child does not hold it. <folder>/coffer.pid
 * has the holder's process id. E_CONF names the process that holds it already. */
enum err run_folder_lock(const char *folder, int *lock_fd_out) MUST_CHECK;

/* A listening socket <folder>/<name>.sock, 0660. Takes the place of what a dead master left, in one step:
 * the name is never missing in between. E_CONF when something else than a socket is in the way. */
enum err socket_listen(const char *folder, const char *name, int *fd_out) MUST_CHECK;
void socket_remove(const char *folder, const char *name);

/* What systemd hands over (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES): the listening socket
 * with that FileDescriptorName. *fd_out is -1 when nothing was handed to this process at all; E_CONF when
 * sockets were, but not this one. Forget the variables with sockets_inherited_done. */
enum err socket_inherited(const char *name, int *fd_out) MUST_CHECK;
void sockets_inherited_done(void);

bool socket_listens(int fd);
