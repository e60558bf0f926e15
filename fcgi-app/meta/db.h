/* One SQLite file: statements prepared once and kept, transactions, errors as ours.
 *
 * A statement is started with its arguments, read row by row, and reset when its variable goes out of scope:
 *
 *     CLEANUP(db_reset) sqlite3_stmt *q = NULL;
 *     bool row;
 *     TRY(db_start(db, SQL_NODE_CHILD, &q, ARGS(TEXT(parent.s), TEXT(name))));
 *     TRY(db_next(db, q, &row));
 *
 * Arguments are not copied: they live until the reset. A verb that writes is
 *
 *     TRY(db_write(db));
 *     return db_end(db, the_rows(...));
 *
 * db_end commits when it gets E_OK, and else rolls back and hands the error on with its particulars. It
 * returns when the commit is durable; E_UNSURE when that could not be had (a failed flush: the rows are there now, and may be
 * gone after a power cut). */
#pragma once
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/shm.h"
#include "meta/sql_gen.h"

struct db {
    const char *path;
    struct shm *shm;      /* its writers' lock is taken before SQLite's own; NULL: SQLite's alone */
    unsigned timeout_ms;
    bool durable;         /* db_end returns when the commit is on the disk */
    sqlite3 *handle;      /* NULL: not open */
    sqlite3_stmt *prepared[SQL_COUNT];
    bool writing;         /* within db_write .. db_end */
    pid_t owner;          /* the process that opened it: connections are not carried over fork */
};

struct arg {
    const char *text; /* NULL: a number */
    int64_t number;
};
#define TEXT(t)   {.text = (t)}
#define NUMBER(n) {.number = (n)}
#define ARGS(...)                                                                                            \
    (const struct arg[]){__VA_ARGS__}, sizeof((const struct arg[]){__VA_ARGS__}) / sizeof(struct arg)
#define NO_ARGS NULL, 0

/* Opens the file, which must exist. E_STORE_DOWN, E_DAMAGED, E_IO. */
enum err db_open(struct db *db) MUST_CHECK;
void db_close(struct db *db);

enum err db_write(struct db *db) MUST_CHECK;
enum err db_read(struct db *db) MUST_CHECK; /* several reads of one moment; end it soon, the WAL grows meanwhile */
enum err db_end(struct db *db, enum err e) MUST_CHECK;

enum err db_start(struct db *db, enum sql id, sqlite3_stmt **q_out, const struct arg *args, size_t n) MUST_CHECK;
enum err db_next(struct db *db, sqlite3_stmt *q, bool *row_out) MUST_CHECK;
void db_reset(sqlite3_stmt **q); /* for CLEANUP */

/* Start and take the first row, if any. */
enum err db_one(struct db *db, enum sql id, sqlite3_stmt **q_out, bool *row_out, const struct arg *args, size_t n) MUST_CHECK;
/* To the end; rows are of no interest. */
enum err db_run(struct db *db, enum sql id, const struct arg *args, size_t n) MUST_CHECK;
/* The first column of the first row as a number; 0 when there is no row. */
enum err db_number(struct db *db, enum sql id, int64_t *number_out, const struct arg *args, size_t n) MUST_CHECK;
unsigned db_changes(const struct db *db); /* rows the last db_run changed */

/* Text that is no named statement: the schema, a pragma. */
enum err db_script(struct db *db, const char *sql) MUST_CHECK;

/* What the library says, as ours, with a detail. */
enum err db_error(struct db *db, int code, const char *what) MUST_CHECK;
