/* Making a backup: records first, held together by a lease with the contents they refer to, then the contents, then the names. */
#include "jobs/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "blob/file.h"
#include "jobs/records.h"

#define HOLD_MS     INT64_C(3600000) /* what a backup that was killed costs: collection waits for so long */
#define RENEW_MS    INT64_C(60000)
#define SLOWEST     INT64_C(1024)    /* bytes a millisecond: how long a batch may take at worst */

struct making {
    struct core *c;
    const struct conf *conf;     /* of the folder */
    struct blob_store *blobs;
    struct meta *records;        /* the new copy */
    struct transfer *t;
    struct id holder;
    int64_t held_ms, until_ms;
    int64_t began_ms;
};

/* ---- the folder ---- */
static bool is_within(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Only an empty folder, or one that is a backup already. */
static enum err check_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool other = false;
    if (dir == NULL)
        return file_errno("open", folder);
    while (!other && (entry = readdir(dir)) != NULL)
        other = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && strcmp(entry->d_name, "lost+found") != 0;
    closedir(dir);
    return other ? err_say(E_FOREIGN_STORE, "%s is neither empty nor a backup.", folder) : E_OK;
}

static enum err open_folder(const void *mem, const struct core *c, const char *folder, const char **path_out, int *fd_out)
{
    char path[PATH_MAX], data[PATH_MAX];
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return err_say(E_IO, "The folder %s cannot be made: %s.", folder, strerror(errno));
    if (realpath(folder, path) == NULL || realpath(c->conf->data_path, data) == NULL)
        return err_say(E_IO, "The folder %s cannot be used: %s.", folder, strerror(errno));
    if (is_within(path, data) || is_within(data, path))
        return err_say(E_FIELD_INVALID, "A backup does not belong into the data folder, nor around it.");
    *fd_out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd_out < 0)
        return file_errno("open", path);
    if (flock(*fd_out, LOCK_EX | LOCK_NB) != 0)
        return err_say(E_BUSY, "Another backup into this folder is running.");
    *path_out = mem_str(mem, path);
    return E_OK;
}

static enum err open_blobs(const void *mem, struct making *mk)
{
    struct id mine, there;
    TRY(mk->c->meta->ops->store_id(mk->c->meta, &mine));
    TRY(blob_open_store(mem, mk->conf, &mk->blobs));
    enum err e = mk->blobs->ops->store_id(mk->blobs, &there);
    if (e == E_OK)
        return id_eq(mine, there) ? E_OK : err_say(E_FOREIGN_STORE, "%s is the backup of another installation.", mk->conf->data_path);
    TRY(check_empty(mk->conf->data_path));
    TRY(mk->blobs->ops->prepare(mk->blobs));
    return mk->blobs->ops->store_id_set(mk->blobs, mine);
}

/* ---- the lease ---- */
static enum err hold(void *arg, uint64_t bytes)
{
    struct making *mk = arg;
    int64_t now = clock_now_ms(mk->c->clock), until = now + HOLD_MS + (int64_t)(bytes / SLOWEST);
    if (now - mk->held_ms < RENEW_MS && until <= mk->until_ms + RENEW_MS)
        return E_OK;
    TRY(mk->c->meta->ops->lease_take(mk->c->meta, mk->holder, until));
    mk->held_ms = now;
    mk->until_ms = until;
    return E_OK;
}

/* ---- the parts ---- */
/* From a store that makes no such file itself: its records of one moment into a database whose own backup this then is. Not in
 * the folder itself, which is locked by then, as SQLite's store wants to lock it. */
static enum err copy_by_records(const void *mem, struct making *mk, const char *path)
{
    CLEANUP(free_mem) void *work = talloc_new(NULL);
    struct conf *conf = backup_conf(work, mk->conf, mk->conf->data_path);
    struct transfer quiet = transfer_quiet(); /* contents are what takes time */
    struct meta *beside, *from = mk->c->meta;
    conf->sqlite_path = mem_printf(work, "%s/incoming/records.db", conf->data_path);
    TRY(backup_remove_database(conf->sqlite_path));
    TRY(meta_open(work, conf, NULL, &beside));
    TRY(beside->ops->upgrade(beside));
    TRY(from->ops->snapshot_begin(from));
    enum err e = records_copy(from, beside, &quiet);
    from->ops->snapshot_end(from);
    TRY(e);
    TRY(beside->ops->backup(beside, path));
    TRY(backup_use(mem, mk->conf, path, &mk->records));
    talloc_free(beside);
    return backup_remove_database(conf->sqlite_path);
}

