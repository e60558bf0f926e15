/* Files and folders: places, paths, making, removing, sums. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#include "base/name.h"

/* ---- places and guards ---- */
static void the_guard_sees_the_whole_place(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->bob, b->bob.root, "Docs"), year = must_folder(b, &b->bob, docs, "2026");
    struct node file = must_file(b, &b->bob, year, "a.txt", 70);
    struct watch w = watch_for(b->bob.user, E_OK);
    struct place place;
    must_reserve(b, &b->bob, year, "b.txt", 30);
    assert_err(b->m->ops->node_get(b->m, b, &w.guard, file.id, &place), E_OK);
    assert_int_equal(w.asked, 1);
    assert_id(w.node, file.id);
    assert_id(w.space, b->bob.space);
    assert_int_equal(w.kind, NODE_FILE);
    assert_int_equal(w.role, MEMBER_OWNER);
    assert_int_equal(w.user_state, USER_ACTIVE);
    assert_int_equal(w.depth, 3);
    assert_string_equal(w.above, "2026/Docs//");
    assert_int_equal(w.used, 70);
    assert_int_equal(w.reserved, 30);
    assert_int_equal(w.quota, BOB_QUOTA);

    assert_id(place.ancestors[0].id, year);
    assert_id(place.ancestors[0].parent, docs);
    assert_int_equal(place.ancestors[0].kind, NODE_FOLDER);
    assert_id(place.ancestors[2].id, b->bob.root);
    assert_id(place.space.root, b->bob.root);
    assert_string_equal(place.node.name, "a.txt");
    assert_string_equal(place.node.type, "text/plain");
    assert_string_equal(place.node.sha256, "");
    assert_int_equal(place.node.size, 70);
    assert_id(place.node.blob, file.blob);
    assert_id(place.node.version, file.version);
    assert_id(place.node.parent, year);
    assert_id(place.node.space, b->bob.space);
    assert_int_equal(place.node.modified_ms, NOW_MS - HOUR_MS);
    assert_int_equal(place.node.created_ms, NOW_MS);
}

static void the_guard_learns_who_asks(void **state)
{
    struct bench *b = *state;
    struct person gone = {.user = id_new()};
    b->opener->hurt(b, HURT_USER_DISABLED, b->ann.user);
    const struct { struct id user; enum member_role role; enum user_state state; } rows[] = {
        {b->bob.user, MEMBER_OWNER, USER_ACTIVE},
        {b->ann.user, MEMBER_NONE, USER_DISABLED},
        {gone.user, MEMBER_NONE, USER_DISABLED},
        {{""}, MEMBER_NONE, USER_DISABLED},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct watch w = watch_for(rows[i].user, E_OK);
        struct place place;
        assert_err(b->m->ops->node_get(b->m, b, &w.guard, b->bob.root, &place), E_OK);
        if (w.role != rows[i].role || w.user_state != rows[i].state || w.depth != 0)
            fail_msg("row %zu: role %d, state %d", i, w.role, w.user_state);
    }
}

/* Every verb on a node answers what the guard answers, and then nothing has changed. */
static void a_refusal_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->bob, b->bob.root, "Docs");
    struct node file = must_file(b, &b->bob, docs, "a.txt", 70);
    struct upload reserved = must_reserve(b, &b->bob, docs, "b.txt", 30), upload = upload_of(docs, "c.txt", 5), upload_out;
    const struct node folder = {.id = id_new(), .parent = docs, .name = "x", .key = "x"};
    const struct node_query query = {.limit = 10};
    struct commit commit = commit_of(docs, "b.txt", 30), replace = commit_of(docs, "a.txt", 30);
    const char *names[] = {"Docs", "none"};
    struct watch w = watch_for(b->bob.user, E_FORBIDDEN);
    struct place place;
    struct node_list list;
    struct usage usage;
    struct node node;
    size_t found;
    bool replaced;
    char *before = bench_state(b);
    const struct meta_ops *ops = b->m->ops;
    commit.upload = reserved.id;
    replace.conflict = CONFLICT_REPLACE;

    assert_err(ops->node_get(b->m, b, &w.guard, file.id, &place), E_FORBIDDEN);
    assert_id(w.node, file.id);
    assert_err(ops->node_walk(b->m, b, &w.guard, b->bob.root, names, 2, &place, &found), E_FORBIDDEN);
    assert_id(w.node, docs);
    assert_err(ops->node_list(b->m, b, &w.guard, docs, &query, &place, &list), E_FORBIDDEN);
    assert_id(w.node, docs);
    assert_err(ops->node_usage(b->m, &w.guard, file.id, &usage), E_FORBIDDEN);
    assert_id(w.node, file.id);
    assert_err(ops->folder_add(b->m, &w.guard, &folder), E_FORBIDDEN);
    assert_id(w.node, docs);
    assert_err(ops->node_remove(b->m, &w.guard, file.id, NULL, NOW_MS), E_FORBIDDEN);
    assert_id(w.node, file.id);
    assert_err(ops->upload_reserve(b->m, b, &w.guard, &upload, &upload_out), E_FORBIDDEN);
    assert_id(w.node, docs);
    assert_err(ops->upload_commit(b->m, b, &w.guard, &commit, &node, &replaced), E_FORBIDDEN);
    assert_id(w.node, docs);
    assert_err(ops->upload_commit(b->m, b, &w.guard, &replace, &node, &replaced), E_FORBIDDEN);
    assert_id(w.node, docs);
    assert_int_equal(w.asked, 9);
    assert_string_equal(err_last(E_FORBIDDEN)->detail, "the guard");
    assert_string_equal(before, bench_state(b));
    assert_clean(b);
}

