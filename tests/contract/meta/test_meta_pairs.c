/* Verbs at the same time, in processes of their own: whatever the order, the result is one that some order
 * gives, and the invariants hold. COFFER_TEST_ROUNDS says how often each pair meets (200, or the store's part). */
#include "bench.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/name.h"

#define SIDES        2
#define STUCK_S      900   /* no pair takes this long: something waits for ever */
#define CHECK_EVERY  50

/* What the two share in a round: made by the pair's prepare, filled by the sides, judged at the end. */
struct round {
    pthread_barrier_t gate;
    atomic_bool over;
    unsigned number;
    struct person p;
    struct id parent, node, version, blob;
    struct upload upload;
    struct commit commit[SIDES]; /* names are below: pointers do not cross processes well */
    char name[SIDES][32];
    struct id made[SIDES];
    struct session session[SIDES];
    enum err result[SIDES];
    bool replaced[SIDES];
    unsigned did[SIDES];
};

struct pair {
    const char *name;
    void (*prepare)(struct bench *b, struct round *r);
    enum err (*side[SIDES])(struct meta *m, struct round *r, unsigned me);
    void (*judge)(struct bench *b, struct round *r);
};

/* ---- what sides do ---- */
static enum err do_folder(struct meta *m, struct round *r, unsigned me)
{
    return make_folder(m, &r->p, r->parent, r->name[me], r->made[me]);
}

static enum err do_commit(struct meta *m, struct round *r, unsigned me)
{
    struct commit in = r->commit[me];
    in.name = in.key = r->name[me];
    in.type = "text/plain";
    in.sha256 = "";
    return commit_now(m, &r->p, &in, NULL, &r->replaced[me]);
}

static enum err do_reserve(struct meta *m, struct round *r, unsigned me)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct guard g = yes(r->p.user);
    struct upload in = upload_of(r->parent, r->name[me], 600), out;
    in.id = r->made[me];
    return m->ops->upload_reserve(m, mem, &g, &in, &out);
}

static enum err do_remove(struct meta *m, struct round *r, unsigned me)
{
    struct guard g = yes(r->p.user);
    (void)me;
    return m->ops->node_remove(m, &g, r->node, NULL, NOW_MS);
}

static enum err do_release(struct meta *m, struct round *r, unsigned me)
{
    (void)me;
    return m->ops->upload_release(m, r->upload.id);
}

static enum err do_expire(struct meta *m, struct round *r, unsigned me)
{
    return m->ops->expire(m, NOW_MS + 2 * HOUR_MS, 0, 100, &r->did[me]);
}

static enum err do_reap(struct meta *m, struct round *r, unsigned me)
{
    unsigned did = 1;
    r->did[me] = 0;
    for (; did > 0; r->did[me] += did)
        TRY(m->ops->reap(m, 2, &did));
    return E_OK;
}

static enum err do_collect(struct meta *m, struct round *r, unsigned me)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct id *ids;
    size_t n;
    TRY(m->ops->blobs_dying(m, mem, NEVER_MS, 100, &ids, &n));
    for (size_t i = 0; i < n; i++)
        TRY(m->ops->blob_drop(m, ids[i]));
    r->did[me] = (unsigned)n;
    return E_OK;
}

static enum err do_hash(struct meta *m, struct round *r, unsigned me)
{
    (void)me;
    return m->ops->hash_set(m, r->version, "cafe");
}

static enum err do_list(struct meta *m, struct round *r, unsigned me)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const struct node_query q = {.limit = 1000};
    struct guard g = yes(r->p.user);
    struct place place;
    struct node_list list;
    TRY(m->ops->node_list(m, mem, &g, r->parent, &q, &place, &list));
    r->did[me] = (unsigned)list.n;
    return E_OK;
}

static enum err do_user(struct meta *m, struct round *r, unsigned me)
{
    struct person p;
    enum err e = bench_user(m, r->name[me], 0, &p);
    r->made[me] = p.user;
    return e;
}