static enum err copy_records(const void *mem, struct making *mk, const char *path)
{
    TRY(backup_remove_database(path)); /* of a run that was broken off */
    if (mk->c->meta->ops->backup == NULL)
        return copy_by_records(mem, mk, path);
    TRY(mk->c->meta->ops->backup(mk->c->meta, path));
    return backup_use(mem, mk->conf, path, &mk->records);
}

static enum err write_summary(struct making *mk, const char *path)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const char *beside = mem_printf(mem, "%s.new", path);
    char began[CLOCK_TEXT_MAX], ended[CLOCK_TEXT_MAX];
    const struct transfer_count *c = &mk->t->count;
    struct id store;
    TRY(mk->c->meta->ops->store_id(mk->c->meta, &store));
    clock_rfc3339(mk->began_ms, began);
    clock_rfc3339(clock_now_ms(mk->c->clock), ended);
    json_t *o = json_own_object(mem);
    json_object_set_new(o, "format", json_integer(1));
    json_object_set_new(o, "program", json_string("coffer " PACKAGE_VERSION));
    json_object_set_new(o, "store_id", json_string(store.s));
    json_object_set_new(o, "records_of", json_string(began));
    json_object_set_new(o, "complete_at", json_string(ended));
    json_object_set_new(o, "blobs", json_integer((json_int_t)(c->files + c->there)));
    json_object_set_new(o, "bytes", json_integer((json_int_t)(c->bytes + c->there_bytes)));
    json_object_set_new(o, "lost", json_integer((json_int_t)c->left_out));
    CLEANUP(close_fd) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || json_dumpfd(o, fd, JSON_INDENT(2)) != 0 || fsync(fd) != 0 || rename(beside, path) != 0)
        return file_errno("write", path);
    return E_OK;
}

/* From here on the folder is this backup. */
static enum err put_in_place(const void *mem, struct making *mk, const char *records, int folder)
{
    const char *in = mk->conf->data_path;
    if (rename(records, mk->conf->sqlite_path) != 0)
        return file_errno("rename", records);
    if (mk->c->conf->file[0] != '\0')
        TRY(backup_file(mk->c->conf->file, mem_printf(mem, "%s/coffer.conf", in)));
    TRY(write_summary(mk, mem_printf(mem, "%s/backup.json", in)));
    return folder_sync(folder, in);
}

/* What only an earlier backup needed. */
static enum err drop_old(void *arg, const char *name, uint64_t size, int64_t modified_ms)
{
    struct making *mk = arg;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct id id;
    struct blob blob;
    (void)size, (void)modified_ms;
    if (id_parse(name, &id) != E_OK)
        return E_OK;
    enum err e = mk->records->ops->blob_get(mk->records, mem, id, &blob);
    return e == E_NOT_FOUND ? mk->blobs->ops->remove(mk->blobs, id) : e;
}

static enum err make_all(const void *mem, struct making *mk, int folder)
{
    const char *records = mem_printf(mem, "%s/coffer.db.new", mk->conf->data_path);
    TRY(hold(mk, 0));
    TRY(copy_records(mem, mk, records));
    TRY(backup_blobs(mk->records, mk->c->blobs, mk->blobs, mk->t, hold, mk));
    TRY(put_in_place(mem, mk, records, folder));
    return mk->blobs->ops->each(mk->blobs, drop_old, mk);
}

enum err backup_make(struct core *c, const char *folder, struct transfer *t)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    CLEANUP(close_fd) int fd = -1;
    struct making mk = {.c = c, .t = t, .holder = id_new(), .began_ms = clock_now_ms(c->clock)};
    const char *path = NULL;
    TRY(open_folder(mem, c, folder, &path, &fd));
    mk.conf = backup_conf(mem, c->conf, path);
    if (backup_has_journal(mk.conf->sqlite_path))
        return err_say(E_FOREIGN_STORE, "%s is in use as a data folder.", path);
    TRY(open_blobs(mem, &mk));
    enum err e = make_all(mem, &mk, fd);
    struct err_info why = err_save();
    if (c->meta->ops->lease_end(c->meta, mk.holder) != E_OK)
        log_say(LOG_WARN, "backup", "the lease on collection stays until it is over, an hour from now");
    err_restore(&why);
    TRY(e);
    return t->count.left_out > 0 ? E_OK : backup_verify(mk.conf);
}
