/* What the keeper does, and what check finds. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#define EMPTY ((struct id){0})

/* ---- expiry ---- */
static unsigned expire_all(struct bench *b, int64_t now_ms, int64_t idle_ms, unsigned batch)
{
    unsigned did = 1, all = 0;
    while (did > 0) {
        assert_err(b->m->ops->expire(b->m, now_ms, now_ms - idle_ms, batch, &did), E_OK);
        all += did;
    }
    return all;
}

static bool signed_in(struct bench *b, const struct session *s)
{
    struct session got;
    struct user user;
    return b->m->ops->session_get(b->m, b, s->token_hash, NOW_MS, 0, &got, &user) == E_OK;
}

static void what_is_over_goes(void **state)
{
    struct bench *b = *state;
    struct session over = session_of(b->ann.user, "a0"), idle = session_of(b->ann.user, "a1"), live = session_of(b->ann.user, "a2");
    struct upload mine = must_reserve(b, &b->bob, b->bob.root, "a", 300), later, u = upload_of(b->bob.root, "b", 200);
    struct guard g = yes(b->bob.user);
    const struct throttle row = {"key", 1, 1000};
    over.expires_ms = NOW_MS + HOUR_MS;
    idle.seen_ms = NOW_MS - HOUR_MS;
    u.expires_ms = NOW_MS + 2 * HOUR_MS;
    assert_err(b->m->ops->session_add(b->m, &over, 10), E_OK);
    assert_err(b->m->ops->session_add(b->m, &idle, 10), E_OK);
    assert_err(b->m->ops->session_add(b->m, &live, 10), E_OK);
    assert_err(b->m->ops->upload_reserve(b->m, b, &g, &u, &later), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS), E_OK);

    assert_int_equal(expire_all(b, NOW_MS, 5 * HOUR_MS, 10), 0);
    assert_int_equal(expire_all(b, NOW_MS + HOUR_MS, 90 * 60000, 10), 4);
    assert_int_equal(expire_all(b, NOW_MS + HOUR_MS, 90 * 60000, 10), 0);
    assert_false(signed_in(b, &over));
    assert_false(signed_in(b, &idle));
    assert_true(signed_in(b, &live));
    assert_err(b->m->ops->upload_get(b->m, b, mine.id, &mine), E_UPLOAD_GONE);
    assert_err(b->m->ops->upload_get(b->m, b, u.id, &later), E_OK);
    assert_int_equal(space_of(b->m, &b->bob).reserved, 200);
    assert_clean(b);
}

static void expiry_goes_by_batches(void **state)
{
    struct bench *b = *state;
    unsigned did;
    for (unsigned i = 0; i < 7; i++) {
        char name[8];
        snprintf(name, sizeof name, "u%u", i);
        must_reserve(b, &b->bob, b->bob.root, name, 10);
    }
    assert_err(b->m->ops->expire(b->m, NOW_MS + HOUR_MS, 0, 3, &did), E_OK);
    assert_int_equal(did, 3);
    assert_int_equal(space_of(b->m, &b->bob).reserved, 40);
    assert_int_equal(expire_all(b, NOW_MS + HOUR_MS, HOUR_MS, 3), 4);
    assert_int_equal(space_of(b->m, &b->bob).reserved, 0);
}

/* ---- reaping ---- */
static void a_dead_folder_is_emptied_bottom_up(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->bob.user);
    struct id docs = must_folder(b, &b->bob, b->bob.root, "docs"), at = docs;
    unsigned did, rounds = 0;
    for (unsigned i = 0; i < 5; i++) {
        char name[8];
        for (unsigned f = 0; f < 4; f++) {
            snprintf(name, sizeof name, "f%u", f);
            must_file(b, &b->bob, at, name, 10);
        }
        at = must_folder(b, &b->bob, at, "deeper");
    }
    struct node stays = must_file(b, &b->bob, b->bob.root, "stays", 5);
    assert_int_equal(reap_all(b->m), 0);
    assert_err(b->m->ops->node_remove(b->m, &g, docs, NULL, NOW_MS + 7), E_OK);
    do {
        assert_err(b->m->ops->reap(b->m, 4, &did), E_OK);
        assert_true(did <= 4);
        assert_clean(b); /* after every batch: nothing hangs in the air */
        rounds += did;
    } while (did > 0);
    assert_int_equal(rounds, 5 * 4 + 5 + 1);
    assert_int_equal(space_of(b->m, &b->bob).used, 5);

    struct blob *blobs;
    size_t n;
    assert_err(b->m->ops->blob_list(b->m, b, EMPTY, 100, &blobs, &n), E_OK);
    assert_int_equal(n, 21);
    for (size_t i = 0; i < n; i++)
        if (blobs[i].unreferenced_ms != (id_eq(blobs[i].id, stays.blob) ? 0 : NOW_MS + 7))
            fail_msg("blob %zu is unreferenced since %lld", i, (long long)blobs[i].unreferenced_ms);
}

