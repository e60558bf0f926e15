#include "blob/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    CLAIM_FROM = 1 << 20, /* below, claiming room costs more than noticing late */
    AT_ONCE = 1 << 30,    /* what one system call may move: keeps a worker killable */
    PIECE = 256 << 10,    /* what passes through our memory when the kernel has no way of its own */
};

enum err file_errno(const char *what, const char *name)
{
    switch (errno) {
    case ENOSPC:
    case EDQUOT:
        return err_set(E_DISK_FULL, "%s %s: %m", what, name);
    case ENOENT:
    case ENOTDIR:
    case ESTALE:
        return err_set(E_STORE_DOWN, "%s %s: %m (is the disk mounted? see data.path and store.blobs)", what,
                       name);
    default:
        return err_set(E_IO, "%s %s: %m", what, name);
    }
}

enum err file_read(int fd, uint64_t offset, void *bytes, size_t size)
{
    char *at = bytes;
    while (size > 0) {
        ssize_t n = pread(fd, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_errno("read", "file");
        if (n == 0)
            return err_set(E_DAMAGED, "a file ends %zu bytes early", size);
        at += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return E_OK;
}

static enum err write_all(int to, const char *bytes, uint64_t size)
{
    while (size > 0) {
        ssize_t n = write(to, bytes, size < AT_ONCE ? size : AT_ONCE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_errno("write", "file");
        if (n == 0)
            return err_set(E_IO, "write file: nothing was taken");
        bytes += n;
        size -= (uint64_t)n;
    }
    return E_OK;
}

/* What a kernel or a file system answers that has no such call for this pair of files (EPERM: a container
 * that filters system calls). */
static bool not_here(int error)
{
    return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

/* The kernel's ways to copy: within the file system (by reference where it can), through the page cache. */
typedef ssize_t step_fn(int to, int from, off_t *offset, size_t size);

static ssize_t step_range(int to, int from, off_t *offset, size_t size)
{
    return copy_file_range(from, offset, to, NULL, size, 0);
}

static ssize_t step_sendfile(int to, int from, off_t *offset, size_t size)
{
    return sendfile(to, from, offset, size);
}

/* Copies as far as this way goes; what is left stands in *left afterwards, the next way takes it on. */
static enum err copy_by(step_fn *step, int to, struct blob_source *left)
{
    while (left->size > 0) {
        off_t offset = (off_t)left->offset;
        ssize_t n = step(to, left->fd, &offset, left->size < AT_ONCE ? left->size : AT_ONCE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 || (n < 0 && not_here(errno))) /* 0: the end, or a file system that does not tell sizes */
            return E_OK;
        if (n < 0)
            return file_errno("copy", "file");
        left->offset += (uint64_t)n;
        left->size -= (uint64_t)n;
    }
    return E_OK;
}

static enum err copy_by_hand(int to, struct blob_source *left)
{
    CLEANUP(free_mem) char *piece = left->size > 0 ? mem_array(NULL, char, PIECE) : NULL;
    while (left->size > 0) {
        size_t n = left->size < PIECE ? (size_t)left->size : PIECE;
        enum err e = file_read(left->fd, left->offset, piece, n);
        if (e == E_DAMAGED) /* true of a blob; here it is a source that was promised longer */
            return err_set(E_IO, "copy file: the source ends early");
        TRY(e);
        TRY(write_all(to, piece, n));
        left->offset += n;
        left->size -= n;
    }
    return E_OK;
}

/* Not every file system can promise room; then a full disk is noticed while writing. */
static enum err claim(int to, uint64_t size)
{
    if (size < CLAIM_FROM)
        return E_OK;
    int failed;
    do
        failed = fallocate(to, 0, 0, (off_t)size);
    while (failed && errno == EINTR);
    return failed && !not_here(errno) ? file_errno("claim room for", "file") : E_OK;
}

enum err file_copy(int to, const struct blob_source *source)
{
    struct blob_source left = *source;
    TRY(claim(to, left.size));
    if (left.fd < 0)
        return write_all(to, left.data, left.size);
    TRY(copy_by(step_range, to, &left));
    TRY(copy_by(step_sendfile, to, &left));
    return copy_by_hand(to, &left);
}
