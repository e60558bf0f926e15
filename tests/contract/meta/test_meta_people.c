/* What changes about accounts: names, roles, states, sessions; invitations, links for a new password; removal. */
#include "at_once.h"

#include <stdio.h>
#include <string.h>

#include "base/name.h"

#define ROUNDS 40

static struct user user_of(struct bench *b, struct id id)
{
    struct user user;
    assert_err(b->m->ops->user_by_id(b->m, b, id, &user), E_OK);
    return user;
}

static struct session must_session(struct bench *b, struct id user, const char *token)
{
    struct session s = session_of(user, token);
    assert_err(b->m->ops->session_add(b->m, &s, 10), E_OK);
    return s;
}

static enum err get(struct bench *b, const char *token_hash, int64_t now_ms, struct session *out)
{
    struct session s;
    struct user user;
    return b->m->ops->session_get(b->m, b, token_hash, now_ms, now_ms - HOUR_MS, out != NULL ? out : &s, &user);
}

static const char *hash_of(struct bench *b, char c)
{
    char *hash = mem_array(b, char, 65);
    memset(hash, c, 64);
    return hash;
}

static struct grant grant_of(struct bench *b, char c, struct id user)
{
    return (struct grant){.hash = hash_of(b, c), .user = user, .created_ms = NOW_MS, .expires_ms = NOW_MS + HOUR_MS};
}

/* ---- name, role, state, quota ---- */
static void a_name_changes_unless_it_is_taken(void **state)
{
    struct bench *b = *state;
    struct user user;
    assert_err(b->m->ops->user_rename(b->m, b->bob.user, "ANN", "ann", NOW_MS), E_NAME_TAKEN);
    assert_err(b->m->ops->user_rename(b->m, b->bob.user, "BOB", "bob", NOW_MS), E_OK);
    assert_string_equal(user_of(b, b->bob.user).name, "BOB");
    assert_err(b->m->ops->user_rename(b->m, b->bob.user, "Rob", "rob", NOW_MS), E_OK);
    assert_err(b->m->ops->user_by_key(b->m, b, "rob", &user), E_OK);
    assert_id(user.id, b->bob.user);
    assert_err(b->m->ops->user_by_key(b->m, b, "bob", &user), E_NOT_FOUND);
    assert_err(b->m->ops->user_rename(b->m, id_new(), "x", "x", NOW_MS), E_NOT_FOUND);
    assert_clean(b);
}

static void a_role_changes_and_ends_the_sessions(void **state)
{
    struct bench *b = *state;
    struct session ann = must_session(b, b->ann.user, "aa"), bob = must_session(b, b->bob.user, "bb");
    assert_err(b->m->ops->user_role(b->m, b->ann.user, ROLE_USER, NOW_MS), E_OK);
    assert_err(get(b, ann.token_hash, NOW_MS, NULL), E_OK); /* nothing changed */
    assert_err(b->m->ops->user_role(b->m, b->ann.user, ROLE_ADMIN, NOW_MS), E_OK);
    assert_int_equal(user_of(b, b->ann.user).role, ROLE_ADMIN);
    assert_err(get(b, ann.token_hash, NOW_MS, NULL), E_SIGN_IN);
    assert_err(get(b, bob.token_hash, NOW_MS, NULL), E_OK);
    assert_err(b->m->ops->user_role(b->m, id_new(), ROLE_ADMIN, NOW_MS), E_NOT_FOUND);
    assert_clean(b);
}