static enum err do_session(struct meta *m, struct round *r, unsigned me)
{
    struct session s = r->session[me];
    s.address = s.agent = "";
    return m->ops->session_add(m, &s, 1);
}

static enum err do_new_session(struct meta *m, struct round *r, unsigned me)
{
    struct session s = r->session[me];
    s.address = s.agent = "";
    return m->ops->session_add(m, &s, 2);
}

static enum err do_password(struct meta *m, struct round *r, unsigned me)
{
    (void)me;
    return m->ops->credential_set(m, r->p.user, "new hash", (struct id){0}, NOW_MS);
}

static enum err do_session_end(struct meta *m, struct round *r, unsigned me)
{
    (void)me;
    return m->ops->session_end(m, r->p.user, r->session[0].id);
}

static enum err do_throttle(struct meta *m, struct round *r, unsigned me)
{
    const struct throttle row = {r->name[me], 1, HOUR_MS};
    return m->ops->throttle_charge(m, &row, 1, NOW_MS);
}

/* ---- what they meet on ---- */
static void name_both(struct round *r, const char *prefix)
{
    for (unsigned i = 0; i < SIDES; i++) {
        int n = snprintf(r->name[i], sizeof r->name[i], "%s%u", prefix, r->number);
        assert_true(n > 0 && (size_t)n < sizeof r->name[i]);
        r->made[i] = id_new();
        r->commit[i] = commit_of(r->parent, "", 100 + i);
    }
}

static void one_name(struct bench *b, struct round *r)
{
    r->p = b->ann;
    r->parent = b->ann.root;
    name_both(r, "name");
}

static void one_name_replaced(struct bench *b, struct round *r)
{
    one_name(b, r);
    for (unsigned i = 0; i < SIDES; i++)
        r->commit[i].conflict = CONFLICT_REPLACE;
}

static void one_name_renamed(struct bench *b, struct round *r)
{
    one_name(b, r);
    for (unsigned i = 0; i < SIDES; i++)
        r->commit[i].conflict = CONFLICT_RENAME;
}

/* Both saw the same contents and want to be the next. */
static void one_tag(struct bench *b, struct round *r)
{
    one_name_replaced(b, r);
    struct node file = must_file(b, &r->p, r->parent, r->name[0], 50);
    r->blob = file.blob;
    r->node = file.id;
    for (unsigned i = 0; i < SIDES; i++)
        r->commit[i].expect = (struct expect){.n = 1, .etags = &r->blob};
}

static void one_reservation(struct bench *b, struct round *r)
{
    one_name(b, r);
    r->upload = must_reserve(b, &r->p, r->parent, r->name[0], 100);
    r->commit[0].upload = r->commit[1].upload = r->upload.id;
}

static void one_folder(struct bench *b, struct round *r)
{
    one_name(b, r);
    r->node = r->parent = must_folder(b, &r->p, b->ann.root, r->name[0]);
    r->commit[0].parent = r->commit[1].parent = r->parent;
}

static void one_full_folder(struct bench *b, struct round *r)
{
    one_folder(b, r);
    for (unsigned i = 0; i < 6; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%u", i);
        must_file(b, &r->p, r->parent, name, 10);
    }
}

static void one_dead_folder(struct bench *b, struct round *r)
{
    one_full_folder(b, r);
    assert_err(do_remove(b->m, r, 0), E_OK);
    r->parent = b->ann.root;
    name_both(r, "beside");
}

static void little_room(struct bench *b, struct round *r)
{
    r->p = b->bob;
    r->parent = b->bob.root;
    name_both(r, "name");
    snprintf(r->name[1], sizeof r->name[1], "m%u", r->number);
    r->commit[0].size = r->commit[1].size = 600;
}

static void one_file(struct bench *b, struct round *r)
{
    one_name_replaced(b, r);
    struct node file = must_file(b, &r->p, r->parent, r->name[0], 50);
    r->node = file.id;
    r->version = file.version;
    r->blob = file.blob;
}

