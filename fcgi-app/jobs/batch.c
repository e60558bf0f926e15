#include "jobs/batch.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/name.h"
#include "blob/file.h"
#include "core/media.h"
#include "crypt/crypt.h"

#define HEAD_BYTES 4096 /* of a file, for telling its type */
#define LIKE_CHARS 8    /* 32 bits */
#define TRIES      10   /* for a store that is busy: 10 times its own patience */

struct batch *batch_new(const void *ctx, struct core *c, const struct who *who, struct transfer *t)
{
    struct batch *b = mem_new(ctx, struct batch);
    b->c = c;
    b->t = t;
    b->perm = perm_for(who, VERB_ADD);
    b->mem = talloc_new(b);
    b->like = id_new();
    return b;
}

struct id batch_id(const struct batch *b)
{
    struct id id = id_new();
    memcpy(id.s, b->like.s, LIKE_CHARS);
    return id;
}

/* ---- gathering ---- */
static bool full(const struct batch *b)
{
    return b->n == BATCH_ROWS || b->open >= (b->t->link ? BATCH_LINKS : BATCH_OPEN) || b->memory >= BATCH_MEMORY || b->bytes >= BATCH_BYTES;
}

enum err batch_folder(struct batch *b, const char *path, const struct node *folder)
{
    struct node node = *folder;
    node.name = mem_str(b->mem, folder->name);
    node.key = name_key(b->mem, node.name);
    b->rows[b->n] = (struct commit_row){.folder = true, .node = node};
    b->puts[b->n] = (struct blob_put){.source.fd = -1};
    b->paths[b->n++] = mem_str(b->mem, path);
    return full(b) ? batch_flush(b) : E_OK;
}

static const char *hash_of(void *mem, const void *bytes, size_t n)
{
    char *hex = talloc_size(mem, 65);
    CLEANUP(free_mem) struct sha256 *h = sha256_new(mem);
    sha256_add(h, bytes, n);
    sha256_hex(h, hex);
    return hex;
}

/* A small file's bytes, read and hashed now; its descriptor is not needed any more. */
static enum err take_bytes(struct batch *b, int fd, struct commit *commit, struct blob_source *source)
{
    size_t n = (size_t)commit->size;
    char *bytes = talloc_size(b->mem, n + 1);
    TRY(file_read(fd, 0, bytes, n));
    source->data = bytes;
    commit->sha256 = hash_of(b->mem, bytes, n);
    commit->type = mem_str(b->mem, media_type(b->c->media, commit->name, bytes, n < HEAD_BYTES ? n : HEAD_BYTES));
    b->memory += n;
    return E_OK;
}

static enum err take_open(struct batch *b, int *fd, struct commit *commit, struct blob_source *source)
{
    char head[HEAD_BYTES];
    ssize_t n = pread(*fd, head, sizeof head, 0);
    if (n < 0)
        return err_set(E_IO, "read: %m");
    commit->type = mem_str(b->mem, media_type(b->c->media, commit->name, head, (size_t)n));
    source->fd = *fd;
    *fd = -1;
    b->open++;
    return E_OK;
}

enum err batch_file(struct batch *b, const char *path, int fd, const struct stat *st, struct id parent, const char *name,
                    bool replace, int64_t modified_ms)
{
    CLEANUP(close_fd) int file = fd;
    struct blob_put *put = &b->puts[b->n];
    struct commit commit = {
        .parent = parent, .name = mem_str(b->mem, name), .key = name_key(b->mem, name),
        .conflict = replace ? CONFLICT_REPLACE : CONFLICT_FAIL, .node = batch_id(b), .version = batch_id(b), .blob = batch_id(b),
        .size = (int64_t)st->st_size, .type = "", .sha256 = "", .modified_ms = modified_ms, .now_ms = clock_now_ms(b->c->clock),
    };
    *put = (struct blob_put){.id = commit.blob, .source = {.fd = -1, .size = (uint64_t)st->st_size}, .link = b->t->link};
    enum err e = st->st_size <= BATCH_SMALL && !b->t->link ? take_bytes(b, file, &commit, &put->source)
                                                           : take_open(b, &file, &commit, &put->source);
    if (e != E_OK) {
        transfer_tell(b->t, false, path, "it cannot be read: %s", err_last(e)->detail);
        return E_OK;
    }
    b->rows[b->n] = (struct commit_row){.commit = commit};
    b->paths[b->n++] = mem_str(b->mem, path);
    b->bytes += (uint64_t)st->st_size;
    return full(b) ? batch_flush(b) : E_OK;
}

/* ---- storing ---- */
static void drop_bytes(struct batch *b, struct id blob)
{
    struct err_info why = err_save();
    if (b->c->blobs->ops->remove(b->c->blobs, blob) != E_OK)
        log_say(LOG_WARN, "import", "blob %s stays as an orphan until the keeper finds it", blob.s);
    err_restore(&why);
}