static void one_active_administrator_stays(void **state)
{
    struct bench *b = *state;
    const struct meta_ops *ops = b->m->ops;
    const struct removal gone = {.user = b->ann.user, .now_ms = NOW_MS};
    struct id folder;
    assert_err(ops->user_role(b->m, b->ann.user, ROLE_ADMIN, NOW_MS), E_OK);
    assert_err(ops->user_role(b->m, b->ann.user, ROLE_USER, NOW_MS), E_LAST_ADMIN);
    assert_err(ops->user_state(b->m, b->ann.user, USER_DISABLED, NOW_MS), E_LAST_ADMIN);
    assert_err(ops->user_remove(b->m, &gone, &folder), E_LAST_ADMIN);
    assert_err(ops->user_role(b->m, b->bob.user, ROLE_ADMIN, NOW_MS), E_OK);
    assert_err(ops->user_state(b->m, b->bob.user, USER_DISABLED, NOW_MS), E_OK);
    assert_err(ops->user_role(b->m, b->ann.user, ROLE_USER, NOW_MS), E_LAST_ADMIN); /* the other one cannot sign in */
    assert_err(ops->user_state(b->m, b->bob.user, USER_ACTIVE, NOW_MS), E_OK);
    assert_err(ops->user_role(b->m, b->ann.user, ROLE_USER, NOW_MS), E_OK);
    assert_err(ops->user_role(b->m, b->bob.user, ROLE_USER, NOW_MS), E_LAST_ADMIN);
    assert_err(ops->user_remove(b->m, &gone, &folder), E_OK);
}

static void disabling_ends_sessions_and_is_undone(void **state)
{
    struct bench *b = *state;
    struct session s = must_session(b, b->bob.user, "bb"), more = session_of(b->bob.user, "bc");
    assert_err(b->m->ops->user_state(b->m, b->bob.user, USER_DISABLED, NOW_MS), E_OK);
    assert_err(get(b, s.token_hash, NOW_MS, NULL), E_SIGN_IN);
    assert_err(b->m->ops->session_add(b->m, &more, 10), E_CREDENTIALS);
    assert_err(b->m->ops->user_state(b->m, b->bob.user, USER_ACTIVE, NOW_MS), E_OK);
    assert_err(get(b, s.token_hash, NOW_MS, NULL), E_SIGN_IN); /* what has ended stays so */
    assert_err(b->m->ops->session_add(b->m, &more, 10), E_OK);
    assert_err(b->m->ops->user_state(b->m, id_new(), USER_DISABLED, NOW_MS), E_NOT_FOUND);
}

static void a_quota_below_what_is_stored_only_stops_growth(void **state)
{
    struct bench *b = *state;
    const struct commit more = commit_of(b->bob.root, "b", 1);
    must_file(b, &b->bob, b->bob.root, "a", 500);
    assert_err(b->m->ops->user_quota(b->m, b->bob.user, 100, NOW_MS), E_OK);
    assert_int_equal(space_of(b->m, &b->bob).quota, 100);
    assert_err(commit_now(b->m, &b->bob, &more, NULL, NULL), E_QUOTA);
    assert_err(b->m->ops->user_quota(b->m, b->bob.user, 0, NOW_MS), E_OK);
    assert_err(commit_now(b->m, &b->bob, &more, NULL, NULL), E_OK);
    assert_err(b->m->ops->user_quota(b->m, id_new(), 0, NOW_MS), E_NOT_FOUND);
    assert_clean(b);
}

/* ---- sessions ---- */
static void live_sessions_are_listed(void **state)
{
    struct bench *b = *state;
    struct session old = session_of(b->ann.user, "aa"), young = session_of(b->ann.user, "ab"), over = session_of(b->ann.user, "ac"), *list;
    size_t n;
    young.created_ms = NOW_MS + 5;
    over.expires_ms = NOW_MS + 10;
    const struct session *all[] = {&old, &young, &over};
    for (size_t i = 0; i < ROWS(all); i++)
        assert_err(b->m->ops->session_add(b->m, all[i], 10), E_OK);
    must_session(b, b->bob.user, "bb");
    assert_err(b->m->ops->session_list(b->m, b, b->ann.user, NOW_MS + 10, 0, &list, &n), E_OK);
    assert_int_equal(n, 2);
    assert_id(list[0].id, young.id);
    assert_id(list[1].id, old.id);
    assert_string_equal(list[1].agent, "a browser");
    assert_string_equal(list[1].address, "192.0.2.7");
    assert_int_equal(list[1].signed_in_ms, NOW_MS);
    assert_err(b->m->ops->session_list(b->m, b, id_new(), NOW_MS, 0, &list, &n), E_OK);
    assert_int_equal(n, 0);
}

