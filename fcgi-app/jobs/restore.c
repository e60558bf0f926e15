/* Restoring a backup. The database gets its name last, MongoDB its store id: a restore that was broken off is begun again, and nothing
 * takes the half of it for a store. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "blob/file.h"
#include "jobs/backup.h"
#include "jobs/lock.h"
#include "jobs/records.h"

static enum err read_summary(const void *mem, const char *folder, struct id *store_out)
{
    json_error_t error;
    const char *path = mem_printf(mem, "%s/backup.json", folder);
    json_t *o = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (o == NULL)
        return err_say(E_NOT_FOUND, "%s is no complete backup: its backup.json cannot be read.", folder);
    own(mem, o, (void (*)(void *))json_decref);
    const char *store = json_string_value(json_object_get(o, "store_id"));
    if (json_integer_value(json_object_get(o, "format")) != 1 || store == NULL || id_parse(store, store_out) != E_OK)
        return err_say(E_CONF, "%s was made by another version of Coffer.", folder);
    return E_OK;
}

static enum err any_file(void *arg, const char *name, uint64_t size, int64_t modified_ms)
{
    (void)arg, (void)size, (void)modified_ms;
    return err_set(E_NAME_TAKEN, "%s", name);
}

/* No contents but those of a restore of the same backup that was broken off. Where listing is forbidden the mark alone tells. */
static enum err check_blobs(const struct conf *conf, struct blob_store *to, struct id store)
{
    const char *where = conf->store_blobs[0] != '\0' ? conf->store_blobs : conf->disk_path;
    struct id there;
    TRY(to->ops->prepare(to));
    enum err e = to->ops->store_id(to, &there);
    if (e == E_OK)
        return id_eq(there, store) ? E_OK : err_say(E_FOREIGN_STORE, "The contents in %s belong to another installation.", where);
    if (e != E_NOT_FOUND)
        return e;
    e = to->ops->each(to, any_file, NULL);
    if (e == E_NAME_TAKEN)
        return err_say(E_NAME_TAKEN, "There are contents in %s. Restore into empty stores.", where);
    return e == E_STORE_REFUSED ? E_OK : e;
}

static enum err no_hold(void *arg, uint64_t bytes)
{
    (void)arg, (void)bytes;
    return E_OK;
}

static enum err sync_folder_of(const void *mem, const char *path)
{
    CLEANUP(close_fd) int fd = open(dirname(mem_str(mem, path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? file_errno("open the folder of", path) : folder_sync(fd, path);
}

/* The records under a name that no store has, so that the contents can be listed. */
static enum err take_records(const void *mem, const struct conf *conf, const char *folder, const char *as, struct meta **out)
{
    const char *from = mem_printf(mem, "%s/coffer.db", folder);
    if (backup_has_journal(from))
        return err_say(E_CONF, "%s is in use, or was: it is no closed backup.", from);
    TRY(folder_make(dirname(mem_str(mem, as))));
    TRY(backup_remove_database(as));
    TRY(backup_file(from, as));
    return backup_use(mem, conf, as, out);
}

/* ---- where the records go: each kind of store in its own way ---- */
struct target {
    const char *(*place)(const void *mem, const struct conf *conf); /* of the backup's database meanwhile */
    enum err (*check)(const void *mem, const struct conf *conf, struct meta *records); /* there is nothing yet */
    enum err (*finish)(const void *mem, const struct conf *conf, struct meta *records, const char *as);
};

static const char *sqlite_place(const void *mem, const struct conf *conf)
{
    return mem_printf(mem, "%s.restoring", conf->sqlite_path);
}

static enum err sqlite_check(const void *mem, const struct conf *conf, struct meta *records)
{
    (void)mem, (void)records;
    if (access(conf->sqlite_path, F_OK) == 0 || backup_has_journal(conf->sqlite_path))
        return err_say(E_NAME_TAKEN, "The data folder is in use: %s, or its journal, is there. Restore into an empty one.", conf->sqlite_path);
    return E_OK;
}

static enum err sqlite_finish(const void *mem, const struct conf *conf, struct meta *records, const char *as)
{
    talloc_free(records);
    if (rename(as, conf->sqlite_path) != 0)
        return file_errno("rename", as);
    return sync_folder_of(mem, conf->sqlite_path);
}

static const char *other_place(const void *mem, const struct conf *conf)
{
    return mem_printf(mem, "%s/coffer.db.restoring", conf->data_path);
}

static enum err other_open(const void *mem, const struct conf *conf, struct meta **out)
{
    TRY(meta_open(mem, conf, NULL, out));
    return (*out)->ops->upgrade(*out);
}

static enum err other_check(const void *mem, const struct conf *conf, struct meta *records)
{
    struct id store, there;
    struct meta *to;
    TRY(records->ops->store_id(records, &store));
    TRY(other_open(mem, conf, &to));
    TRY(to->ops->store_id(to, &there));
    enum err e = id_eq(store, there) ? E_FOREIGN_STORE : records_check(records, to);
    return e == E_FOREIGN_STORE ? err_say(E_NAME_TAKEN, "There are other records in store.metadata. Restore into an empty database.") : e;
}

static enum err other_finish(const void *mem, const struct conf *conf, struct meta *records, const char *as)
{
    struct transfer quiet = transfer_quiet();
    struct meta *to;
    TRY(other_open(mem, conf, &to));
    TRY(records_copy(records, to, &quiet));
    TRY(records_compare(records, to, &quiet));
    talloc_free(records);
    return backup_remove_database(as);
}

static const struct target to_sqlite = {sqlite_place, sqlite_check, sqlite_finish}, to_other = {other_place, other_check, other_finish};

/* What is refused is left as it was found. */
static enum err check_or_leave(const struct target *target, const void *mem, const struct conf *conf, struct meta *records, const char *as)
{
    enum err e = target->check(mem, conf, records);
    struct err_info why = err_save();
    if (e == E_OK)
        return E_OK;
    talloc_free(records);
    if (backup_remove_database(as) != E_OK)
        err_clear(); /* the next restore does it */
    err_restore(&why);
    return e;
}

static enum err take_all(const void *mem, const struct conf *conf, const char *folder, struct transfer *t, struct id store)
{
    CLEANUP(free_mem) void *stores = talloc_new(NULL);
    const struct target *target = conf->sqlite_path[0] != '\0' ? &to_sqlite : &to_other;
    const char *as = target->place(mem, conf);
    struct blob_store *from, *to;
    struct meta *records;
    TRY(blob_open_store(stores, backup_conf(mem, conf, folder), &from));
    TRY(blob_open_store(stores, conf, &to));
    TRY(check_blobs(conf, to, store));
    TRY(take_records(stores, conf, folder, as, &records));
    TRY(check_or_leave(target, stores, conf, records, as));
    TRY(to->ops->store_id_set(to, store));
    TRY(backup_blobs(records, from, to, t, no_hold, NULL));
    return target->finish(stores, conf, records, as);
}

enum err backup_restore(const struct conf *conf, const char *folder, struct transfer *t)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    CLEANUP(close_fd) int lock = -1;
    struct id store;
    TRY(read_summary(mem, folder, &store));
    TRY(folder_make(conf->data_path));
    TRY(lock_data(conf, LOCK_ALONE, &lock));
    TRY(take_all(mem, conf, folder, t, store));
    TRY(core_prepare(conf));
    return t->count.left_out > 0 ? E_OK : backup_verify(conf);
}