/* What is linked or copied while somebody writes to it is neither the old contents nor the new. */
static bool changed_meanwhile(const struct batch *b, size_t i)
{
    struct stat st;
    int fd = b->puts[i].source.fd;
    if (fd < 0)
        return false;
    int64_t modified_ms = fstat(fd, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 : -1;
    return st.st_size != b->rows[i].commit.size || (modified_ms > 0 && modified_ms != b->rows[i].commit.modified_ms);
}

static void move_row(struct batch *b, size_t to, size_t from)
{
    b->rows[to] = b->rows[from];
    b->puts[to] = b->puts[from];
    b->paths[to] = b->paths[from];
}

static void close_source(struct batch *b, size_t i)
{
    close_fd(&b->puts[i].source.fd);
    b->puts[i].source.fd = -1;
}

/* The bytes of all files. Rows whose bytes could not be had are told and go. */
static enum err store_bytes(struct batch *b)
{
    struct blob_put puts[BATCH_ROWS];
    size_t which[BATCH_ROWS], n = 0, kept = 0;
    uint64_t room;
    for (size_t i = 0; i < b->n; i++)
        if (!b->rows[i].folder) {
            which[n] = i;
            puts[n++] = b->puts[i];
        }
    TRY(b->c->blobs->ops->room(b->c->blobs, &room));
    if (room < b->bytes)
        return err_set(E_DISK_FULL, "%llu bytes are free for uploads, the next files need %llu", (unsigned long long)room,
                       (unsigned long long)b->bytes);
    if (n > 0)
        TRY(blob_put_many(b->c->blobs, puts, n));
    for (size_t i = 0; i < n; i++)
        b->puts[which[i]] = puts[i];
    for (size_t i = 0; i < b->n; i++) {
        bool failed = b->puts[i].result != E_OK, changed = !failed && changed_meanwhile(b, i);
        if (b->puts[i].result == E_DISK_FULL)
            return err_set(E_DISK_FULL, "the disk is full");
        if (changed)
            drop_bytes(b, b->puts[i].id);
        if (failed || changed) {
            transfer_tell(b->t, false, b->paths[i], "it changed while it was read");
            close_source(b, i);
        } else {
            move_row(b, kept++, i);
        }
    }
    b->n = kept;
    return E_OK;
}

/* Did the transaction happen? Asked by the first of its files; a batch of folders alone is not in doubt for long. */
static enum err happened(struct batch *b, bool *happened_out)
{
    struct id node = {""};
    *happened_out = false;
    for (size_t i = 0; i < b->n; i++)
        if (!b->rows[i].folder) {
            TRY(b->c->meta->ops->version_node(b->c->meta, b->rows[i].commit.version, &node));
            break;
        }
    *happened_out = id_is(node);
    return E_OK;
}

static enum err commit_rows(struct batch *b)
{
    bool done = false;
    enum err e = E_STORE_DOWN;
    for (int i = 0; i < TRIES && e == E_STORE_DOWN && !done; i++) {
        e = meta_commit_many(b->c->meta, &b->perm.guard, b->rows, b->n);
        if (e == E_UNSURE)
            return e; /* the rows are there, and may not stay: so may the bytes */
        if (e != E_OK)
            TRY(happened(b, &done)); /* still unknown: the bytes stay, the keeper decides */
    }
    if (e == E_OK || done)
        return E_OK;
    for (size_t i = 0; i < b->n; i++)
        if (!b->rows[i].folder)
            drop_bytes(b, b->puts[i].id);
    return e;
}

static const char *refusal(enum err e)
{
    switch (e) {
    case E_NAME_TAKEN:
    case E_IS_FOLDER:
        return "somebody just put something else of that name there";
    case E_NO_PARENT:
    case E_NOT_FOLDER:
        return "its folder is not there (any more)";
    default:
        return err_title(e);
    }
}

static enum err count_row(struct batch *b, size_t i)
{
    const struct commit_row *row = &b->rows[i];
    struct transfer_count *count = &b->t->count;
    if (row->result != E_OK) {
        if (!row->folder)
            drop_bytes(b, b->puts[i].id);
        if (row->result == E_QUOTA)
            return E_QUOTA;
        transfer_tell(b->t, false, b->paths[i], "%s", refusal(row->result));
        return E_OK;
    }
    count->folders += row->folder;
    count->files += !row->folder;
    count->bytes += row->folder ? 0 : (uint64_t)row->commit.size;
    count->copied += !row->folder && b->t->link && !b->puts[i].linked;
    return E_OK;
}

static enum err store(struct batch *b)
{
    enum err e = E_OK;
    TRY(store_bytes(b));
    TRY(commit_rows(b));
    for (size_t i = 0; i < b->n; i++) {
        enum err one = count_row(b, i);
        e = e == E_OK ? one : e;
    }
    return e;
}

enum err batch_flush(struct batch *b)
{
    size_t n = b->n;
    enum err e = n > 0 ? store(b) : E_OK;
    for (size_t i = 0; i < b->n; i++)
        close_source(b, i);
    b->n = b->open = 0;
    b->like = id_new();
    b->memory = b->bytes = 0;
    talloc_free_children(b->mem);
    transfer_progress(b->t);
    return e;
}