static void idle_sessions_are_not_listed(void **state)
{
    struct bench *b = *state;
    struct session s = must_session(b, b->ann.user, "aa"), *list;
    size_t n;
    assert_err(b->m->ops->session_list(b->m, b, b->ann.user, NOW_MS + 1, NOW_MS, &list, &n), E_OK);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].seen_ms, NOW_MS);
    assert_err(b->m->ops->session_list(b->m, b, b->ann.user, NOW_MS + 1, NOW_MS + 1, &list, &n), E_OK);
    assert_int_equal(n, 0);
    assert_err(get(b, s.token_hash, NOW_MS, NULL), E_OK);
}

static void all_sessions_but_one_end(void **state)
{
    struct bench *b = *state;
    struct session keep = must_session(b, b->ann.user, "aa"), end = must_session(b, b->ann.user, "ab"), bob = must_session(b, b->bob.user, "bb");
    assert_err(b->m->ops->session_end_all(b->m, b->ann.user, keep.id, NOW_MS), E_OK);
    assert_err(get(b, keep.token_hash, NOW_MS, NULL), E_OK);
    assert_err(get(b, end.token_hash, NOW_MS, NULL), E_SIGN_IN);
    assert_err(get(b, bob.token_hash, NOW_MS, NULL), E_OK);
    assert_err(b->m->ops->session_end_all(b->m, b->ann.user, (struct id){""}, NOW_MS), E_OK);
    assert_err(get(b, keep.token_hash, NOW_MS, NULL), E_SIGN_IN);
}

static void a_renewed_session_has_another_token(void **state)
{
    struct bench *b = *state;
    struct session s = must_session(b, b->ann.user, "aa"), got;
    const char *other = hash_of(b, 'e');
    assert_err(b->m->ops->session_renew(b->m, b->bob.user, s.id, other, NOW_MS + 7), E_NOT_FOUND);
    assert_err(b->m->ops->session_renew(b->m, b->ann.user, s.id, other, NOW_MS + 7), E_OK);
    assert_err(get(b, s.token_hash, NOW_MS + 8, NULL), E_SIGN_IN);
    assert_err(get(b, other, NOW_MS + 8, &got), E_OK);
    assert_id(got.id, s.id);
    assert_int_equal(got.signed_in_ms, NOW_MS + 7);
    assert_int_equal(got.created_ms, NOW_MS);
    assert_int_equal(got.expires_ms, s.expires_ms);
}

/* ---- what links grant ---- */
static struct user_new user_with(const char *name, const char *invite_hash)
{
    return (struct user_new){
        .user = {.id = id_new(), .name = name, .key = name, .created_ms = NOW_MS + 1}, .password_hash = "hash",
        .space = {.id = id_new(), .root = id_new(), .name = ""}, .invite_hash = invite_hash,
    };
}

static void an_invitation_is_good_for_one_account(void **state)
{
    struct bench *b = *state;
    const struct grant invite = grant_of(b, 'a', (struct id){""});
    struct user_new taken = user_with("bob", invite.hash), first = user_with("cleo", invite.hash), second = user_with("dora", invite.hash);
    assert_err(b->m->ops->invite_add(b->m, &invite), E_OK);
    assert_err(b->m->ops->invite_check(b->m, invite.hash, NOW_MS + 1), E_OK);
    assert_err(b->m->ops->user_add(b->m, &taken), E_NAME_TAKEN); /* and the invitation is still there */
    assert_err(b->m->ops->user_add(b->m, &first), E_OK);
    assert_err(b->m->ops->invite_check(b->m, invite.hash, NOW_MS + 1), E_BAD_INVITE);
    assert_err(b->m->ops->user_add(b->m, &second), E_BAD_INVITE);
    struct user user;
    assert_err(b->m->ops->user_by_key(b->m, b, "dora", &user), E_NOT_FOUND);
    assert_clean(b);
}