static void one_account(struct bench *b, struct round *r)
{
    r->p = b->ann;
    for (unsigned i = 0; i < SIDES; i++) {
        char token[32];
        snprintf(token, sizeof token, "%ua%u", i, r->number);
        r->session[i] = session_of(b->ann.user, token);
        r->session[i].created_ms = NOW_MS + r->number;
    }
}

static void one_session(struct bench *b, struct round *r)
{
    one_account(b, r);
    assert_err(do_session(b->m, r, 0), E_OK);
}

static void one_unneeded_blob(struct bench *b, struct round *r)
{
    one_file(b, r);
    assert_err(do_remove(b->m, r, 0), E_OK);
}

/* ---- what may come of it ---- */
/* Exactly one got it, the other was told so. */
static void one_of_both(const struct round *r, enum err loser)
{
    if (!((r->result[0] == E_OK && r->result[1] == loser) || (r->result[1] == E_OK && r->result[0] == loser)))
        fail_msg("round %u: %s and %s", r->number, err_name(r->result[0]), err_name(r->result[1]));
}

static void both(const struct round *r, enum err first, enum err second)
{
    if (r->result[0] != first || r->result[1] != second)
        fail_msg("round %u: %s and %s", r->number, err_name(r->result[0]), err_name(r->result[1]));
}

static void remove_at(struct bench *b, struct round *r, struct id node)
{
    struct guard g = yes(r->p.user);
    assert_err(b->m->ops->node_remove(b->m, &g, node, NULL, NOW_MS), E_OK);
}

/* The round's leftovers go, and with them all that its space was charged. */
static void clean_up(struct bench *b, struct round *r)
{
    reap_all(b->m);
    struct space s = space_of(b->m, &r->p);
    if (s.used != 0 || s.reserved != 0)
        fail_msg("round %u: %lld used and %lld reserved are left", r->number, (long long)s.used, (long long)s.reserved);
}

static bool find(struct bench *b, struct round *r, const char *name, struct node *out)
{
    struct guard g = yes(r->p.user);
    struct place place;
    size_t found;
    assert_err(b->m->ops->node_walk(b->m, b, &g, r->parent, &name, 1, &place, &found), E_OK);
    *out = place.node;
    return found == 1;
}

static void find_and_remove(struct bench *b, struct round *r, const char *name)
{
    struct node node;
    if (!find(b, r, name, &node))
        fail_msg("round %u: %s is not there", r->number, name);
    remove_at(b, r, node.id);
}

static void one_takes_the_name(struct bench *b, struct round *r)
{
    one_of_both(r, E_NAME_TAKEN);
    find_and_remove(b, r, r->name[0]);
    clean_up(b, r);
}

static void the_last_stays(struct bench *b, struct round *r)
{
    struct node node;
    both(r, E_OK, E_OK);
    assert_int_equal(r->replaced[0] + r->replaced[1], 1);
    assert_true(find(b, r, r->name[0], &node));
    unsigned last = r->replaced[1] ? 1 : 0;
    assert_id(node.blob, r->commit[last].blob);
    assert_int_equal(space_of(b->m, &r->p).used, 100 + last);
    remove_at(b, r, node.id);
    clean_up(b, r);
}

static void each_has_a_name(struct bench *b, struct round *r)
{
    char second[40];
    both(r, E_OK, E_OK);
    snprintf(second, sizeof second, "%s (1)", r->name[0]);
    find_and_remove(b, r, r->name[0]);
    find_and_remove(b, r, second);
    clean_up(b, r);
}

static void one_was_too_late(struct bench *b, struct round *r)
{
    one_of_both(r, E_PRECONDITION);
    remove_at(b, r, r->node);
    clean_up(b, r);
}

static void stored_and_refunded_once(struct bench *b, struct round *r)
{
    both(r, E_OK, E_OK);
    assert_int_equal(space_of(b->m, &r->p).used, 100);
    assert_int_equal(space_of(b->m, &r->p).reserved, 0);
    find_and_remove(b, r, r->name[0]);
    clean_up(b, r);
}

static void refunded_once(struct bench *b, struct round *r)
{
    both(r, E_OK, E_OK);
    clean_up(b, r);
}

