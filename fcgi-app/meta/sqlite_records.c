/* Records as such: a list and a put statement for each kind; what a row has is what the statement names. */
#include "meta/sqlite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define AUDIT_DIGITS 20 /* of a key that is SQLite's own number */

static const struct {
    enum sql list, put;
} statements[RECORD_KINDS] = {
#define RECORD(upper, lower) [RECORD_##upper] = {SQL_RECORD_LIST_##upper, SQL_RECORD_PUT_##upper},
#include "meta/record.def"
#undef RECORD
};

/* ---- out ---- */
static enum err column_json(sqlite3_stmt *q, int at, json_t **out)
{
    if (sqlite3_column_type(q, at) == SQLITE_NULL)
        *out = json_null();
    else if (sqlite3_column_type(q, at) == SQLITE_INTEGER)
        *out = json_integer(sqlite3_column_int64(q, at));
    else
        *out = json_stringn((const char *)sqlite3_column_text(q, at), (size_t)sqlite3_column_bytes(q, at));
    if (*out == NULL)
        return err_set(E_DAMAGED, "%s of record %s is not UTF-8", sqlite3_column_name(q, at), (const char *)sqlite3_column_text(q, 0));
    return E_OK;
}

static enum err row_record(void *mem, sqlite3_stmt *q, struct record *out)
{
    json_t *row = json_own_object(mem), *value;
    for (int at = 1; at < sqlite3_column_count(q); at++) {
        TRY(column_json(q, at, &value));
        json_object_set_new(row, sqlite3_column_name(q, at), value);
    }
    *out = (struct record){.key = row_text(mem, q, 0), .row = record_text(mem, row)};
    return E_OK;
}

enum err sqlite_record_list(struct meta *m, void *mem, enum record_kind kind, const char *after, unsigned limit,
                            struct record **rows_out, size_t *n_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    *rows_out = mem_array(mem, struct record, limit);
    TRY(sqlite_ready(s));
    TRY(db_start(&s->main, statements[kind].list, &q, ARGS(TEXT(after), NUMBER(limit))));
    for (*n_out = 0;; ++*n_out) {
        TRY(db_next(&s->main, q, &row));
        if (!row)
            return E_OK;
        CLEANUP(free_mem) void *work = talloc_new(NULL);
        TRY(row_record(work, q, &(*rows_out)[*n_out]));
        talloc_steal(mem, (*rows_out)[*n_out].key);
        talloc_steal(mem, (*rows_out)[*n_out].row);
    }
}

/* ---- in ---- */
/* MongoDB's entries are named by time and chance, ours by numbers: the time with as much of the chance as has room. */
static enum err audit_number(const char *key, int64_t *number_out)
{
    char part[16 + 1] = "";
    if (strlen(key) == AUDIT_DIGITS)
        return parse_i64(key, 1, INT64_MAX, number_out);
    if (strlen(key) != ID_LEN)
        return err_set(E_INTERNAL, "no key of the audit: %s", key);
    memcpy(part, key, 16);
    uint64_t at_ms = strtoull(part, NULL, 16);
    memcpy(part, key + 16, 16);
    *number_out = (int64_t)((at_ms << 21 | (strtoull(part, NULL, 16) & 0x1fffff)) & INT64_MAX);
    return E_OK;
}

/* An entry never changes: one that stands there already with other words is another, and the next number is tried. */
static enum err put_audit(struct db *db, const struct record *in)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct record there;
    bool taken = true;
    int64_t number;
    TRY(audit_number(in->key, &number));
    for (;; number++) {
        CLEANUP(db_reset) sqlite3_stmt *q = NULL;
        TRY(db_one(db, SQL_RECORD_AUDIT_AT, &q, &taken, ARGS(NUMBER(number))));
        if (!taken)
            return db_run(db, SQL_RECORD_PUT_AUDIT, ARGS(NUMBER(number), TEXT(in->row)));
        TRY(row_record(mem, q, &there));
        if (strcmp(there.row, in->row) == 0)
            return E_OK;
    }
}

static enum err put_rows(struct db *db, enum record_kind kind, const struct record *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        TRY(kind == RECORD_AUDIT ? put_audit(db, &rows[i])
                                 : db_run(db, statements[kind].put, ARGS(TEXT(rows[i].key), TEXT(rows[i].row))));
    return E_OK;
}

enum err sqlite_record_put(struct meta *m, enum record_kind kind, const struct record *rows, size_t n)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_write(s));
    return db_end(&s->main, put_rows(&s->main, kind, rows, n));
}

/* ---- one moment ---- */
enum err sqlite_snapshot_begin(struct meta *m)
{
    return sqlite_read(sqlite_of(m));
}

void sqlite_snapshot_end(struct meta *m)
{
    if (db_end(&sqlite_of(m)->main, E_OK) != E_OK)
        err_clear(); /* it only read */
}
