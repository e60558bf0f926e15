/* What only the MongoDB store promises: few round trips, inert names, indexes behind every page. */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "meta/mongo.h"

/* ---- round trips ---- */
/* As a PUT of one file asks: who is it, where does the path lead, the commit. */
static void an_upload_takes_four_round_trips(void **state)
{
    struct bench *b = *state;
    struct mongo *s = mongo_of(b->m);
    struct session mine = session_of(b->ann.user, "aa"), got;
    struct guard g = yes(b->ann.user);
    struct id folder = must_folder(b, &b->ann, must_folder(b, &b->ann, b->ann.root, "one"), "two");
    const char *const names[] = {"one", "two", "a.txt"};
    struct commit in = commit_of(folder, "a.txt", 10240);
    struct user user;
    struct place place;
    size_t found;
    assert_err(b->m->ops->session_add(b->m, &mine, 10), E_OK);
    unsigned before = s->commands;
    assert_err(b->m->ops->session_get(b->m, b, mine.token_hash, NOW_MS, NOW_MS - HOUR_MS, &got, &user), E_OK);
    assert_err(b->m->ops->node_walk(b->m, b, &g, (struct id){""}, names, ROWS(names), &place, &found), E_OK);
    assert_int_equal(found, 2);
    assert_id(place.node.id, folder);
    assert_err(commit_now(b->m, &b->ann, &in, NULL, NULL), E_OK);
    print_message("# an upload of 10 KB: %u round trips with its session and its path\n", s->commands - before);
    assert_true(s->commands - before <= 4);
    assert_int_equal(space_of(b->m, &b->ann).used, 10240);
    assert_clean(b);
}

/* ---- what a walk found may be over when it is committed ---- */
static void plan_for(struct bench *b, const char *name)
{
    struct guard g = yes(b->bob.user);
    struct place place;
    size_t found;
    assert_err(b->m->ops->node_walk(b->m, b, &g, b->bob.root, &name, 1, &place, &found), E_OK);
    assert_int_equal(found, 0);
    assert_non_null(mongo_of(b->m)->plan);
}

static void a_name_taken_behind_a_walk_is_seen(void **state)
{
    struct bench *b = *state;
    struct bench other = *b;
    struct commit in = commit_of(b->bob.root, "a", 10);
    other.m = bench_open(b, b);
    plan_for(b, "a");
    must_file(&other, &b->bob, b->bob.root, "a", 1);
    assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_NAME_TAKEN);
    assert_int_equal(space_of(b->m, &b->bob).used, 1);
    assert_clean(b);
}

static void room_gained_behind_a_walk_is_seen(void **state)
{
    struct bench *b = *state;
    struct bench other = *b;
    struct guard g = yes(b->bob.user);
    struct node large = must_file(b, &b->bob, b->bob.root, "large", BOB_QUOTA);
    struct commit in = commit_of(b->bob.root, "a", 10);
    other.m = bench_open(b, b);
    plan_for(b, "a");
    assert_err(other.m->ops->node_remove(other.m, &g, large.id, NULL, NOW_MS), E_OK);
    assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_OK);
    assert_int_equal(space_of(b->m, &b->bob).used, 10);
    plan_for(b, "b");
    must_file(&other, &b->bob, b->bob.root, "large", BOB_QUOTA - 10);
    in = commit_of(b->bob.root, "b", 10);
    assert_err(commit_now(b->m, &b->bob, &in, NULL, NULL), E_QUOTA);
    assert_clean(b);
}

static void an_account_disabled_behind_a_walk_is_seen(void **state)
{
    struct bench *b = *state;
    struct meta *other = bench_open(b, b);
    struct watch w = watch_for(b->bob.user, E_OK);
    struct commit in = commit_of(b->bob.root, "a", 10);
    struct node node;
    bool replaced;
    plan_for(b, "a");
    assert_err(other->ops->user_state(other, b->bob.user, USER_DISABLED, NOW_MS), E_OK);
    assert_err(b->m->ops->upload_commit(b->m, b, &w.guard, &in, &node, &replaced), E_OK);
    assert_int_equal(w.user_state, USER_DISABLED); /* the guard's last word was about how things are */
    assert_true(w.asked > 1);
}

static void a_plan_is_for_one_name_and_one_person(void **state)
{
    struct bench *b = *state;
    struct commit other_name = commit_of(b->bob.root, "b", 10), other_folder, by_another = commit_of(b->bob.root, "a", 10);
    other_folder = commit_of(must_folder(b, &b->bob, b->bob.root, "folder"), "a", 10);
    plan_for(b, "a");
    assert_err(commit_now(b->m, &b->bob, &other_name, NULL, NULL), E_OK);
    assert_null(mongo_of(b->m)->plan); /* for whoever comes first */
    plan_for(b, "a");
    assert_err(commit_now(b->m, &b->bob, &other_folder, NULL, NULL), E_OK);
    plan_for(b, "a");
    struct watch w = watch_for(b->ann.user, E_NOT_FOUND);
    struct node node;
    bool replaced;
    assert_err(b->m->ops->upload_commit(b->m, b, &w.guard, &by_another, &node, &replaced), E_NOT_FOUND);
    assert_int_equal(w.role, MEMBER_NONE);
    assert_clean(b);
}

