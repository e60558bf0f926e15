#include "meta/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CACHE_KIB        "2048"
#define CHECKPOINT_PAGES "8000"     /* a backstop of 32 MB: the keeper's checkpoints come long before */
#define WAL_LIMIT_BYTES  "67108864"
#define BUSY_RETRY_S     2

static enum err kind_of(int code, int os_error)
{
    bool full = os_error == ENOSPC || os_error == EDQUOT;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return E_STORE_DOWN;
    case SQLITE_FULL:
        return E_DISK_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return E_DAMAGED;
    case SQLITE_IOERR:
        return full ? E_DISK_FULL : E_IO;
    case SQLITE_CANTOPEN:
        return full ? E_DISK_FULL : E_STORE_DOWN;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return E_IO;
    case SQLITE_NOMEM:
        mem_exhausted();
    default:
        return E_INTERNAL; /* a constraint or a statement that does not fit: ours to mend */
    }
}

enum err db_error(struct db *db, int code, const char *what)
{
    int extended = db->handle != NULL ? sqlite3_extended_errcode(db->handle) : code;
    int os_error = db->handle != NULL ? sqlite3_system_errno(db->handle) : 0;
    struct err_info why = {.err = kind_of(code, os_error)};
    if (why.err == E_STORE_DOWN)
        why.retry_after_s = BUSY_RETRY_S;
    snprintf(why.detail, sizeof why.detail, "%s: %.60s: %s (%d%s%s)", db->path, what,
             db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code), extended,
             os_error != 0 ? ", " : "", os_error != 0 ? strerror(os_error) : "");
    err_restore(&why);
    return why.err;
}

enum err db_script(struct db *db, const char *sql)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? E_OK : db_error(db, code, sql);
}

static enum err set_up(struct db *db)
{
    sqlite3_busy_timeout(db->handle, (int)db->timeout_ms);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /* NORMAL: the log is flushed before a checkpoint, but not by COMMIT. db_end does that (see flush_log). */
    TRY(db_script(db, db->durable ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = OFF"));
    TRY(db_script(db, "PRAGMA foreign_keys = ON"));
    TRY(db_script(db, "PRAGMA cache_size = -" CACHE_KIB));
    TRY(db_script(db, "PRAGMA journal_size_limit = " WAL_LIMIT_BYTES));
    return db_script(db, "PRAGMA wal_autocheckpoint = " CHECKPOINT_PAGES);
}

/* The log is made by whoever reads first; its name has to be as durable as what will stand in it. */
static enum err keep_log_name(struct db *db)
{
    char folder[PATH_MAX];
    TRY(db_script(db, "SELECT 1 FROM sqlite_schema"));
    if (!db->durable)
        return E_OK;
    snprintf(folder, sizeof folder, "%s", db->path);
    CLEANUP(close_fd) int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? E_OK : err_set(E_IO, "fsync of the folder of %s: %m", db->path);
}

enum err db_open(struct db *db)
{
    int code = sqlite3_open_v2(db->path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    enum err e = code == SQLITE_OK ? set_up(db) : db_error(db, code, "open");
    db->owner = getpid();
    if (e == E_OK)
        e = keep_log_name(db);
    if (e != E_OK)
        db_close(db);
    return e;
}

/* After a fork the child only forgets: closing would take the parent's locks and journal with it. */
void db_close(struct db *db)
{
    if (db->handle != NULL && db->owner == getpid()) {
        for (size_t i = 0; i < SQL_COUNT; i++)
            sqlite3_finalize(db->prepared[i]);
        sqlite3_close_v2(db->handle);
    }
    memset(db->prepared, 0, sizeof db->prepared);
    db->handle = NULL;
}

static enum err prepare(struct db *db, enum sql id)
{
    assert(db->handle != NULL && db->owner == getpid());
    if (db->prepared[id] != NULL)
        return E_OK;
    int code = sqlite3_prepare_v3(db->handle, sql_statements[id].text, -1, SQLITE_PREPARE_PERSISTENT, &db->prepared[id], NULL);
    return code == SQLITE_OK ? E_OK : db_error(db, code, sql_statements[id].name);
}

enum err db_start(struct db *db, enum sql id, sqlite3_stmt **q_out, const struct arg *args, size_t n)
{
    TRY(prepare(db, id));
    sqlite3_stmt *q = db->prepared[id];
    assert(!sqlite3_stmt_busy(q) && (int)n == sqlite3_bind_parameter_count(q));
    for (size_t i = 0; i < n; i++) {
        int code = args[i].text != NULL ? sqlite3_bind_text(q, (int)i + 1, args[i].text, -1, SQLITE_STATIC)
                                        : sqlite3_bind_int64(q, (int)i + 1, args[i].number);
        if (code != SQLITE_OK)
            return db_error(db, code, sql_statements[id].name);
    }
    *q_out = q;
    return E_OK;
}

static const char *name_of(const struct db *db, const sqlite3_stmt *q)
{
    for (size_t i = 0; i < SQL_COUNT; i++)
        if (db->prepared[i] == q)
            return sql_statements[i].name;
    return "statement";
}

enum err db_next(struct db *db, sqlite3_stmt *q, bool *row_out)
{
    int code = sqlite3_step(q);
    *row_out = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return E_OK;
    return db_error(db, code, name_of(db, q));
}

void db_reset(sqlite3_stmt **q)
{
    if (*q == NULL)
        return;
    sqlite3_reset(*q);
    sqlite3_clear_bindings(*q);
    *q = NULL;
}

enum err db_one(struct db *db, enum sql id, sqlite3_stmt **q_out, bool *row_out, const struct arg *args, size_t n)
{
    TRY(db_start(db, id, q_out, args, n));
    return db_next(db, *q_out, row_out);
}

enum err db_run(struct db *db, enum sql id, const struct arg *args, size_t n)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row = true;
    TRY(db_start(db, id, &q, args, n));
    while (row)
        TRY(db_next(db, q, &row));
    return E_OK;
}

enum err db_number(struct db *db, enum sql id, int64_t *number_out, const struct arg *args, size_t n)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(db, id, &q, &row, args, n));
    *number_out = row ? sqlite3_column_int64(q, 0) : 0;
    return E_OK;
}

