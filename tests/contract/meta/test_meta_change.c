/* Renaming, moving, copying. */
#include "at_once.h"

#include <stdio.h>
#include <string.h>

#include "base/name.h"

#define ROUNDS 100

static enum err change(struct bench *b, const struct person *p, struct id id, const struct change *in, struct node *out)
{
    struct guard g = yes(p->user);
    struct node node;
    return b->m->ops->node_change(b->m, b, &g, &g, id, in, out != NULL ? out : &node);
}

static enum err rename_to(struct bench *b, struct id id, const char *name)
{
    const struct change in = {.name = name, .key = name, .now_ms = NOW_MS + 1};
    return change(b, &b->bob, id, &in, NULL);
}

static enum err move_to(struct bench *b, struct id id, struct id parent)
{
    const struct change in = {.parent = parent, .now_ms = NOW_MS + 1};
    return change(b, &b->bob, id, &in, NULL);
}

static struct copy copy_of(struct id from, struct id parent)
{
    return (struct copy){.from = from, .parent = parent, .node = id_new(), .now_ms = NOW_MS + 5};
}

static enum err copy(struct bench *b, const struct person *p, const struct copy *in, struct node *out)
{
    struct guard from = yes(b->bob.user), into = yes(p->user);
    struct node node;
    return b->m->ops->node_copy(b->m, b, &from, &into, in, out != NULL ? out : &node);
}

static struct node node_of(struct bench *b, struct id id)
{
    struct guard g = yes(b->bob.user);
    struct place place;
    assert_err(b->m->ops->node_get(b->m, b, &g, id, &place), E_OK);
    return place.node;
}

static struct blob blob_of(struct bench *b, struct id id)
{
    struct blob blob;
    assert_err(b->m->ops->blob_get(b->m, b, id, &blob), E_OK);
    return blob;
}

static struct usage below(struct bench *b, const struct person *p, struct id id)
{
    struct guard g = yes(p->user);
    struct usage usage;
    assert_err(b->m->ops->node_usage(b->m, &g, id, &usage), E_OK);
    return usage;
}

/* ---- changing ---- */
static void what_is_absent_stays(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->bob, b->bob.root, "Docs");
    struct node file = must_file(b, &b->bob, docs, "a.txt", 70), after;
    const struct change nothing = {.now_ms = NOW_MS + 1}, time = {.modified_ms = 5, .now_ms = NOW_MS + 1},
                        all = {.name = "B.txt", .key = "b.txt", .parent = b->bob.root, .modified_ms = 7, .now_ms = NOW_MS + 1};
    char *before = bench_state(b);
    assert_err(change(b, &b->bob, file.id, &nothing, &after), E_OK);
    assert_string_equal(before, bench_state(b));
    assert_string_equal(after.name, "a.txt");
    assert_id(after.parent, docs);

    assert_err(change(b, &b->bob, file.id, &time, &after), E_OK);
    assert_int_equal(after.modified_ms, 5);
    assert_err(change(b, &b->bob, file.id, &all, &after), E_OK);
    struct node now = node_of(b, file.id);
    assert_string_equal(now.name, "B.txt");
    assert_string_equal(now.key, "b.txt");
    assert_string_equal(after.name, "B.txt");
    assert_id(now.parent, b->bob.root);
    assert_id(after.parent, b->bob.root);
    assert_int_equal(now.modified_ms, 7);
    assert_int_equal(now.created_ms, NOW_MS);
    assert_id(now.blob, file.blob);
    assert_int_equal(now.size, 70);
    assert_clean(b);
}

static void a_folder_moves_with_all_below(void **state)
{
    struct bench *b = *state;
    struct id one = must_folder(b, &b->bob, b->bob.root, "one"), two = must_folder(b, &b->bob, b->bob.root, "two");
    struct id deep = must_folder(b, &b->bob, one, "deep");
    struct node file = must_file(b, &b->bob, deep, "a.txt", 70);
    struct watch w = watch_for(b->bob.user, E_OK);
    struct place place;
    int64_t rev = space_of(b->m, &b->bob).tree_rev;
    assert_err(move_to(b, one, two), E_OK);
    assert_err(b->m->ops->node_get(b->m, b, &w.guard, file.id, &place), E_OK);
    assert_string_equal(w.above, "deep/one/two//");
    assert_int_equal(space_of(b->m, &b->bob).used, 70);
    assert_true(space_of(b->m, &b->bob).tree_rev > rev);
    assert_clean(b);
}

