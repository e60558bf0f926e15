/* A store that fails at every call in turn, before the deed and after it: nothing half is ever visible, the
 * error comes through, and the caller can always clean up. Each test runs against every row of openers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bench.h"
#include "scratch.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))

enum { SIZE = 300000 };

struct script {
    struct bench *b;
    struct blob_store *s; /* the one with the fault */
    const unsigned char *bytes;
    struct id id;
    int body;
};

static enum err step_prepare(struct script *x)
{
    return x->s->ops->prepare(x->s);
}

static enum err step_store_id_set(struct script *x)
{
    return x->s->ops->store_id_set(x->s, x->id);
}

static enum err step_store_id(struct script *x)
{
    struct id id;
    return x->s->ops->store_id(x->s, &id);
}

static enum err step_room(struct script *x)
{
    uint64_t bytes;
    return x->s->ops->room(x->s, &bytes);
}

static enum err step_put(struct script *x)
{
    return x->s->ops->put(x->s, x->id, &(struct blob_source){.data = x->bytes, .fd = -1, .size = SIZE});
}

static enum err step_open(struct script *x)
{
    int fd = -1;
    uint64_t size;
    if (!x->s->ops->open)
        return x->s->ops->room(x->s, &size);
    enum err e = x->s->ops->open(x->s, x->id, &fd, &size);
    close_fd(&fd);
    return e;
}

static enum err ignore_bytes(void *arg, const void *bytes, size_t n)
{
    (void)arg, (void)bytes, (void)n;
    return E_OK;
}

static enum err step_read(struct script *x)
{
    return x->s->ops->read(x->s, x->id, 1, SIZE - 1, ignore_bytes, NULL);
}

static enum err step_locate(struct script *x)
{
    char path[64];
    uint64_t size;
    if (!x->s->ops->locate)
        return x->s->ops->size(x->s, x->id, &size);
    return x->s->ops->locate(x->s, x->id, path);
}

static enum err ignore_name(void *arg, const char *id, uint64_t size, int64_t modified_ms)
{
    (void)arg, (void)id, (void)size, (void)modified_ms;
    return E_OK;
}

static enum err step_each(struct script *x)
{
    return x->s->ops->each(x->s, ignore_name, NULL);
}

static enum err step_set_aside(struct script *x)
{
    return x->s->ops->set_aside(x->s, x->id.s);
}

static enum err step_sweep(struct script *x)
{
    unsigned did;
    return x->s->ops->sweep(x->s, INT64_MAX, &did);
}

/* The id is free again by now. */
static enum err step_adopt(struct script *x)
{
    return x->s->ops->adopt ? x->s->ops->adopt(x->s, x->id, x->body) : step_put(x);
}

static enum err step_remove(struct script *x)
{
    return x->s->ops->remove(x->s, x->id);
}

/* What is there under the id once a step was done. */
static const struct { const char *name; enum err (*step)(struct script *x); bool blob; } steps[] = {
    {"prepare", step_prepare, false},
    {"store_id_set", step_store_id_set, false},
    {"store_id", step_store_id, false},
    {"room", step_room, false},
    {"put", step_put, true},
    {"open", step_open, true},
    {"read", step_read, true},
    {"locate", step_locate, true},
    {"each", step_each, true},
    {"set_aside", step_set_aside, false},
    {"sweep", step_sweep, false},
    {"adopt", step_adopt, true},
    {"remove", step_remove, false},
};

/* Open files and folders: a store behind a network keeps its connections. */
static int descriptors(void)
{
    int n = 0;
    struct stat st;
    for (int fd = 0; fd < 256; fd++)
        n += fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
    return n;
}