unsigned db_changes(const struct db *db)
{
    return (unsigned)sqlite3_changes(db->handle);
}

enum err db_read(struct db *db)
{
    return db_run(db, SQL_BEGIN_READ, NO_ARGS);
}

enum err db_write(struct db *db)
{
    TRY(shm_lock(db->shm, db->timeout_ms));
    enum err e = db_run(db, SQL_BEGIN_WRITE, NO_ARGS);
    if (e != E_OK)
        shm_unlock(db->shm);
    else
        db->writing = true;
    return e;
}

/* SQLite rolls back by itself on some errors; the particulars of the first failure are the ones that count. */
static void roll_back(struct db *db)
{
    struct err_info why = err_save();
    if (!sqlite3_get_autocommit(db->handle) && db_run(db, SQL_ROLLBACK, NO_ARGS) != E_OK)
        db_close(db); /* the next verb starts from a fresh connection */
    err_restore(&why);
}

/* The commit stands in the log; this makes it durable. Outside the writers' lock, where the kernel flushes the commits of all who
 * wait in one go: at 16 writers several times the rate of synchronous=FULL, which flushes within the lock. The log is written in
 * order, so whoever's flush returns, all commits before it are durable too. Nothing is acknowledged before.
 * When the flush fails the rows are there and may yet be lost: neither done nor undone. */
static enum err flush_log(struct db *db)
{
    sqlite3_file *log = NULL;
    int code = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (code == SQLITE_OK && log != NULL && log->pMethods != NULL)
        code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    else
        code = SQLITE_INTERNAL;
    return code == SQLITE_OK ? E_OK : err_set(E_UNSURE, "%s: the log could not be flushed (%d)", db->path, code);
}

enum err db_end(struct db *db, enum err e)
{
    bool wrote = db->writing && e == E_OK;
    if (e == E_OK)
        e = db_run(db, SQL_COMMIT, NO_ARGS);
    if (e != E_OK)
        roll_back(db);
    if (db->writing)
        shm_unlock(db->shm);
    db->writing = false;
    return e == E_OK && wrote && db->durable ? flush_log(db) : e;
}
