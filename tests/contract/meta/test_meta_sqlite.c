/* What is promised of the SQLite store alone: its files, its locks, its errors, its schema. */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "meta/sqlite.h"

/* Another program's connection to one of the store's files. */
static sqlite3 *stranger(struct bench *b, const char *tail)
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s%s", b->conf.sqlite_path, tail);
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL), SQLITE_OK);
    return db;
}

static void run_sql(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static void by_stranger(struct bench *b, const char *sql)
{
    sqlite3 *db = stranger(b, "");
    run_sql(db, sql);
    sqlite3_close(db);
}

/* ---- files ---- */
static void files_are_private_whatever_the_umask(void **state)
{
    struct bench *b = *state;
    static const char *const tails[] = {"", "-wal", "-shm", "-volatile", "-volatile-wal", "-volatile-shm"};
    static const mode_t masks[] = {0, 0777, 0277};
    for (unsigned i = 0; i < ROWS(masks); i++) {
        const struct throttle row = {"key", 9, 1000};
        struct person p;
        talloc_free(b->m);
        b->opener->elsewhere(b, 1 + i);
        mode_t before = umask(masks[i]);
        b->m = bench_open(b, b);
        assert_err(b->m->ops->upgrade(b->m), E_OK);
        assert_err(bench_user(b->m, "eve", 0, &p), E_OK);
        assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS), E_OK);
        umask(before);
        for (size_t t = 0; t < ROWS(tails); t++) {
            struct stat st;
            CLEANUP(free_mem) char *path = mem_printf(NULL, "%s%s", b->conf.sqlite_path, tails[t]);
            if (stat(path, &st) != 0 || (st.st_mode & 07777) != 0600)
                fail_msg("umask %03o: %s has mode %o", (unsigned)masks[i], path, (unsigned)st.st_mode & 07777);
        }
    }
}

static void without_a_schema_the_store_is_down(void **state)
{
    struct bench *b = *state;
    struct user user;
    struct id id;
    talloc_free(b->m);
    b->opener->elsewhere(b, 1);
    b->m = bench_open(b, b);
    assert_err(b->m->ops->ping(b->m), E_STORE_DOWN);
    assert_err(b->m->ops->user_by_key(b->m, b, "ann", &user), E_STORE_DOWN);
    assert_err(b->m->ops->upload_release(b->m, id_new()), E_STORE_DOWN);
    assert_int_not_equal(access(b->conf.sqlite_path, F_OK), 0); /* only upgrade makes it */
    struct meta *other = bench_open(b, b);
    assert_err(other->ops->upgrade(other), E_OK);
    assert_err(b->m->ops->store_id(b->m, &id), E_OK); /* and whoever waited goes on */
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct bench *b = *state;
    talloc_free(b->m);
    b->conf.sqlite_path = mem_printf(b, "%s/no/such/coffer.db", b->dir);
    b->m = bench_open(b, b);
    assert_err(b->m->ops->upgrade(b->m), E_STORE_DOWN);
    assert_non_null(strstr(err_last(E_STORE_DOWN)->detail, "/no/such"));
}

static void what_is_no_database_is_damage(void **state)
{
    struct bench *b = *state;
    struct meta *m = NULL;
    talloc_free(b->m);
    b->opener->elsewhere(b, 1);
    CLEANUP(close_fd) int fd = open(b->conf.sqlite_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(write(fd, "not a database, not at all.", 27), 27);
    assert_err(meta_sqlite_open(b, &b->conf, b->shm, &m), E_DAMAGED);
    assert_null(m);
    b->opener->elsewhere(b, 0);
    b->m = bench_open(b, b);
}

static void a_damaged_volatile_file_is_made_anew(void **state)
{
    struct bench *b = *state;
    const struct throttle row = {"key", 1, 1000};
    struct session s = session_of(b->ann.user, "aa"), got;
    struct user user;
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s-volatile", b->conf.sqlite_path);
    assert_err(b->m->ops->session_add(b->m, &s, 10), E_OK);
    talloc_free(b->m);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(write(fd, "oh dear", 7), 7);
    close(fd);
    b->m = bench_open(b, b);
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS), E_DAMAGED);
    assert_err(b->m->ops->session_get(b->m, b, s.token_hash, NOW_MS, 0, &got, &user), E_OK); /* sessions do not need it */
    assert_err(b->m->ops->upgrade(b->m), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS), E_THROTTLED);
    assert_err(b->m->ops->session_get(b->m, b, s.token_hash, NOW_MS, 0, &got, &user), E_OK);
}