static void a_list_of_a_thousand_is_one_query(void **state)
{
    struct bench *b = *state;
    struct mongo *s = mongo_of(b->m);
    struct guard g = yes(b->ann.user);
    const struct node_query q = {.sort = SORT_NAME, .limit = 1000};
    struct place place;
    struct node_list list;
    must_file(b, &b->ann, b->ann.root, "a", 1);
    unsigned before = s->commands;
    assert_err(b->m->ops->node_list(b->m, b, &g, b->ann.root, &q, &place, &list), E_OK);
    assert_int_equal(s->commands - before, 1);
}

/* ---- room ---- */
static int64_t bytes_of_records(struct bench *b)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    DOC_AUTO sum = DOC("_id", BCON_NULL, "bytes", "{", "$sum", "{", "$bsonSize", S("$$ROOT"), "}", "}");
    assert_err(mongo_rows(mongo_of(b->m), DOC("aggregate", S("record"), "pipeline", "[", "{", "$group", D(sum), "}", "]", "cursor", "{",
                                              "}"), &reply, &rows), E_OK);
    assert_true(rows_next(&rows, &row));
    return doc_number(&row, "bytes");
}

static void a_file_takes_little_room(void **state)
{
    struct bench *b = *state;
    int64_t before = bytes_of_records(b);
    must_file(b, &b->ann, b->ann.root, "a name of thirty characters.txt", 10240);
    int64_t bytes = bytes_of_records(b) - before;
    printf("# a file: %lld bytes of documents\n", (long long)bytes);
    assert_in_range(bytes, 500, 1500);
}

/* ---- names ---- */
static void names_mean_nothing(void **state)
{
    static const char *const names[] = {"$name", "$$ROOT", "a.b", "$set", "{", "[", "}", "$where", "0", "-1", "1e3", "_id", "null", "$"};
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    for (size_t i = 0; i < ROWS(names); i++) {
        struct node file = must_file(b, &b->ann, b->ann.root, names[i], 5), after;
        struct change change = {.name = "plain", .key = "plain", .now_ms = NOW_MS};
        struct place place;
        size_t found;
        struct commit again = commit_of(b->ann.root, names[i], 5);
        assert_err(b->m->ops->node_walk(b->m, b, &g, b->ann.root, &names[i], 1, &place, &found), E_OK);
        if (found != 1 || !id_eq(place.node.id, file.id) || strcmp(place.node.name, names[i]) != 0)
            fail_msg("row %zu: %s", i, place.node.name);
        assert_err(commit_now(b->m, &b->ann, &again, NULL, NULL), E_NAME_TAKEN);
        assert_err(b->m->ops->node_change(b->m, b, &g, &g, file.id, &change, &after), E_OK);
        change.name = change.key = names[i];
        assert_err(b->m->ops->node_change(b->m, b, &g, &g, file.id, &change, &after), E_OK);
        assert_string_equal(after.name, names[i]);
        again.conflict = CONFLICT_REPLACE;
        again.type = names[i];
        assert_err(commit_now(b->m, &b->ann, &again, NULL, NULL), E_OK);
        assert_err(b->m->ops->node_get(b->m, b, &g, file.id, &place), E_OK);
        assert_string_equal(place.node.type, names[i]);
    }
    assert_clean(b);
}

