/* Restoring a backup. The database gets its name last: a restore that was broken off is begun again, and nothing takes the half of
 * it for a store. */
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

/* No records, and no contents but those of a restore of the same backup that was broken off. */
static enum err check_target(const struct conf *conf, struct blob_store *to, struct id store)
{
    struct id there;
    if (access(conf->sqlite_path, F_OK) == 0 || backup_has_journal(conf->sqlite_path))
        return err_say(E_NAME_TAKEN, "The data folder is in use: %s, or its journal, is there. Restore into an empty one.", conf->sqlite_path);
    TRY(to->ops->prepare(to));
    enum err e = to->ops->store_id(to, &there);
    if (e == E_OK)
        return id_eq(there, store) ? E_OK : err_say(E_FOREIGN_STORE, "The contents in %s belong to another installation.", conf->disk_path);
    if (e != E_NOT_FOUND)
        return e;
    e = to->ops->each(to, any_file, NULL);
    return e == E_NAME_TAKEN ? err_say(E_NAME_TAKEN, "There are contents in %s. Restore into an empty data folder.", conf->disk_path) : e;
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
    struct conf *copy = backup_conf(mem, conf, folder);
    if (backup_has_journal(from))
        return err_say(E_CONF, "%s is in use, or was: it is no closed backup.", from);
    TRY(folder_make(dirname(mem_str(mem, as))));
    TRY(backup_remove_database(as));
    TRY(backup_file(from, as));
    copy->sqlite_path = as;
    return meta_open(mem, copy, NULL, out);
}

static enum err take_all(const void *mem, const struct conf *conf, const char *folder, struct transfer *t, struct id store)
{
    CLEANUP(free_mem) void *stores = talloc_new(NULL);
    const char *as = mem_printf(mem, "%s.restoring", conf->sqlite_path);
    struct blob_store *from, *to;
    struct meta *records;
    TRY(blob_open_store(stores, backup_conf(mem, conf, folder), &from));
    TRY(blob_open_store(stores, conf, &to));
    TRY(check_target(conf, to, store));
    TRY(to->ops->store_id_set(to, store));
    TRY(take_records(stores, conf, folder, as, &records));
    TRY(backup_blobs(records, from, to, t, no_hold, NULL));
    talloc_free(records);
    if (rename(as, conf->sqlite_path) != 0)
        return file_errno("rename", as);
    return sync_folder_of(mem, conf->sqlite_path);
}

enum err backup_restore(const struct conf *conf, const char *folder, struct transfer *t)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct id store;
    if (conf->sqlite_path[0] == '\0' || conf->disk_path[0] == '\0')
        return err_say(E_CONF, "This command restores SQLite and disk; MongoDB and S3 have tools of their own.");
    TRY(read_summary(mem, folder, &store));
    TRY(take_all(mem, conf, folder, t, store));
    TRY(core_prepare(conf));
    return t->count.left_out > 0 ? E_OK : backup_verify(conf);
}