static void reaping_takes_folders_that_died_within_dead_ones(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id docs = must_folder(b, &b->ann, b->ann.root, "docs"), inner = must_folder(b, &b->ann, docs, "inner");
    must_file(b, &b->ann, inner, "a", 1);
    assert_err(b->m->ops->node_remove(b->m, &g, inner, NULL, NOW_MS), E_OK);
    must_folder(b, &b->ann, docs, "inner");
    assert_err(b->m->ops->node_remove(b->m, &g, docs, NULL, NOW_MS - 5), E_OK); /* even by a clock that went back */
    assert_int_equal(reap_all(b->m), 4);
    assert_int_equal(space_of(b->m, &b->ann).used, 0);
    assert_clean(b);
}

/* ---- blobs ---- */
static size_t dying(struct bench *b, int64_t before_ms, unsigned batch, struct id **ids)
{
    size_t n = 0;
    assert_err(b->m->ops->blobs_dying(b->m, b, before_ms, batch, ids, &n), E_OK);
    assert_true(n <= batch);
    return n;
}

static void unneeded_blobs_die_after_their_grace(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct node file = must_file(b, &b->ann, b->ann.root, "a", 5), kept = must_file(b, &b->ann, b->ann.root, "b", 5);
    struct id *ids;
    struct blob blob;
    assert_int_equal(dying(b, NEVER_MS, 10, &ids), 0);
    assert_err(b->m->ops->node_remove(b->m, &g, file.id, NULL, NOW_MS), E_OK);
    assert_int_equal(dying(b, NOW_MS, 10, &ids), 0);
    assert_err(b->m->ops->blob_drop(b->m, file.blob), E_INTERNAL); /* not yet marked */
    assert_int_equal(dying(b, NOW_MS + 1, 10, &ids), 1);
    assert_id(ids[0], file.blob);
    assert_err(b->m->ops->blob_get(b->m, b, file.blob, &blob), E_OK);
    assert_int_equal(blob.state, BLOB_DYING);
    assert_int_equal(dying(b, 0, 10, &ids), 1); /* whoever died on the way is handed out again */
    assert_err(b->m->ops->blob_drop(b->m, file.blob), E_OK);
    assert_err(b->m->ops->blob_drop(b->m, file.blob), E_OK);
    assert_err(b->m->ops->blob_get(b->m, b, file.blob, &blob), E_NOT_FOUND);
    assert_int_equal(dying(b, NEVER_MS, 10, &ids), 0);
    assert_err(b->m->ops->blob_drop(b->m, kept.blob), E_INTERNAL);
    assert_err(b->m->ops->blob_get(b->m, b, kept.blob, &blob), E_OK);
    assert_clean(b);
}

static void blobs_die_by_batches(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id *ids;
    size_t all = 0, n;
    for (unsigned i = 0; i < 10; i++) {
        struct node file = must_file(b, &b->ann, b->ann.root, "a", 5);
        assert_err(b->m->ops->node_remove(b->m, &g, file.id, NULL, NOW_MS + i), E_OK);
    }
    while ((n = dying(b, NOW_MS + 8, 3, &ids)) > 0) {
        for (size_t i = 0; i < n; i++)
            assert_err(b->m->ops->blob_drop(b->m, ids[i]), E_OK);
        all += n;
    }
    assert_int_equal(all, 8);
    assert_clean(b);
}

static void blobs_and_versions_are_listed_by_id(void **state)
{
    struct bench *b = *state;
    struct blob *blobs;
    struct version *versions;
    struct node files[5];
    size_t n, all = 0;
    struct id after = EMPTY;
    for (unsigned i = 0; i < ROWS(files); i++) {
        char name[8];
        snprintf(name, sizeof name, "f%u", i);
        files[i] = must_file(b, &b->ann, b->ann.root, name, 10 + i);
    }
    for (; b->m->ops->blob_list(b->m, b, after, 2, &blobs, &n) == E_OK && n > 0; all += n)
        for (size_t i = 0; i < n; after = blobs[i++].id)
            assert_true(strcmp(after.s, blobs[i].id.s) < 0);
    assert_int_equal(all, ROWS(files));
    after = EMPTY;
    all = 0;
    for (; b->m->ops->version_list(b->m, b, after, 2, &versions, &n) == E_OK && n > 0; all += n)
        for (size_t i = 0; i < n; after = versions[i++].id) {
            const struct version *v = &versions[i];
            size_t f = (size_t)(v->size - 10);
            assert_true(strcmp(after.s, v->id.s) < 0 && f < ROWS(files));
            assert_id(v->node, files[f].id);
            assert_id(v->blob, files[f].blob);
            assert_id(v->id, files[f].version);
            assert_string_equal(v->type, "text/plain");
            assert_int_equal(v->created_ms, NOW_MS);
        }
    assert_int_equal(all, ROWS(files));
}

