/* Copies of a store while it is used, and the leases that keep what they refer to. */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static size_t dying(struct meta *m, int64_t before_ms)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct id *ids;
    size_t n;
    assert_err(m->ops->blobs_dying(m, mem, before_ms, 100, &ids, &n), E_OK);
    return n;
}

static void remove_file(struct bench *b, struct id node)
{
    struct guard g = yes(b->ann.user);
    assert_err(b->m->ops->node_remove(b->m, &g, node, NULL, NOW_MS), E_OK);
}

static void a_lease_keeps_what_nothing_refers_to(void **state)
{
    struct bench *b = *state;
    struct id mine = id_new(), other = id_new();
    unsigned did;
    remove_file(b, must_file(b, &b->ann, b->ann.root, "a", 5).id);
    assert_err(b->m->ops->lease_take(b->m, mine, NOW_MS + 10), E_OK);
    assert_err(b->m->ops->lease_take(b->m, other, NOW_MS + 20), E_OK);
    assert_int_equal(dying(b->m, NEVER_MS), 0);
    assert_err(b->m->ops->lease_end(b->m, mine), E_OK);
    assert_int_equal(dying(b->m, NEVER_MS), 0);
    assert_err(b->m->ops->expire(b->m, NOW_MS + 19, 0, 100, &did), E_OK);
    assert_int_equal(dying(b->m, NEVER_MS), 0);
    assert_err(b->m->ops->lease_take(b->m, other, NOW_MS + 30), E_OK); /* renewed */
    assert_err(b->m->ops->expire(b->m, NOW_MS + 29, 0, 100, &did), E_OK);
    assert_int_equal(dying(b->m, NEVER_MS), 0);
    assert_err(b->m->ops->expire(b->m, NOW_MS + 30, 0, 100, &did), E_OK);
    assert_int_equal(did, 1);
    assert_int_equal(dying(b->m, NEVER_MS), 1);
}

static void what_is_dying_already_dies(void **state)
{
    struct bench *b = *state;
    remove_file(b, must_file(b, &b->ann, b->ann.root, "a", 5).id);
    assert_int_equal(dying(b->m, NEVER_MS), 1);
    assert_err(b->m->ops->lease_take(b->m, id_new(), NOW_MS + 10), E_OK);
    assert_int_equal(dying(b->m, NEVER_MS), 1);
    assert_err(b->m->ops->lease_end(b->m, id_new()), E_OK); /* nobody's */
    assert_int_equal(dying(b->m, NEVER_MS), 1);
}

static void a_copy_is_a_store_of_its_own(void **state)
{
    struct bench *b = *state;
    struct bench *copy = talloc_memdup(b, b, sizeof *b); /* the same, but its store */
    struct stat st;
    struct session session = session_of(b->ann.user, "a token"), got;
    struct user user;
    struct id id = must_folder(b, &b->ann, b->ann.root, "folder"), before, after;
    must_file(b, &b->ann, id, "kept", 5);
    remove_file(b, must_file(b, &b->ann, b->ann.root, "gone", 7).id);
    char *wanted = bench_state(b);
    must_reserve(b, &b->bob, b->bob.root, "open", 300);
    assert_err(b->m->ops->session_add(b->m, &session, 10), E_OK);
    assert_err(b->m->ops->lease_take(b->m, id_new(), NOW_MS), E_OK);

    copy->conf.sqlite_path = mem_printf(b, "%s/copy.db", b->dir);
    assert_err(b->m->ops->backup(b->m, copy->conf.sqlite_path), E_OK);
    assert_int_equal(stat(copy->conf.sqlite_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    must_file(b, &b->ann, id, "later", 9);
    copy->m = bench_open(copy, b);
    char *blob_gone = strstr(wanted, " 0 0 "); /* refs 0, state live: the only line that the copy has not */
    assert_non_null(blob_gone);
    char *line = blob_gone;
    while (line > wanted && line[-1] != '\n')
        line--;
    char *end = strchr(blob_gone, '\n') + 1;
    memmove(line, end, strlen(end) + 1);
    assert_string_equal(bench_state(copy), wanted);
    assert_clean(copy);
    assert_err(b->m->ops->store_id(b->m, &before), E_OK);
    assert_err(copy->m->ops->store_id(copy->m, &after), E_OK);
    assert_id(after, before);
    assert_err(copy->m->ops->session_get(copy->m, b, session.token_hash, NOW_MS, 0, &got, &user), E_SIGN_IN);
}

static void a_copy_replaces_nothing(void **state)
{
    struct bench *b = *state;
    char *path = mem_printf(b, "%s/there", b->dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("mine", f);
    fclose(f);
    assert_err(b->m->ops->backup(b->m, path), E_IO);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4);
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(a_lease_keeps_what_nothing_refers_to), TEST(what_is_dying_already_dies), TEST(a_copy_is_a_store_of_its_own),
        TEST(a_copy_replaces_nothing),
    };
    return bench_run("meta_backup", tests, ROWS(tests));
}
