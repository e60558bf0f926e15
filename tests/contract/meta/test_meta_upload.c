/* Uploads: reserved, committed, released; quotas. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#include "meta/rename.h"

static enum err reserve(struct bench *b, const struct person *p, const struct upload *in, struct upload *out)
{
    struct guard g = yes(p->user);
    return b->m->ops->upload_reserve(b->m, b, &g, in, out);
}

static void assert_space(struct bench *b, const struct person *p, int64_t used, int64_t reserved)
{
    struct space s = space_of(b->m, p);
    if (s.used != used || s.reserved != reserved)
        fail_msg("used %lld, reserved %lld; not %lld and %lld", (long long)s.used, (long long)s.reserved, (long long)used,
                 (long long)reserved);
    assert_clean(b);
}

/* ---- reserving ---- */
static void a_reservation_is_kept_as_it_was_made(void **state)
{
    struct bench *b = *state;
    const struct id etags[] = {id_new(), id_new()};
    struct node file = must_file(b, &b->bob, b->bob.root, "a.txt", 10);
    const struct id mine[] = {etags[0], file.blob};
    struct upload in = upload_of(b->bob.root, "a.txt", 300), out, got;
    in.user = b->bob.user;
    in.conflict = CONFLICT_REPLACE;
    in.expect = (struct expect){.must_exist = true, .n = 2, .etags = mine};
    in.offset = 7;
    in.modified_ms = 8;
    assert_err(reserve(b, &b->bob, &in, &out), E_OK);
    assert_id(out.space, b->bob.space);
    assert_int_equal(out.charged, 300);
    assert_err(b->m->ops->upload_get(b->m, b, in.id, &got), E_OK);
    const struct upload *both[] = {&out, &got};
    for (size_t i = 0; i < 2; i++) {
        const struct upload *u = both[i];
        assert_id(u->id, in.id);
        assert_id(u->space, b->bob.space);
        assert_id(u->parent, b->bob.root);
        assert_id(u->user, b->bob.user);
        assert_id(u->blob, in.blob);
        assert_string_equal(u->name, "a.txt");
        assert_int_equal(u->conflict, CONFLICT_REPLACE);
        assert_true(u->expect.must_exist && !u->expect.must_not_exist && u->expect.n == 2);
        assert_id(u->expect.etags[0], mine[0]);
        assert_id(u->expect.etags[1], mine[1]);
        assert_true(u->declared == 300 && u->charged == 300 && u->offset == 7 && u->modified_ms == 8);
        assert_true(u->created_ms == NOW_MS && u->expires_ms == NOW_MS + HOUR_MS);
    }
    assert_space(b, &b->bob, 10, 300);
}

static void a_reservation_needs_room(void **state)
{
    struct bench *b = *state;
    struct upload out, in;
    uint64_t total;
    must_file(b, &b->bob, b->bob.root, "a", 300);
    must_reserve(b, &b->bob, b->bob.root, "b", 500);
    in = upload_of(b->bob.root, "c", 201);
    assert_err(reserve(b, &b->bob, &in, &out), E_QUOTA);
    assert_int_equal(err_last(E_QUOTA)->limit, 200);
    assert_err(b->m->ops->upload_get(b->m, b, in.id, &out), E_UPLOAD_GONE);
    in = upload_of(b->bob.root, "c", INT64_MAX);
    assert_err(reserve(b, &b->bob, &in, &out), E_QUOTA);
    in = upload_of(b->bob.root, "c", 200);
    assert_err(reserve(b, &b->bob, &in, &out), E_OK);
    in = upload_of(b->bob.root, "d", 0);
    assert_err(reserve(b, &b->bob, &in, &out), E_OK);
    in = upload_of(b->bob.root, "e", 1);
    assert_err(reserve(b, &b->bob, &in, &out), E_QUOTA);
    assert_int_equal(err_last(E_QUOTA)->limit, 0);
    assert_space(b, &b->bob, 300, 700);
    must_reserve(b, &b->ann, b->ann.root, "x", 11);
    assert_err(b->m->ops->reserved_total(b->m, &total), E_OK);
    assert_int_equal(total, 711);
}

/* Without a quota the numbers themselves end somewhere. */
static void sums_do_not_overflow(void **state)
{
    struct bench *b = *state;
    struct upload out, in = upload_of(b->ann.root, "big", INT64_MAX - 5);
    assert_err(reserve(b, &b->ann, &in, &out), E_OK);
    in = upload_of(b->ann.root, "more", 6);
    assert_err(reserve(b, &b->ann, &in, &out), E_QUOTA);
    assert_int_equal(err_last(E_QUOTA)->limit, 5);
    struct commit commit = commit_of(b->ann.root, "more", 6);
    assert_err(commit_now(b->m, &b->ann, &commit, NULL, NULL), E_QUOTA);
    in = upload_of(b->ann.root, "more", 5);
    assert_err(reserve(b, &b->ann, &in, &out), E_OK);
    assert_int_equal(space_of(b->m, &b->ann).reserved, INT64_MAX);
}