/* ---- versions of the schema ---- */
static void a_newer_schema_is_refused(void **state)
{
    struct bench *b = *state;
    struct meta *m = NULL;
    talloc_free(b->m);
    by_stranger(b, "UPDATE meta SET value = '9999' WHERE key = 'schema_version'");
    assert_err(meta_sqlite_open(b, &b->conf, b->shm, &m), E_CONF);
    by_stranger(b, "UPDATE meta SET value = 'x' WHERE key = 'schema_version'");
    assert_err(meta_sqlite_open(b, &b->conf, b->shm, &m), E_DAMAGED);
    b->opener->elsewhere(b, 1);
    b->m = bench_open(b, b);
}

static void another_programs_database_is_left_alone(void **state)
{
    struct bench *b = *state;
    b->opener->elsewhere(b, 1);
    by_stranger(b, "CREATE TABLE recipe (name TEXT); INSERT INTO recipe VALUES ('soup')");
    struct meta *m = bench_open(b, b);
    assert_err(m->ops->upgrade(m), E_CONF);
    by_stranger(b, "UPDATE recipe SET name = 'stew'");
    assert_err(m->ops->ping(m), E_STORE_DOWN);
}

static void upgrades_run_in_order_from_where_the_store_is(void **state)
{
    struct bench *b = *state;
    static const struct sql_upgrade steps[] = {
        {2, "two", "CREATE TABLE two (x INTEGER) STRICT;"},
        {3, "three", "ALTER TABLE two ADD COLUMN y TEXT; INSERT INTO two VALUES (1, 'y');"},
        {0, NULL, NULL},
    };
    static const struct sql_upgrade broken[] = {{4, "four", "DROP TABLE two; CREATE TABLE two (x NONSENSE) STRICT;"}, {0, NULL, NULL}};
    struct sqlite *s = sqlite_of(b->m);
    int64_t n;
    assert_err(sqlite_write(s), E_OK);
    assert_err(db_end(&s->main, sqlite_upgrade_steps(&s->main, 1, steps)), E_OK);
    assert_err(sqlite_write(s), E_OK);
    assert_err(db_end(&s->main, sqlite_upgrade_steps(&s->main, 2, steps)), E_INTERNAL); /* the second alone does not fit any more */
    assert_err(sqlite_write(s), E_OK);
    assert_err(db_end(&s->main, sqlite_upgrade_steps(&s->main, 3, broken)), E_INTERNAL);
    by_stranger(b, "INSERT INTO two VALUES (2, 'z')"); /* a step that fails has changed nothing */
    assert_err(db_number(&s->main, SQL_META_GET, &n, ARGS(TEXT("schema_version"))), E_OK);
    assert_int_equal(n, 3);
}

static void every_statement_fits_the_schema(void **state)
{
    struct bench *b = *state;
    sqlite3 *main_db = stranger(b, ""), *fast_db = stranger(b, "-volatile");
    for (size_t i = 0; i < SQL_COUNT; i++) {
        const char *name = sql_statements[i].name;
        bool fast = strncmp(name, "seen_", 5) == 0 || strncmp(name, "throttle_", 9) == 0 || strncmp(name, "born_", 5) == 0;
        sqlite3 *db = fast ? fast_db : main_db;
        sqlite3_stmt *q;
        const char *rest = "";
        if (sqlite3_prepare_v2(db, sql_statements[i].text, -1, &q, &rest) != SQLITE_OK)
            fail_msg("%s: %s", name, sqlite3_errmsg(db));
        if (rest[strspn(rest, " \n")] != '\0' && strncmp(rest + strspn(rest, " \n"), "--", 2) != 0)
            fail_msg("%s is more than one statement: %s", name, rest);
        sqlite3_finalize(q);
    }
    sqlite3_close(main_db);
    sqlite3_close(fast_db);
}

