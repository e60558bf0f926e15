/* What every test of a metadata store stands on: a new store with one account, and hands to use it. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "meta/meta.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))
#define NOW_MS      INT64_C(1800000000000) /* the day these tests are played on */
#define HOUR_MS     INT64_C(3600000)
#define NEVER_MS    INT64_MAX

struct bench;

/* Damage that only someone with the store's own tools can do; `id` says to what. */
enum hurt {
    HURT_USED,         /* the space's used is off by 7 */
    HURT_RESERVED,     /* the space's reserved is off by 7 */
    HURT_REFS,         /* the blob's refs is off by 1 */
    HURT_SINCE,        /* the blob in use says since when it is not */
    HURT_DYING,        /* the blob in use is dying */
    HURT_COPY,         /* the node's copy of its version says another size */
    HURT_NO_BLOB,      /* the blob's row is gone */
    HURT_NO_NODE,      /* the node's row is gone, its version is not */
    HURT_NO_VERSION,   /* the file's version is gone */
    HURT_NO_PARENT,    /* the node says a parent that does not exist */
    HURT_NO_SPACE,     /* the node says a space that does not exist */
    HURT_NO_ROOT,      /* the space's root is dead */
    HURT_NO_TOP,       /* the node says it is a root */
    HURT_NO_PERSONAL,  /* the user's space is nobody's */
    HURT_USER_DISABLED,/* no damage, but there is no verb for it yet */
    HURT_NOTES_LOST,   /* what is volatile is gone, as after a power cut */
};

/* A row per store. */
struct opener {
    const char *name;
    enum err (*open)(const void *ctx, const struct conf *conf, struct shm *shm, struct meta **out);
    void (*elsewhere)(struct bench *b, unsigned n); /* conf names the n-th new, empty store */
    void (*hurt)(struct bench *b, enum hurt what, struct id id);
    unsigned part; /* of what is only a matter of numbers the usual run does the n-th part: the test server is slow */
};
extern const struct opener openers[];
enum { OPENERS = 1 };

struct person {
    struct id user, space, root;
};

struct bench {
    const struct opener *opener;
    char dir[256];
    struct conf conf;
    struct shm *shm;
    struct meta *m;
    struct person ann; /* the first account, without quota */
    struct person bob; /* the second; his quota is 1,000 bytes */
};
#define BOB_QUOTA 1000

/* cmocka's setup and teardown; *state is the opener's row before and the bench afterwards. */
int bench_setup(void **state);
int bench_teardown(void **state);

struct named_test {
    const char *name;
    CMUnitTestFunction function;
};
#define TEST(f) {#f, f}
/* Every test against every store. */
int bench_run(const char *group, const struct named_test *tests, size_t n);

/* As many as n, or the store's part of it unless COFFER_TEST_ALL=1. */
unsigned bench_many(const struct bench *b, unsigned n);

/* The store once more, as another process has it. */
struct meta *bench_open(struct bench *b, const void *ctx);

/* ---- guards ---- */
/* Says yes or what `answer` says, and remembers what it was shown. */
struct watch {
    struct guard guard; /* first */
    enum err answer;
    unsigned asked;
    struct id node, space;
    enum node_kind kind;
    enum member_role role;
    enum user_state user_state;
    size_t depth;
    int64_t used, reserved, quota;
    char above[600]; /* names of the ancestors, parent first, each followed by '/' */
};
struct watch watch_for(struct id user, enum err answer);
struct guard yes(struct id user);

/* ---- making things; each fails the test when it does not work ---- */
enum err bench_user(struct meta *m, const char *name, int64_t quota, struct person *out);
struct id must_folder(struct bench *b, const struct person *p, struct id parent, const char *name);
struct node must_file(struct bench *b, const struct person *p, struct id parent, const char *name, int64_t size);
struct upload must_reserve(struct bench *b, const struct person *p, struct id parent, const char *name, int64_t size);

enum err make_folder(struct meta *m, const struct person *p, struct id parent, const char *name, struct id id);
/* A commit of a new file as the tests mostly want it; change what is to be different. */
struct commit commit_of(struct id parent, const char *name, int64_t size);
struct upload upload_of(struct id parent, const char *name, int64_t size);
enum err commit_now(struct meta *m, const struct person *p, const struct commit *in, struct node *node_out, bool *replaced_out);

struct session session_of(struct id user, const char *token);
struct space space_of(struct meta *m, const struct person *p);

/* ---- looking ---- */
/* Everything that verbs can read about both accounts, as text: equal before and after what changes nothing. */
char *bench_state(struct bench *b);
/* Reaps until nothing is left; how many. */
unsigned reap_all(struct meta *m);
struct findings {
    unsigned n, damage, repaired;
    char first[300];
};
struct findings bench_check(struct meta *m, bool repair);
/* The invariants hold. */
void assert_clean(struct bench *b);

#define assert_err(got, want) assert_string_equal(err_name(got), err_name(want))
#define assert_id(got, want)  assert_string_equal((got).s, (want).s)