static void a_change_that_cannot_be_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->bob, b->bob.root, "Docs"), deep = must_folder(b, &b->bob, docs, "deep");
    struct id gone = must_folder(b, &b->bob, b->bob.root, "gone"), hers = must_folder(b, &b->ann, b->ann.root, "hers");
    struct node file = must_file(b, &b->bob, docs, "a.txt", 7), other = must_file(b, &b->bob, b->bob.root, "b.txt", 7);
    struct guard g = yes(b->bob.user);
    assert_err(b->m->ops->node_remove(b->m, &g, gone, NULL, NOW_MS), E_OK);
    must_file(b, &b->bob, docs, "b.txt", 7);
    const struct id wrong = id_new();
    const struct {
        struct id id;
        struct change change;
        enum err want;
    } rows[] = {
        {b->bob.root, {.name = "x", .key = "x"}, E_ROOT_NODE},
        {b->bob.root, {.parent = docs}, E_ROOT_NODE},
        {id_new(), {.name = "x", .key = "x"}, E_NOT_FOUND},
        {gone, {.name = "x", .key = "x"}, E_NOT_FOUND},
        {file.id, {.name = "b.txt", .key = "b.txt"}, E_NAME_TAKEN},
        {file.id, {.name = "deep", .key = "deep"}, E_NAME_TAKEN},
        {other.id, {.parent = docs}, E_NAME_TAKEN},
        {file.id, {.parent = id_new()}, E_NO_PARENT},
        {file.id, {.parent = gone}, E_NO_PARENT},
        {file.id, {.parent = other.id}, E_NOT_FOLDER},
        {file.id, {.parent = hers}, E_CROSS_SPACE},
        {docs, {.parent = docs}, E_CYCLE},
        {docs, {.parent = deep}, E_CYCLE},
        {file.id, {.name = "x", .key = "x", .expect = {.n = 1, .etags = &wrong}}, E_PRECONDITION},
        {docs, {.name = "x", .key = "x", .expect = {.n = 1, .etags = &file.blob}}, E_PRECONDITION},
    };
    char *before = bench_state(b);
    for (size_t i = 0; i < ROWS(rows); i++) {
        enum err e = change(b, &b->bob, rows[i].id, &rows[i].change, NULL);
        if (e != rows[i].want)
            fail_msg("row %zu: %s instead of %s", i, err_name(e), err_name(rows[i].want));
    }
    assert_string_equal(before, bench_state(b));
    const struct change fits = {.name = "x", .key = "x", .expect = {.n = 1, .etags = &file.blob}, .now_ms = NOW_MS};
    assert_err(change(b, &b->bob, file.id, &fits, NULL), E_OK);
    assert_clean(b);
}

static void both_guards_are_asked(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->bob, b->bob.root, "Docs");
    struct node file = must_file(b, &b->bob, b->bob.root, "a.txt", 7), node;
    const struct change move = {.parent = docs, .now_ms = NOW_MS}, stay = {.parent = b->bob.root, .name = "c", .key = "c", .now_ms = NOW_MS};
    const struct copy in = copy_of(file.id, docs);
    struct watch no = watch_for(b->bob.user, E_FORBIDDEN), sees = watch_for(b->bob.user, E_OK);
    char *before = bench_state(b);
    assert_err(b->m->ops->node_change(b->m, b, &no.guard, &sees.guard, file.id, &move, &node), E_FORBIDDEN);
    assert_id(no.node, file.id);
    assert_err(b->m->ops->node_change(b->m, b, &sees.guard, &no.guard, file.id, &move, &node), E_FORBIDDEN);
    assert_id(no.node, docs);
    assert_err(b->m->ops->node_copy(b->m, b, &no.guard, &sees.guard, &in, &node), E_FORBIDDEN);
    assert_id(no.node, file.id);
    assert_err(b->m->ops->node_copy(b->m, b, &sees.guard, &no.guard, &in, &node), E_FORBIDDEN);
    assert_id(no.node, docs);
    assert_string_equal(before, bench_state(b));
    /* where it is already, nothing is put into a folder */
    assert_err(b->m->ops->node_change(b->m, b, &sees.guard, &no.guard, file.id, &stay, &node), E_OK);
    assert_clean(b);
}

/* A chain of folders; the last of them. */
static struct id chain(struct bench *b, struct id at, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        at = must_folder(b, &b->bob, at, name);
    return at;
}