static void an_invitation_ends(void **state)
{
    struct bench *b = *state;
    const struct grant invite = grant_of(b, 'a', (struct id){""});
    struct user_new late = user_with("cleo", invite.hash);
    unsigned did;
    late.user.created_ms = invite.expires_ms;
    assert_err(b->m->ops->invite_add(b->m, &invite), E_OK);
    assert_err(b->m->ops->invite_check(b->m, hash_of(b, 'b'), NOW_MS), E_BAD_INVITE);
    assert_err(b->m->ops->invite_check(b->m, invite.hash, invite.expires_ms - 1), E_OK);
    assert_err(b->m->ops->invite_check(b->m, invite.hash, invite.expires_ms), E_BAD_INVITE);
    assert_err(b->m->ops->user_add(b->m, &late), E_BAD_INVITE);
    assert_err(b->m->ops->expire(b->m, invite.expires_ms, 0, 100, &did), E_OK);
    assert_int_equal(did, 1);
    assert_err(b->m->ops->expire(b->m, invite.expires_ms, 0, 100, &did), E_OK);
    assert_int_equal(did, 0);
}

static void a_reset_sets_one_password(void **state)
{
    struct bench *b = *state;
    const struct grant first = grant_of(b, 'a', b->bob.user), reset = grant_of(b, 'b', b->bob.user), nobody = grant_of(b, 'c', id_new());
    struct session s = must_session(b, b->bob.user, "bb");
    struct user user;
    const char *hash;
    assert_err(b->m->ops->reset_add(b->m, &nobody), E_NOT_FOUND);
    assert_err(b->m->ops->reset_add(b->m, &first), E_OK);
    assert_err(b->m->ops->reset_add(b->m, &reset), E_OK);
    assert_err(b->m->ops->reset_user(b->m, b, first.hash, NOW_MS, &user), E_BAD_RESET); /* void since the second */
    assert_err(b->m->ops->reset_user(b->m, b, reset.hash, reset.expires_ms, &user), E_BAD_RESET);
    assert_err(b->m->ops->reset_user(b->m, b, reset.hash, NOW_MS, &user), E_OK);
    assert_id(user.id, b->bob.user);
    assert_err(b->m->ops->reset_use(b->m, reset.hash, "late", reset.expires_ms), E_BAD_RESET);
    assert_err(b->m->ops->reset_use(b->m, reset.hash, "new hash", NOW_MS), E_OK);
    assert_err(b->m->ops->credential_get(b->m, b, b->bob.user, &hash), E_OK);
    assert_string_equal(hash, "new hash");
    assert_err(get(b, s.token_hash, NOW_MS, NULL), E_SIGN_IN);
    assert_err(b->m->ops->reset_use(b->m, reset.hash, "newer hash", NOW_MS), E_BAD_RESET);
}

static void there_is_one_secret(void **state)
{
    struct bench *b = *state;
    struct meta *other = bench_open(b, b);
    const char *first, *second;
    assert_err(b->m->ops->secret(b->m, b, "the first", &first), E_OK);
    assert_err(other->ops->secret(other, b, "another", &second), E_OK);
    assert_string_equal(first, "the first");
    assert_string_equal(second, "the first");
    assert_err(b->m->ops->upgrade(b->m), E_OK);
    assert_err(b->m->ops->secret(b->m, b, "a third", &second), E_OK);
    assert_string_equal(second, "the first");
}

/* ---- removal ---- */
static uint64_t blobs(struct bench *b)
{
    struct blob *list;
    size_t n, live = 0;
    assert_err(b->m->ops->blob_list(b->m, b, (struct id){""}, 10000, &list, &n), E_OK);
    for (size_t i = 0; i < n; i++)
        live += list[i].refs > 0;
    return live;
}

