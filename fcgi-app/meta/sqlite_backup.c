/* Copies for backups, by SQLite's online backup: one step over all pages is one moment of the database, and with a write-ahead
 * log nobody waits for it. */
#include "meta/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- leases ---- */
enum err sqlite_lease_row(struct sqlite *s, struct id holder, int64_t until_ms)
{
    char key[8 + ID_LEN], until[24];
    snprintf(key, sizeof key, "lease:%s", holder.s);
    snprintf(until, sizeof until, "%lld", (long long)until_ms);
    return db_run(&s->main, SQL_META_SET, ARGS(TEXT(key), TEXT(until)));
}

enum err sqlite_lease_take(struct meta *m, struct id holder, int64_t until_ms)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, sqlite_lease_row(s, holder, until_ms));
}

enum err sqlite_lease_end(struct meta *m, struct id holder)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, db_run(&s->main, SQL_LEASE_END, ARGS(TEXT(holder.s))));
}

/* ---- the copy ---- */
static enum err copy_pages(struct db *from, struct db *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->handle, "main", from->handle, "main");
    if (backup == NULL)
        return db_error(to, sqlite3_errcode(to->handle), "begin the copy");
    int code = sqlite3_backup_step(backup, -1);
    int end = sqlite3_backup_finish(backup);
    if (code == SQLITE_DONE)
        return E_OK;
    return db_error(end == SQLITE_OK ? from : to, code, "copy");
}

static enum err trim(struct db *db)
{
    static const enum sql steps[] = {
        SQL_BACKUP_SESSIONS, SQL_BACKUP_INVITES, SQL_BACKUP_RESETS, SQL_BACKUP_UPLOADS,
        SQL_BACKUP_RESERVED, SQL_BACKUP_BLOBS,   SQL_BACKUP_LEASES,
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        TRY(db_run(db, steps[i], NO_ARGS));
    return E_OK;
}

static enum err check_pages(struct db *db)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(db, SQL_QUICK_CHECK, &q, &row, NO_ARGS));
    const char *answer = row ? (const char *)sqlite3_column_text(q, 0) : "nothing";
    return strcmp(answer, "ok") == 0 ? E_OK : err_set(E_DAMAGED, "%s: %s", db->path, answer);
}

/* One file, no journal beside it: it can be carried away. */
static enum err fill(struct sqlite *s, struct db *to)
{
    TRY(copy_pages(&s->main, to));
    TRY(db_write(to));
    TRY(db_end(to, trim(to)));
    TRY(db_script(to, "PRAGMA synchronous = FULL"));
    TRY(db_script(to, "PRAGMA journal_mode = DELETE"));
    return check_pages(to);
}

enum err sqlite_backup(struct meta *m, const char *path)
{
    struct sqlite *s = sqlite_of(m);
    struct db *to = mem_new(NULL, struct db);
    *to = (struct db){.path = path, .timeout_ms = s->main.timeout_ms, .durable = true};
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err e = fd < 0 ? err_set(errno == ENOSPC ? E_DISK_FULL : E_IO, "make %s: %m", path) : sqlite_ready(s);
    close_fd(&fd);
    if (e == E_OK)
        e = db_open(to);
    if (e == E_OK)
        e = fill(s, to);
    struct err_info why = err_save();
    db_close(to);
    talloc_free(to);
    err_restore(&why);
    return e;
}
