/* Bodies that come through us because the web server cannot store them, and how much the spool holds. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "blob/blob.h"
#include "blob/file.h"

enum err spool_new(const struct conf *conf, int *fd_out)
{
    CLEANUP(close_fd) int folder = -1;
    TRY(spool_folder(conf, &folder));
    int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return file_errno("make an unnamed file in", "incoming");
    *fd_out = fd;
    return E_OK;
}

enum err spool_write(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;
    while (n > 0) {
        ssize_t wrote = write(fd, p, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return file_errno("write", "incoming");
        p += wrote;
        n -= (size_t)wrote;
    }
    return E_OK;
}

static enum err add_size(void *arg, int folder, const char *name, const struct stat *st)
{
    uint64_t *sum = arg;
    (void)folder, (void)name;
    if (S_ISREG(st->st_mode))
        *sum += (uint64_t)st->st_size;
    return E_OK;
}

enum err spool_used(const struct conf *conf, uint64_t *bytes_out)
{
    CLEANUP(close_fd) int folder = -1;
    *bytes_out = 0;
    TRY(spool_folder(conf, &folder));
    return folder_each(folder, add_size, bytes_out);
}
