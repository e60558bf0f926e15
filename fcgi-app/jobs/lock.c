#include "jobs/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/mem.h"
#include "blob/file.h"

static enum err taken(const struct conf *conf, enum lock_kind kind)
{
    if (kind == LOCK_WITH_OTHERS)
        return err_say(E_BUSY, "coffer migrate or coffer restore is at work on %s: wait until it is done.", conf->data_path);
    return err_say(E_BUSY, "Coffer is at work on %s: stop it first (systemctl stop coffer), on every machine that uses these stores.",
                   conf->data_path);
}

enum err lock_data(const struct conf *conf, enum lock_kind kind, int *fd_out)
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s/coffer.lock", conf->data_path);
    CLEANUP(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    *fd_out = -1;
    if (fd < 0)
        return errno == ENOENT ? E_OK : file_errno("open", path);
    if (flock(fd, (kind == LOCK_ALONE ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? taken(conf, kind) : file_errno("lock", path);
    *fd_out = fd;
    fd = -1; /* the caller's now */
    return E_OK;
}
