#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "jobs/hash.h"
#include "jobs/jobs.h"

#define BATCH 500
#define YOUNG_MS (10 * 60 * 1000) /* a younger file may be an upload about to be committed */

struct inspection {
    struct core *c;
    bool deep, repair;
    finding_fn *report;
    void *arg;
    struct fsck_result *result;
};

static void count(void *arg, const struct finding *f)
{
    struct inspection *in = arg;
    bool wrong = f->damage || f->mendable;
    in->result->damaged += wrong && !f->repaired;
    in->result->repaired += f->repaired;
    in->result->notices += !wrong && !f->repaired;
    in->report(in->arg, f);
}

PRINTF(4, 5) static void tell(struct inspection *in, bool damage, bool repaired, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    count(in, &(struct finding){.damage = damage, .repaired = repaired, .line = line});
}

/* The keeper may have collected it since the list was read. */
static bool still_live(struct core *c, struct id id)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct blob blob;
    return c->meta->ops->blob_get(c->meta, mem, id, &blob) == E_OK && blob.state == BLOB_LIVE;
}

/* The bytes of one blob: there, and as many as the record says. */
static enum err inspect_blob(struct inspection *in, const struct blob *blob)
{
    uint64_t size;
    if (blob->state == BLOB_DYING)
        return E_OK; /* its bytes may be gone already */
    enum err e = in->c->blobs->ops->size(in->c->blobs, blob->id, &size);
    if (e == E_NOT_FOUND) {
        if (still_live(in->c, blob->id))
            tell(in, true, false, "blob %s: its bytes are missing", blob->id.s);
        return E_OK;
    }
    TRY(e);
    if (size != (uint64_t)blob->size)
        tell(in, true, false, "blob %s: %llu bytes are stored, %lld are recorded", blob->id.s, (unsigned long long)size, (long long)blob->size);
    return E_OK;
}

static enum err inspect_blobs(struct inspection *in)
{
    struct id after = {""};
    for (;;) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct blob *blobs;
        size_t n;
        TRY(in->c->meta->ops->blob_list(in->c->meta, mem, after, BATCH, &blobs, &n));
        if (n == 0)
            return E_OK;
        for (size_t i = 0; i < n; i++)
            TRY(inspect_blob(in, &blobs[i]));
        after = blobs[n - 1].id;
    }
}

static enum err inspect_contents(struct inspection *in, const struct version *v)
{
    char hex[65];
    enum err e = hash_blob(in->c, v->blob, (uint64_t)v->size, hex);
    if (e != E_OK) {
        tell(in, true, false, "version %s: blob %s cannot be read (%s)", v->id.s, v->blob.s, err_last(e)->detail);
        return E_OK;
    }
    if (v->sha256[0] == '\0')
        return in->c->meta->ops->hash_set(in->c->meta, v->id, hex);
    if (strcmp(hex, v->sha256) != 0)
        tell(in, true, false, "version %s: the bytes of blob %s have changed (SHA-256 %s, recorded %s)", v->id.s, v->blob.s, hex, v->sha256);
    return E_OK;
}

static enum err inspect_versions(struct inspection *in)
{
    struct id after = {""};
    for (;;) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct version *versions;
        size_t n;
        TRY(in->c->meta->ops->version_list(in->c->meta, mem, after, BATCH, &versions, &n));
        if (n == 0)
            return E_OK;
        for (size_t i = 0; i < n; i++)
            TRY(inspect_contents(in, &versions[i]));
        after = versions[n - 1].id;
    }
}

/* A file without a record is what a crash between storing and committing leaves: harmless, the keeper moves it to lost/. */
static enum err inspect_file(void *arg, const char *name, uint64_t size, int64_t modified_ms)
{
    struct inspection *in = arg;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct id id;
    struct blob blob;
    if (modified_ms > clock_now_ms(in->c->clock) - YOUNG_MS)
        return E_OK;
    if (id_parse(name, &id) == E_OK) {
        enum err e = in->c->meta->ops->blob_get(in->c->meta, mem, id, &blob);
        if (e != E_NOT_FOUND)
            return e;
    }
    if (in->repair)
        TRY(in->c->blobs->ops->set_aside(in->c->blobs, name));
    tell(in, false, in->repair, "file %s (%llu bytes) has no record%s", name, (unsigned long long)size, in->repair ? ": moved to lost/" : "");
    return E_OK;
}

enum err fsck(struct core *c, bool deep, bool repair, finding_fn *report, void *arg, struct fsck_result *out)
{
    struct inspection in = {.c = c, .deep = deep, .repair = repair, .report = report, .arg = arg, .result = out};
    *out = (struct fsck_result){0};
    TRY(c->meta->ops->check(c->meta, repair, count, &in));
    TRY(inspect_blobs(&in));
    if (deep)
        TRY(inspect_versions(&in));
    enum err e = c->blobs->ops->each(c->blobs, inspect_file, &in);
    if (e != E_STORE_REFUSED)
        return e;
    tell(&in, false, false, "files without a record were not looked for: the blob store may not be listed (%s)", err_last(e)->detail);
    return E_OK;
}