static void moving_keeps_to_128_levels(void **state)
{
    struct bench *b = *state;
    struct id top = must_folder(b, &b->bob, b->bob.root, "top"), last = chain(b, top, 27, "x"); /* levels 1 to 28 */
    struct id deep = chain(b, b->bob.root, 99, "d"), low = chain(b, deep, 1, "e");             /* 99 and 100 */
    struct node file;
    assert_err(move_to(b, top, low), E_OK); /* 101 to 128 */
    assert_err(move_to(b, top, b->bob.root), E_OK);
    file = must_file(b, &b->bob, last, "a", 1); /* level 29 */
    assert_err(move_to(b, top, low), E_TOO_NESTED);
    assert_err(move_to(b, top, deep), E_OK);
    assert_int_equal(node_of(b, file.id).size, 1);

    struct copy in = copy_of(top, low);
    assert_err(copy(b, &b->bob, &in, NULL), E_TOO_NESTED);
    assert_clean(b);
}

static void moving_keeps_to_4096_bytes(void **state)
{
    struct bench *b = *state;
    char name[NAME_MAX_BYTES + 1], other[NAME_MAX_BYTES + 1];
    snprintf(name, sizeof name, "%0255d", 1);
    snprintf(other, sizeof other, "%0255d", 2);
    struct id top = must_folder(b, &b->bob, b->bob.root, "top"), last = chain(b, top, 13, name); /* 4 + 13 * 256 bytes */
    struct id low = chain(b, b->bob.root, 2, name);
    must_file(b, &b->bob, last, name, 1); /* 3,588 */
    assert_err(move_to(b, top, low), E_TOO_NESTED);
    assert_err(rename_to(b, top, other), E_OK);
    assert_err(rename_to(b, low, "l"), E_OK);
    struct copy in = copy_of(top, low);
    assert_err(copy(b, &b->bob, &in, NULL), E_TOO_NESTED);
    assert_err(move_to(b, top, low), E_TOO_NESTED);
    assert_err(rename_to(b, top, "t"), E_OK);
    assert_err(move_to(b, top, low), E_OK);
    assert_clean(b);
}

/* What a verb hands out belongs to the caller, and outlives the verb's own memory: the sanitizers watch. */
static void assert_same_texts(const struct node *given, const struct node *stored)
{
    assert_string_equal(given->name, stored->name);
    assert_string_equal(given->key, stored->key);
    assert_string_equal(given->type, stored->type);
    assert_string_equal(given->sha256, stored->sha256);
}

static void a_change_hands_out_texts_of_its_own(void **state)
{
    struct bench *b = *state;
    struct node file = must_file(b, &b->bob, b->bob.root, "a.txt", 7), changed;
    char *name = mem_str(NULL, "b.txt");
    const struct change in = {.name = name, .key = name, .now_ms = NOW_MS};
    struct guard g = yes(b->bob.user);
    assert_err(b->m->ops->node_change(b->m, b, &g, &g, file.id, &in, &changed), E_OK);
    talloc_free(name);
    struct node now = node_of(b, file.id);
    assert_string_equal(now.name, "b.txt");
    assert_same_texts(&changed, &now);
}

/* ---- copying ---- */
static void a_copy_has_the_same_blob(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->bob, b->bob.root, "Docs");
    struct node file = must_file(b, &b->bob, b->bob.root, "a.txt", 70), twin;
    struct copy in = copy_of(file.id, docs);
    struct guard g = yes(b->bob.user);
    assert_err(copy(b, &b->bob, &in, &twin), E_OK);
    struct node now = node_of(b, in.node);
    assert_id(now.id, twin.id);
    assert_id(now.blob, file.blob);
    assert_string_equal(now.name, "a.txt");
    assert_string_equal(now.type, "text/plain");
    assert_same_texts(&twin, &now);
    assert_string_not_equal(now.version.s, file.version.s);
    assert_int_equal(now.size, 70);
    assert_int_equal(now.modified_ms, file.modified_ms);
    assert_int_equal(now.created_ms, NOW_MS + 5);
    assert_int_equal(blob_of(b, file.blob).refs, 2);
    assert_int_equal(space_of(b->m, &b->bob).used, 140);

    assert_err(b->m->ops->node_remove(b->m, &g, file.id, NULL, NOW_MS), E_OK);
    assert_int_equal(blob_of(b, file.blob).refs, 1);
    assert_int_equal(blob_of(b, file.blob).unreferenced_ms, 0);
    assert_int_equal(space_of(b->m, &b->bob).used, 70);
    assert_clean(b);
}