static void in_or_too_late(struct bench *b, struct round *r)
{
    if (r->result[0] != E_OK || (r->result[1] != E_OK && r->result[1] != E_NO_PARENT))
        fail_msg("round %u: %s and %s", r->number, err_name(r->result[0]), err_name(r->result[1]));
    clean_up(b, r);
}

static void removed_once(struct bench *b, struct round *r)
{
    one_of_both(r, E_NOT_FOUND);
    clean_up(b, r);
}

static void reaped_once(struct bench *b, struct round *r)
{
    both(r, E_OK, E_OK);
    assert_int_equal(r->did[0] + r->did[1], 7);
    clean_up(b, r);
}

static void reaped_and_stored(struct bench *b, struct round *r)
{
    both(r, E_OK, E_OK);
    assert_int_equal(r->did[0], 7);
    assert_int_equal(space_of(b->m, &r->p).used, 101);
    find_and_remove(b, r, r->name[1]);
    clean_up(b, r);
}

static void one_has_the_room(struct bench *b, struct round *r)
{
    one_of_both(r, E_QUOTA);
    for (unsigned i = 0; i < SIDES; i++)
        assert_err(b->m->ops->upload_release(b->m, r->made[i]), E_OK);
    clean_up(b, r);
}

static void one_file_has_the_room(struct bench *b, struct round *r)
{
    one_of_both(r, E_QUOTA);
    find_and_remove(b, r, r->name[r->result[0] == E_OK ? 0 : 1]);
    clean_up(b, r);
}

static void reserved_or_stored(struct bench *b, struct round *r)
{
    one_of_both(r, E_QUOTA);
    if (r->result[0] == E_OK)
        assert_err(b->m->ops->upload_release(b->m, r->made[0]), E_OK);
    else
        find_and_remove(b, r, r->name[1]);
    clean_up(b, r);
}

static void removed_or_replaced(struct bench *b, struct round *r)
{
    struct node node;
    both(r, E_OK, E_OK); /* replaced and then removed, or removed and then made anew */
    if (find(b, r, r->name[1], &node)) {
        assert_false(r->replaced[1]);
        remove_at(b, r, node.id);
    } else {
        assert_true(r->replaced[1]);
    }
    clean_up(b, r);
}

static void collected_or_not_yet(struct bench *b, struct round *r)
{
    struct blob blob;
    struct node node;
    both(r, E_OK, E_OK);
    assert_true(find(b, r, r->name[1], &node));
    assert_err(b->m->ops->blob_get(b->m, b, node.blob, &blob), E_OK);
    assert_true(blob.refs == 1 && blob.state == BLOB_LIVE);
    remove_at(b, r, node.id);
    clean_up(b, r);
}

static void collected_once(struct bench *b, struct round *r)
{
    both(r, E_OK, E_OK); /* either may have dropped it, or both */
    struct blob blob;
    assert_err(b->m->ops->blob_get(b->m, b, r->blob, &blob), E_NOT_FOUND);
    clean_up(b, r);
}

static void the_hash_is_of_the_version(struct bench *b, struct round *r)
{
    struct node node;
    both(r, E_OK, E_OK);
    assert_true(find(b, r, r->name[1], &node));
    assert_string_equal(node.sha256, ""); /* the new contents' is not known */
    remove_at(b, r, node.id);
    clean_up(b, r);
}

static void listed_before_or_after(struct bench *b, struct round *r)
{
    if (r->result[1] != E_OK || (r->result[0] != E_OK && r->result[0] != E_NOT_FOUND))
        fail_msg("round %u: %s and %s", r->number, err_name(r->result[0]), err_name(r->result[1]));
    if (r->result[0] == E_OK)
        assert_int_equal(r->did[0], 6);
    clean_up(b, r);
}

static void one_account_of_the_name(struct bench *b, struct round *r)
{
    struct user user;
    one_of_both(r, E_NAME_TAKEN);
    assert_err(b->m->ops->user_by_id(b->m, b, r->made[r->result[0] == E_OK ? 0 : 1], &user), E_OK);
}

