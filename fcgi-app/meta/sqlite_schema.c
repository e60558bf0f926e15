/* The store's two files: made, brought up to date, opened. */
#include "meta/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static enum err schema_version(struct db *db, int64_t *version_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(db, SQL_META_GET, &q, &row, ARGS(TEXT("schema_version"))));
    if (!row || parse_i64((const char *)sqlite3_column_text(q, 0), 1, INT32_MAX, version_out) != E_OK)
        return err_set(E_DAMAGED, "%s says no schema version", db->path);
    return E_OK;
}

static enum err too_new(const struct db *db, int64_t version)
{
    return err_set(E_CONF, "%s has schema %lld, made by a newer Coffer; this one knows %d", db->path, (long long)version,
                   SQL_SCHEMA_VERSION);
}

/* How many tables there are, and whether `meta` is one of them. */
static enum err tables(struct db *db, int64_t *n_out, bool *ours_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(db, SQL_TABLES_COUNT, &q, &row, NO_ARGS));
    *n_out = sqlite3_column_int64(q, 0);
    *ours_out = sqlite3_column_int64(q, 1) > 0;
    return E_OK;
}

/* ---- opened ---- */
static enum err check_version(struct db *db)
{
    int64_t n, version;
    bool ours;
    TRY(tables(db, &n, &ours));
    if (!ours)
        return err_set(E_STORE_DOWN, "%s has no schema yet: `coffer serve` makes it", db->path);
    TRY(schema_version(db, &version));
    if (version > SQL_SCHEMA_VERSION)
        return too_new(db, version);
    if (version < SQL_SCHEMA_VERSION)
        return err_set(E_STORE_DOWN, "%s has schema %lld, this program needs %d: `coffer serve` upgrades it", db->path,
                       (long long)version, SQL_SCHEMA_VERSION);
    return E_OK;
}

enum err sqlite_ready(struct sqlite *s)
{
    if (s->main.handle != NULL)
        return E_OK;
    TRY(db_open(&s->main));
    enum err e = check_version(&s->main);
    if (e != E_OK)
        db_close(&s->main);
    return e;
}

enum err sqlite_write(struct sqlite *s)
{
    TRY(sqlite_ready(s));
    return db_write(&s->main);
}

enum err sqlite_read(struct sqlite *s)
{
    TRY(sqlite_ready(s));
    return db_read(&s->main);
}

/* ---- made and upgraded ---- */
/* The folder itself is the lock: nothing is left behind, and the kernel lets go when the holder dies. */
static enum err lock_folder(const char *path, int *fd_out)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(copy);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed;
    if (fd < 0)
        return err_set(E_STORE_DOWN, "open %s: %m", folder);
    *fd_out = fd;
    do
        failed = flock(fd, LOCK_EX);
    while (failed && errno == EINTR);
    return failed ? err_set(E_IO, "lock %s: %m", folder) : E_OK;
}

static enum err sync_folder(int folder)
{
    return fsync(folder) ? err_set(E_IO, "fsync of the database's folder: %m") : E_OK;
}

/* Exactly 0600, whatever the umask; SQLite gives its journal files the same. An existing file is not opened
 * here: closing it again would drop the locks this process may hold on it. */
static enum err make_file(const char *path, int folder)
{
    CLEANUP(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return E_OK;
    if (fd < 0)
        return err_set(errno == ENOSPC || errno == EDQUOT ? E_DISK_FULL : E_STORE_DOWN, "create %s: %m", path);
    if (fchmod(fd, 0600))
        return err_set(E_IO, "chmod %s: %m", path);
    return sync_folder(folder);
}

static enum err use_wal(struct db *db)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(db, SQL_JOURNAL_WAL, &q, &row, NO_ARGS));
    const char *mode = row ? (const char *)sqlite3_column_text(q, 0) : NULL;
    if (mode == NULL || strcmp(mode, "wal") != 0)
        return err_set(E_CONF, "%s cannot have a write-ahead log; is it on a network file system?", db->path);
    return E_OK;
}