/* What is dead or unknown is so for every verb, and nobody is asked. */
static void the_dead_are_not_found(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->bob, b->bob.root, "Docs"), deep = must_folder(b, &b->bob, docs, "deep");
    struct node file = must_file(b, &b->bob, deep, "a.txt", 70);
    struct guard g = yes(b->bob.user);
    assert_err(b->m->ops->node_remove(b->m, &g, docs, NULL, NOW_MS), E_OK);

    const struct id dead[] = {docs, deep, file.id, id_new(), {""}};
    for (size_t i = 0; i < ROWS(dead); i++) {
        struct watch w = watch_for(b->bob.user, E_OK);
        const struct node folder = {.id = id_new(), .parent = dead[i], .name = "x", .key = "x"};
        const struct node_query query = {.limit = 10};
        struct commit commit = commit_of(dead[i], "b.txt", 30);
        struct upload upload = upload_of(dead[i], "b.txt", 30), upload_out;
        const char *name = "a.txt";
        struct place place;
        struct node_list list;
        struct usage usage;
        struct node node;
        size_t found;
        bool replaced;
        assert_err(b->m->ops->node_get(b->m, b, &w.guard, dead[i], &place), E_NOT_FOUND);
        if (id_is(dead[i])) /* a walk from "" begins at the own root */
            assert_err(b->m->ops->node_walk(b->m, b, &w.guard, dead[i], &name, 1, &place, &found), E_NOT_FOUND);
        assert_err(b->m->ops->node_list(b->m, b, &w.guard, dead[i], &query, &place, &list), E_NOT_FOUND);
        assert_err(b->m->ops->node_usage(b->m, &w.guard, dead[i], &usage), E_NOT_FOUND);
        assert_err(b->m->ops->node_remove(b->m, &w.guard, dead[i], NULL, NOW_MS), E_NOT_FOUND);
        assert_err(b->m->ops->folder_add(b->m, &w.guard, &folder), E_NO_PARENT);
        assert_err(b->m->ops->upload_reserve(b->m, b, &w.guard, &upload, &upload_out), E_NO_PARENT);
        assert_err(b->m->ops->upload_commit(b->m, b, &w.guard, &commit, &node, &replaced), E_NO_PARENT);
        assert_int_equal(w.asked, 0);
    }
    assert_clean(b);
}

/* ---- paths ---- */
static void a_path_is_walked_as_far_as_it_goes(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->ann, b->ann.root, "Docs");
    struct node file = must_file(b, &b->ann, docs, "a.txt", 1);
    const struct { const char *names[3]; size_t n; enum err want; size_t found; struct id at; } rows[] = {
        {{NULL}, 0, E_OK, 0, b->ann.root},
        {{"Docs"}, 1, E_OK, 1, docs},
        {{"Docs", "a.txt"}, 2, E_OK, 2, file.id},
        {{"docs"}, 1, E_OK, 0, b->ann.root}, /* names differ by case */
        {{"none", "a.txt"}, 2, E_OK, 0, b->ann.root},
        {{"Docs", "none", "a.txt"}, 3, E_OK, 1, docs},
        {{"Docs", "a.txt", "more"}, 3, E_NOT_FOLDER, 2, file.id},
    };
    for (size_t i = 0; i < 2 * ROWS(rows); i++) {
        struct watch w = watch_for(b->ann.user, E_OK);
        struct place place = {0};
        size_t found = 99;
        struct id root = i < ROWS(rows) ? b->ann.root : (struct id){""}; /* the same */
        enum err e = b->m->ops->node_walk(b->m, b, &w.guard, root, rows[i % ROWS(rows)].names, rows[i % ROWS(rows)].n, &place, &found);
        if (e != rows[i % ROWS(rows)].want || w.asked != 1 || !id_eq(w.node, rows[i % ROWS(rows)].at))
            fail_msg("row %zu: %s, asked %u times about %s", i, err_name(e), w.asked, w.node.s);
        if (e == E_OK && (found != rows[i % ROWS(rows)].found || !id_eq(place.node.id, rows[i % ROWS(rows)].at)))
            fail_msg("row %zu: %zu found, at %s", i, found, place.node.id.s);
    }
    struct watch nobody = watch_for((struct id){""}, E_OK);
    struct place place;
    size_t found;
    assert_err(b->m->ops->node_walk(b->m, b, &nobody.guard, (struct id){""}, NULL, 0, &place, &found), E_NOT_FOUND);
    assert_int_equal(nobody.asked, 0);
}

