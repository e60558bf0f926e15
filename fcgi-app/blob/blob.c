#include "blob/blob.h"

#include <unistd.h>

#include "base/mem.h"
#include "blob/file.h"

enum err blob_open_store(const void *ctx, const struct conf *conf, struct blob_store **out)
{
    return *conf->disk_path ? blob_disk_open(ctx, conf, out) : blob_s3_open(ctx, conf, out);
}

enum err blob_put_many(struct blob_store *s, struct blob_put *rows, size_t n)
{
    if (s->ops->put_many != NULL)
        return s->ops->put_many(s, rows, n);
    for (size_t i = 0; i < n; i++) {
        rows[i].linked = false;
        rows[i].result = s->ops->put(s, rows[i].id, &rows[i].source);
    }
    return E_OK;
}

static enum err to_file(void *arg, const void *bytes, size_t n)
{
    return spool_write(*(int *)arg, bytes, n);
}

enum err blob_open_file(struct blob_store *s, struct id id, int *fd_out, uint64_t *size_out)
{
    if (s->ops->open != NULL)
        return s->ops->open(s, id, fd_out, size_out);
    uint64_t size;
    TRY(s->ops->size(s, id, &size));
    CLEANUP(close_fd) int fd = -1;
    TRY(spool_new(s->conf, &fd));
    if (size > 0)
        TRY(s->ops->read(s, id, 0, size, to_file, &fd));
    if (lseek(fd, 0, SEEK_SET) != 0)
        return file_errno("rewind", "incoming");
    *size_out = size;
    *fd_out = fd;
    fd = -1; /* the caller's now */
    return E_OK;
}