static enum err version_set(struct db *db, int version)
{
    char text[16];
    snprintf(text, sizeof text, "%d", version);
    return db_run(db, SQL_META_SET, ARGS(TEXT("schema_version"), TEXT(text)));
}

static enum err make_schema(struct db *db)
{
    struct id store = id_new();
    TRY(db_script(db, sql_schema));
    TRY(db_run(db, SQL_META_SET, ARGS(TEXT("store_id"), TEXT(store.s))));
    return version_set(db, SQL_SCHEMA_VERSION);
}

enum err sqlite_upgrade_steps(struct db *db, int64_t from, const struct sql_upgrade *upgrades)
{
    for (; upgrades->version != 0; upgrades++) {
        if (upgrades->version <= from)
            continue;
        log_say(LOG_NOTICE, "upgrade", "%s: %s", db->path, upgrades->name);
        TRY(db_script(db, upgrades->text));
        TRY(version_set(db, upgrades->version));
    }
    return E_OK;
}

static enum err bring_up(struct db *db)
{
    int64_t n, version;
    bool ours;
    TRY(tables(db, &n, &ours));
    if (n == 0)
        return make_schema(db);
    if (!ours)
        return err_set(E_CONF, "%s is a SQLite database of something else", db->path);
    TRY(schema_version(db, &version));
    return version > SQL_SCHEMA_VERSION ? too_new(db, version) : sqlite_upgrade_steps(db, version, sql_upgrades);
}

static enum err upgrade_main(struct db *db, int folder)
{
    TRY(make_file(db->path, folder));
    TRY(db_open(db));
    TRY(use_wal(db));
    TRY(db_write(db));
    return db_end(db, bring_up(db));
}

static enum err make_volatile(struct db *db)
{
    int64_t n;
    bool ours;
    TRY(tables(db, &n, &ours));
    if (n > 0)
        return E_OK;
    TRY(db_script(db, sql_volatile));
    return db_run(db, SQL_BORN_ADD, ARGS(NUMBER(clock_now_ms(&clock_real))));
}

static enum err check_volatile(struct db *db)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(db, SQL_QUICK_CHECK, &q, &row, NO_ARGS));
    const char *answer = row ? (const char *)sqlite3_column_text(q, 0) : "nothing";
    return strcmp(answer, "ok") == 0 ? E_OK : err_set(E_DAMAGED, "%s: %s", db->path, answer);
}

static enum err upgrade_volatile(struct db *db, int folder)
{
    TRY(make_file(db->path, folder));
    TRY(db_open(db));
    TRY(use_wal(db));
    TRY(check_volatile(db));
    TRY(db_write(db));
    return db_end(db, make_volatile(db));
}

/* A power cut may leave the volatile file in pieces: it is thrown away, nothing in it can be missed. */
static void throw_away(struct db *db)
{
    static const char *const tails[] = {"", "-wal", "-shm"};
    char path[4096 + 16];
    log_say(LOG_WARN, "upgrade", "%s is damaged and made anew", db->path);
    db_close(db);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        snprintf(path, sizeof path, "%s%s", db->path, tails[i]);
        unlink(path);
    }
}

static enum err upgrade_both(struct sqlite *s, int folder)
{
    TRY(upgrade_main(&s->main, folder));
    enum err e = upgrade_volatile(&s->fast, folder);
    if (e == E_DAMAGED) {
        throw_away(&s->fast);
        e = upgrade_volatile(&s->fast, folder);
    }
    TRY(e);
    return sync_folder(folder);
}

enum err sqlite_upgrade(struct meta *m)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(close_fd) int folder = -1;
    db_close(&s->main);
    db_close(&s->fast);
    TRY(lock_folder(s->main.path, &folder));
    enum err e = upgrade_both(s, folder);
    db_close(&s->main); /* whoever comes next may fork; connections are opened again when a verb needs them */
    db_close(&s->fast);
    return e;
}