static void an_unknown_length_takes_what_there_is(void **state)
{
    struct bench *b = *state;
    struct upload out, in = upload_of(b->bob.root, "a", 600);
    in.declared = -1;
    assert_err(reserve(b, &b->bob, &in, &out), E_OK);
    assert_int_equal(out.charged, 600);
    in = upload_of(b->bob.root, "b", 600);
    in.declared = -1;
    assert_err(reserve(b, &b->bob, &in, &out), E_OK);
    assert_int_equal(out.charged, 400);
    assert_int_equal(out.declared, -1);
    assert_space(b, &b->bob, 0, 1000);
}

/* What the commit would refuse is refused before the bytes are sent. */
static void a_hopeless_target_is_refused_early(void **state)
{
    struct bench *b = *state;
    struct node file = must_file(b, &b->bob, b->bob.root, "a.txt", 10);
    const struct id etag = id_new();
    must_folder(b, &b->bob, b->bob.root, "d");
    const struct { const char *name; struct id parent; enum conflict conflict; struct expect expect; enum err want; } rows[] = {
        {"a.txt", b->bob.root, CONFLICT_FAIL, {0}, E_NAME_TAKEN},
        {"d", b->bob.root, CONFLICT_FAIL, {0}, E_NAME_TAKEN},
        {"d", b->bob.root, CONFLICT_REPLACE, {0}, E_IS_FOLDER},
        {"a.txt", b->bob.root, CONFLICT_REPLACE, {.must_not_exist = true}, E_PRECONDITION},
        {"a.txt", b->bob.root, CONFLICT_REPLACE, {.n = 1, .etags = &etag}, E_PRECONDITION},
        {"b.txt", b->bob.root, CONFLICT_REPLACE, {.must_exist = true}, E_PRECONDITION},
        {"b.txt", b->bob.root, CONFLICT_REPLACE, {.n = 1, .etags = &file.blob}, E_PRECONDITION},
        {"x", file.id, CONFLICT_FAIL, {0}, E_NOT_FOLDER},
        {"", file.id, CONFLICT_FAIL, {0}, E_NOT_FOLDER},
        {"a.txt", b->bob.root, CONFLICT_RENAME, {0}, E_OK},
        {"d", b->bob.root, CONFLICT_RENAME, {0}, E_OK},
        {"a.txt", b->bob.root, CONFLICT_REPLACE, {.n = 1, .etags = &file.blob}, E_OK},
        {"a.txt", b->bob.root, CONFLICT_REPLACE, {.must_exist = true}, E_OK},
        {"b.txt", b->bob.root, CONFLICT_FAIL, {.must_not_exist = true}, E_OK},
        {"", b->bob.root, CONFLICT_FAIL, {0}, E_OK},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct upload in = upload_of(rows[i].parent, rows[i].name, 1), out;
        struct commit commit = commit_of(rows[i].parent, rows[i].name, 1);
        in.conflict = commit.conflict = rows[i].conflict;
        in.expect = commit.expect = rows[i].expect;
        char *before = bench_state(b);
        enum err e = reserve(b, &b->bob, &in, &out);
        if (e != rows[i].want)
            fail_msg("row %zu: %s", i, err_name(e));
        if (rows[i].want == E_OK)
            continue;
        assert_string_equal(before, bench_state(b));
        if (commit_now(b->m, &b->bob, &commit, NULL, NULL) != rows[i].want && rows[i].name[0] != '\0')
            fail_msg("row %zu: the commit thinks otherwise", i);
        assert_string_equal(before, bench_state(b));
    }
}

/* ---- giving back ---- */
static void release_refunds_once(void **state)
{
    struct bench *b = *state;
    struct upload u = must_reserve(b, &b->bob, b->bob.root, "a", 700);
    assert_space(b, &b->bob, 0, 700);
    assert_err(b->m->ops->upload_release(b->m, u.id), E_OK);
    assert_err(b->m->ops->upload_release(b->m, u.id), E_OK);
    assert_err(b->m->ops->upload_release(b->m, id_new()), E_OK);
    assert_err(b->m->ops->upload_get(b->m, b, u.id, &u), E_UPLOAD_GONE);
    assert_space(b, &b->bob, 0, 0);
}

