/* What making a backup and restoring one have in common. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "blob/file.h"
#include "jobs/backup.h"
#include "jobs/hash.h"
#include "jobs/jobs.h"

#define BATCH_FILES 100
#define BATCH_MOST  (UINT64_C(1) << 30)
#define LIST        500

struct conf *backup_conf(const void *ctx, const struct conf *conf, const char *folder)
{
    struct conf *copy = mem_new(ctx, struct conf);
    *copy = *conf;
    copy->data_path = mem_str(copy, folder);
    copy->sqlite_path = mem_printf(copy, "%s/coffer.db", folder);
    copy->disk_path = mem_printf(copy, "%s/blobs", folder);
    copy->mongodb_uri = copy->s3_bucket = copy->s3_prefix = "";
    return copy;
}

enum err backup_use(const void *ctx, const struct conf *conf, const char *database, struct meta **out)
{
    struct conf *copy = backup_conf(ctx, conf, conf->data_path);
    copy->sqlite_path = mem_str(copy, database);
    return meta_open(ctx, copy, NULL, out);
}

enum err backup_survey(struct meta *m, struct backup_sum *out)
{
    struct id after = {""};
    *out = (struct backup_sum){0};
    for (;;) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct blob *blobs;
        size_t n;
        TRY(m->ops->blob_list(m, mem, after, LIST, &blobs, &n));
        if (n == 0)
            return E_OK;
        for (size_t i = 0; i < n; i++) {
            bool stays = blobs[i].state != BLOB_DYING;
            out->bytes += stays ? (uint64_t)blobs[i].size : 0;
            out->files += stays;
        }
        after = blobs[n - 1].id;
    }
}

/* ---- contents ---- */
struct move {
    struct blob_store *from, *to;
    struct transfer *t;
    backup_hold_fn *hold;
    void *arg;
    struct blob_put puts[BATCH_FILES];
    char sums[BATCH_FILES][65]; /* SHA-256 of each, when it is to be compared */
    size_t n;
    uint64_t bytes;
};

static bool is_there(struct blob_store *to, const struct blob *blob)
{
    uint64_t size;
    return to->ops->size(to, blob->id, &size) == E_OK && size == (uint64_t)blob->size;
}

static enum err compare(struct move *mv, struct id id, uint64_t size, const char *sum)
{
    char got[65];
    TRY(hash_stored(mv->to, id, size, got));
    if (strcmp(got, sum) != 0)
        return err_say(E_DAMAGED, "The contents %s read back from where they went are not those that were copied.", id.s);
    mv->t->count.compared++;
    return E_OK;
}

/* Copied by an earlier run, maybe one that was killed. */
static enum err take_there(struct move *mv, const struct blob *blob)
{
    char sum[65];
    mv->t->count.there++;
    mv->t->count.there_bytes += (uint64_t)blob->size;
    transfer_progress(mv->t);
    if (!mv->t->compare)
        return E_OK;
    enum err e = hash_stored(mv->from, blob->id, (uint64_t)blob->size, sum);
    if (e == E_NOT_FOUND) {
        transfer_tell(mv->t, true, blob->id.s, "these contents are missing where they come from; they are in the other store already");
        return E_OK;
    }
    TRY(e);
    return compare(mv, blob->id, (uint64_t)blob->size, sum);
}

static enum err flush(struct move *mv)
{
    enum err e = mv->n > 0 ? blob_put_many(mv->to, mv->puts, mv->n) : E_OK;
    for (size_t i = 0; i < mv->n; i++) {
        const struct blob_put *put = &mv->puts[i];
        close_fd(&mv->puts[i].source.fd);
        if (e == E_OK && put->result != E_OK)
            e = err_set(put->result, "blob %s could not be copied", put->id.s);
        if (e == E_OK && mv->t->compare)
            e = compare(mv, put->id, put->source.size, mv->sums[i]);
        mv->t->count.files += e == E_OK;
        mv->t->count.bytes += e == E_OK ? put->source.size : 0;
    }
    mv->n = 0;
    mv->bytes = 0;
    transfer_progress(mv->t);
    return e;
}