static unsigned sessions(struct bench *b, struct round *r)
{
    unsigned n = 0;
    for (unsigned i = 0; i < SIDES; i++) {
        struct session s;
        struct user user;
        n += b->m->ops->session_get(b->m, b, r->session[i].token_hash, NOW_MS, 0, &s, &user) == E_OK;
    }
    return n;
}

static void one_session_stays(struct bench *b, struct round *r)
{
    both(r, E_OK, E_OK);
    assert_int_equal(sessions(b, r), 1);
}

static void the_old_session_is_over(struct bench *b, struct round *r)
{
    struct session s;
    struct user user;
    both(r, E_OK, E_OK);
    assert_true(sessions(b, r) <= 1);
    assert_err(b->m->ops->session_get(b->m, b, r->session[0].token_hash, NOW_MS, 0, &s, &user), E_SIGN_IN);
}

static void ended_once(struct bench *b, struct round *r)
{
    one_of_both(r, E_NOT_FOUND);
    assert_int_equal(sessions(b, r), 0);
}

static void one_attempt_counts(struct bench *b, struct round *r)
{
    (void)b;
    one_of_both(r, E_THROTTLED);
}

static const struct pair pairs[] = {
    {"folder_against_folder", one_name, {do_folder, do_folder}, one_takes_the_name},
    {"folder_against_commit", one_name, {do_folder, do_commit}, one_takes_the_name},
    {"commit_against_commit", one_name, {do_commit, do_commit}, one_takes_the_name},
    {"replace_against_replace", one_name_replaced, {do_commit, do_commit}, the_last_stays},
    {"rename_against_rename", one_name_renamed, {do_commit, do_commit}, each_has_a_name},
    {"replace_against_replace_of_one_tag", one_tag, {do_commit, do_commit}, one_was_too_late},
    {"commit_against_commit_of_one_reservation", one_reservation, {do_commit, do_commit}, one_takes_the_name},
    {"commit_against_release", one_reservation, {do_commit, do_release}, stored_and_refunded_once},
    {"commit_against_expire", one_reservation, {do_commit, do_expire}, stored_and_refunded_once},
    {"release_against_release", one_reservation, {do_release, do_release}, refunded_once},
    {"release_against_expire", one_reservation, {do_release, do_expire}, refunded_once},
    {"remove_against_commit", one_folder, {do_remove, do_commit}, in_or_too_late},
    {"remove_against_folder", one_folder, {do_remove, do_folder}, in_or_too_late},
    {"remove_against_remove_of_a_folder", one_full_folder, {do_remove, do_remove}, removed_once},
    {"remove_against_remove_of_a_file", one_file, {do_remove, do_remove}, removed_once},
    {"remove_against_replace", one_file, {do_remove, do_commit}, removed_or_replaced},
    {"reap_against_reap", one_dead_folder, {do_reap, do_reap}, reaped_once},
    {"reap_against_commit", one_dead_folder, {do_reap, do_commit}, reaped_and_stored},
    {"reserve_against_reserve", little_room, {do_reserve, do_reserve}, one_has_the_room},
    {"commit_against_commit_in_little_room", little_room, {do_commit, do_commit}, one_file_has_the_room},
    {"reserve_against_commit", little_room, {do_reserve, do_commit}, reserved_or_stored},
    {"collect_against_replace", one_file, {do_collect, do_commit}, collected_or_not_yet},
    {"hash_against_replace", one_file, {do_hash, do_commit}, the_hash_is_of_the_version},
    {"list_against_remove", one_full_folder, {do_list, do_remove}, listed_before_or_after},
    {"user_against_user", one_name, {do_user, do_user}, one_account_of_the_name},
    {"session_against_session", one_account, {do_session, do_session}, one_session_stays},
    {"session_end_against_session_end", one_session, {do_session_end, do_session_end}, ended_once},
    {"collect_against_collect", one_unneeded_blob, {do_collect, do_collect}, collected_once},
    {"password_against_session", one_session, {do_password, do_new_session}, the_old_session_is_over},
    {"throttle_against_throttle", one_name, {do_throttle, do_throttle}, one_attempt_counts},
};