static void a_removed_account_is_gone(void **state)
{
    struct bench *b = *state;
    const struct removal in = {.user = b->bob.user, .now_ms = NOW_MS}, again = {.user = b->bob.user, .now_ms = NOW_MS};
    struct id docs = must_folder(b, &b->bob, b->bob.root, "Docs"), folder;
    struct node file = must_file(b, &b->bob, docs, "a", 100), copy;
    struct session s = must_session(b, b->bob.user, "bb");
    struct upload upload = must_reserve(b, &b->bob, docs, "b", 50);
    const struct grant reset = grant_of(b, 'a', b->bob.user);
    const struct copy kept = {.from = file.id, .parent = b->ann.root, .node = id_new(), .now_ms = NOW_MS};
    struct guard g = yes(b->bob.user);
    struct person heir;
    struct user user;
    struct place place;
    const char *hash;
    assert_err(b->m->ops->node_copy(b->m, b, &g, &g, &kept, &copy), E_OK);
    assert_err(b->m->ops->reset_add(b->m, &reset), E_OK);
    assert_err(b->m->ops->user_remove(b->m, &in, &folder), E_OK);
    assert_id(folder, ((struct id){""}));

    assert_err(b->m->ops->user_by_id(b->m, b, b->bob.user, &user), E_NOT_FOUND);
    assert_err(b->m->ops->user_by_key(b->m, b, "bob", &user), E_NOT_FOUND);
    assert_err(b->m->ops->credential_get(b->m, b, b->bob.user, &hash), E_NOT_FOUND);
    assert_err(get(b, s.token_hash, NOW_MS, NULL), E_SIGN_IN);
    assert_err(b->m->ops->reset_user(b->m, b, reset.hash, NOW_MS, &user), E_BAD_RESET);
    assert_err(b->m->ops->upload_get(b->m, b, upload.id, &upload), E_UPLOAD_GONE);
    assert_err(b->m->ops->node_get(b->m, b, &g, file.id, &place), E_NOT_FOUND);
    assert_err(b->m->ops->node_get(b->m, b, &g, b->bob.root, &place), E_NOT_FOUND);
    assert_err(b->m->ops->user_remove(b->m, &again, &folder), E_NOT_FOUND);
    assert_clean(b);

    assert_err(bench_user(b->m, "bob", 0, &heir), E_OK); /* the name is free before the keeper has been there */
    assert_int_equal(reap_all(b->m), 3);
    assert_clean(b);
    assert_int_equal(blobs(b), 1);
    assert_err(b->m->ops->node_get(b->m, b, &g, kept.node, &place), E_OK);
}

static void files_go_to_an_heir(void **state)
{
    struct bench *b = *state;
    struct id docs = must_folder(b, &b->ann, b->ann.root, "Docs"), dead = must_folder(b, &b->ann, b->ann.root, "dead"), folder;
    struct node file = must_file(b, &b->ann, docs, "a", 5000);
    const struct removal in = {.user = b->ann.user, .heir = b->bob.user, .now_ms = NOW_MS};
    struct guard g = yes(b->ann.user);
    struct watch w = watch_for(b->bob.user, E_OK);
    struct place place;
    must_file(b, &b->ann, dead, "x", 300);
    assert_err(b->m->ops->node_remove(b->m, &g, dead, NULL, NOW_MS), E_OK);
    must_reserve(b, &b->ann, docs, "b", 50);
    must_folder(b, &b->bob, b->bob.root, "Ann");
    assert_err(b->m->ops->user_remove(b->m, &in, &folder), E_OK);

    assert_err(b->m->ops->node_get(b->m, b, &w.guard, file.id, &place), E_OK);
    assert_string_equal(w.above, "Docs/Ann (1)//");
    assert_id(place.ancestors[1].id, folder);
    assert_id(place.node.space, b->bob.space);
    assert_int_equal(w.role, MEMBER_OWNER);
    assert_int_equal(space_of(b->m, &b->bob).used, 5300); /* more than the quota: nothing is lost for that */
    assert_int_equal(space_of(b->m, &b->bob).reserved, 0);
    assert_clean(b);
    reap_all(b->m);
    assert_int_equal(space_of(b->m, &b->bob).used, 5000);
    assert_clean(b);
}

static void a_removal_that_cannot_be_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct id at = b->ann.root, folder;
    for (int i = 0; i < 128; i++)
        at = must_folder(b, &b->ann, at, "x");
    const struct {
        struct removal in;
        enum err want;
    } rows[] = {
        {{.user = b->ann.user, .heir = b->ann.user}, E_CYCLE},
        {{.user = b->ann.user, .heir = id_new()}, E_NOT_FOUND},
        {{.user = id_new()}, E_NOT_FOUND},
        {{.user = b->ann.user, .heir = b->bob.user}, E_TOO_NESTED},
    };
    char *before = bench_state(b);
    for (size_t i = 0; i < ROWS(rows); i++) {
        enum err e = b->m->ops->user_remove(b->m, &rows[i].in, &folder);
        if (e != rows[i].want)
            fail_msg("row %zu: %s", i, err_name(e));
    }
    assert_string_equal(before, bench_state(b));
    assert_clean(b);
}