/* ---- committing ---- */
static void a_commit_makes_the_file(void **state)
{
    struct bench *b = *state;
    struct upload u = must_reserve(b, &b->bob, b->bob.root, "a.txt", 300);
    struct commit in = commit_of((struct id){0}, "a.txt", 300);
    struct guard g = yes(b->bob.user);
    struct node node;
    struct place place;
    struct blob blob;
    struct id found;
    bool replaced = true;
    in.upload = u.id;
    in.sha256 = "abcd";
    assert_err(b->m->ops->upload_commit(b->m, b, &g, &in, &node, &replaced), E_OK);
    assert_false(replaced);
    assert_err(b->m->ops->node_get(b->m, b, &g, in.node, &place), E_OK);
    const struct node *both[] = {&node, &place.node};
    for (size_t i = 0; i < 2; i++) {
        const struct node *n = both[i];
        assert_id(n->id, in.node);
        assert_id(n->space, b->bob.space);
        assert_id(n->parent, b->bob.root);
        assert_string_equal(n->name, "a.txt");
        assert_string_equal(n->key, "a.txt");
        assert_int_equal(n->kind, NODE_FILE);
        assert_id(n->version, in.version);
        assert_id(n->blob, in.blob);
        assert_string_equal(n->type, "text/plain");
        assert_string_equal(n->sha256, "abcd");
        assert_true(n->size == 300 && n->modified_ms == NOW_MS - HOUR_MS && n->created_ms == NOW_MS);
    }
    assert_err(b->m->ops->blob_get(b->m, b, in.blob, &blob), E_OK);
    assert_true(blob.size == 300 && blob.refs == 1 && blob.state == BLOB_LIVE && blob.unreferenced_ms == 0);
    assert_true(blob.created_ms == NOW_MS && blob.format == 0 && blob.key_id[0] == '\0');
    assert_err(b->m->ops->version_node(b->m, in.version, &found), E_OK);
    assert_id(found, in.node);
    assert_err(b->m->ops->version_node(b->m, id_new(), &found), E_OK);
    assert_id(found, (struct id){0});
    assert_err(b->m->ops->upload_get(b->m, b, u.id, &u), E_UPLOAD_GONE);
    assert_space(b, &b->bob, 300, 0);
}

static void replacing_drops_the_old_contents(void **state)
{
    struct bench *b = *state;
    struct node old = must_file(b, &b->bob, b->bob.root, "a.txt", 400);
    struct commit in = commit_of(b->bob.root, "a.txt", 100);
    struct guard g = yes(b->bob.user);
    struct node node;
    struct blob blob;
    struct id found;
    bool replaced = false;
    in.conflict = CONFLICT_REPLACE;
    in.expect = (struct expect){.n = 1, .etags = &old.blob};
    in.type = "image/png";
    in.now_ms = NOW_MS + 50;
    in.modified_ms = NOW_MS + 40;
    assert_err(b->m->ops->upload_commit(b->m, b, &g, &in, &node, &replaced), E_OK);
    assert_true(replaced);
    assert_id(node.id, old.id);
    assert_id(node.blob, in.blob);
    assert_string_equal(node.type, "image/png");
    assert_true(node.size == 100 && node.modified_ms == NOW_MS + 40 && node.created_ms == NOW_MS);
    assert_err(b->m->ops->blob_get(b->m, b, old.blob, &blob), E_OK);
    assert_true(blob.refs == 0 && blob.unreferenced_ms == NOW_MS + 50 && blob.state == BLOB_LIVE);
    assert_err(b->m->ops->version_node(b->m, old.version, &found), E_OK);
    assert_id(found, (struct id){0});
    assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_PRECONDITION); /* the tag has changed */
    assert_space(b, &b->bob, 100, 0);
}