/* ---- indexes ---- */
/* The filter and order of every page, as the verbs have them: the plan must read an index, never the collection. */
static void every_page_reads_an_index(void **state)
{
    static const char *const finds[] = {
        "{\"find\":\"record\",\"filter\":{\"parent\":\"n1\",\"live\":true,\"kind\":0},\"sort\":{\"name_key\":1,\"_id\":1}}",
        "{\"find\":\"record\",\"filter\":{\"parent\":\"n1\",\"live\":true,\"kind\":1},\"sort\":{\"size\":-1,\"_id\":-1}}",
        "{\"find\":\"record\",\"filter\":{\"parent\":\"n1\",\"live\":true,\"name\":\"x\"}}",
        "{\"find\":\"record\",\"filter\":{\"_id\":{\"$gt\":\"b\",\"$lt\":\"c\"}},\"sort\":{\"_id\":1},\"hint\":{\"_id\":1}}",
        "{\"find\":\"record\",\"filter\":{\"node\":\"n1\"}}",
        "{\"find\":\"record\",\"filter\":{\"expires_ms\":{\"$lte\":5}},\"sort\":{\"expires_ms\":1}}",
        "{\"find\":\"record\",\"filter\":{\"unhashed_ms\":{\"$gte\":0}},\"sort\":{\"unhashed_ms\":1}}",
        "{\"find\":\"record\",\"filter\":{\"unreferenced_ms\":{\"$lt\":5},\"blob_state\":0},\"sort\":{\"unreferenced_ms\":1},"
        "\"hint\":\"blob_unreferenced\"}",
        "{\"find\":\"record\",\"filter\":{\"removed_ms\":{\"$gte\":0}},\"sort\":{\"removed_ms\":1,\"_id\":1}}",
        "{\"find\":\"record\",\"filter\":{\"personal_of\":\"x\"}}",
        "{\"find\":\"user\",\"filter\":{\"key\":{\"$gt\":\"a\"}},\"sort\":{\"key\":1}}",
        "{\"find\":\"session\",\"filter\":{\"token_hash\":\"x\"}}",
        "{\"find\":\"session\",\"filter\":{\"user\":\"x\"},\"sort\":{\"created_ms\":-1,\"_id\":-1}}",
        "{\"find\":\"session\",\"filter\":{\"expires_ms\":{\"$lte\":5}},\"sort\":{\"expires_ms\":1}}",
        "{\"find\":\"session\",\"filter\":{\"seen_ms\":{\"$lt\":5}},\"sort\":{\"seen_ms\":1}}",
        "{\"find\":\"throttle\",\"filter\":{\"until_ms\":{\"$lte\":5}},\"sort\":{\"until_ms\":1}}",
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ROWS(finds); i++) {
        REPLY_AUTO reply = BSON_INITIALIZER;
        DOC_AUTO find = bson_new_from_json((const uint8_t *)finds[i], -1, NULL);
        assert_non_null(find);
        assert_err(mongo_read(mongo_of(b->m), DOC("explain", D(find), "verbosity", S("queryPlanner")), &reply), E_OK);
        char *plan = bson_as_relaxed_extended_json(&reply, NULL);
        bool indexed = strstr(plan, "IXSCAN") != NULL && strstr(plan, "COLLSCAN") == NULL;
        if (!indexed)
            fail_msg("row %zu: %s", i, plan);
        bson_free(plan);
    }
}

/* ---- several hosts ---- */
static bool takes(struct bench *b, struct id keeper, int64_t ms)
{
    bool mine;
    assert_err(b->m->ops->keeper_take(b->m, keeper, ms, &mine), E_OK);
    return mine;
}

static void one_keeper_has_the_turn(void **state)
{
    struct bench *b = *state;
    struct id first = id_new(), second = id_new();
    assert_true(takes(b, first, HOUR_MS));
    assert_false(takes(b, second, HOUR_MS));
    assert_true(takes(b, first, HOUR_MS));
    assert_err(b->m->ops->keeper_end(b->m, second), E_OK); /* not its own to end */
    assert_false(takes(b, second, HOUR_MS));
    assert_err(b->m->ops->keeper_end(b->m, first), E_OK);
    assert_true(takes(b, second, 1));
    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000L}, NULL);
    assert_true(takes(b, first, HOUR_MS)); /* the second's is over by itself */
}

/* ---- the server ---- */
static void nobody_there_is_told(void **state)
{
    struct bench *b = *state;
    struct conf conf = b->conf;
    struct meta *m;
    struct id id;
    conf.mongodb_uri = "mongodb://127.0.0.1:1/x";
    assert_err(meta_mongo_open(b, &conf, b->shm, &m), E_OK);
    assert_err(m->ops->store_id(m, &id), E_STORE_DOWN);
    assert_int_equal(err_last(E_STORE_DOWN)->retry_after_s, 1);
    assert_true(b->shm->store_down_until_ms > 0); /* others of the host are told at once */
    b->shm->store_down_until_ms = 0; /* the mark is the host's: the good server is asked again */
    assert_err(b->m->ops->ping(b->m), E_OK);
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(an_upload_takes_four_round_trips),
        TEST(a_name_taken_behind_a_walk_is_seen),
        TEST(room_gained_behind_a_walk_is_seen),
        TEST(an_account_disabled_behind_a_walk_is_seen),
        TEST(a_plan_is_for_one_name_and_one_person),
        TEST(a_list_of_a_thousand_is_one_query),
        TEST(a_file_takes_little_room),
        TEST(names_mean_nothing),
        TEST(every_page_reads_an_index),
        TEST(one_keeper_has_the_turn),
        TEST(nobody_there_is_told),
    };
    return bench_run("meta: mongodb", tests, ROWS(tests));
}