/* ---- the ring ---- */
static void wait_at(struct round *r)
{
    int e = pthread_barrier_wait(&r->gate);
    if (e != 0 && e != PTHREAD_BARRIER_SERIAL_THREAD)
        abort();
}

/* A side's process: opens the store itself and acts when the gate opens. */
static void be_side(struct bench *b, const struct pair *pair, struct round *r, unsigned me)
{
    void *mem = talloc_new(NULL);
    struct bench mine = *b;
    if (me > 0)
        mine.shm = NULL; /* the one is a worker, the other the command line: no lock in common but the store's */
    struct meta *m = bench_open(&mine, mem);
    alarm(STUCK_S);
    for (wait_at(r); !r->over; wait_at(r)) {
        do /* who is told to come back does: a busy server may be slow for longer than one request waits */
            r->result[me] = pair->side[me](m, r, me);
        while (r->result[me] == E_STORE_DOWN && b->opener->part > 1);
        wait_at(r);
    }
    talloc_free(mem);
    _exit(0);
}

static unsigned rounds_wanted(const struct bench *b)
{
    const char *text = getenv("COFFER_TEST_ROUNDS");
    uint64_t n = bench_many(b, 200);
    if (text != NULL && parse_u64(text, 1, 10000000, &n) != E_OK)
        fail_msg("COFFER_TEST_ROUNDS=%s is no number", text);
    return (unsigned)n;
}

static struct round *round_new(void)
{
    pthread_barrierattr_t shared;
    struct round *r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(r != MAP_FAILED);
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    assert_int_equal(pthread_barrier_init(&r->gate, &shared, SIDES + 1), 0);
    return r;
}

struct row {
    const struct opener *opener;
    const struct pair *pair;
    struct bench *b;
    pid_t side[SIDES]; /* 0: not running */
};