static void the_declared_size_is_settled_against_the_real_one(void **state)
{
    struct bench *b = *state;
    /* bob may have 1,000 bytes; 100 are used and 100 reserved by others in every row */
    const struct { int64_t reserved, size; bool keep; enum err want; int64_t used_after, reserved_after; } rows[] = {
        {300, 300, false, E_OK, 300, 0},
        {300, 10, false, E_OK, 10, 0},
        {300, 0, false, E_OK, 0, 0},
        {300, 800, false, E_OK, 800, 0},
        {300, 801, false, E_QUOTA, 0, 300},
        {300, INT64_MAX, false, E_QUOTA, 0, 300},
        {800, 800, false, E_OK, 800, 0},
        {300, 100, true, E_OK, 100, 200},
        {300, 300, true, E_OK, 300, 0},
        {300, 800, true, E_OK, 800, 0},
        {300, 801, true, E_QUOTA, 0, 300},
    };
    must_file(b, &b->bob, b->bob.root, "base", 100);
    must_reserve(b, &b->bob, b->bob.root, "other", 100);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct guard g = yes(b->bob.user);
        struct upload u = must_reserve(b, &b->bob, b->bob.root, "", rows[i].reserved), left;
        struct commit in = commit_of(b->bob.root, "a", rows[i].size);
        in.upload = u.id;
        in.keep_upload = rows[i].keep;
        char *before = bench_state(b);
        enum err e = commit_now(b->m, &b->bob, &in, NULL, NULL);
        struct space s = space_of(b->m, &b->bob);
        if (e != rows[i].want || s.used != 100 + rows[i].used_after || s.reserved != 100 + rows[i].reserved_after)
            fail_msg("row %zu: %s, used %lld, reserved %lld", i, err_name(e), (long long)s.used, (long long)s.reserved);
        if (e != E_OK) {
            assert_int_equal(err_last(E_QUOTA)->limit, 500);
            assert_string_equal(before, bench_state(b));
        } else {
            assert_err(b->m->ops->upload_get(b->m, b, u.id, &left), rows[i].keep ? E_OK : E_UPLOAD_GONE);
            assert_err(b->m->ops->node_remove(b->m, &g, in.node, NULL, NOW_MS), E_OK);
        }
        assert_err(b->m->ops->upload_release(b->m, u.id), E_OK);
        assert_space(b, &b->bob, 100, 100);
    }
}

static void several_files_share_a_reservation(void **state)
{
    struct bench *b = *state;
    struct id other = must_folder(b, &b->bob, b->bob.root, "other");
    struct upload u = must_reserve(b, &b->bob, b->bob.root, "", 900), left;
    const struct { const char *name; struct id parent; int64_t size, left; } rows[] = {
        {"a", b->bob.root, 300, 600}, {"b", other, 200, 400}, {"c", b->bob.root, 0, 400}, {"d", other, 450, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct commit in = commit_of(rows[i].parent, rows[i].name, rows[i].size);
        in.upload = u.id;
        in.keep_upload = true;
        assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_OK);
        assert_err(b->m->ops->upload_get(b->m, b, u.id, &left), E_OK);
        assert_int_equal(left.charged, rows[i].left);
    }
    assert_err(b->m->ops->upload_release(b->m, u.id), E_OK);
    assert_space(b, &b->bob, 950, 0);
}

/* A form may be sent into another space than the reservation was made in: each pays its own. */
static void a_reservation_pays_only_in_its_space(void **state)
{
    struct bench *b = *state;
    struct upload u = must_reserve(b, &b->ann, b->ann.root, "", 5000);
    struct commit in = commit_of(b->bob.root, "a", 1001);
    in.upload = u.id;
    assert_err(commit_now(b->m, &b->ann, &in, NULL, NULL), E_QUOTA);
    in.size = 1000;
    in.keep_upload = true;
    assert_err(commit_now(b->m, &b->ann, &in, NULL, NULL), E_OK);
    assert_space(b, &b->ann, 0, 5000);
    assert_space(b, &b->bob, 1000, 0);
    in = commit_of(b->bob.root, "b", 0);
    in.upload = u.id;
    assert_err(commit_now(b->m, &b->ann, &in, NULL, NULL), E_OK);
    assert_space(b, &b->ann, 0, 0);
    assert_space(b, &b->bob, 1000, 0);
}

static void a_lost_reservation_is_charged_anew_or_gone(void **state)
{
    struct bench *b = *state;
    struct commit in = commit_of(b->bob.root, "a", 600), nowhere = commit_of((struct id){0}, "b", 1);
    in.upload = nowhere.upload = id_new();
    assert_err(commit_now(b->m, &b->bob, &nowhere, NULL, NULL), E_UPLOAD_GONE);
    assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_OK);
    assert_space(b, &b->bob, 600, 0);
    in = commit_of(b->bob.root, "b", 401);
    assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_QUOTA);
    assert_int_equal(err_last(E_QUOTA)->limit, 400);
    in.upload = id_new();
    assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_UPLOAD_GONE);
    assert_space(b, &b->bob, 600, 0);
}

/* The reservation's folder counts, wherever the commit says it goes. */
static void a_named_reservation_keeps_its_folder(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->bob, b->bob.root, "docs");
    struct upload u = must_reserve(b, &b->bob, docs, "a", 10);
    struct commit in = commit_of(b->bob.root, "a", 10);
    struct watch w = watch_for(b->bob.user, E_OK);
    struct node node;
    bool replaced;
    in.upload = u.id;
    assert_err(b->m->ops->upload_commit(b->m, b, &w.guard, &in, &node, &replaced), E_OK);
    assert_id(node.parent, docs);
    assert_id(w.node, docs);
}

