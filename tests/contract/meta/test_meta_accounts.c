/* Accounts, sessions, throttles. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

/* ---- the store ---- */
static void it_has_an_id_of_its_own(void **state)
{
    struct bench *b = *state;
    struct id first, second;
    assert_err(b->m->ops->store_id(b->m, &first), E_OK);
    assert_err(b->m->ops->upgrade(b->m), E_OK);
    assert_err(b->m->ops->store_id(b->m, &second), E_OK);
    assert_int_equal(strlen(first.s), ID_LEN);
    assert_id(first, second);
    assert_err(b->m->ops->ping(b->m), E_OK);
}

static void a_second_upgrade_keeps_everything(void **state)
{
    struct bench *b = *state;
    must_file(b, &b->ann, b->ann.root, "a.txt", 5);
    char *before = bench_state(b);
    assert_err(b->m->ops->upgrade(b->m), E_OK);
    b->m->ops->checkpoint(b->m);
    assert_string_equal(before, bench_state(b));
    assert_clean(b);
}

/* ---- users ---- */
static void a_user_comes_with_space_and_root(void **state)
{
    struct bench *b = *state;
    struct watch w = watch_for(b->bob.user, E_OK);
    struct user user;
    struct place place;
    const char *hash;
    assert_err(b->m->ops->user_by_key(b->m, b, "ann", &user), E_OK);
    assert_string_equal(user.name, "Ann");
    assert_string_equal(user.key, "ann");
    assert_id(user.id, b->ann.user);
    assert_int_equal(user.role, ROLE_USER);
    assert_int_equal(user.state, USER_ACTIVE);
    assert_int_equal(user.created_ms, NOW_MS);
    assert_err(b->m->ops->user_by_id(b->m, b, b->bob.user, &user), E_OK);
    assert_string_equal(user.name, "bob");
    assert_err(b->m->ops->credential_get(b->m, b, b->bob.user, &hash), E_OK);
    assert_string_equal(hash, "first hash");

    struct space space = space_of(b->m, &b->bob);
    assert_id(space.id, b->bob.space);
    assert_id(space.root, b->bob.root);
    assert_int_equal(space.quota, BOB_QUOTA);
    assert_int_equal(space.used + space.reserved, 0);
    assert_int_equal(space.kind, SPACE_PERSONAL);
    assert_err(b->m->ops->node_get(b->m, b, &w.guard, b->bob.root, &place), E_OK);
    assert_id(place.node.parent, NODE_TOP);
    assert_string_equal(place.node.name, "");
    assert_int_equal(place.node.kind, NODE_FOLDER);
    assert_int_equal(w.role, MEMBER_OWNER);
    assert_clean(b);
}

static void a_taken_name_adds_nothing(void **state)
{
    struct bench *b = *state;
    struct person other;
    struct user user;
    assert_err(bench_user(b->m, "ANN", 0, &other), E_NAME_TAKEN);
    assert_err(b->m->ops->user_by_id(b->m, b, other.user, &user), E_NOT_FOUND);
    assert_clean(b);
}

static void who_is_not_there_is_not_found(void **state)
{
    struct bench *b = *state;
    struct user user;
    struct space space;
    const char *hash;
    assert_err(b->m->ops->user_by_key(b->m, b, "nobody", &user), E_NOT_FOUND);
    assert_err(b->m->ops->user_by_id(b->m, b, id_new(), &user), E_NOT_FOUND);
    assert_err(b->m->ops->user_space(b->m, b, id_new(), &space), E_NOT_FOUND);
    assert_err(b->m->ops->credential_get(b->m, b, id_new(), &hash), E_NOT_FOUND);
    assert_err(b->m->ops->credential_set(b->m, id_new(), "hash", (struct id){0}, NOW_MS), E_NOT_FOUND);
}