/* ---- hashes ---- */
static void hashes_are_filled_in_oldest_first(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id versions[10], blobs[10];
    struct commit in[3];
    struct place place;
    size_t n;
    for (size_t i = 0; i < ROWS(in); i++) {
        static const char *const names[] = {"a", "b", "c"};
        in[i] = commit_of(b->ann.root, names[i], 1);
        in[i].now_ms = NOW_MS - (int64_t)i;
        in[i].sha256 = i == 1 ? "known" : "";
        assert_err(commit_now(b->m, &b->ann, &in[i], NULL, NULL), E_OK);
    }
    assert_err(b->m->ops->hash_pending(b->m, b, 10, versions, blobs, &n), E_OK);
    assert_int_equal(n, 2);
    assert_id(versions[0], in[2].version);
    assert_id(blobs[0], in[2].blob);
    assert_id(versions[1], in[0].version);
    assert_err(b->m->ops->hash_pending(b->m, b, 1, versions, blobs, &n), E_OK);
    assert_int_equal(n, 1);
    assert_err(b->m->ops->hash_set(b->m, in[2].version, "cafe"), E_OK);
    assert_err(b->m->ops->node_get(b->m, b, &g, in[2].node, &place), E_OK);
    assert_string_equal(place.node.sha256, "cafe");
    assert_err(b->m->ops->hash_pending(b->m, b, 10, versions, blobs, &n), E_OK);
    assert_int_equal(n, 1);
    assert_err(b->m->ops->hash_set(b->m, id_new(), "dead"), E_OK); /* replaced meanwhile: of no interest */
    assert_clean(b);
}

/* ---- check ---- */
static void check_finds_and_mends(void **state)
{
    struct bench *b = *state;
    struct node file = must_file(b, &b->ann, b->ann.root, "a", 5);
    must_reserve(b, &b->ann, b->ann.root, "b", 9);
    const struct { enum hurt what; struct id id; } rows[] = {
        {HURT_USED, b->ann.space}, {HURT_RESERVED, b->ann.space}, {HURT_REFS, file.blob}, {HURT_SINCE, file.blob},
        {HURT_COPY, file.id},      {HURT_DYING, file.blob},
    };
    assert_clean(b);
    char *before = bench_state(b);
    for (size_t i = 0; i < ROWS(rows); i++) {
        b->opener->hurt(b, rows[i].what, rows[i].id);
        struct findings found = bench_check(b->m, false), again = bench_check(b->m, true);
        if (found.n != 1 || found.repaired != 0 || found.damage != (rows[i].what == HURT_DYING))
            fail_msg("row %zu: %u found, %u repaired, %u damage: %s", i, found.n, found.repaired, found.damage, found.first);
        if (again.n != 1 || again.repaired != 1 || strcmp(again.first, found.first) != 0)
            fail_msg("row %zu: %u found, %u repaired: %s", i, again.n, again.repaired, again.first);
        assert_clean(b);
        assert_string_equal(before, bench_state(b));
    }
}

static void check_tells_what_cannot_be_mended(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->ann, b->ann.root, "docs");
    const struct { enum hurt what; bool in_docs; } rows[] = {
        {HURT_NO_BLOB, false}, {HURT_NO_NODE, false}, {HURT_NO_VERSION, false}, {HURT_NO_PARENT, true},
        {HURT_NO_SPACE, true}, {HURT_NO_TOP, true}, {HURT_NO_ROOT, false}, {HURT_NO_PERSONAL, false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char name[8];
        snprintf(name, sizeof name, "f%zu", i);
        struct node file = must_file(b, &b->ann, rows[i].in_docs ? docs : b->ann.root, name, 5);
        unsigned before = bench_check(b->m, false).damage;
        b->opener->hurt(b, rows[i].what,
                        rows[i].what == HURT_NO_BLOB       ? file.blob
                        : rows[i].what == HURT_NO_ROOT     ? b->bob.space
                        : rows[i].what == HURT_NO_PERSONAL ? b->bob.user
                                                           : file.id);
        struct findings found = bench_check(b->m, true);
        if (found.damage <= before)
            fail_msg("row %zu: %u findings, %u of damage", i, found.n, found.damage);
        if (bench_check(b->m, true).n != found.damage) /* what was mended stays so, damage is told again */
            fail_msg("row %zu: %u findings of damage at first", i, found.damage);
    }
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(what_is_over_goes),
        TEST(expiry_goes_by_batches),
        TEST(a_dead_folder_is_emptied_bottom_up),
        TEST(reaping_takes_folders_that_died_within_dead_ones),
        TEST(unneeded_blobs_die_after_their_grace),
        TEST(blobs_die_by_batches),
        TEST(blobs_and_versions_are_listed_by_id),
        TEST(hashes_are_filled_in_oldest_first),
        TEST(check_finds_and_mends),
        TEST(check_tells_what_cannot_be_mended),
    };
    return bench_run("meta: the keeper", tests, ROWS(tests));
}
