#include "blob/blob_disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "blob/file.h"

enum { PIECE = 256 << 10 }; /* handed over at once; larger is not faster, and a worker is to stay small */

enum err disk_root(struct disk *d)
{
    if (d->root < 0) /* not by folder_open: the administrator may have made the blob folder a link */
        d->root = open(d->store.conf->disk_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->root < 0)
        return file_errno("open folder", d->store.conf->disk_path);
    return E_OK;
}

enum err disk_shard(struct disk *d, unsigned number, int *folder_out)
{
    assert(number < DISK_SHARDS);
    char name[16];
    snprintf(name, sizeof name, "%02x", number);
    TRY(disk_root(d));
    return folder_open(d->root, name, folder_out);
}

enum err disk_shard_of(struct disk *d, struct id id, int *folder_out)
{
    assert(id_is(id));
    return disk_shard(d, disk_shard_number(id.s), folder_out);
}

/* ---- a file in the making: it has no name in the store before its last byte is durable ---- */

void draft_close(struct draft *draft)
{
    if (draft->incoming >= 0)
        unlinkat(draft->incoming, draft->name, 0);
    close_fd(&draft->fd);
    close_fd(&draft->incoming);
}

/* For file systems without nameless files. What a crash leaves there, spool_sweep removes. */
static enum err draft_open_named(struct disk *d, struct draft *draft)
{
    TRY(folder_open(AT_FDCWD, d->incoming, &draft->incoming));
    snprintf(draft->name, sizeof draft->name, "put.%s", id_new().s);
    draft->fd =
        openat(draft->incoming, draft->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return draft->fd < 0 ? file_errno("make a file in", d->incoming) : E_OK;
}

enum err draft_open(struct disk *d, int folder, struct draft *draft)
{
    draft->fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (draft->fd >= 0)
        return E_OK;
    if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
        return draft_open_named(d, draft);
    return file_errno("make a file in", "blob folder");
}

int link_by_fd(int folder, const char *name, int fd)
{
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, folder, name, AT_SYMLINK_FOLLOW);
}

enum err link_failed(const char *name)
{
    switch (errno) {
    case ENOENT: /* not the folder, that is open */
        return err_set(E_IO, "link %s: %m (is /proc mounted?)", name);
    case EPERM:
        return err_set(E_IO, "link %s: %m (does the file system have hard links?)", name);
    default:
        return file_errno("link", name);
    }
}

/* A name that may not be durable is taken back: the caller is told that nothing was stored. */
static enum err linked(int folder, const char *name)
{
    enum err e = folder_sync(folder, name);
    if (e != E_OK)
        unlinkat(folder, name, 0);
    return e;
}

enum err disk_new_file(struct disk *d, int folder, const char *name, const struct blob_source *source)
{
    CLEANUP(draft_close) struct draft draft = DRAFT_NONE;
    TRY(draft_open(d, folder, &draft));
    TRY(file_copy(draft.fd, source));
    if (fdatasync(draft.fd) != 0)
        return file_errno("fdatasync", name);
    if (link_by_fd(folder, name, draft.fd) != 0)
        return link_failed(name);
    return linked(folder, name);
}

/* ---- the verbs of one blob ---- */

static enum err disk_put(struct blob_store *s, struct id id, const struct blob_source *source)
{
    struct disk *d = disk_of(s);
    CLEANUP(close_fd) int folder = -1;
    TRY(disk_shard_of(d, id, &folder));
    return disk_new_file(d, folder, id.s, source);
}

static enum err disk_adopt(struct blob_store *s, struct id id, int fd)
{
    struct disk *d = disk_of(s);
    CLEANUP(close_fd) int folder = -1;
    TRY(disk_shard_of(d, id, &folder));
    if (fdatasync(fd) != 0)
        return file_errno("fdatasync the upload for", id.s);
    if (link_by_fd(folder, id.s, fd) == 0)
        return linked(folder, id.s);
    if (errno != EXDEV)
        return link_failed(id.s);

    /* Another disk, or the same one mounted twice (as systemd does for ReadWritePaths): slower, not wrong. */
    struct stat st;
    if (fstat(fd, &st) != 0)
        return file_errno("stat the upload for", id.s);
    const struct blob_source source = {.fd = fd, .size = (uint64_t)st.st_size};
    return disk_new_file(d, folder, id.s, &source);
}

