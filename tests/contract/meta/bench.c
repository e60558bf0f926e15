#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "../blob/scratch.h"
#include "base/name.h"

/* ---- a store ---- */
struct meta *bench_open(struct bench *b, const void *ctx)
{
    struct meta *m = NULL;
    if (b->opener->open(ctx, &b->conf, b->shm, &m) != E_OK)
        abort();
    return m;
}

int bench_setup(void **state)
{
    struct bench *b = mem_new(NULL, struct bench);
    b->opener = *state;
    scratch_make(b->dir);
    b->conf = (struct conf){.sqlite_path = "", .mongodb_uri = "", .store_busy_timeout = 120000};
    b->opener->elsewhere(b, 0);
    b->shm = shm_new();
    b->m = bench_open(b, b);
    *state = b;
    if (b->m->ops->upgrade(b->m) != E_OK || bench_user(b->m, "Ann", 0, &b->ann) != E_OK ||
        bench_user(b->m, "bob", BOB_QUOTA, &b->bob) != E_OK)
        return -1;
    return 0;
}

int bench_teardown(void **state)
{
    struct bench *b = *state;
    struct shm *shm = b->shm;
    char dir[sizeof b->dir];
    memcpy(dir, b->dir, sizeof dir);
    talloc_free(b);
    munmap(shm, sizeof *shm);
    scratch_remove(dir);
    return 0;
}

int bench_run(const char *group, const struct named_test *tests, size_t n)
{
    struct CMUnitTest *all = mem_array(NULL, struct CMUnitTest, OPENERS * n);
    for (size_t i = 0; i < OPENERS * n; i++) {
        const struct opener *opener = &openers[i / n];
        all[i] = (struct CMUnitTest){
            .name = mem_printf(all, "%s_%s", opener->name, tests[i % n].name),
            .test_func = tests[i % n].function,
            .setup_func = bench_setup,
            .teardown_func = bench_teardown,
            .initial_state = (void *)opener,
        };
    }
    int failed = _cmocka_run_group_tests(group, all, OPENERS * n, NULL, NULL);
    talloc_free(all);
    return failed;
}

unsigned bench_many(const struct bench *b, unsigned n)
{
    const char *all = getenv("COFFER_TEST_ALL");
    return all != NULL && strcmp(all, "1") == 0 ? n : n / b->opener->part;
}

/* ---- guards ---- */
static enum err watch_ask(const struct guard *self, const struct place *place)
{
    struct watch *w = (struct watch *)(uintptr_t)self; /* made by watch_for, never const */
    struct buf above;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    w->asked++;
    w->node = place->node.id;
    w->space = place->space.id;
    w->kind = place->node.kind;
    w->role = place->role;
    w->user_state = place->user_state;
    w->depth = place->depth;
    w->used = place->space.used;
    w->reserved = place->space.reserved;
    w->quota = place->space.quota;
    buf_init(&above, mem, sizeof w->above - 1);
    for (size_t i = 0; i < place->depth; i++)
        buf_printf(&above, "%s/", place->ancestors[i].name);
    snprintf(w->above, sizeof w->above, "%s", above.data);
    return w->answer == E_OK ? E_OK : err_set(w->answer, "the guard");
}

struct watch watch_for(struct id user, enum err answer)
{
    return (struct watch){.guard = {.ask = watch_ask, .user = user}, .answer = answer};
}

static enum err say_yes(const struct guard *self, const struct place *place)
{
    (void)self;
    (void)place;
    return E_OK;
}

struct guard yes(struct id user)
{
    return (struct guard){.ask = say_yes, .user = user};
}

/* ---- making things ---- */
enum err bench_user(struct meta *m, const char *name, int64_t quota, struct person *out)
{
    char key[LOGIN_MAX_BYTES + 1];
    TRY(login_key(name, key));
    *out = (struct person){.user = id_new(), .space = id_new(), .root = id_new()};
    const struct user_new in = {
        .user = {.id = out->user, .name = name, .key = key, .role = ROLE_USER, .state = USER_ACTIVE, .created_ms = NOW_MS},
        .password_hash = "first hash",
        .space = {.id = out->space, .kind = SPACE_PERSONAL, .name = "", .root = out->root, .quota = quota},
    };
    return m->ops->user_add(m, &in);
}

enum err make_folder(struct meta *m, const struct person *p, struct id parent, const char *name, struct id id)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct guard g = yes(p->user);
    const struct node in = {
        .id = id, .parent = parent, .name = name, .key = name_key(mem, name), .kind = NODE_FOLDER,
        .created_ms = NOW_MS, .modified_ms = NOW_MS,
    };
    return m->ops->folder_add(m, &g, &in);
}

struct id must_folder(struct bench *b, const struct person *p, struct id parent, const char *name)
{
    struct id id = id_new();
    assert_err(make_folder(b->m, p, parent, name, id), E_OK);
    return id;
}

struct commit commit_of(struct id parent, const char *name, int64_t size)
{
    return (struct commit){
        .parent = parent, .name = name, .key = name, .conflict = CONFLICT_FAIL,
        .node = id_new(), .version = id_new(), .blob = id_new(), .size = size,
        .type = "text/plain", .sha256 = "", .modified_ms = NOW_MS - HOUR_MS, .now_ms = NOW_MS,
    };
}