/* No request's statement reads a whole table; those that may are named. */
static void statements_use_an_index(void **state)
{
    struct bench *b = *state;
    static const char *const tables[] = {"SCAN node", "SCAN version", "SCAN blob", "SCAN session", "SCAN user", "SCAN space",
                                         "SCAN audit", "SCAN n ", "SCAN v ", "SCAN s ", "SCAN u "};
    static const char *const by_order[] = {"reap_first", "hash_pending", "blobs_dying", "blobs_due", "blobs_mark"}; /* a partial index is all of it */
    sqlite3 *db = stranger(b, "");
    for (size_t i = 0; i < SQL_COUNT; i++) {
        const char *name = sql_statements[i].name;
        CLEANUP(free_mem) char *explain = mem_printf(NULL, "EXPLAIN QUERY PLAN %s", sql_statements[i].text);
        bool may = strncmp(name, "check_", 6) == 0 || strncmp(name, "mend_", 5) == 0 ||
                   strncmp(name, "backup_", 7) == 0; /* none of them is a request's */
        sqlite3_stmt *q;
        for (size_t o = 0; o < ROWS(by_order); o++)
            may = may || strcmp(name, by_order[o]) == 0;
        if (may || sqlite3_prepare_v2(db, explain, -1, &q, NULL) != SQLITE_OK)
            continue; /* of the other file */
        while (sqlite3_step(q) == SQLITE_ROW)
            for (size_t t = 0; t < ROWS(tables); t++)
                if (strncmp((const char *)sqlite3_column_text(q, 3), tables[t], strlen(tables[t])) == 0)
                    fail_msg("%s: %s", name, sqlite3_column_text(q, 3));
        sqlite3_finalize(q);
    }
    sqlite3_close(db);
}

/* A folder's name and list must not cost more the larger the folder is. */
static void names_and_lists_come_from_their_indexes(void **state)
{
    struct bench *b = *state;
    static const struct { enum sql id; const char *index; bool sorts; } rows[] = {
        {SQL_NODE_CHILD, "node_name", false},     {SQL_LIST_NAME_ASC, "node_list", false}, {SQL_LIST_NAME_DESC, "node_list", false},
        {SQL_LIST_SIZE_ASC, "node_list", true},   {SQL_UPLOADS_OVER, "upload_expires", false},
        {SQL_BLOBS_DYING, "blob_unreferenced", false}, {SQL_HASH_PENDING, "version_unhashed", false},
    };
    sqlite3 *db = stranger(b, "");
    for (size_t i = 0; i < ROWS(rows); i++) {
        CLEANUP(free_mem) char *explain = mem_printf(NULL, "EXPLAIN QUERY PLAN %s", sql_statements[rows[i].id].text);
        sqlite3_stmt *q;
        bool index = false, sorts = false;
        assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &q, NULL), SQLITE_OK);
        while (sqlite3_step(q) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(q, 3);
            index = index || strstr(line, rows[i].index) != NULL;
            sorts = sorts || strstr(line, "B-TREE") != NULL;
        }
        sqlite3_finalize(q);
        if (!index || sorts != rows[i].sorts)
            fail_msg("%s: index %d, sorts %d", sql_statements[rows[i].id].name, index, sorts);
    }
    sqlite3_close(db);
}

/* ---- locks ---- */
static void a_locked_store_is_down_for_writers_only(void **state)
{
    struct bench *b = *state;
    struct session s = session_of(b->ann.user, "aa"), got;
    const struct throttle row = {"key", 9, 1000};
    struct user user;
    char *before = bench_state(b);
    assert_err(b->m->ops->session_add(b->m, &s, 10), E_OK);
    talloc_free(b->m);
    b->conf.store_busy_timeout = 200;
    b->m = bench_open(b, b);
    sqlite3 *db = stranger(b, "");
    run_sql(db, "BEGIN IMMEDIATE");

    int64_t start = clock_monotonic_ms();
    assert_err(make_folder(b->m, &b->ann, b->ann.root, "d", id_new()), E_STORE_DOWN);
    int64_t waited = clock_monotonic_ms() - start;
    assert_true(waited >= 150);
    assert_in_range(err_last(E_STORE_DOWN)->retry_after_s, 1, 2);

    /* Reading, and what is volatile, wait for nobody: who did would be told in vain. */
    assert_string_equal(before, bench_state(b));
    assert_err(b->m->ops->session_get(b->m, b, s.token_hash, NOW_MS + 120000, 0, &got, &user), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS), E_OK);
    run_sql(db, "ROLLBACK");
    sqlite3_close(db);
    assert_err(make_folder(b->m, &b->ann, b->ann.root, "d", id_new()), E_OK);
}