static void fight(struct row *row, unsigned rounds)
{
    struct bench *b = row->b;
    const struct pair *pair = row->pair;
    struct round *r = round_new();
    fflush(NULL);
    talloc_free(b->m); /* connections are not carried over a fork */
    for (unsigned i = 0; i < SIDES; i++) {
        row->side[i] = fork();
        assert_true(row->side[i] >= 0);
        if (row->side[i] == 0)
            be_side(b, pair, r, i);
    }
    b->m = bench_open(b, b);
    alarm(STUCK_S);
    for (r->number = 0; r->number < rounds; r->number++) {
        pair->prepare(b, r);
        wait_at(r);
        wait_at(r);
        pair->judge(b, r);
        if (r->number % CHECK_EVERY == 0)
            assert_clean(b);
    }
    r->over = true;
    wait_at(r);
    for (unsigned i = 0; i < SIDES; i++) {
        int status;
        assert_int_equal(waitpid(row->side[i], &status, 0), row->side[i]);
        row->side[i] = 0;
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    alarm(0);
    assert_clean(b);
    pthread_barrier_destroy(&r->gate);
    munmap(r, sizeof *r);
}

static int setup(void **state)
{
    struct row *row = *state;
    void *bench = (void *)row->opener;
    int failed = bench_setup(&bench);
    row->b = bench;
    return failed;
}

static int teardown(void **state)
{
    struct row *row = *state;
    void *bench = row->b;
    for (unsigned i = 0; i < SIDES; i++)
        if (row->side[i] > 0) { /* the test failed: its sides still wait */
            kill(row->side[i], SIGKILL);
            waitpid(row->side[i], NULL, 0);
        }
    alarm(0);
    return bench_teardown(&bench);
}

static void run(void **state)
{
    struct row *row = *state;
    fight(row, rounds_wanted(row->b));
}

/* ---- many at once ---- */
/* Eight processes make the schema at once: all succeed, and there is one store. */
static void upgrades_at_once(void **state)
{
    struct bench *b = *state;
    struct id before, after;
    pid_t who[8];
    for (unsigned round = 0; round < 10; round++) {
        talloc_free(b->m);
        b->opener->elsewhere(b, 1 + round);
        fflush(NULL);
        for (size_t i = 0; i < ROWS(who); i++) {
            who[i] = fork();
            assert_true(who[i] >= 0);
            if (who[i] == 0) {
                struct meta *m = bench_open(b, b);
                struct id id;
                _exit(m->ops->upgrade(m) != E_OK || m->ops->store_id(m, &id) != E_OK || m->ops->upgrade(m) != E_OK);
            }
        }
        for (size_t i = 0; i < ROWS(who); i++) {
            int status;
            assert_int_equal(waitpid(who[i], &status, 0), who[i]);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        b->m = bench_open(b, b);
        assert_err(b->m->ops->store_id(b->m, &before), E_OK);
        assert_err(b->m->ops->upgrade(b->m), E_OK);
        assert_err(b->m->ops->store_id(b->m, &after), E_OK);
        assert_id(before, after);
        assert_clean(b);
    }
}

#define TXN_LIFETIME_S 60 /* MongoDB's transactionLifetimeLimitSeconds: so long a dead writer's transaction stands in the way */

static void folder_when_free(struct bench *b, const char *name)
{
    struct id id = id_new();
    int64_t end_ms = clock_monotonic_ms() + 2 * TXN_LIFETIME_S * 1000;
    enum err e;
    do
        e = make_folder(b->m, &b->ann, b->ann.root, name, id);
    while (e == E_STORE_DOWN && clock_monotonic_ms() < end_ms);
    assert_err(e, E_OK);
}

/* Writers are killed in the midst of their work: nothing is half done, and the others go on. */
static void killed_writers_leave_no_trace(void **state)
{
    struct bench *b = *state;
    unsigned rounds = rounds_wanted(b) / 10 + 1;
    if (bench_many(b, 1) == 0)
        skip(); /* MongoDB keeps a dead writer's transaction, and its space waiting, for a minute each: with COFFER_TEST_ALL=1 */
    for (unsigned round = 0; round < rounds; round++) {
        fflush(NULL);
        talloc_free(b->m);
        pid_t writer = fork();
        assert_true(writer >= 0);
        if (writer == 0) {
            struct meta *m = bench_open(b, b);
            for (unsigned i = 0;; i++) {
                CLEANUP(free_mem) char *name = mem_printf(NULL, "%u-%u", round, i);
                struct commit in = commit_of(b->ann.root, name, 10);
                if (commit_now(m, &b->ann, &in, NULL, NULL) != E_OK)
                    _exit(1);
            }
        }
        usleep(3000 + round * 7919 % 9000);
        int status;
        assert_int_equal(kill(writer, SIGKILL), 0);
        assert_int_equal(waitpid(writer, &status, 0), writer);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        b->m = bench_open(b, b);
        folder_when_free(b, mem_printf(b, "after %u", round));
        assert_clean(b);
    }
}

int main(void)
{
    static const struct named_test others[] = {TEST(upgrades_at_once), TEST(killed_writers_leave_no_trace)};
    enum { EACH = ROWS(pairs) + ROWS(others) };
    static struct row rows[OPENERS * EACH];
    static struct CMUnitTest all[OPENERS * EACH];
    static char names[OPENERS * EACH][120];
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0); /* what counts here is the order of things, not the disk: 30 times as many rounds */
    for (size_t i = 0; i < ROWS(all); i++) {
        const struct opener *opener = &openers[i / EACH];
        size_t at = i % EACH;
        bool is_pair = at < ROWS(pairs);
        const struct named_test *other = is_pair ? NULL : &others[at - ROWS(pairs)];
        rows[i] = (struct row){.opener = opener, .pair = &pairs[is_pair ? at : 0]};
        snprintf(names[i], sizeof names[i], "%s_%s", opener->name, is_pair ? pairs[at].name : other->name);
        all[i] = is_pair ? (struct CMUnitTest){names[i], run, setup, teardown, &rows[i]}
                         : (struct CMUnitTest){names[i], other->function, bench_setup, bench_teardown, (void *)opener};
    }
    return cmocka_run_group_tests_name("meta: at the same time", all, NULL, NULL);
}