static void users_are_listed_by_key(void **state)
{
    static const char *const names[] = {"zoe", "Carl", "dora"};
    struct bench *b = *state;
    struct person p;
    struct user *users;
    size_t n;
    for (size_t i = 0; i < ROWS(names); i++)
        assert_err(bench_user(b->m, names[i], 0, &p), E_OK);
    assert_err(b->m->ops->user_list(b->m, b, NULL, 3, &users, &n), E_OK);
    assert_int_equal(n, 3);
    assert_string_equal(users[0].key, "ann");
    assert_string_equal(users[2].key, "carl");
    assert_err(b->m->ops->user_list(b->m, b, users[2].key, 3, &users, &n), E_OK);
    assert_int_equal(n, 2);
    assert_string_equal(users[0].key, "dora");
    assert_string_equal(users[1].key, "zoe");
    assert_err(b->m->ops->user_list(b->m, b, "zoe", 3, &users, &n), E_OK);
    assert_int_equal(n, 0);
}

/* ---- sessions ---- */
static enum err add(struct bench *b, const struct session *s, unsigned most)
{
    return b->m->ops->session_add(b->m, s, most);
}

static enum err get(struct bench *b, const struct session *s, int64_t now_ms, int64_t idle_ms)
{
    struct session got;
    struct user user;
    return b->m->ops->session_get(b->m, b, s->token_hash, now_ms, now_ms - idle_ms, &got, &user);
}

static void a_session_is_found_by_its_token(void **state)
{
    struct bench *b = *state;
    struct session s = session_of(b->ann.user, "aa"), got;
    struct user user;
    assert_err(add(b, &s, 10), E_OK);
    assert_err(b->m->ops->session_get(b->m, b, s.token_hash, NOW_MS + 1, NOW_MS - HOUR_MS, &got, &user), E_OK);
    assert_id(got.id, s.id);
    assert_id(got.user, b->ann.user);
    assert_string_equal(got.token_hash, s.token_hash);
    assert_string_equal(got.address, "192.0.2.7");
    assert_string_equal(got.agent, "a browser");
    assert_int_equal(got.created_ms, NOW_MS);
    assert_int_equal(got.signed_in_ms, NOW_MS);
    assert_int_equal(got.seen_ms, NOW_MS);
    assert_int_equal(got.expires_ms, s.expires_ms);
    assert_id(user.id, b->ann.user);
    assert_string_equal(user.name, "Ann");
}

static void a_session_needs_an_active_user(void **state)
{
    struct bench *b = *state;
    struct session ann = session_of(b->ann.user, "aa"), more = session_of(b->ann.user, "ab"), none = session_of(id_new(), "ac");
    assert_err(add(b, &ann, 10), E_OK);
    assert_err(add(b, &none, 10), E_CREDENTIALS);
    b->opener->hurt(b, HURT_USER_DISABLED, b->ann.user);
    assert_err(add(b, &more, 10), E_CREDENTIALS);
    assert_err(get(b, &ann, NOW_MS, HOUR_MS), E_SIGN_IN);
}

static void a_session_ends_in_every_way(void **state)
{
    struct bench *b = *state;
    struct session s = session_of(b->ann.user, "aa"), unknown = session_of(b->ann.user, "ab");
    s.expires_ms = NOW_MS + HOUR_MS;
    assert_err(add(b, &s, 10), E_OK);
    assert_err(get(b, &unknown, NOW_MS, HOUR_MS), E_SIGN_IN);
    assert_err(get(b, &s, s.expires_ms - 1, 2 * HOUR_MS), E_OK);
    assert_err(get(b, &s, s.expires_ms, 2 * HOUR_MS), E_SIGN_IN);
    assert_err(b->m->ops->session_end(b->m, b->bob.user, s.id), E_NOT_FOUND);
    assert_err(get(b, &s, NOW_MS + 1, 2 * HOUR_MS), E_OK);
    assert_err(b->m->ops->session_end(b->m, b->ann.user, s.id), E_OK);
    assert_err(get(b, &s, NOW_MS + 1, 2 * HOUR_MS), E_SIGN_IN);
    assert_err(b->m->ops->session_end(b->m, b->ann.user, s.id), E_NOT_FOUND);
}

