/* Many new blobs at once: what costs is the flush, and one flush of the file system serves all of them. The order is that of a
 * single one: bytes, flush, names, flush. */
#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "blob/blob_disk.h"
#include "blob/file.h"

/* Since Linux 5.8 this also tells of pages that could not be written. */
static enum err flush(struct disk *d)
{
    return syncfs(d->root) == 0 ? E_OK : file_errno("syncfs of", d->store.conf->disk_path);
}

/* Only a source of one file from its start to its end is the blob. */
static bool try_link(int folder, struct blob_put *row)
{
    struct stat st;
    row->linked = row->link && row->source.fd >= 0 && row->source.offset == 0 && fstat(row->source.fd, &st) == 0 &&
                  (uint64_t)st.st_size == row->source.size && link_by_fd(folder, row->id.s, row->source.fd) == 0;
    return row->linked;
}

static enum err write_bytes(struct disk *d, struct blob_put *row, struct draft *draft)
{
    CLEANUP(close_fd) int folder = -1;
    TRY(disk_shard_of(d, row->id, &folder));
    if (try_link(folder, row))
        return E_OK;
    TRY(draft_open(d, folder, draft));
    return file_copy(draft->fd, &row->source);
}

static enum err give_name(struct disk *d, const struct blob_put *row, int fd)
{
    CLEANUP(close_fd) int folder = -1;
    if (row->linked)
        return E_OK;
    TRY(disk_shard_of(d, row->id, &folder));
    return link_by_fd(folder, row->id.s, fd) == 0 ? E_OK : link_failed(row->id.s);
}

static void take_back(struct disk *d, const struct blob_put *row)
{
    CLEANUP(close_fd) int folder = -1;
    if (row->result == E_OK && disk_shard_of(d, row->id, &folder) == E_OK)
        unlinkat(folder, row->id.s, 0);
}

static enum err put_all(struct disk *d, struct blob_put *rows, struct draft *drafts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rows[i].result = write_bytes(d, &rows[i], &drafts[i]);
    TRY(flush(d));
    for (size_t i = 0; i < n; i++)
        if (rows[i].result == E_OK)
            rows[i].result = give_name(d, &rows[i], drafts[i].fd);
    return flush(d);
}

enum err disk_put_many(struct blob_store *s, struct blob_put *rows, size_t n)
{
    struct disk *d = disk_of(s);
    CLEANUP(free_mem) struct draft *drafts = mem_array(NULL, struct draft, n);
    for (size_t i = 0; i < n; i++)
        drafts[i] = DRAFT_NONE;
    TRY(disk_root(d));
    enum err e = put_all(d, rows, drafts, n);
    struct err_info why = err_save();
    for (size_t i = 0; i < n; i++) {
        if (e != E_OK)
            take_back(d, &rows[i]);
        draft_close(&drafts[i]);
    }
    err_restore(&why);
    return e;
}
