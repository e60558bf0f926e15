/* Large copies in the SQLite store: made in pieces, seen when they are whole, in nobody's way. */
#include "bench.h"

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "meta/sqlite.h"

#define FILES       199
#define FILE_BYTES  3

static struct usage below(struct bench *b, struct id folder)
{
    struct guard g = yes(b->ann.user);
    struct usage usage;
    assert_err(b->m->ops->node_usage(b->m, &g, folder, &usage), E_OK);
    return usage;
}

static enum err copy(struct meta *m, const struct guard *into, struct id from, struct id parent, const char *name)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct guard g = yes(into->user);
    const struct copy in = {.from = from, .parent = parent, .node = id_new(), .name = name, .key = name, .now_ms = NOW_MS};
    struct node node;
    return m->ops->node_copy(m, mem, &g, into, &in, &node);
}

/* A folder with so many copies of a folder with ten copies of a folder with files: 2,001 nodes each. */
static struct id large_folder(struct bench *b, int times)
{
    struct guard g = yes(b->ann.user);
    struct id files = must_folder(b, &b->ann, b->ann.root, "files"), ten = must_folder(b, &b->ann, b->ann.root, "ten"),
              large = must_folder(b, &b->ann, b->ann.root, "large");
    char name[32];
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "%d", i);
        must_file(b, &b->ann, files, name, FILE_BYTES);
    }
    for (int i = 0; i < 10 + times; i++) {
        snprintf(name, sizeof name, "copy %d", i);
        assert_err(copy(b->m, &g, i < 10 ? files : ten, i < 10 ? ten : large, name), E_OK);
    }
    return large;
}

static int64_t nodes(struct bench *b)
{
    int64_t n;
    struct sqlite *s = sqlite_of(b->m);
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_prepare_v2(s->main.handle, "SELECT count(*) FROM node", -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return n;
}

/* What must be the same again when nothing is left of a copy. */
struct books {
    struct usage all;
    int64_t used, nodes;
};

static struct books books_of(struct bench *b)
{
    return (struct books){.all = below(b, b->ann.root), .used = space_of(b->m, &b->ann).used, .nodes = nodes(b)};
}

static void assert_books(struct bench *b, struct books want)
{
    struct books got = books_of(b);
    assert_memory_equal(&got, &want, sizeof got);
    assert_clean(b);
}

/* A guard of the target that takes its time, and so makes short pieces: it is asked at the beginning and with each piece. */
struct turn {
    struct guard guard; /* first */
    unsigned asked, slow;
    bool dies, refuses; /* when it was slow so many times */
    atomic_bool *hurry; /* shared with the copier, may be NULL: slow no longer */
};

static enum err turn_ask(const struct guard *self, const struct place *place)
{
    struct turn *t = (struct turn *)(uintptr_t)self; /* never const */
    (void)place;
    if (t->asked++ < t->slow && (t->hurry == NULL || !atomic_load(t->hurry)))
        usleep(60000);
    else if (t->dies)
        raise(SIGKILL);
    else if (t->refuses)
        return err_set(E_FORBIDDEN, "not any more");
    return E_OK;
}

static pid_t copier(struct bench *b, const struct guard *into, struct id from)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit((int)copy(bench_open(b, NULL), into, from, b->ann.root, "Twin"));
    return pid;
}

/* ---- whole ---- */
static void assert_twins(struct bench *b, struct id one, const char *name)
{
    struct guard g = yes(b->ann.user);
    struct place place;
    size_t found;
    assert_err(b->m->ops->node_walk(b->m, b, &g, b->ann.root, &name, 1, &place, &found), E_OK);
    assert_int_equal(found, 1);
    struct usage before = below(b, one), after = below(b, place.node.id);
    assert_memory_equal(&after, &before, sizeof before);
}

static void a_large_copy_is_whole(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id from = large_folder(b, 1);
    assert_err(copy(b->m, &g, from, b->ann.root, "Twin"), E_OK);
    assert_twins(b, from, "Twin");
    assert_err(copy(b->m, &g, from, b->ann.root, "Twin"), E_NAME_TAKEN);
    assert_clean(b);
    int64_t before = nodes(b);
    assert_int_equal(reap_all(b->m), 0);
    assert_int_equal(nodes(b), before);
}

static void a_large_copy_keeps_to_the_quota(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id from = large_folder(b, 1);
    struct books before = books_of(b);
    assert_err(b->m->ops->user_quota(b->m, b->ann.user, before.used + 10 * FILES * FILE_BYTES - 1, NOW_MS), E_OK);
    assert_err(copy(b->m, &g, from, b->ann.root, "Twin"), E_QUOTA);
    reap_all(b->m);
    assert_books(b, before);
    assert_err(b->m->ops->user_quota(b->m, b->ann.user, before.used + 10 * FILES * FILE_BYTES, NOW_MS), E_OK);
    assert_err(copy(b->m, &g, from, b->ann.root, "Twin"), E_OK);
    assert_clean(b);
}

