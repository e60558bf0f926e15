#include "pool/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define BACKLOG         1024 /* a full one is an instant 502 */
#define FIRST_INHERITED 3    /* SD_LISTEN_FDS_START */
#define PID_FILE        "coffer.pid"

/* ---- the folder ---- */

static enum err check_folder(const char *folder, int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return err_set(E_IO, "%s: %m", folder);
    if (st.st_uid != geteuid())
        return err_set(
            E_CONF,
            "server.run: %s belongs to user id %u, but Coffer runs as %u: chown it, or name another folder",
            folder, (unsigned)st.st_uid, (unsigned)geteuid());
    if ((st.st_mode & 0027) != 0 && fchmod(fd, 0750) != 0)
        return err_set(E_IO, "chmod 0750 %s: %m", folder);
    return E_OK;
}

static enum err lock_refused(const char *folder, int fd)
{
    struct flock other = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (errno != EACCES && errno != EAGAIN)
        return err_set(E_IO, "lock %s/" PID_FILE ": %m", folder);
    if (fcntl(fd, F_GETLK, &other) == 0 && other.l_type != F_UNLCK && other.l_pid > 0)
        return err_set(E_CONF,
                       "process %d serves %s already: stop it first, or set server.run to another folder",
                       (int)other.l_pid, folder);
    return err_set(E_CONF,
                   "another process serves %s already: stop it first, or set server.run to another folder",
                   folder);
}

/* A lock of the process (not of the open file): children do not inherit it, so it ends with the master even
 * where a worker outlives it, and the kernel tells who holds it. */
static enum err lock_file(const char *folder, int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_SETLK, &lock) != 0)
        return lock_refused(folder, fd);
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
        return err_set(E_IO, "%s/" PID_FILE ": %m", folder);
    return E_OK;
}

enum err run_folder_lock(const char *folder, int *lock_fd_out)
{
    if (mkdir(folder, 0750) != 0 && errno != EEXIST)
        return err_set(E_CONF, "server.run: cannot make %s: %m", folder);
    CLEANUP(close_fd) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_set(E_CONF, "server.run: %s: %m", folder);
    TRY(check_folder(folder, dir));
    int fd = openat(dir, PID_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set(E_IO, "%s/" PID_FILE ": %m", folder);
    enum err e = lock_file(folder, fd);
    if (e != E_OK)
        close(fd);
    else
        *lock_fd_out = fd;
    return e;
}

/* ---- sockets of our own ---- */

static enum err socket_address(const char *folder, const char *name, const char *suffix,
                               struct sockaddr_un *address_out)
{
    *address_out = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n =
        snprintf(address_out->sun_path, sizeof address_out->sun_path, "%s/%s.sock%s", folder, name, suffix);
    if (n < 0 || (size_t)n >= sizeof address_out->sun_path)
        return err_set(E_CONF, "server.run: %s is too long a path for sockets", folder);
    return E_OK;
}

static enum err bind_and_listen(int fd, const struct sockaddr_un *address)
{
    mode_t before = umask(0117); /* the file is made 0660, not made and then changed */
    int failed = bind(fd, (const struct sockaddr *)address, sizeof *address);
    umask(before);
    if (failed)
        return err_set(E_IO, "bind %s: %m", address->sun_path);
    if (listen(fd, BACKLOG) != 0)
        return err_set(E_IO, "listen %s: %m", address->sun_path);
    return E_OK;
}

static enum err socket_place(int fd, const struct sockaddr_un *aside, const struct sockaddr_un *address)
{
    struct stat st;

    if (lstat(address->sun_path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return err_set(E_CONF, "%s is in the way and not a socket: move it away", address->sun_path);
    if (unlink(aside->sun_path) != 0 && errno != ENOENT)
        return err_set(E_IO, "unlink %s: %m", aside->sun_path);
    TRY(bind_and_listen(fd, aside));
    if (rename(aside->sun_path, address->sun_path) != 0)
        return err_set(E_IO, "rename to %s: %m", address->sun_path);
    return E_OK;
}

enum err socket_listen(const char *folder, const char *name, int *fd_out)
{
    struct sockaddr_un address, aside;

    TRY(socket_address(folder, name, "", &address));
    TRY(socket_address(folder, name, ".new", &aside));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set(E_IO, "socket: %m");
    enum err e = socket_place(fd, &aside, &address);
    if (e != E_OK)
        close(fd);
    else
        *fd_out = fd;
    return e;
}

void socket_remove(const char *folder, const char *name)
{
    struct sockaddr_un address;

    if (socket_address(folder, name, "", &address) == E_OK)
        unlink(address.sun_path);
}

/* ---- sockets handed over ---- */

bool socket_listens(int fd)
{
    int listening = 0;
    socklen_t len = sizeof listening;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

/* How many descriptors were handed to this very process; 0 for none. */
static unsigned inherited_count(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    uint64_t number;

    if (pid == NULL || count == NULL || parse_u64(pid, 1, INT32_MAX, &number) != E_OK ||
        number != (uint64_t)getpid())
        return 0;
    return parse_u64(count, 1, 1024, &number) == E_OK ? (unsigned)number : 0;
}

/* The place of `name` among the names joined by colons; `count` when it is not there. */
static unsigned name_index(const char *names, const char *name, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        size_t len = strcspn(names, ":");
        if (len == strlen(name) && strncmp(names, name, len) == 0)
            return i;
        names += len + (names[len] == ':');
    }
    return count;
}

enum err socket_inherited(const char *name, int *fd_out)
{
    const char *names = getenv("LISTEN_FDNAMES");
    unsigned count = inherited_count();

    *fd_out = -1;
    if (count == 0)
        return E_OK;
    unsigned index = name_index(names != NULL ? names : "", name, count);
    if (index == count)
        return err_set(E_CONF,
                       "no socket named %s was handed over: the socket unit needs FileDescriptorName=%s",
                       name, name);
    int fd = FIRST_INHERITED + (int)index;
    if (!socket_listens(fd))
        return err_set(E_CONF, "descriptor %d, handed over as %s, is not a listening socket", fd, name);
    *fd_out = fd;
    return E_OK;
}

void sockets_inherited_done(void)
{
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}