static void a_folder_that_went_refuses_the_commit(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->bob.user);
    struct id docs = must_folder(b, &b->bob, b->bob.root, "docs");
    struct upload u = must_reserve(b, &b->bob, docs, "a", 10);
    struct commit in = commit_of(b->bob.root, "a", 10);
    in.upload = u.id;
    assert_err(b->m->ops->node_remove(b->m, &g, docs, NULL, NOW_MS), E_OK);
    assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_NO_PARENT);
    assert_int_equal(reap_all(b->m), 1);
    assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_NO_PARENT);
    assert_space(b, &b->bob, 0, 10);
    assert_err(b->m->ops->upload_release(b->m, u.id), E_OK);
    assert_space(b, &b->bob, 0, 0);
}

/* ---- names that are taken ---- */
static void rename_picks_the_first_free_name(void **state)
{
    struct bench *b = *state;
    static const char *const want[] = {"a.txt", "a (1).txt", "a (2).txt", "a (4).txt"};
    must_folder(b, &b->ann, b->ann.root, "a (3).txt");
    for (size_t i = 0; i < ROWS(want); i++) {
        struct commit in = commit_of(b->ann.root, "a.txt", 1);
        struct guard g = yes(b->ann.user);
        struct node node;
        bool replaced = true;
        in.conflict = CONFLICT_RENAME;
        assert_err(b->m->ops->upload_commit(b->m, b, &g, &in, &node, &replaced), E_OK);
        assert_false(replaced);
        assert_string_equal(node.name, want[i]);
        assert_string_equal(node.key, want[i]);
    }
    assert_clean(b);
}

/* Every name that a rename would try is a folder's, put there as records: a thousand verbs would take long. */
static void take_all_names(struct bench *b, const char *name)
{
    _Static_assert(RENAME_MOST % 111 == 0, "in equal parts");
    struct record *rows = mem_array(b, struct record, RENAME_MOST);
    for (unsigned i = 0; i < RENAME_MOST; i++) {
        const char *one = rename_candidate(b, name, i + 1);
        rows[i].key = mem_printf(b, "%032x", i + 1);
        rows[i].row = mem_printf(b, "{\"blob\":\"\",\"created_ms\":1,\"kind\":0,\"live\":1,\"modified_ms\":1,\"name\":\"%s\",\"name_key\":\"%s\","
                                 "\"parent\":\"%s\",\"removed_ms\":0,\"sha256\":\"\",\"size\":0,\"space\":\"%s\",\"type\":\"\",\"version\":\"\"}",
                                 one, one, b->ann.root.s, b->ann.space.s);
    }
    for (unsigned i = 0; i < RENAME_MOST; i += 111)
        assert_err(b->m->ops->record_put(b->m, RECORD_NODE, rows + i, 111), E_OK);
}

static void rename_gives_up_in_the_end(void **state)
{
    struct bench *b = *state;
    struct commit in = commit_of(b->ann.root, "a.txt", 1);
    assert_err(commit_now(b->m, &b->ann, &in, NULL, NULL), E_OK);
    take_all_names(b, "a.txt");
    in = commit_of(b->ann.root, "a.txt", 1);
    in.conflict = CONFLICT_RENAME;
    assert_err(commit_now(b->m, &b->ann, &in, NULL, NULL), E_NAME_TAKEN);
    assert_space(b, &b->ann, 1, 0);
    assert_clean(b);
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(a_reservation_is_kept_as_it_was_made),
        TEST(a_reservation_needs_room),
        TEST(sums_do_not_overflow),
        TEST(an_unknown_length_takes_what_there_is),
        TEST(a_hopeless_target_is_refused_early),
        TEST(release_refunds_once),
        TEST(a_commit_makes_the_file),
        TEST(replacing_drops_the_old_contents),
        TEST(the_declared_size_is_settled_against_the_real_one),
        TEST(several_files_share_a_reservation),
        TEST(a_reservation_pays_only_in_its_space),
        TEST(a_lost_reservation_is_charged_anew_or_gone),
        TEST(a_named_reservation_keeps_its_folder),
        TEST(a_folder_that_went_refuses_the_commit),
        TEST(rename_picks_the_first_free_name),
        TEST(rename_gives_up_in_the_end),
    };
    return bench_run("meta: uploads", tests, ROWS(tests));
}