/* One run of the script with one fault; the number of the first thing that was not as promised, or 0. */
static int run(struct bench *b, unsigned fail_at, bool after, enum err e)
{
    void *mem = talloc_new(NULL);
    struct script x = {.b = b, .bytes = bench_bytes(b, SIZE, fail_at), .id = id_new()};
    int wrong = 0, before = 0;
    x.body = bench_file(b, "data/incoming/1", x.bytes, SIZE);
    if (blob_fault_open(mem, b->s, fail_at, after, e, &x.s) != E_OK)
        wrong = 1;
    before = descriptors();
    for (unsigned i = 0; i < ROWS(steps) && !wrong; i++) {
        bool hit = i + 1 == fail_at;
        if (steps[i].step(&x) != (hit ? e : E_OK))
            wrong = 2;
        bool there = hit && !after ? i > 0 && steps[i - 1].blob : steps[i].blob;
        if (!(there ? bench_holds(b, x.id, x.bytes, SIZE) : bench_lacks(b, x.id)))
            wrong = 3;
        if (bench_list(b).blobs != there || bench_list(b).strangers)
            wrong = 4;
        if (hit) /* a definite failure: whoever asked removes what may be there, and it is gone */
            break;
    }
    if (!wrong && (x.s->ops->remove(x.s, x.id) != E_OK || !bench_lacks(b, x.id)))
        wrong = 5;
    if (!wrong && descriptors() != before)
        wrong = 6;
    close(x.body);
    talloc_free(mem);
    return wrong;
}

/* Each step fails before and after its deed; with each error where a run is cheap, in turn where it goes over a network, because the
 * store behind the fault never sees which it is. COFFER_TEST_ALL=1: with each everywhere. */
static void nothing_half_is_visible_whatever_fails(void **state)
{
    static const enum err errors[] = {E_IO, E_DISK_FULL, E_STORE_DOWN};
    const struct opener *opener = (*(struct bench **)state)->opener;
    const char *all = getenv("COFFER_TEST_ALL");
    bool each = opener->needs == NULL || (all != NULL && strcmp(all, "1") == 0);
    for (unsigned fail_at = 1; fail_at <= ROWS(steps); fail_at++)
        for (unsigned i = 0; i < 2 * ROWS(errors); i++) {
            if (!each && i / 2 != fail_at % ROWS(errors))
                continue;
            void *fresh = (void *)opener;
            assert_int_equal(bench_setup(&fresh), 0);
            int wrong = run(fresh, fail_at, i % 2, errors[i / 2]);
            bench_teardown(&fresh);
            if (wrong)
                fail_msg("%s, fault %s the deed, %s: check %d", steps[fail_at - 1].name, i % 2 ? "after" : "before",
                         err_name(errors[i / 2]), wrong);
        }
}

static void without_a_fault_it_is_the_store_behind_it(void **state)
{
    struct bench *b = *state;
    struct blob_store *s;
    assert_int_equal(blob_fault_open(b, b->s, 0, false, E_IO, &s), E_OK);
    assert_string_equal(s->ops->name, b->s->ops->name);
    assert_int_equal(s->ops->can, b->s->ops->can);
    assert_true(!s->ops->open == !b->s->ops->open && !s->ops->adopt == !b->s->ops->adopt);
    assert_int_equal(run(b, 0, false, E_IO), 0);
}

static void a_fault_comes_once(void **state)
{
    struct bench *b = *state;
    struct blob_store *s;
    uint64_t bytes;
    assert_int_equal(blob_fault_open(b, b->s, 2, false, E_STORE_DOWN, &s), E_OK);
    assert_int_equal(s->ops->room(s, &bytes), E_OK);
    assert_int_equal(s->ops->room(s, &bytes), E_STORE_DOWN);
    assert_int_equal(s->ops->room(s, &bytes), E_OK);
}

int main(void)
{
    static const struct { const char *name; CMUnitTestFunction test; } tests[] = {
#define TEST(test) {#test, test}
        TEST(nothing_half_is_visible_whatever_fails),
        TEST(without_a_fault_it_is_the_store_behind_it),
        TEST(a_fault_comes_once),
    };
    struct CMUnitTest all[OPENERS * ROWS(tests)];
    char names[ROWS(all)][80];
    for (size_t i = 0; i < ROWS(all); i++) {
        const struct opener *opener = &openers[i / ROWS(tests)];
        snprintf(names[i], sizeof names[i], "%s_%s", opener->name, tests[i % ROWS(tests)].name);
        bench_test(&all[i], opener, names[i], tests[i % ROWS(tests)].test);
    }
    return cmocka_run_group_tests_name("blob_fault", all, NULL, NULL);
}
