/* What every test of a blob store stands on: a new store in a folder of its own. */
#pragma once
#include <stdbool.h>

#include "blob/blob.h"

/* A row per store. */
struct bench;
struct opener {
    const char *name;
    const char *needs;             /* variable of the environment without which there is no such store here; NULL: none */
    enum err (*settings)(struct bench *b);
    enum err (*open)(const void *ctx, const struct conf *conf, struct blob_store **out);
    const struct blob_ops *ops;    /* to ask what it can */
};
extern const struct opener openers[];
enum { OPENERS = 2 };

struct bench {
    const struct opener *opener;
    char dir[256];
    struct conf conf;
    struct blob_store *s;
};

/* cmocka's setup and teardown; *state is the opener's row before and the bench afterwards. */
int bench_setup(void **state);
int bench_teardown(void **state);
/* One test of a suite against one store; where there is no such store, one that is skipped under the same name. */
struct CMUnitTest;
void bench_test(struct CMUnitTest *out, const struct opener *opener, const char *name, void (*test)(void **state));

/* n bytes that tell where they come from; goes with the bench. */
unsigned char *bench_bytes(struct bench *b, size_t n, unsigned seed);
/* A file with those bytes in the scratch folder, open for reading; without a name when name is NULL. */
int bench_file(struct bench *b, const char *name, const void *bytes, size_t n);

enum err bench_put(struct bench *b, struct id id, const void *bytes, size_t n);
/* The blob is there and holds exactly these bytes. */
bool bench_holds(struct bench *b, struct id id, const void *bytes, size_t n);
/* There is nothing under that id: it can neither be read nor is it listed. */
bool bench_lacks(struct bench *b, struct id id);

struct listed {
    unsigned blobs, strangers; /* strangers: names that are no ids */
    uint64_t bytes;
    char last[300];            /* of the stranger listed last */
};
struct listed bench_list(struct bench *b);
/* Entries of a folder below the scratch folder; -1 when there is no such folder. */
int bench_entries(struct bench *b, const char *folder);
