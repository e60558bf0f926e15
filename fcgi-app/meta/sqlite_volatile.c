/* The volatile file: last requests of sessions, throttles. Losing it hurts nobody, so what concerns sessions
 * is best effort; a throttle that cannot be counted refuses. */
#include "meta/sqlite.h"

static enum err fast_ready(struct sqlite *s)
{
    TRY(sqlite_ready(s));
    return s->fast.handle != NULL ? E_OK : db_open(&s->fast);
}

static enum err fast_run(struct sqlite *s, enum sql id, const struct arg *args, size_t n)
{
    TRY(fast_ready(s));
    return db_run(&s->fast, id, args, n);
}

/* ---- last requests ---- */
static enum err read_seen(struct sqlite *s, const struct session *session, int64_t *seen_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(fast_ready(s));
    TRY(db_one(&s->fast, SQL_SEEN_GET, &q, &row, ARGS(TEXT(session->id.s))));
    bool noted = sqlite3_column_type(q, 0) != SQLITE_NULL;
    int64_t latest = sqlite3_column_int64(q, noted ? 0 : 1); /* a lost note is no later than the file's birth */
    *seen_out = latest > session->created_ms ? latest : session->created_ms;
    return E_OK;
}

int64_t sqlite_seen(struct sqlite *s, const struct session *session, int64_t now_ms)
{
    int64_t seen;
    if (read_seen(s, session, &seen) == E_OK)
        return seen;
    err_clear();
    return now_ms;
}

void sqlite_seen_note(struct sqlite *s, struct id session, int64_t now_ms)
{
    if (fast_run(s, SQL_SEEN_SET, ARGS(TEXT(session.s), NUMBER(now_ms))) != E_OK)
        err_clear();
}

void sqlite_seen_drop(struct sqlite *s, struct id session)
{
    if (fast_run(s, SQL_SEEN_DROP, ARGS(TEXT(session.s))) != E_OK)
        err_clear();
}

enum err sqlite_idle(struct sqlite *s, void *mem, int64_t before_ms, unsigned batch, struct id **ids_out, size_t *n_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    *ids_out = mem_array(mem, struct id, batch);
    *n_out = 0;
    TRY(fast_ready(s));
    TRY(db_one(&s->fast, SQL_SEEN_IDLE, &q, &row, ARGS(NUMBER(before_ms), NUMBER(batch))));
    while (row) {
        (*ids_out)[(*n_out)++] = row_id(q, 0);
        TRY(db_next(&s->fast, q, &row));
    }
    return E_OK;
}

/* ---- throttles ---- */
enum err sqlite_throttles_over(struct sqlite *s, int64_t now_ms, unsigned batch, unsigned *did_out)
{
    TRY(fast_run(s, SQL_THROTTLE_OVER, ARGS(NUMBER(now_ms), NUMBER(batch))));
    *did_out = db_changes(&s->fast);
    return E_OK;
}

static enum err read_throttle(struct sqlite *s, const struct throttle *row, int64_t now_ms, int64_t *count_out, int64_t *until_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool known;
    TRY(db_one(&s->fast, SQL_THROTTLE_GET, &q, &known, ARGS(TEXT(row->key), NUMBER(now_ms))));
    *count_out = known ? sqlite3_column_int64(q, 0) : 0;
    *until_out = known ? sqlite3_column_int64(q, 1) : now_ms + row->window_ms;
    return E_OK;
}

/* Every row is looked at, so that the wait told is the longest. */
static enum err charge(struct sqlite *s, const struct throttle *rows, size_t n, int64_t now_ms)
{
    int64_t wait_ms = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t count, until;
        TRY(read_throttle(s, &rows[i], now_ms, &count, &until));
        if (count >= rows[i].limit && until - now_ms > wait_ms)
            wait_ms = until - now_ms;
        TRY(db_run(&s->fast, SQL_THROTTLE_SET, ARGS(TEXT(rows[i].key), NUMBER(count + 1), NUMBER(until))));
    }
    return wait_ms > 0 ? err_retry(E_THROTTLED, (unsigned)((wait_ms + 999) / 1000)) : E_OK;
}

enum err sqlite_throttle_charge(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    TRY(fast_ready(s));
    TRY(db_write(&s->fast));
    return db_end(&s->fast, charge(s, rows, n, now_ms));
}

static enum err give_back(struct sqlite *s, const struct throttle *rows, size_t n, int64_t now_ms)
{
    for (size_t i = 0; i < n; i++)
        TRY(db_run(&s->fast, SQL_THROTTLE_REFUND, ARGS(TEXT(rows[i].key), NUMBER(now_ms))));
    return E_OK;
}

enum err sqlite_throttle_refund(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    TRY(fast_ready(s));
    TRY(db_write(&s->fast));
    return db_end(&s->fast, give_back(s, rows, n, now_ms));
}