static enum err disk_open(struct blob_store *s, struct id id, int *fd_out, uint64_t *size_out)
{
    CLEANUP(close_fd) int folder = -1;
    struct stat st;
    TRY(disk_shard_of(disk_of(s), id, &folder));
    CLEANUP(close_fd) int fd = openat(folder, id.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return err_set(E_NOT_FOUND, "no blob %s", id.s);
    if (fd < 0 || fstat(fd, &st) != 0)
        return file_errno("open", id.s);
    if (!S_ISREG(st.st_mode))
        return err_set(E_DAMAGED, "blob %s is not a file", id.s);
    *fd_out = fd;
    *size_out = (uint64_t)st.st_size;
    fd = -1; /* the caller's now */
    return E_OK;
}

static enum err disk_size(struct blob_store *s, struct id id, uint64_t *size_out)
{
    CLEANUP(close_fd) int fd = -1;
    return disk_open(s, id, &fd, size_out);
}

static enum err disk_read(struct blob_store *s, struct id id, uint64_t first, uint64_t length,
                          enum err (*write)(void *arg, const void *bytes, size_t n), void *arg)
{
    CLEANUP(close_fd) int fd = -1;
    uint64_t size;
    TRY(disk_open(s, id, &fd, &size));
    if (first > size || length > size - first) /* before the first byte, when the answer can still change */
        return err_set(E_DAMAGED, "blob %s has %llu bytes, fewer than its record says", id.s,
                       (unsigned long long)size);

    CLEANUP(free_mem) char *piece = mem_array(NULL, char, length < PIECE ? length + 1 : PIECE);
    while (length > 0) {
        size_t n = length < PIECE ? (size_t)length : PIECE;
        TRY(file_read(fd, first, piece, n));
        TRY(write(arg, piece, n));
        first += n;
        length -= n;
    }
    return E_OK;
}

static enum err disk_locate(struct blob_store *s, struct id id, char path[static 64])
{
    (void)s;
    assert(id_is(id));
    snprintf(path, 64, "%.2s/%s", id.s, id.s);
    return E_OK;
}

static enum err disk_remove(struct blob_store *s, struct id id)
{
    CLEANUP(close_fd) int folder = -1;
    TRY(disk_shard_of(disk_of(s), id, &folder));
    if (unlinkat(folder, id.s, 0) != 0 && errno != ENOENT)
        return file_errno("remove", id.s);
    /* Also when it was gone: the one who removed it may have crashed before this. */
    return folder_sync(folder, id.s);
}

/* ---- room ---- */

/* An upload needs room in both places. On one disk, as it should be, they tell the same. */
static enum err disk_room(struct blob_store *s, uint64_t *bytes_out)
{
    struct disk *d = disk_of(s);
    uint64_t reserve = (uint64_t)s->conf->data_reserve, blobs = 0, spool = 0;
    CLEANUP(close_fd) int incoming = -1;
    TRY(disk_root(d));
    TRY(folder_open(AT_FDCWD, d->incoming, &incoming));
    TRY(folder_room(d->root, reserve, &blobs));
    TRY(folder_room(incoming, reserve, &spool));
    *bytes_out = blobs < spool ? blobs : spool;
    return E_OK;
}

/* ---- the store ---- */

static int disk_gone(struct disk *d)
{
    close_fd(&d->root);
    return 0;
}

enum err blob_disk_open(const void *ctx, const struct conf *conf, struct blob_store **out)
{
    struct disk *d = mem_new(ctx, struct disk);
    d->store = (struct blob_store){.ops = &blob_disk_ops, .conf = conf};
    d->root = -1;
    d->incoming = mem_printf(d, "%s/incoming", conf->data_path);
    d->lost = mem_printf(d, "%s/lost", conf->data_path);
    talloc_set_destructor(d, disk_gone);
    *out = &d->store;
    return E_OK;
}

const struct blob_ops blob_disk_ops = {
    .name = "disk",
    .can = BLOB_CAN_SENDFILE | BLOB_CAN_ADOPT | BLOB_CAN_RANGE,
    .prepare = disk_prepare,
    .store_id = disk_store_id,
    .store_id_set = disk_store_id_set,
    .room = disk_room,
    .put = disk_put,
    .put_many = disk_put_many,
    .adopt = disk_adopt,
    .open = disk_open,
    .read = disk_read,
    .locate = disk_locate,
    .size = disk_size,
    .remove = disk_remove,
    .each = disk_each,
    .set_aside = disk_set_aside,
    .sweep = disk_sweep,
};