static void writers_wait_in_line_before_the_file(void **state)
{
    struct bench *b = *state;
    talloc_free(b->m);
    b->conf.store_busy_timeout = 100;
    b->m = bench_open(b, b);
    int gate[2], status;
    char c;
    assert_int_equal(pipe(gate), 0);
    fflush(NULL);
    pid_t holder = fork();
    if (holder == 0) { /* holds the line, not the file, and then dies with it */
        if (shm_lock(b->shm, 1000) != E_OK || write(gate[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    assert_int_equal(read(gate[0], &c, 1), 1);
    assert_err(make_folder(b->m, &b->ann, b->ann.root, "d", id_new()), E_STORE_DOWN);
    assert_in_range(err_last(E_STORE_DOWN)->retry_after_s, 1, 2);
    kill(holder, SIGKILL);
    waitpid(holder, &status, 0);
    assert_err(make_folder(b->m, &b->ann, b->ann.root, "d", id_new()), E_OK);
    close(gate[0]);
    close(gate[1]);
}

/* A child that lets go of what it inherited must take nothing from its parent. */
static void a_fork_carries_no_connection(void **state)
{
    struct bench *b = *state;
    struct sqlite *s = sqlite_of(b->m);
    int status;
    assert_err(sqlite_write(s), E_OK);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        talloc_free(b->m);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    sqlite3 *db = stranger(b, "");
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_BUSY); /* the parent's lock stands */
    sqlite3_close(db);
    assert_err(db_end(&s->main, E_OK), E_OK);
    must_folder(b, &b->ann, b->ann.root, "d");
    assert_clean(b);
}

/* ---- a full disk ---- */
static void a_full_disk_says_so_and_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct sqlite *s = sqlite_of(b->m);
    char name[200];
    enum err e = E_OK;
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_err(db_script(&s->main, "PRAGMA max_page_count = 1"), E_OK); /* as many as there are now */
    char *before = NULL;
    for (unsigned i = 0; e == E_OK && i < 1000; i++) {
        talloc_free(before);
        before = bench_state(b);
        snprintf(name, sizeof name, "%0190u", i);
        e = make_folder(b->m, &b->ann, b->ann.root, name, id_new());
    }
    assert_err(e, E_DISK_FULL);
    assert_string_equal(before, bench_state(b));
    struct guard g = yes(b->ann.user);
    struct place place;
    assert_err(b->m->ops->node_get(b->m, b, &g, b->ann.root, &place), E_OK);
    assert_err(db_script(&s->main, "PRAGMA max_page_count = 100000"), E_OK);
    must_folder(b, &b->ann, b->ann.root, "there is room again");
    assert_clean(b);
}

/* ---- settings of a connection ---- */
/* NORMAL: SQLite flushes the log before each checkpoint, db_end after each commit. */
static void connections_are_set_up(void **state)
{
    struct bench *b = *state;
    struct sqlite *s = sqlite_of(b->m);
    const struct throttle row = {"key", 9, 1000};
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS), E_OK);
    const struct { sqlite3 *db; int synchronous; } rows[] = {{s->main.handle, 1}, {s->fast.handle, 0}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        sqlite3_stmt *q;
        static const char sql[] = "SELECT * FROM pragma_synchronous, pragma_journal_mode, pragma_foreign_keys";
        assert_int_equal(sqlite3_prepare_v2(rows[i].db, sql, -1, &q, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(q, 0), rows[i].synchronous);
        assert_string_equal((const char *)sqlite3_column_text(q, 1), "wal");
        assert_int_equal(sqlite3_column_int(q, 2), 1);
        sqlite3_finalize(q);
    }
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(files_are_private_whatever_the_umask),
        TEST(without_a_schema_the_store_is_down),
        TEST(a_folder_that_is_not_there_is_told),
        TEST(what_is_no_database_is_damage),
        TEST(a_damaged_volatile_file_is_made_anew),
        TEST(a_newer_schema_is_refused),
        TEST(another_programs_database_is_left_alone),
        TEST(upgrades_run_in_order_from_where_the_store_is),
        TEST(every_statement_fits_the_schema),
        TEST(statements_use_an_index),
        TEST(names_and_lists_come_from_their_indexes),
        TEST(a_locked_store_is_down_for_writers_only),
        TEST(writers_wait_in_line_before_the_file),
        TEST(a_fork_carries_no_connection),
        TEST(a_full_disk_says_so_and_changes_nothing),
        TEST(connections_are_set_up),
    };
    return bench_run("meta: sqlite", tests, ROWS(tests));
}