static void a_session_is_noted_once_a_minute_and_ends_idle(void **state)
{
    struct bench *b = *state;
    struct session s = session_of(b->ann.user, "aa"), got;
    struct user user;
    assert_err(add(b, &s, 10), E_OK);
    const struct { int64_t at_ms, seen_ms; } rows[] = {
        {NOW_MS + 59999, NOW_MS}, {NOW_MS + 59999, NOW_MS}, {NOW_MS + 60000, NOW_MS},
        {NOW_MS + 60001, NOW_MS + 60000}, {NOW_MS + 120000, NOW_MS + 60000}, {NOW_MS + 120001, NOW_MS + 120000},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        assert_err(b->m->ops->session_get(b->m, b, s.token_hash, rows[i].at_ms, rows[i].at_ms - HOUR_MS, &got, &user), E_OK);
        if (got.seen_ms != rows[i].seen_ms)
            fail_msg("row %zu: seen %lld", i, (long long)(got.seen_ms - NOW_MS));
    }
    assert_err(get(b, &s, NOW_MS + 120000 + HOUR_MS, HOUR_MS), E_OK);
    assert_err(get(b, &s, NOW_MS + 120001 + 2 * HOUR_MS, HOUR_MS), E_SIGN_IN);
}

/* A power cut may lose the notes: nobody is signed out by that. */
static void lost_notes_sign_nobody_out(void **state)
{
    struct bench *b = *state;
    struct session s = session_of(b->ann.user, "aa");
    s.created_ms = s.signed_in_ms = s.seen_ms = 1000; /* long before the store was made */
    assert_err(add(b, &s, 10), E_OK);
    assert_err(get(b, &s, 1000 + 2 * HOUR_MS, HOUR_MS), E_SIGN_IN);
    b->opener->hurt(b, HURT_NOTES_LOST, (struct id){0});
    assert_err(get(b, &s, 1000 + 2 * HOUR_MS, HOUR_MS), E_OK);
}

static void the_oldest_session_gives_way(void **state)
{
    struct bench *b = *state;
    struct session s[5], other = session_of(b->bob.user, "bb");
    assert_err(add(b, &other, 3), E_OK);
    for (size_t i = 0; i < ROWS(s); i++) {
        char token[8];
        snprintf(token, sizeof token, "a%zu", i);
        s[i] = session_of(b->ann.user, token);
        s[i].created_ms = NOW_MS + (i == 1 ? 100 : (int64_t)i); /* the second one is the youngest */
        assert_err(add(b, &s[i], 3), E_OK);
    }
    static const enum err want[] = {E_SIGN_IN, E_OK, E_SIGN_IN, E_OK, E_OK};
    for (size_t i = 0; i < ROWS(s); i++)
        if (get(b, &s[i], NOW_MS + 200, HOUR_MS) != want[i])
            fail_msg("session %zu", i);
    assert_err(get(b, &other, NOW_MS + 200, HOUR_MS), E_OK);
}

static void a_new_password_ends_the_other_sessions(void **state)
{
    struct bench *b = *state;
    struct session keep = session_of(b->ann.user, "aa"), end = session_of(b->ann.user, "ab"), bob = session_of(b->bob.user, "bb");
    const char *hash;
    assert_err(add(b, &keep, 10), E_OK);
    assert_err(add(b, &end, 10), E_OK);
    assert_err(add(b, &bob, 10), E_OK);
    assert_err(b->m->ops->credential_set(b->m, b->ann.user, "second hash", keep.id, NOW_MS), E_OK);
    assert_err(b->m->ops->credential_get(b->m, b, b->ann.user, &hash), E_OK);
    assert_string_equal(hash, "second hash");
    assert_err(get(b, &keep, NOW_MS, HOUR_MS), E_OK);
    assert_err(get(b, &end, NOW_MS, HOUR_MS), E_SIGN_IN);
    assert_err(get(b, &bob, NOW_MS, HOUR_MS), E_OK);
    assert_err(b->m->ops->credential_set(b->m, b->ann.user, "third hash", (struct id){0}, NOW_MS), E_OK);
    assert_err(get(b, &keep, NOW_MS, HOUR_MS), E_SIGN_IN);
}