/* ---- in nobody's way ---- */
static void others_write_meanwhile(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id from = large_folder(b, 10);
    struct usage from_usage = below(b, from);
    int64_t all = from_usage.files + from_usage.folders, most = 0, before = nodes(b);
    unsigned writes = 0;
    int status;
    pid_t pid = copier(b, &g, from);
    for (; waitpid(pid, &status, WNOHANG) == 0; writes++) {
        char name[32];
        snprintf(name, sizeof name, "other %u", writes);
        must_folder(b, &b->bob, b->bob.root, name);
        int64_t after = nodes(b), copied = after - before - 1; /* while this one waited for its turn */
        most = copied > most ? copied : most;
        before = after;
    }
    print_message("# %u writes while %lld nodes were copied, at most %lld of them during one write\n", writes, (long long)all, (long long)most);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == E_OK);
    assert_twins(b, from, "Twin");
    assert_true(writes > 1);
    assert_true(most < all / 4);
    assert_clean(b);
}

/* What is copied may go at the same time: the blobs stay until the copy has them. */
static void what_is_deleted_meanwhile_is_copied(void **state)
{
    struct bench *b = *state;
    static const char *const names[] = {"files", "ten", "large"};
    struct guard g = yes(b->ann.user);
    struct id from = large_folder(b, 1), *dying;
    struct usage before = below(b, from);
    int64_t n = nodes(b);
    size_t n_dying;
    int status;
    atomic_bool *hurry = mmap(NULL, sizeof *hurry, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(hurry != MAP_FAILED);
    struct turn t = {.guard = {.ask = turn_ask, .user = b->ann.user}, .slow = UINT_MAX, .hurry = hurry};
    pid_t pid = copier(b, &t.guard, from);
    while (nodes(b) < n + 2) /* the top and what comes first in it: the moment that is copied has been */
        usleep(1000);
    for (size_t i = 0; i < ROWS(names); i++) {
        struct place place;
        size_t found;
        assert_err(b->m->ops->node_walk(b->m, b, &g, b->ann.root, &names[i], 1, &place, &found), E_OK);
        assert_err(b->m->ops->node_remove(b->m, &g, place.node.id, NULL, NOW_MS), E_OK);
    }
    reap_all(b->m);
    assert_err(b->m->ops->blobs_dying(b->m, b, NEVER_MS, 1000, &dying, &n_dying), E_OK);
    assert_int_equal(n_dying, 0);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* it is still at it */
    atomic_store(hurry, true);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    munmap(hurry, sizeof *hurry);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == E_OK);
    struct usage after = below(b, b->ann.root);
    assert_int_equal(after.files, before.files);
    assert_int_equal(after.size, before.size);
    assert_clean(b);
}

/* ---- not to the end ---- */
static void assert_unfinished(struct bench *b, struct books before)
{
    struct usage all = below(b, b->ann.root);
    assert_memory_equal(&all, &before.all, sizeof all);
    assert_true(nodes(b) > before.nodes + 1);
    assert_clean(b);
}

static void a_right_that_ends_ends_the_copy(void **state)
{
    struct bench *b = *state;
    struct id from = large_folder(b, 1);
    struct books before = books_of(b);
    struct turn t = {.guard = {.ask = turn_ask, .user = b->ann.user}, .slow = 4, .refuses = true};
    assert_err(copy(b->m, &t.guard, from, b->ann.root, "Twin"), E_FORBIDDEN);
    assert_unfinished(b, before);
    reap_all(b->m);
    assert_books(b, before);
}

static void a_target_that_goes_ends_the_copy(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id from = large_folder(b, 1);
    struct books before = books_of(b);
    atomic_bool *hurry = mmap(NULL, sizeof *hurry, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(hurry != MAP_FAILED);
    struct turn t = {.guard = {.ask = turn_ask, .user = b->ann.user}, .slow = UINT_MAX, .hurry = hurry};
    struct id target = must_folder(b, &b->ann, b->ann.root, "target");
    int64_t n = nodes(b);
    int status;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit((int)copy(bench_open(b, NULL), &t.guard, from, target, "Twin"));
    while (nodes(b) < n + 2)
        usleep(1000);
    assert_err(b->m->ops->node_remove(b->m, &g, target, NULL, NOW_MS), E_OK);
    atomic_store(hurry, true);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    munmap(hurry, sizeof *hurry);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == E_NO_PARENT);
    reap_all(b->m);
    assert_books(b, before);
}

static void whoever_dies_leaves_it_to_the_keeper(void **state)
{
    struct bench *b = *state;
    struct id from = large_folder(b, 1);
    struct books before = books_of(b);
    unsigned did;
    int status;
    struct turn t = {.guard = {.ask = turn_ask, .user = b->ann.user}, .slow = 4, .dies = true};
    assert_true(waitpid(copier(b, &t.guard, from), &status, 0) > 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_unfinished(b, before);
    assert_int_equal(reap_all(b->m), 0); /* for all the keeper knows it is being made still */
    assert_err(b->m->ops->expire(b->m, NOW_MS + 2 * HOUR_MS, 0, 100, &did), E_OK);
    assert_true(reap_all(b->m) > 1);
    assert_books(b, before);
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(a_large_copy_is_whole),
        TEST(a_large_copy_keeps_to_the_quota),
        TEST(others_write_meanwhile),
        TEST(what_is_deleted_meanwhile_is_copied),
        TEST(a_right_that_ends_ends_the_copy),
        TEST(a_target_that_goes_ends_the_copy),
        TEST(whoever_dies_leaves_it_to_the_keeper),
    };
    return bench_run("meta: sqlite, large copies", tests, ROWS(tests));
}
