/* Folders and files by the hundred, in one transaction. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static struct commit_row folder_row(struct id parent, const char *name)
{
    return (struct commit_row){
        .folder = true, .result = E_INTERNAL,
        .node = {.id = id_new(), .parent = parent, .name = name, .key = name, .kind = NODE_FOLDER,
                 .created_ms = NOW_MS, .modified_ms = NOW_MS - HOUR_MS},
    };
}

static struct commit_row file_row(struct id parent, const char *name, int64_t size)
{
    return (struct commit_row){.result = E_INTERNAL, .commit = commit_of(parent, name, size)};
}

static enum err commit_rows(struct bench *b, const struct person *p, struct commit_row *rows, size_t n)
{
    struct guard g = yes(p->user);
    return meta_commit_many(b->m, &g, rows, n);
}

static void a_tree_goes_in_at_once(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct commit_row rows[4] = {folder_row(b->ann.root, "a")};
    rows[1] = folder_row(rows[0].node.id, "b");
    rows[2] = file_row(rows[1].node.id, "x.txt", 5);
    rows[3] = file_row(b->ann.root, "y.txt", 7);
    assert_err(commit_rows(b, &b->ann, rows, ROWS(rows)), E_OK);
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_err(rows[i].result, E_OK);

    const char *const path[] = {"a", "b", "x.txt"};
    struct place place;
    size_t found;
    assert_err(b->m->ops->node_walk(b->m, b, &g, b->ann.root, path, 3, &place, &found), E_OK);
    assert_int_equal(found, 3);
    assert_id(place.node.id, rows[2].commit.node);
    assert_int_equal(place.node.modified_ms, NOW_MS - HOUR_MS);
    assert_int_equal(place.node.size, 5);
    assert_int_equal(space_of(b->m, &b->ann).used, 12);
    assert_clean(b);
}

static void a_refused_row_does_not_keep_the_others(void **state)
{
    struct bench *b = *state;
    must_file(b, &b->bob, b->bob.root, "taken", 100);
    struct commit_row rows[] = {
        file_row(b->bob.root, "taken", 1), file_row(b->bob.root, "one", 400), folder_row(b->bob.root, "taken"),
        file_row(b->bob.root, "two", 501), file_row(id_new(), "nowhere", 1), file_row(b->bob.root, "three", 500),
        folder_row(id_new(), "nowhere"),
    };
    static const enum err want[] = {E_NAME_TAKEN, E_OK, E_NAME_TAKEN, E_QUOTA, E_NO_PARENT, E_OK, E_NO_PARENT};
    assert_err(commit_rows(b, &b->bob, rows, ROWS(rows)), E_OK);
    for (size_t i = 0; i < ROWS(rows); i++)
        if (rows[i].result != want[i])
            fail_msg("row %zu: %s instead of %s", i, err_name(rows[i].result), err_name(want[i]));
    assert_int_equal(space_of(b->m, &b->bob).used, 1000);
    assert_clean(b);
}

static void the_guard_is_asked_for_each(void **state)
{
    struct bench *b = *state;
    struct watch w = watch_for(b->ann.user, E_FORBIDDEN);
    struct commit_row rows[] = {file_row(b->ann.root, "a", 1), folder_row(b->ann.root, "b")};
    char *before = bench_state(b);
    assert_err(meta_commit_many(b->m, &w.guard, rows, ROWS(rows)), E_OK);
    assert_int_equal(w.asked, 2);
    assert_err(rows[0].result, E_FORBIDDEN);
    assert_err(rows[1].result, E_FORBIDDEN);
    assert_string_equal(before, bench_state(b));
}

/* The same blob twice is ours to mend: nothing of the batch is there. */
static void a_fault_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct commit_row rows[] = {file_row(b->ann.root, "a", 1), file_row(b->ann.root, "b", 1)};
    rows[1].commit.blob = rows[0].commit.blob;
    char *before = bench_state(b);
    assert_true(meta_fault(commit_rows(b, &b->ann, rows, ROWS(rows))));
    assert_string_equal(before, bench_state(b));
}

static void replacing_gives_back_what_was_there(void **state)
{
    struct bench *b = *state;
    struct node old = must_file(b, &b->bob, b->bob.root, "a", 900);
    struct commit_row rows[] = {file_row(b->bob.root, "a", 50), file_row(b->bob.root, "b", 950)};
    rows[0].commit.conflict = CONFLICT_REPLACE;
    struct blob blob;
    assert_err(commit_rows(b, &b->bob, rows, ROWS(rows)), E_OK);
    assert_err(rows[0].result, E_OK);
    assert_err(rows[1].result, E_OK);
    assert_err(b->m->ops->blob_get(b->m, b, old.blob, &blob), E_OK);
    assert_int_equal(blob.refs, 0);
    assert_int_equal(space_of(b->m, &b->bob).used, 1000);
    assert_clean(b);
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(a_tree_goes_in_at_once), TEST(a_refused_row_does_not_keep_the_others), TEST(the_guard_is_asked_for_each),
        TEST(a_fault_changes_nothing), TEST(replacing_gives_back_what_was_there),
    };
    return bench_run("meta_many", tests, ROWS(tests));
}