/* ---- throttles ---- */
static void a_throttle_counts_within_its_window(void **state)
{
    struct bench *b = *state;
    const struct throttle row = {"ann from there", 2, 10000};
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS + 1000), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS + 1500), E_THROTTLED);
    assert_int_equal(err_last(E_THROTTLED)->retry_after_s, 9);
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS + 9999), E_THROTTLED);
    assert_int_equal(err_last(E_THROTTLED)->retry_after_s, 1);
    assert_err(b->m->ops->throttle_charge(b->m, &row, 1, NOW_MS + 10000), E_OK);
}

static void a_throttle_charges_all_rows_or_none(void **state)
{
    struct bench *b = *state;
    const struct throttle rows[] = {{"narrow", 1, 10000}, {"wide", 2, 20000}}, wide = rows[1];
    assert_err(b->m->ops->throttle_charge(b->m, rows, 2, NOW_MS), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, rows, 2, NOW_MS), E_THROTTLED);
    assert_int_equal(err_last(E_THROTTLED)->retry_after_s, 10);
    assert_err(b->m->ops->throttle_charge(b->m, &wide, 1, NOW_MS), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, &wide, 1, NOW_MS), E_THROTTLED);
    assert_err(b->m->ops->throttle_charge(b->m, rows, 2, NOW_MS), E_THROTTLED);
    assert_int_equal(err_last(E_THROTTLED)->retry_after_s, 20);
}

static void a_throttle_gives_back(void **state)
{
    struct bench *b = *state;
    const struct throttle rows[] = {{"one", 1, 10000}, {"two", 1, 10000}}, other = {"never charged", 1, 10000};
    assert_err(b->m->ops->throttle_charge(b->m, rows, 2, NOW_MS), E_OK);
    assert_err(b->m->ops->throttle_refund(b->m, rows, 2, NOW_MS), E_OK);
    assert_err(b->m->ops->throttle_refund(b->m, rows, 2, NOW_MS), E_OK);
    assert_err(b->m->ops->throttle_refund(b->m, &other, 1, NOW_MS), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, rows, 2, NOW_MS), E_OK); /* twice back is not twice free */
    assert_err(b->m->ops->throttle_charge(b->m, rows, 2, NOW_MS), E_THROTTLED);
    assert_err(b->m->ops->throttle_charge(b->m, &other, 1, NOW_MS), E_OK);
    assert_err(b->m->ops->throttle_charge(b->m, &other, 1, NOW_MS), E_THROTTLED);
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(it_has_an_id_of_its_own),
        TEST(a_second_upgrade_keeps_everything),
        TEST(a_user_comes_with_space_and_root),
        TEST(a_taken_name_adds_nothing),
        TEST(who_is_not_there_is_not_found),
        TEST(users_are_listed_by_key),
        TEST(a_session_is_found_by_its_token),
        TEST(a_session_needs_an_active_user),
        TEST(a_session_ends_in_every_way),
        TEST(a_session_is_noted_once_a_minute_and_ends_idle),
        TEST(lost_notes_sign_nobody_out),
        TEST(the_oldest_session_gives_way),
        TEST(a_new_password_ends_the_other_sessions),
        TEST(a_throttle_counts_within_its_window),
        TEST(a_throttle_charges_all_rows_or_none),
        TEST(a_throttle_gives_back),
    };
    return bench_run("meta: accounts", tests, ROWS(tests));
}