struct upload upload_of(struct id parent, const char *name, int64_t size)
{
    return (struct upload){
        .id = id_new(), .parent = parent, .blob = id_new(), .name = name, .conflict = CONFLICT_FAIL,
        .declared = size, .charged = size, .created_ms = NOW_MS, .expires_ms = NOW_MS + HOUR_MS,
    };
}

enum err commit_now(struct meta *m, const struct person *p, const struct commit *in, struct node *node_out, bool *replaced_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct guard g = yes(p->user);
    struct node node;
    bool replaced;
    TRY(m->ops->upload_commit(m, mem, &g, in, &node, &replaced));
    if (node_out != NULL) {
        *node_out = node; /* the numbers and ids; texts go with mem */
        node_out->name = node_out->key = node_out->type = node_out->sha256 = NULL;
    }
    if (replaced_out != NULL)
        *replaced_out = replaced;
    return E_OK;
}

struct node must_file(struct bench *b, const struct person *p, struct id parent, const char *name, int64_t size)
{
    struct node node;
    const struct commit in = commit_of(parent, name, size);
    assert_err(commit_now(b->m, p, &in, &node, NULL), E_OK);
    return node;
}

struct upload must_reserve(struct bench *b, const struct person *p, struct id parent, const char *name, int64_t size)
{
    struct guard g = yes(p->user);
    struct upload in = upload_of(parent, name, size), out;
    in.user = p->user;
    assert_err(b->m->ops->upload_reserve(b->m, b, &g, &in, &out), E_OK);
    return out;
}

struct session session_of(struct id user, const char *token)
{
    struct session s = {
        .id = id_new(), .user = user, .kind = SESSION_BROWSER, .created_ms = NOW_MS, .signed_in_ms = NOW_MS, .seen_ms = NOW_MS,
        .expires_ms = NOW_MS + 90 * 24 * HOUR_MS, .address = "192.0.2.7", .agent = "a browser",
    };
    memset(s.token_hash, '0', sizeof s.token_hash - 1);
    memcpy(s.token_hash, token, strlen(token));
    return s;
}

struct space space_of(struct meta *m, const struct person *p)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct space space;
    assert_err(m->ops->user_space(m, mem, p->user, &space), E_OK);
    space.name = NULL;
    return space;
}

/* ---- looking ---- */
static void add_folder(struct bench *b, struct buf *out, const struct guard *g, struct id folder)
{
    const struct node_query q = {.sort = SORT_NAME, .limit = 1000};
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct place place;
    struct node_list list;
    if (b->m->ops->node_list(b->m, mem, g, folder, &q, &place, &list) != E_OK)
        return;
    for (size_t i = 0; i < list.n; i++) {
        const struct node *n = &list.items[i];
        buf_printf(out, "%s in %s: %s %d %s %s %lld %lld %lld %s %s\n", n->id.s, n->parent.s, n->name, n->kind, n->version.s,
                   n->blob.s, (long long)n->size, (long long)n->created_ms, (long long)n->modified_ms, n->type, n->sha256);
        if (n->kind == NODE_FOLDER)
            add_folder(b, out, g, n->id);
    }
}

static void add_person(struct bench *b, struct buf *out, const struct person *p)
{
    struct guard g = yes(p->user);
    struct space s = space_of(b->m, p);
    buf_printf(out, "space %s: %lld used, %lld reserved, revision %lld\n", s.id.s, (long long)s.used, (long long)s.reserved,
               (long long)s.tree_rev);
    add_folder(b, out, &g, p->root);
}

char *bench_state(struct bench *b)
{
    struct buf out;
    struct blob *blobs;
    struct version *versions;
    size_t n;
    uint64_t reserved;
    buf_init(&out, b, 1 << 20);
    add_person(b, &out, &b->ann);
    add_person(b, &out, &b->bob);
    assert_err(b->m->ops->blob_list(b->m, b, (struct id){0}, 10000, &blobs, &n), E_OK);
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "blob %s %lld %lld %d %lld\n", blobs[i].id.s, (long long)blobs[i].size, (long long)blobs[i].refs,
                   blobs[i].state, (long long)blobs[i].unreferenced_ms);
    assert_err(b->m->ops->version_list(b->m, b, (struct id){0}, 10000, &versions, &n), E_OK);
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "version %s of %s: %s %lld\n", versions[i].id.s, versions[i].node.s, versions[i].blob.s,
                   (long long)versions[i].size);
    assert_err(b->m->ops->reserved_total(b->m, &reserved), E_OK);
    buf_printf(&out, "%llu reserved\n", (unsigned long long)reserved);
    assert_err(buf_ok(&out), E_OK);
    return out.data;
}

unsigned reap_all(struct meta *m)
{
    unsigned did = 1, all = 0;
    while (did > 0) {
        assert_err(m->ops->reap(m, 200, &did), E_OK);
        all += did;
    }
    return all;
}

static void count_finding(void *arg, const struct finding *f)
{
    struct findings *all = arg;
    if (all->n++ == 0)
        snprintf(all->first, sizeof all->first, "%s", f->line);
    all->damage += f->damage;
    all->repaired += f->repaired;
}

struct findings bench_check(struct meta *m, bool repair)
{
    struct findings all = {0};
    assert_err(m->ops->check(m, repair, count_finding, &all), E_OK);
    return all;
}

void assert_clean(struct bench *b)
{
    struct findings all = bench_check(b->m, false);
    if (all.n > 0)
        fail_msg("%u findings, the first: %s", all.n, all.first);
}
