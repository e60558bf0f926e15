#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "blob/blob_disk.h"
#include "blob/file.h"

static int64_t modified_ms(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

/* ---- each ---- */

struct listing {
    unsigned shard;
    blob_each_fn *fn;
    void *arg;
};

/* A blob in its folder goes by its id. Anything else is handed out by its path below the blob folder, which
 * is never an id: whoever compares with the records finds it unknown, and set_aside finds it again. */
static enum err each_entry(void *arg, int folder, const char *name, const struct stat *st)
{
    const struct listing *l = arg;
    char shard[16], path[sizeof shard + NAME_MAX + 1];
    struct id id;
    (void)folder;
    if (S_ISDIR(st->st_mode))
        return E_OK;
    snprintf(shard, sizeof shard, "%02x", l->shard);
    snprintf(path, sizeof path, "%s/%s", shard, name);
    bool placed = id_parse(name, &id) == E_OK && strncmp(name, shard, 2) == 0;
    return l->fn(l->arg, placed ? name : path, (uint64_t)st->st_size, modified_ms(st));
}

/* Only the 256 folders: what an administrator keeps beside them is not ours. */
enum err disk_each(struct blob_store *s, blob_each_fn *fn, void *arg)
{
    struct listing l = {.fn = fn, .arg = arg};
    for (; l.shard < DISK_SHARDS; l.shard++) {
        CLEANUP(close_fd) int folder = -1;
        TRY(disk_shard(disk_of(s), l.shard, &folder));
        TRY(folder_each(folder, each_entry, &l));
    }
    return E_OK;
}

/* ---- lost ---- */

/* What each handed out: an id, or "ab/name". */
static enum err find(struct disk *d, const char *id, int *folder_out, const char **name_out)
{
    struct id parsed;
    *name_out = id;
    if (id_parse(id, &parsed) == E_OK)
        return disk_shard_of(d, parsed, folder_out);
    *name_out = strlen(id) < 3 ? "" : id + 3;
    if (strspn(id, "0123456789abcdef") != 2 || id[2] != '/' || strchr(*name_out, '/') || !**name_out ||
        strcmp(*name_out, ".") == 0 || strcmp(*name_out, "..") == 0)
        return err_set(E_NOT_FOUND, "%s is no name that the blob store lists", id);
    return disk_shard(d, disk_shard_number(id), folder_out);
}

/* lost/ is on another disk than the blobs. */
static enum err move_by_copy(struct disk *d, int from, const char *name, int to, const char *new_name)
{
    struct stat st;
    CLEANUP(close_fd) int fd = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return file_errno("open", name);
    if (!S_ISREG(st.st_mode))
        return err_set(E_IO, "set aside %s: not a file", name);
    TRY(disk_new_file(d, to, new_name, &(struct blob_source){.fd = fd, .size = (uint64_t)st.st_size}));
    return unlinkat(from, name, 0) == 0 ? E_OK : file_errno("remove", name);
}

enum err disk_set_aside(struct blob_store *s, const char *id)
{
    struct disk *d = disk_of(s);
    CLEANUP(close_fd) int folder = -1;
    CLEANUP(close_fd) int lost = -1;
    const char *name;
    TRY(find(d, id, &folder, &name));
    TRY(folder_open(AT_FDCWD, d->lost, &lost));

    /* Its time from now on tells since when it is lost; a name of its own, so that nothing is replaced. */
    const struct timespec now[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    char new_name[NAME_MAX + 1];
    snprintf(new_name, sizeof new_name, "%.200s.%s", name, id_new().s);
    if (utimensat(folder, name, now, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? err_set(E_NOT_FOUND, "no blob %s", id) : file_errno("touch", id);
    if (renameat(folder, name, lost, new_name) != 0) {
        if (errno != EXDEV)
            return file_errno("set aside", id);
        TRY(move_by_copy(d, folder, name, lost, new_name));
    }
    TRY(folder_sync(lost, d->lost));
    return folder_sync(folder, id);
}

struct sweep {
    int64_t before_ms;
    unsigned *did;
};

static enum err sweep_entry(void *arg, int folder, const char *name, const struct stat *st)
{
    struct sweep *sweep = arg;
    if (S_ISDIR(st->st_mode) || modified_ms(st) >= sweep->before_ms)
        return E_OK;
    if (unlinkat(folder, name, 0) != 0)
        return errno == ENOENT ? E_OK : file_errno("remove from lost", name);
    ++*sweep->did;
    return E_OK;
}

enum err disk_sweep(struct blob_store *s, int64_t lost_before_ms, unsigned *did_out)
{
    CLEANUP(close_fd) int lost = -1;
    *did_out = 0;
    TRY(folder_open(AT_FDCWD, disk_of(s)->lost, &lost));
    return folder_each(lost, sweep_entry, &(struct sweep){.before_ms = lost_before_ms, .did = did_out});
}