static void a_copy_in_the_same_folder_needs_a_name(void **state)
{
    struct bench *b = *state;
    struct node file = must_file(b, &b->bob, b->bob.root, "a.txt", 7), twin;
    struct copy in = copy_of(file.id, (struct id){""});
    assert_err(copy(b, &b->bob, &in, NULL), E_NAME_TAKEN);
    in.conflict = CONFLICT_RENAME;
    assert_err(copy(b, &b->bob, &in, &twin), E_OK);
    assert_string_equal(twin.name, "a (1).txt");
    assert_id(twin.parent, b->bob.root);
    in.node = id_new();
    assert_err(copy(b, &b->bob, &in, &twin), E_OK);
    assert_string_equal(twin.name, "a (2).txt");
    in.node = id_new();
    in.name = in.key = "b";
    assert_err(copy(b, &b->bob, &in, &twin), E_OK);
    assert_string_equal(node_of(b, in.node).name, "b");
    assert_int_equal(blob_of(b, file.blob).refs, 4);
    assert_clean(b);
}

/* More entries than the store reads at once, and a dead one among them. */
static void a_folder_is_copied_with_all_below(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->ann, b->ann.root, "Docs"), many = must_folder(b, &b->ann, docs, "many"), dead;
    struct guard g = yes(b->ann.user);
    struct node node;
    char name[32];
    const int entries = b->opener->part > 1 ? 310 : 450; /* more than the store copies at once */
    for (int i = 0; i < entries; i++) {
        snprintf(name, sizeof name, "f%03d", i);
        if (i % 2)
            must_file(b, &b->ann, many, name, i);
        else
            must_folder(b, &b->ann, many, name);
    }
    dead = must_folder(b, &b->ann, many, "dead");
    must_file(b, &b->ann, dead, "x", 1000);
    assert_err(b->m->ops->node_remove(b->m, &g, dead, NULL, NOW_MS), E_OK);

    struct usage before = below(b, &b->ann, docs);
    struct copy in = copy_of(docs, b->ann.root);
    in.name = in.key = "Twin";
    assert_err(b->m->ops->node_copy(b->m, b, &g, &g, &in, &node), E_OK);
    struct usage after = below(b, &b->ann, in.node);
    assert_int_equal(before.folders, entries / 2 + 1);
    assert_int_equal(after.folders, before.folders);
    assert_int_equal(after.files, before.files);
    assert_int_equal(after.size, before.size);
    assert_int_equal(space_of(b->m, &b->ann).used, 2 * before.size + 1000);
    assert_clean(b);
    reap_all(b->m);
    assert_int_equal(below(b, &b->ann, in.node).files, before.files);
    assert_clean(b);
}

static void a_copy_that_cannot_be_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->bob, b->bob.root, "Docs"), deep = must_folder(b, &b->bob, docs, "deep");
    struct node big = must_file(b, &b->bob, docs, "big", 600), small = must_file(b, &b->bob, deep, "small", 1);
    const struct id wrong = id_new();
    const struct {
        struct copy in;
        enum err want;
    } rows[] = {
        {{.from = b->bob.root, .parent = docs}, E_ROOT_NODE},
        {{.from = docs, .parent = docs}, E_CYCLE},
        {{.from = docs, .parent = deep}, E_CYCLE},
        {{.from = id_new(), .parent = docs}, E_NOT_FOUND},
        {{.from = big.id, .parent = id_new()}, E_NO_PARENT},
        {{.from = small.id, .parent = big.id}, E_NOT_FOLDER},
        {{.from = small.id}, E_NAME_TAKEN},
        {{.from = big.id, .parent = deep}, E_QUOTA},
        {{.from = docs, .parent = b->bob.root, .name = "x", .key = "x"}, E_QUOTA},
        {{.from = small.id, .parent = docs, .expect = {.n = 1, .etags = &wrong}}, E_PRECONDITION},
    };
    char *before = bench_state(b);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct copy in = rows[i].in;
        in.node = id_new();
        enum err e = copy(b, &b->bob, &in, NULL);
        if (e != rows[i].want)
            fail_msg("row %zu: %s instead of %s", i, err_name(e), err_name(rows[i].want));
    }
    assert_string_equal(before, bench_state(b));
    assert_clean(b);
}

