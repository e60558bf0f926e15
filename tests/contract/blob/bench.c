#include "bench.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/mem.h"
#include "scratch.h"

static enum err settings_disk(struct bench *b)
{
    b->conf = (struct conf){
        .data_path = mem_printf(b, "%s/data", b->dir),
        .disk_path = mem_printf(b, "%s/data/blobs", b->dir),
        .s3_bucket = "",
        .s3_prefix = "",
    };
    return E_OK;
}

/* As `serve` would read them: COFFER_TEST_S3_URI is s3://BUCKET/PREFIX, beside it stand AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID
 * and so on. Each bench has a prefix of its own. */
static enum err settings_s3(struct bench *b)
{
    const struct conf *conf;
    setenv("COFFER_SITE_PUBLIC_URL", "http://localhost", 1);
    setenv("COFFER_DATA_PATH", mem_printf(b, "%s/data", b->dir), 1);
    setenv("COFFER_STORE_BLOBS", mem_printf(b, "%s/%s", getenv("COFFER_TEST_S3_URI"), id_new().s), 1);
    TRY(conf_load(b, NULL, &conf));
    b->conf = *conf;
    return E_OK;
}

const struct opener openers[] = {
    {"disk", NULL, settings_disk, blob_disk_open, &blob_disk_ops},
    {"s3", "COFFER_TEST_S3_URI", settings_s3, blob_s3_open, &blob_s3_ops},
};
_Static_assert(sizeof openers / sizeof *openers == OPENERS, "a row per store");

int bench_setup(void **state)
{
    const struct opener *opener = *state;
    struct bench *b = mem_new(NULL, struct bench);
    b->opener = opener;
    scratch_make(b->dir);
    *state = b;
    enum err e = opener->settings(b);
    if (e == E_OK)
        e = opener->open(b, &b->conf, &b->s);
    if (e == E_OK)
        e = b->s->ops->prepare(b->s);
    if (e != E_OK)
        fprintf(stderr, "# %s: %s: %s\n", opener->name, err_name(e), err_last(e)->detail);
    return e == E_OK ? 0 : -1;
}

static void store_is_not_here(void **state)
{
    const struct opener *opener = *state;
    print_message("# %s: LEFT OUT: %s is not set\n", opener->name, opener->needs);
    skip();
}

void bench_test(struct CMUnitTest *out, const struct opener *opener, const char *name, void (*test)(void **state))
{
    const char *there = opener->needs != NULL ? getenv(opener->needs) : "yes";
    *out = (struct CMUnitTest){.name = name, .test_func = store_is_not_here, .initial_state = (void *)opener};
    if (there == NULL || *there == '\0')
        return;
    out->test_func = test;
    out->setup_func = bench_setup;
    out->teardown_func = bench_teardown;
}

int bench_teardown(void **state)
{
    struct bench *b = *state;
    scratch_remove(b->dir);
    talloc_free(b);
    return 0;
}

unsigned char *bench_bytes(struct bench *b, size_t n, unsigned seed)
{
    unsigned char *bytes = mem_array(b, unsigned char, n + 1);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1103515245u + 12345u;
        bytes[i] = (unsigned char)(seed >> 16);
    }
    return bytes;
}

int bench_file(struct bench *b, const char *name, const void *bytes, size_t n)
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s/%s", b->dir, name ? name : "");
    int fd = name ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : memfd_create("source", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
        abort();
    return fd;
}

enum err bench_put(struct bench *b, struct id id, const void *bytes, size_t n)
{
    return b->s->ops->put(b->s, id, &(struct blob_source){.data = bytes, .fd = -1, .size = n});
}

struct comparison {
    const unsigned char *bytes;
    size_t n, at;
    bool same;
};

static enum err compare(void *arg, const void *bytes, size_t n)
{
    struct comparison *c = arg;
    c->same = c->same && n <= c->n - c->at && memcmp(c->bytes + c->at, bytes, n) == 0;
    c->at += n;
    return E_OK;
}

bool bench_holds(struct bench *b, struct id id, const void *bytes, size_t n)
{
    struct comparison c = {.bytes = bytes, .n = n, .same = true};
    if (b->s->ops->read(b->s, id, 0, n, compare, &c) != E_OK || !c.same || c.at != n)
        return false;
    return b->s->ops->read(b->s, id, 0, n + 1, compare, &c) == E_DAMAGED; /* and no byte more */
}

struct search {
    const char *id;
    bool found;
};

static enum err search_one(void *arg, const char *id, uint64_t size, int64_t modified_ms)
{
    struct search *search = arg;
    (void)size, (void)modified_ms;
    search->found = search->found || strcmp(id, search->id) == 0;
    return E_OK;
}

bool bench_lacks(struct bench *b, struct id id)
{
    struct comparison c = {.same = true};
    struct search search = {.id = id.s};
    return b->s->ops->read(b->s, id, 0, 0, compare, &c) == E_NOT_FOUND &&
           b->s->ops->each(b->s, search_one, &search) == E_OK && !search.found;
}

static enum err list_one(void *arg, const char *id, uint64_t size, int64_t modified_ms)
{
    struct listed *listed = arg;
    struct id parsed;
    (void)modified_ms;
    listed->bytes += size;
    if (id_parse(id, &parsed) == E_OK) {
        listed->blobs++;
    } else {
        listed->strangers++;
        snprintf(listed->last, sizeof listed->last, "%s", id);
    }
    return E_OK;
}

struct listed bench_list(struct bench *b)
{
    struct listed listed = {0};
    if (b->s->ops->each(b->s, list_one, &listed) != E_OK)
        abort();
    return listed;
}

int bench_entries(struct bench *b, const char *folder)
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s/%s", b->dir, folder);
    DIR *dir = opendir(path);
    int n = -2; /* . and .. */
    if (!dir)
        return -1;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}