/* ---- folders ---- */
static void a_folder_is_what_was_asked_for(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    const struct node in = {
        .id = id_new(), .parent = b->ann.root, .name = "Über", .key = "über", .created_ms = 5, .modified_ms = 6,
    };
    struct place place;
    assert_err(b->m->ops->folder_add(b->m, &g, &in), E_OK);
    assert_err(b->m->ops->node_get(b->m, b, &g, in.id, &place), E_OK);
    assert_string_equal(place.node.name, "Über");
    assert_string_equal(place.node.key, "über");
    assert_int_equal(place.node.kind, NODE_FOLDER);
    assert_int_equal(place.node.created_ms, 5);
    assert_int_equal(place.node.modified_ms, 6);
    assert_int_equal(place.node.size, 0);
    assert_string_equal(place.node.version.s, "");
    assert_string_equal(place.node.blob.s, "");
    assert_string_equal(place.node.type, "");
    assert_clean(b);
}

static void a_name_stands_once_in_a_folder(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->ann, b->ann.root, "Docs");
    struct node file = must_file(b, &b->ann, b->ann.root, "a.txt", 1);
    char *before = bench_state(b);
    assert_err(make_folder(b->m, &b->ann, b->ann.root, "Docs", id_new()), E_NAME_TAKEN);
    assert_err(make_folder(b->m, &b->ann, b->ann.root, "a.txt", id_new()), E_NAME_TAKEN);
    assert_err(make_folder(b->m, &b->ann, file.id, "x", id_new()), E_NOT_FOLDER);
    assert_string_equal(before, bench_state(b));
    assert_err(make_folder(b->m, &b->ann, b->ann.root, "docs", id_new()), E_OK);
    assert_err(make_folder(b->m, &b->ann, docs, "Docs", id_new()), E_OK);
    assert_clean(b);
}

static void folders_nest_128_levels(void **state)
{
    struct bench *b = *state;
    struct watch w = watch_for(b->ann.user, E_OK);
    struct id at = b->ann.root;
    struct commit file;
    struct upload upload, upload_out;
    struct place place;
    for (int i = 0; i < PATH_MAX_DEPTH - 1; i++)
        at = must_folder(b, &b->ann, at, "d");
    must_file(b, &b->ann, at, "f", 1);
    at = must_folder(b, &b->ann, at, "d");
    assert_err(b->m->ops->node_get(b->m, b, &w.guard, at, &place), E_OK);
    assert_int_equal(place.depth, PATH_MAX_DEPTH);
    assert_id(place.ancestors[PATH_MAX_DEPTH - 1].id, b->ann.root);

    char *before = bench_state(b);
    file = commit_of(at, "f", 1);
    upload = upload_of(at, "f", 1);
    assert_err(make_folder(b->m, &b->ann, at, "d", id_new()), E_TOO_NESTED);
    assert_err(commit_now(b->m, &b->ann, &file, NULL, NULL), E_TOO_NESTED);
    assert_err(b->m->ops->upload_reserve(b->m, b, &w.guard, &upload, &upload_out), E_TOO_NESTED);
    assert_string_equal(before, bench_state(b));
}

static void a_path_is_at_most_4096_bytes(void **state)
{
    struct bench *b = *state;
    struct id at = b->ann.root;
    char name[256];
    memset(name, 'x', 255);
    name[255] = '\0';
    for (int i = 0; i < 15; i++) /* 15 x 256 = 3,840 */
        at = must_folder(b, &b->ann, at, name);
    struct commit whole = commit_of(at, name, 1), more;
    assert_err(commit_now(b->m, &b->ann, &whole, NULL, NULL), E_OK); /* 4,096 with each name's separator */
    name[200] = '\0';
    at = must_folder(b, &b->ann, at, name);
    name[54] = '\0';
    assert_err(make_folder(b->m, &b->ann, at, name, id_new()), E_OK);
    name[54] = 'x';
    name[55] = '\0';
    more = commit_of(at, name, 1);
    assert_err(make_folder(b->m, &b->ann, at, name, id_new()), E_TOO_NESTED);
    assert_err(commit_now(b->m, &b->ann, &more, NULL, NULL), E_TOO_NESTED);
    assert_clean(b);
}

