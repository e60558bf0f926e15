/* Records as such: what one store tells, another takes, and tells the same. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"

#define PAGE 7 /* so that every kind of which there are many has several pages */

/* ---- a store with every kind of record in it ---- */
static const char *const names[] = {"plain.txt", "$name", "a.b", "\"quoted\\\"", "caf\xc3\xa9 \xf0\x9f\x93\x81", "0", "null", "{}"};

static void add_files(struct bench *b)
{
    struct guard g = yes(b->ann.user);
    struct id folder = must_folder(b, &b->ann, b->ann.root, "folder"), gone = must_folder(b, &b->ann, b->ann.root, "gone");
    struct node first = must_file(b, &b->ann, folder, "hashed", INT64_C(1) << 53 | 1); /* no float holds it */
    for (size_t i = 0; i < ROWS(names); i++)
        must_file(b, &b->ann, folder, names[i], (int64_t)i);
    must_file(b, &b->ann, gone, "below", 9);
    assert_err(b->m->ops->hash_set(b->m, first.version, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"), E_OK);
    assert_err(b->m->ops->node_remove(b->m, &g, gone, NULL, NOW_MS + 5), E_OK);
    struct node file = must_file(b, &b->ann, folder, "removed", 3);
    assert_err(b->m->ops->node_remove(b->m, &g, file.id, NULL, NOW_MS + 6), E_OK); /* its blob waits */
}

static void add_links(struct bench *b)
{
    struct session session = session_of(b->bob.user, "cc");
    const struct grant invite = {.hash = "11", .created_ms = NOW_MS, .expires_ms = NOW_MS + HOUR_MS};
    const struct grant reset = {.hash = "22", .user = b->bob.user, .created_ms = NOW_MS, .expires_ms = INT64_MAX};
    const char *secret;
    session.agent = "an \"agent\"\twith $signs";
    assert_err(b->m->ops->session_add(b->m, &session, 9), E_OK);
    assert_err(b->m->ops->invite_add(b->m, &invite), E_OK);
    assert_err(b->m->ops->reset_add(b->m, &reset), E_OK);
    assert_err(b->m->ops->secret(b->m, b, "0123", &secret), E_OK);
    assert_err(b->m->ops->lease_take(b->m, id_new(), NOW_MS), E_OK);
}

static void add_upload(struct bench *b)
{
    const struct id tags[] = {id_new(), id_new()};
    struct guard g = yes(b->bob.user);
    struct node file = must_file(b, &b->bob, b->bob.root, "tagged", 1);
    struct upload in = upload_of(b->bob.root, "tagged", -1), out;
    const struct id mine[] = {tags[0], file.blob, tags[1]};
    in.user = b->bob.user;
    in.conflict = CONFLICT_REPLACE;
    in.expect = (struct expect){.must_exist = true, .n = ROWS(mine), .etags = mine};
    in.charged = 17;
    assert_err(b->m->ops->upload_reserve(b->m, b, &g, &in, &out), E_OK);
    must_reserve(b, &b->bob, b->bob.root, "", 5);
}

static void fill(struct bench *b)
{
    add_files(b);
    add_links(b);
    add_upload(b);
}

/* ---- looking and copying ---- */
struct all {
    struct record *rows;
    size_t n;
};

static struct all read_all(void *mem, struct meta *m, enum record_kind kind)
{
    struct all all = {.rows = mem_array(mem, struct record, 1000)};
    size_t n = PAGE;
    while (n == PAGE) {
        struct record *page;
        assert_err(m->ops->record_list(m, mem, kind, all.n > 0 ? all.rows[all.n - 1].key : "", PAGE, &page, &n), E_OK);
        assert_true(all.n + n <= 1000);
        memcpy(all.rows + all.n, page, n * sizeof *page);
        all.n += n;
    }
    return all;
}

static void copy_all(void *mem, struct meta *from, struct meta *to)
{
    for (enum record_kind kind = 0; kind < RECORD_KINDS; kind++) {
        struct all all = read_all(mem, from, kind);
        if (all.n == 0)
            fail_msg("no %s", record_name(kind)); /* the test would show nothing of it */
        assert_err(to->ops->record_put(to, kind, all.rows, all.n), E_OK);
    }
}

static int by_row(const void *a, const void *b)
{
    return strcmp(((const struct record *)a)->row, ((const struct record *)b)->row);
}

/* Keys of the audit are each store's own. */
static void assert_same(void *mem, struct meta *a, struct meta *b, bool audit_keys)
{
    for (enum record_kind kind = 0; kind < RECORD_KINDS; kind++) {
        struct all left = read_all(mem, a, kind), right = read_all(mem, b, kind);
        bool keys = kind != RECORD_AUDIT || audit_keys;
        assert_int_equal(left.n, right.n);
        if (!keys) {
            qsort(left.rows, left.n, sizeof *left.rows, by_row);
            qsort(right.rows, right.n, sizeof *right.rows, by_row);
        }
        for (size_t i = 0; i < left.n; i++)
            if (strcmp(left.rows[i].row, right.rows[i].row) != 0 || (keys && strcmp(left.rows[i].key, right.rows[i].key) != 0))
                fail_msg("%s %s: %s, but %s: %s", record_name(kind), left.rows[i].key, left.rows[i].row, right.rows[i].key,
                         right.rows[i].row);
    }
}

/* A new store of the same kind as the bench's, and one in SQLite. */
static struct meta *another(struct bench *b, unsigned n)
{
    struct bench *other = mem_new(b, struct bench);
    *other = *b;
    b->opener->elsewhere(other, n);
    other->m = bench_open(other, other);
    assert_err(other->m->ops->upgrade(other->m), E_OK);
    return other->m;
}

static struct meta *in_sqlite(struct bench *b)
{
    struct conf *conf = mem_new(b, struct conf);
    struct meta *m;
    *conf = b->conf;
    conf->sqlite_path = mem_printf(b, "%s/other.db", b->dir);
    assert_err(meta_sqlite_open(b, conf, b->shm, &m), E_OK);
    assert_err(m->ops->upgrade(m), E_OK);
    return m;
}

static void assert_whole(struct meta *m)
{
    struct findings all = bench_check(m, false);
    if (all.n > 0)
        fail_msg("%u findings, the first: %s", all.n, all.first);
}

/* ---- the tests ---- */
static void every_record_is_told_and_taken(void **state)
{
    struct bench *b = *state;
    struct meta *other = another(b, 1);
    fill(b);
    copy_all(b, b->m, other);
    assert_same(b, b->m, other, false);
    assert_whole(other);
}

static void by_way_of_sqlite_and_back(void **state)
{
    struct bench *b = *state;
    struct meta *lite = in_sqlite(b), *other = another(b, 1);
    fill(b);
    copy_all(b, b->m, lite);
    assert_same(b, b->m, lite, false);
    assert_whole(lite);
    copy_all(b, lite, other);
    assert_same(b, lite, other, true);
    assert_whole(other);
}

static void again_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct meta *lite = in_sqlite(b), *other = another(b, 1);
    fill(b);
    for (unsigned round = 0; round < 2; round++) {
        copy_all(b, b->m, lite);
        copy_all(b, lite, other);
        copy_all(b, b->m, b->m);
    }
    assert_same(b, b->m, lite, false);
    assert_same(b, lite, other, true);
}

/* Verbs find in it what they wrote: the copy is a store, not only a list. */
static void a_copy_goes_on_as_the_original(void **state)
{
    struct bench *b = *state;
    struct meta *original = b->m;
    struct session got;
    struct user user;
    char *before;
    struct id version, blob, mine, theirs;
    size_t n;
    fill(b);
    before = bench_state(b);
    b->m = another(b, 1);
    copy_all(b, original, b->m);
    assert_string_equal(bench_state(b), before);
    assert_err(original->ops->store_id(original, &mine), E_OK);
    assert_err(b->m->ops->store_id(b->m, &theirs), E_OK);
    assert_id(mine, theirs);
    assert_err(b->m->ops->session_get(b->m, b, session_of(b->bob.user, "cc").token_hash, NOW_MS, 0, &got, &user), E_OK);
    assert_err(b->m->ops->invite_check(b->m, "11", NOW_MS), E_OK);
    assert_err(b->m->ops->hash_pending(b->m, b, 1, &version, &blob, &n), E_OK);
    assert_int_equal(n, 1);
    assert_err(make_folder(b->m, &b->ann, b->ann.root, "folder", id_new()), E_NAME_TAKEN);
    assert_true(reap_all(b->m) > 0);
    must_file(b, &b->ann, b->ann.root, "new", 10);
    assert_whole(b->m);
    b->m = original;
}

static void a_changed_record_is_put_over_the_old(void **state)
{
    struct bench *b = *state;
    struct meta *other = another(b, 1);
    struct guard g = yes(b->ann.user);
    struct change change = {.name = "renamed", .key = "renamed", .now_ms = NOW_MS + 9};
    struct node after;
    fill(b);
    struct node file = must_file(b, &b->ann, b->ann.root, "first", 1);
    copy_all(b, b->m, other);
    assert_err(b->m->ops->node_change(b->m, b, &g, &g, file.id, &change, &after), E_OK);
    assert_err(b->m->ops->node_remove(b->m, &g, must_folder(b, &b->ann, b->ann.root, "late"), NULL, NOW_MS + 10), E_OK);
    copy_all(b, b->m, other);
    assert_same(b, b->m, other, false);
}

static void what_is_no_record_is_refused_whole(void **state)
{
    static const char *const bad[] = {"{\"name\":\"x\"}", "{", "[]", "{\"name\":\"x\",\"key\":\"k\",\"role\":\"x\",\"state\":0,\"created_ms\":1}"};
    struct bench *b = *state;
    size_t before = read_all(b, b->m, RECORD_USER).n;
    for (size_t i = 0; i < ROWS(bad); i++) {
        const struct record rows[] = {
            {"00000000000000000000000000000001", "{\"created_ms\":1,\"key\":\"cem\",\"name\":\"cem\",\"role\":0,\"state\":0}"},
            {"00000000000000000000000000000002", bad[i]},
        };
        if (b->m->ops->record_put(b->m, RECORD_USER, rows, ROWS(rows)) == E_OK)
            fail_msg("row %zu", i);
        assert_int_equal(read_all(b, b->m, RECORD_USER).n, before);
    }
}

static void records_of_one_moment(void **state)
{
    struct bench *b = *state;
    struct meta *m = bench_open(b, b);
    assert_err(m->ops->snapshot_begin(m), E_OK);
    size_t before = read_all(b, m, RECORD_NODE).n;
    m->ops->snapshot_end(m);
    must_folder(b, &b->ann, b->ann.root, "new");
    assert_err(m->ops->snapshot_begin(m), E_OK);
    assert_int_equal(read_all(b, m, RECORD_NODE).n, before + 1);
    m->ops->snapshot_end(m);
    assert_err(make_folder(m, &b->ann, b->ann.root, "newer", id_new()), E_OK); /* writing goes on afterwards */
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(every_record_is_told_and_taken),
        TEST(by_way_of_sqlite_and_back),
        TEST(again_changes_nothing),
        TEST(a_copy_goes_on_as_the_original),
        TEST(a_changed_record_is_put_over_the_old),
        TEST(what_is_no_record_is_refused_whole),
        TEST(records_of_one_moment),
    };
    return bench_run("meta: records", tests, ROWS(tests));
}