static void a_copy_into_another_space_is_charged_there(void **state)
{
    struct bench *b = *state;
    struct node file = must_file(b, &b->bob, b->bob.root, "a.txt", 70);
    struct copy in = copy_of(file.id, b->ann.root);
    assert_err(copy(b, &b->ann, &in, NULL), E_OK);
    assert_id(node_of(b, in.node).space, b->ann.space);
    assert_int_equal(space_of(b->m, &b->ann).used, 70);
    assert_int_equal(space_of(b->m, &b->bob).used, 70);
    assert_clean(b);
}

/* ---- at once ---- */
struct side {
    struct id id, into;
};

static enum err do_move(struct meta *m, struct bench *b, const void *side)
{
    const struct side *s = side;
    struct guard g = yes(b->bob.user);
    const struct change in = {.parent = s->into, .now_ms = NOW_MS};
    struct node node;
    return m->ops->node_change(m, b, &g, &g, s->id, &in, &node);
}

/* into "": removes it. */
static enum err do_copy_or_remove(struct meta *m, struct bench *b, const void *side)
{
    const struct side *s = side;
    struct guard g = yes(b->bob.user);
    const struct copy in = copy_of(s->id, s->into);
    struct node node;
    return id_is(s->into) ? m->ops->node_copy(m, b, &g, &g, &in, &node) : m->ops->node_remove(m, &g, s->id, NULL, NOW_MS);
}

static void two_moves_never_make_a_cycle(void **state)
{
    struct bench *b = *state;
    unsigned rounds = bench_many(b, ROUNDS);
    struct guard g = yes(b->bob.user);
    unsigned first = 0;
    for (unsigned i = 0; i < rounds; i++) {
        struct id one = must_folder(b, &b->bob, b->bob.root, "one"), two = must_folder(b, &b->bob, b->bob.root, "two");
        struct id one_deep = must_folder(b, &b->bob, one, "deep"), two_deep = must_folder(b, &b->bob, two, "deep");
        const struct side sides[] = {{one, two_deep}, {two, one_deep}};
        enum err got[2];
        at_once(b, do_move, &sides[0], &sides[1], got);
        first += got[0] == E_OK;
        if (!((got[0] == E_OK && got[1] == E_CYCLE) || (got[0] == E_CYCLE && got[1] == E_OK)))
            fail_msg("round %u: %s and %s", i, err_name(got[0]), err_name(got[1]));
        assert_int_equal(below(b, &b->bob, b->bob.root).folders, 4);
        assert_err(b->m->ops->node_remove(b->m, &g, got[0] == E_OK ? two : one, NULL, NOW_MS), E_OK);
    }
    print_message("# the first of the two moved in %u of %u rounds\n", first, rounds);
    reap_all(b->m);
    assert_clean(b);
}

static void a_copy_and_a_removal_keep_the_count(void **state)
{
    struct bench *b = *state;
    unsigned rounds = bench_many(b, ROUNDS);
    struct id into = must_folder(b, &b->bob, b->bob.root, "into");
    struct guard g = yes(b->bob.user);
    for (unsigned i = 0; i < rounds; i++) {
        struct node file = must_file(b, &b->bob, b->bob.root, "a.txt", 10);
        const struct side sides[] = {{file.id, into}, {file.id, {""}}};
        enum err got[2];
        at_once(b, do_copy_or_remove, &sides[0], &sides[1], got);
        assert_err(got[1], E_OK);
        if (got[0] != E_OK && got[0] != E_NOT_FOUND)
            fail_msg("round %u: %s", i, err_name(got[0]));
        assert_int_equal(blob_of(b, file.blob).refs, got[0] == E_OK);
        assert_err(b->m->ops->node_remove(b->m, &g, into, NULL, NOW_MS), E_OK);
        into = must_folder(b, &b->bob, b->bob.root, "into");
        reap_all(b->m);
    }
    assert_clean(b);
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(what_is_absent_stays),
        TEST(a_folder_moves_with_all_below),
        TEST(a_change_that_cannot_be_changes_nothing),
        TEST(both_guards_are_asked),
        TEST(moving_keeps_to_128_levels),
        TEST(moving_keeps_to_4096_bytes),
        TEST(a_change_hands_out_texts_of_its_own),
        TEST(a_copy_has_the_same_blob),
        TEST(a_copy_in_the_same_folder_needs_a_name),
        TEST(a_folder_is_copied_with_all_below),
        TEST(a_copy_that_cannot_be_changes_nothing),
        TEST(a_copy_into_another_space_is_charged_there),
        TEST(two_moves_never_make_a_cycle),
        TEST(a_copy_and_a_removal_keep_the_count),
    };
    return bench_run("meta: renaming, moving, copying", tests, ROWS(tests));
}