/* ---- removing ---- */
static void a_removed_name_is_free(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id docs = must_folder(b, &b->ann, b->ann.root, "same");
    assert_err(b->m->ops->node_remove(b->m, &g, docs, NULL, NOW_MS), E_OK);
    assert_err(b->m->ops->node_remove(b->m, &g, docs, NULL, NOW_MS), E_NOT_FOUND);
    struct node file = must_file(b, &b->ann, b->ann.root, "same", 9);
    assert_int_equal(space_of(b->m, &b->ann).used, 9);
    assert_err(b->m->ops->node_remove(b->m, &g, file.id, NULL, NOW_MS), E_OK);
    assert_err(b->m->ops->node_remove(b->m, &g, file.id, NULL, NOW_MS), E_NOT_FOUND);
    assert_int_equal(space_of(b->m, &b->ann).used, 0); /* a file's room is back at once */
    must_folder(b, &b->ann, b->ann.root, "same");
    assert_clean(b);
}

static void a_root_stays(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    assert_err(b->m->ops->node_remove(b->m, &g, b->ann.root, NULL, NOW_MS), E_ROOT_NODE);
    assert_clean(b);
}

static void removing_keeps_to_the_precondition(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct node file = must_file(b, &b->ann, b->ann.root, "a.txt", 1);
    struct id folder = must_folder(b, &b->ann, b->ann.root, "d");
    const struct id other[] = {id_new(), id_new()}, mine[] = {other[0], file.blob};
    const struct { struct id node; struct expect expect; enum err want; } rows[] = {
        {file.id, {.n = 2, .etags = other}, E_PRECONDITION},
        {file.id, {.must_not_exist = true}, E_PRECONDITION},
        {folder, {.n = 2, .etags = mine}, E_PRECONDITION},
        {folder, {.must_exist = true}, E_OK},
        {file.id, {.n = 2, .etags = mine}, E_OK},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        enum err e = b->m->ops->node_remove(b->m, &g, rows[i].node, &rows[i].expect, NOW_MS);
        if (e != rows[i].want)
            fail_msg("row %zu: %s", i, err_name(e));
    }
    assert_clean(b);
}

/* ---- sums ---- */
static void usage_sums_what_lives_below(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id docs = must_folder(b, &b->ann, b->ann.root, "Docs"), deep = must_folder(b, &b->ann, docs, "deep");
    struct id dead = must_folder(b, &b->ann, docs, "dead");
    struct node file = must_file(b, &b->ann, deep, "a.txt", 70);
    must_file(b, &b->ann, docs, "b.txt", 30);
    must_file(b, &b->ann, dead, "c.txt", 500);
    must_file(b, &b->ann, b->ann.root, "d.txt", 5);
    assert_err(b->m->ops->node_remove(b->m, &g, dead, NULL, NOW_MS), E_OK);
    const struct { struct id node; struct usage want; } rows[] = {
        {docs, {2, 1, 100}}, {deep, {1, 0, 70}}, {file.id, {1, 0, 70}}, {b->ann.root, {3, 2, 105}}, {b->bob.root, {0, 0, 0}},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct usage u;
        assert_err(b->m->ops->node_usage(b->m, &g, rows[i].node, &u), E_OK);
        if (u.files != rows[i].want.files || u.folders != rows[i].want.folders || u.size != rows[i].want.size)
            fail_msg("row %zu: %lld files, %lld folders, %lld bytes", i, (long long)u.files, (long long)u.folders,
                     (long long)u.size);
    }
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(the_guard_sees_the_whole_place),
        TEST(the_guard_learns_who_asks),
        TEST(a_refusal_changes_nothing),
        TEST(the_dead_are_not_found),
        TEST(a_path_is_walked_as_far_as_it_goes),
        TEST(a_folder_is_what_was_asked_for),
        TEST(a_name_stands_once_in_a_folder),
        TEST(folders_nest_128_levels),
        TEST(a_path_is_at_most_4096_bytes),
        TEST(a_removed_name_is_free),
        TEST(a_root_stays),
        TEST(removing_keeps_to_the_precondition),
        TEST(usage_sums_what_lives_below),
    };
    return bench_run("meta: files and folders", tests, ROWS(tests));
}
