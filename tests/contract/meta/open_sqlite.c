/* The SQLite store's row. Damage is done as an administrator would do it, with another connection. */
#include "bench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static void elsewhere(struct bench *b, unsigned n)
{
    b->conf.sqlite_path = mem_printf(b, "%s/coffer-%u.db", b->dir, n);
}

static const char *const statements[] = {
    [HURT_USED] = "UPDATE space SET used = used + 7 WHERE id = ?1",
    [HURT_RESERVED] = "UPDATE space SET reserved = reserved + 7 WHERE id = ?1",
    [HURT_REFS] = "UPDATE blob SET refs = refs + 1 WHERE id = ?1",
    [HURT_SINCE] = "UPDATE blob SET unreferenced_ms = 5 WHERE id = ?1",
    [HURT_DYING] = "UPDATE blob SET state = 1 WHERE id = ?1",
    [HURT_COPY] = "UPDATE node SET size = size + 7 WHERE id = ?1",
    [HURT_NO_BLOB] = "DELETE FROM blob WHERE id = ?1",
    [HURT_NO_NODE] = "DELETE FROM node WHERE id = ?1",
    [HURT_NO_VERSION] = "DELETE FROM version WHERE node = ?1",
    [HURT_NO_PARENT] = "UPDATE node SET parent = 'ffffffffffffffffffffffffffffffff' WHERE id = ?1",
    [HURT_NO_SPACE] = "UPDATE node SET space = 'ffffffffffffffffffffffffffffffff' WHERE id = ?1",
    [HURT_NO_ROOT] = "UPDATE node SET live = 0 WHERE id = (SELECT root FROM space WHERE id = ?1)",
    [HURT_NO_TOP] = "UPDATE node SET parent = '00000000000000000000000000000000' WHERE id = ?1",
    [HURT_NO_PERSONAL] = "UPDATE space SET personal_of = NULL WHERE personal_of = ?1",
    [HURT_USER_DISABLED] = "UPDATE user SET state = 1 WHERE id = ?1",
    [HURT_NOTES_LOST] = "DELETE FROM seen WHERE session <> ?1",
};

static void must(bool worked, sqlite3 *db)
{
    if (!worked)
        fail_msg("%s", sqlite3_errmsg(db));
}

static void hurt(struct bench *b, enum hurt what, struct id id)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s%s", b->conf.sqlite_path, what == HURT_NOTES_LOST ? "-volatile" : "");
    must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK, db);
    must(sqlite3_prepare_v2(db, statements[what], -1, &q, NULL) == SQLITE_OK, db);
    must(sqlite3_bind_text(q, 1, id.s, -1, SQLITE_STATIC) == SQLITE_OK, db);
    must(sqlite3_step(q) == SQLITE_DONE, db);
    assert_true(sqlite3_changes(db) > 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
}

const struct opener openers[] = {
    {"sqlite", meta_sqlite_open, elsewhere, hurt, 1},
};
_Static_assert(ROWS(openers) == OPENERS, "a row per store");
