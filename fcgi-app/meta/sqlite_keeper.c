/* What the keeper does, in batches, so that nobody waits for long: what is over goes, dead folders are
 * emptied, blobs nobody needs are handed out. Each looks first and takes the writers' lock only for work. */
#include "meta/sqlite.h"

#include "base/clock.h"

#define REAP_MOST_MS 20 /* a batch of files with large rows on a slow disk ends early */

/* ---- what is over ---- */
static enum err drop_uploads(struct sqlite *s, int64_t now_ms, unsigned batch, unsigned *did)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row, found;
    TRY(db_one(&s->main, SQL_UPLOADS_OVER, &q, &row, ARGS(NUMBER(now_ms), NUMBER(batch))));
    while (row) {
        struct id upload = row_id(q, 0);
        TRY(sqlite_upload_drop(s, upload, &found));
        *did += found;
        TRY(db_next(&s->main, q, &row));
    }
    return E_OK;
}

static enum err drop_over(struct sqlite *s, int64_t now_ms, const struct id *idle, size_t n, unsigned batch, unsigned *did)
{
    static const enum sql over[] = {SQL_SESSIONS_OVER, SQL_INVITES_OVER, SQL_RESETS_OVER};
    for (size_t i = 0; i < sizeof over / sizeof *over; i++) {
        TRY(db_run(&s->main, over[i], ARGS(NUMBER(now_ms), NUMBER(batch))));
        *did += db_changes(&s->main);
    }
    for (size_t i = 0; i < n; i++)
        TRY(db_run(&s->main, SQL_SESSION_DROP, ARGS(TEXT(idle[i].s))));
    *did += (unsigned)n;
    TRY(db_run(&s->main, SQL_LEASES_OVER, ARGS(NUMBER(now_ms))));
    *did += db_changes(&s->main);
    return drop_uploads(s, now_ms, batch, did);
}

static enum err expire_main(struct sqlite *s, int64_t now_ms, const struct id *idle, size_t n, unsigned batch, unsigned *did)
{
    int64_t due;
    TRY(db_number(&s->main, SQL_EXPIRE_DUE, &due, ARGS(NUMBER(now_ms))));
    if (!due && n == 0)
        return E_OK;
    TRY(sqlite_write(s));
    TRY(db_end(&s->main, drop_over(s, now_ms, idle, n, batch, did)));
    for (size_t i = 0; i < n; i++)
        sqlite_seen_drop(s, idle[i]);
    return E_OK;
}

enum err sqlite_expire(struct meta *m, int64_t now_ms, int64_t idle_since_ms, unsigned batch, unsigned *did_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct id *idle;
    size_t n;
    unsigned did = 0, throttles;
    *did_out = 0;
    TRY(sqlite_ready(s));
    TRY(sqlite_idle(s, mem, idle_since_ms, batch, &idle, &n));
    TRY(expire_main(s, now_ms, idle, n, batch, &did));
    TRY(sqlite_throttles_over(s, now_ms, batch, &throttles));
    *did_out = did + throttles;
    return E_OK;
}

/* ---- dead folders ---- */
struct dead {
    struct id id, space, parent;
};

static enum err read_dead(struct sqlite *s, enum sql id, const struct arg *args, size_t n, struct dead *out, int64_t *removed_out,
                          bool *found_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    TRY(db_one(&s->main, id, &q, found_out, args, n));
    if (!*found_out)
        return E_OK;
    *out = (struct dead){.id = row_id(q, 0), .space = row_id(q, 1), .parent = row_id(q, 2)};
    if (removed_out != NULL)
        *removed_out = sqlite3_column_int64(q, 3);
    return E_OK;
}

/* From a dead node down to one with nothing below it. */
static enum err go_down(struct sqlite *s, struct dead *at)
{
    struct dead child;
    bool found = true;
    while (found) {
        TRY(read_dead(s, SQL_REAP_CHILD, ARGS(TEXT(at->id.s)), &child, NULL, &found));
        if (found)
            *at = child;
    }
    return E_OK;
}

/* Blobs count as unreferenced since their folder was removed. */
static enum err drop_dead(struct sqlite *s, const struct dead *at, int64_t removed_ms)
{
    int64_t freed;
    TRY(sqlite_versions_drop(s, at->id, removed_ms, &freed));
    TRY(sqlite_charge(s, at->space, -freed, 0));
    return db_run(&s->main, SQL_NODE_DROP, ARGS(TEXT(at->id.s)));
}

/* Bottom up: whatever is left after a batch still hangs below a dead node. Each step removes a node without
 * children and goes on with its siblings, at last with their parent. */
static enum err reap(struct sqlite *s, unsigned batch, unsigned *did)
{
    int64_t end_ms = clock_monotonic_ms() + REAP_MOST_MS, removed_ms;
    struct dead top, at;
    bool found;
    for (at = (struct dead){0}; *did < batch && (*did == 0 || clock_monotonic_ms() < end_ms); (*did)++) {
        if (!id_is(at.id)) {
            TRY(read_dead(s, SQL_REAP_FIRST, NO_ARGS, &top, &removed_ms, &found));
            if (!found)
                return E_OK;
            at = top;
        }
        TRY(go_down(s, &at));
        TRY(drop_dead(s, &at, removed_ms));
        if (id_eq(at.id, top.id) && id_eq(top.parent, NODE_TOP))
            TRY(sqlite_space_drop(s, top.space));
        at = id_eq(at.id, top.id) ? (struct dead){0} : (struct dead){.id = at.parent, .space = at.space};
    }
    return E_OK;
}

enum err sqlite_reap(struct meta *m, unsigned batch, unsigned *did_out)
{
    struct sqlite *s = sqlite_of(m);
    struct dead dead;
    unsigned did = 0;
    bool found;
    *did_out = 0;
    TRY(sqlite_ready(s));
    TRY(read_dead(s, SQL_REAP_FIRST, NO_ARGS, &dead, NULL, &found));
    if (!found)
        return E_OK;
    TRY(sqlite_write(s));
    TRY(db_end(&s->main, reap(s, batch, &did)));
    *did_out = did;
    return E_OK;
}