/* ---- at once ---- */
static enum err do_demote(struct meta *m, struct bench *b, const void *side)
{
    (void)b;
    return m->ops->user_role(m, *(const struct id *)side, ROLE_USER, NOW_MS);
}

static enum err do_register(struct meta *m, struct bench *b, const void *side)
{
    (void)b;
    return m->ops->user_add(m, side);
}

static enum err do_reset(struct meta *m, struct bench *b, const void *side)
{
    return m->ops->reset_use(m, hash_of(b, 'd'), side, NOW_MS);
}

static void exactly_one(unsigned round, const enum err got[2], enum err other)
{
    if (!((got[0] == E_OK && got[1] == other) || (got[0] == other && got[1] == E_OK)))
        fail_msg("round %u: %s and %s", round, err_name(got[0]), err_name(got[1]));
}

static void two_administrators_cannot_both_step_down(void **state)
{
    struct bench *b = *state;
    unsigned rounds = bench_many(b, ROUNDS);
    enum err got[2];
    for (unsigned i = 0; i < rounds; i++) {
        assert_err(b->m->ops->user_role(b->m, b->ann.user, ROLE_ADMIN, NOW_MS), E_OK);
        assert_err(b->m->ops->user_role(b->m, b->bob.user, ROLE_ADMIN, NOW_MS), E_OK);
        at_once(b, do_demote, &b->ann.user, &b->bob.user, got);
        exactly_one(i, got, E_LAST_ADMIN);
    }
}

static void one_invitation_makes_one_account(void **state)
{
    struct bench *b = *state;
    unsigned rounds = bench_many(b, ROUNDS);
    enum err got[2];
    for (unsigned i = 0; i < rounds; i++) {
        const struct grant invite = grant_of(b, 'a', (struct id){""});
        const struct user_new one = user_with(mem_printf(b, "one%u", i), invite.hash), two = user_with(mem_printf(b, "two%u", i), invite.hash);
        assert_err(b->m->ops->invite_add(b->m, &invite), E_OK);
        at_once(b, do_register, &one, &two, got);
        exactly_one(i, got, E_BAD_INVITE);
    }
    assert_clean(b);
}

static void one_reset_sets_one_password(void **state)
{
    struct bench *b = *state;
    unsigned rounds = bench_many(b, ROUNDS);
    const char *hash;
    enum err got[2];
    for (unsigned i = 0; i < rounds; i++) {
        const struct grant reset = grant_of(b, 'd', b->bob.user);
        assert_err(b->m->ops->reset_add(b->m, &reset), E_OK);
        at_once(b, do_reset, "one", "two", got);
        exactly_one(i, got, E_BAD_RESET);
        assert_err(b->m->ops->credential_get(b->m, b, b->bob.user, &hash), E_OK);
        assert_string_equal(hash, got[0] == E_OK ? "one" : "two");
    }
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(a_name_changes_unless_it_is_taken),
        TEST(a_role_changes_and_ends_the_sessions),
        TEST(one_active_administrator_stays),
        TEST(disabling_ends_sessions_and_is_undone),
        TEST(a_quota_below_what_is_stored_only_stops_growth),
        TEST(live_sessions_are_listed),
        TEST(idle_sessions_are_not_listed),
        TEST(all_sessions_but_one_end),
        TEST(a_renewed_session_has_another_token),
        TEST(an_invitation_is_good_for_one_account),
        TEST(an_invitation_ends),
        TEST(a_reset_sets_one_password),
        TEST(there_is_one_secret),
        TEST(a_removed_account_is_gone),
        TEST(files_go_to_an_heir),
        TEST(a_removal_that_cannot_be_changes_nothing),
        TEST(two_administrators_cannot_both_step_down),
        TEST(one_invitation_makes_one_account),
        TEST(one_reset_sets_one_password),
    };
    return bench_run("meta: people", tests, ROWS(tests));
}