static enum err take_open(struct move *mv, struct id id, uint64_t size, int *fd)
{
    if (mv->t->compare)
        TRY(hash_file(*fd, size, mv->sums[mv->n]));
    mv->puts[mv->n++] = (struct blob_put){.id = id, .source = {.fd = *fd, .size = size}, .link = mv->t->link};
    mv->bytes += size;
    *fd = -1; /* flush closes it */
    return mv->n == BATCH_FILES || mv->bytes >= BATCH_MOST ? flush(mv) : E_OK;
}

static enum err take(struct move *mv, const struct blob *blob)
{
    CLEANUP(close_fd) int fd = -1;
    uint64_t size;
    if (blob->state == BLOB_DYING)
        return E_OK; /* its bytes may be gone already */
    if (is_there(mv->to, blob))
        return take_there(mv, blob);
    TRY(mv->hold(mv->arg, mv->bytes + (uint64_t)blob->size));
    enum err e = blob_open_file(mv->from, blob->id, &fd, &size);
    if (e == E_OK && size == (uint64_t)blob->size)
        return take_open(mv, blob->id, size, &fd);
    if (e != E_OK && e != E_NOT_FOUND)
        return e;
    transfer_tell(mv->t, false, blob->id.s, "these contents are %s; coffer fsck tells whose they are", e == E_OK ? "damaged" : "missing");
    return E_OK;
}

static enum err take_all(struct move *mv, struct meta *m)
{
    struct id after = {""};
    for (;;) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct blob *blobs;
        size_t n;
        TRY(m->ops->blob_list(m, mem, after, LIST, &blobs, &n));
        if (n == 0)
            return flush(mv);
        for (size_t i = 0; i < n; i++)
            TRY(take(mv, &blobs[i]));
        after = blobs[n - 1].id;
    }
}

enum err backup_blobs(struct meta *m, struct blob_store *from, struct blob_store *to, struct transfer *t, backup_hold_fn *hold, void *arg)
{
    struct move mv = {.from = from, .to = to, .t = t, .hold = hold, .arg = arg};
    enum err e = take_all(&mv, m);
    for (size_t i = 0; i < mv.n; i++)
        close_fd(&mv.puts[i].source.fd);
    return e;
}

/* ---- single files ---- */
enum err backup_file(const char *from, const char *to)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    CLEANUP(close_fd) int in = open(from, O_RDONLY | O_CLOEXEC);
    const char *beside = mem_printf(mem, "%s.new", to);
    CLEANUP(close_fd) int out = in < 0 ? -1 : open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat st;
    if (in < 0 || out < 0 || fstat(in, &st) != 0)
        return file_errno(in < 0 ? "read" : "write", in < 0 ? from : beside);
    TRY(file_copy(out, &(struct blob_source){.fd = in, .size = (uint64_t)st.st_size}));
    if (fsync(out) != 0 || rename(beside, to) != 0)
        return file_errno("write", to);
    return E_OK;
}

/* The first two hold what the database lacks; the others nothing that outlives it. */
static const char *const journals[] = {"-wal", "-journal", "-shm", "-volatile", "-volatile-wal", "-volatile-shm"};

bool backup_has_journal(const char *database)
{
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(free_mem) char *path = mem_printf(NULL, "%s%s", database, journals[i]);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

enum err backup_remove_database(const char *database)
{
    for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
        CLEANUP(free_mem) char *path = mem_printf(NULL, "%s%s", database, journals[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            return file_errno("remove", path);
    }
    return unlink(database) == 0 || errno == ENOENT ? E_OK : file_errno("remove", database);
}

/* ---- does it agree? ---- */
static void first_finding(void *arg, const struct finding *f)
{
    char *first = arg;
    if (f->damage && first[0] == '\0')
        snprintf(first, 256, "%s", f->line);
}

enum err backup_verify(const struct conf *conf)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char first[256] = "";
    struct fsck_result result;
    struct core *c;
    TRY(core_open(mem, conf, NULL, &clock_real, &c));
    TRY(fsck(c, false, false, first_finding, first, &result));
    return result.damaged == 0 ? E_OK : err_set(E_DAMAGED, "%u findings in %s, the first: %s", result.damaged, conf->data_path, first);
}
