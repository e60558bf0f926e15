#include "core/upload.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/name.h"
#include "core/media.h"
#include "core/perm.h"
#include "crypt/crypt.h"

#define HOUR_MS        INT64_C(3600000)
#define SLOWEST_BYTES  INT64_C(32768) /* per second: a reservation lives as long as this slow a client needs */
#define UNKNOWN_CHARGE (INT64_C(64) << 20) /* for an upload that does not tell its length: a guess, settled at its commit */
#define HEAD_BYTES     1024           /* of a file, for telling its type: libmagic takes a millisecond for four times that */

static enum err check_size(struct core *c, uint64_t size)
{
    int64_t most = c->conf->limits_upload;
    if (size > INT64_MAX || (most > 0 && size > (uint64_t)most))
        return err_limit(E_TOO_LARGE, most > 0 ? (uint64_t)most : INT64_MAX);
    return E_OK;
}

/* Is there room on the disk beyond what open uploads were promised and have not written yet? */
static enum err check_room(struct core *c, uint64_t size)
{
    uint64_t room, promised, spooled = 0;
    TRY(c->blobs->ops->room(c->blobs, &room));
    if (room == UINT64_MAX)
        return E_OK;
    TRY(c->meta->ops->reserved_total(c->meta, &promised));
    TRY(spool_used(c->conf, &spooled));
    uint64_t ahead = promised > spooled ? promised - spooled : 0;
    if (room < ahead || room - ahead < size)
        return err_set(E_DISK_FULL, "%llu bytes wanted, %llu free for uploads, %llu of them promised", (unsigned long long)size,
                       (unsigned long long)room, (unsigned long long)ahead);
    return E_OK;
}

static enum err target_parent(struct core *c, void *mem, const struct who *who, const struct upload_target *t, struct id *parent_out)
{
    struct space space;
    *parent_out = t->parent;
    if (id_is(t->parent))
        return E_OK;
    TRY(c->meta->ops->user_space(c->meta, mem, who->user.id, &space));
    *parent_out = space.root;
    return E_OK;
}

/* "" for a form whose files are not known yet. */
static enum err target_name(void *mem, const struct upload_target *t, const char **name_out)
{
    char *name;
    *name_out = "";
    if (t->name == NULL)
        return E_OK;
    TRY(name_normal(mem, t->name, strlen(t->name), &name));
    *name_out = name;
    return E_OK;
}

/* Putting a file in place of another changes that one; whoever may only add must not be able to. */
static unsigned verbs_of(const struct upload_target *t)
{
    bool may_replace = t->conflict == CONFLICT_REPLACE && !t->expect.must_not_exist;
    return may_replace ? VERB_ADD | VERB_CHANGE : VERB_ADD;
}

enum err upload_reserve(struct core *c, void *mem, const struct who *who, const struct upload_target *t, int64_t declared,
                        struct upload *out)
{
    struct perm add = perm_for(who, verbs_of(t));
    int64_t now = clock_now_ms(c->clock), charged = declared >= 0 ? declared : UNKNOWN_CHARGE;
    struct upload in = {
        .id = id_new(), .user = who->user.id, .blob = id_new(), .conflict = t->conflict, .expect = t->expect,
        .declared = declared, .charged = charged, .modified_ms = t->modified_ms, .created_ms = now,
        .expires_ms = now + HOUR_MS,
    };
    if (declared / SLOWEST_BYTES > HOUR_MS / 1000)
        in.expires_ms = now + declared / SLOWEST_BYTES * 1000;

    TRY(target_name(mem, t, &in.name));
    TRY(target_parent(c, mem, who, t, &in.parent));
    TRY(check_size(c, declared >= 0 ? (uint64_t)declared : 0));
    TRY(check_room(c, declared >= 0 ? (uint64_t)declared : 0));
    return parent_gone(c->meta->ops->upload_reserve(c->meta, mem, &add.guard, &in, out));
}

/* The first bytes, for telling the type. */
static size_t read_head(const struct upload_bytes *b, char head[HEAD_BYTES])
{
    size_t n = b->size < HEAD_BYTES ? (size_t)b->size : HEAD_BYTES;
    if (b->spool_fd < 0 && b->source.fd < 0) {
        memcpy(head, b->source.data, n);
        return n;
    }
    ssize_t got = b->spool_fd >= 0 ? pread(b->spool_fd, head, n, 0) : pread(b->source.fd, head, n, (off_t)b->source.offset);
    return got > 0 ? (size_t)got : 0;
}

static enum err store_bytes(struct core *c, struct id blob, const struct upload_bytes *b)
{
    if (b->spool_fd >= 0 && (c->blobs->ops->can & BLOB_CAN_ADOPT))
        return c->blobs->ops->adopt(c->blobs, blob, b->spool_fd);
    struct blob_source source = b->source;
    if (b->spool_fd >= 0)
        source = (struct blob_source){.fd = b->spool_fd, .size = b->size};
    return c->blobs->ops->put(c->blobs, blob, &source);
}

#define HASH_PIECE (256u << 10)

static bool hash_file(struct sha256 *h, int fd, uint64_t at, uint64_t left)
{
    CLEANUP(free_mem) char *piece = mem_array(NULL, char, HASH_PIECE);
    while (left > 0) {
        ssize_t n = pread(fd, piece, left < HASH_PIECE ? (size_t)left : HASH_PIECE, (off_t)at);
        if (n <= 0)
            return false;
        sha256_add(h, piece, (size_t)n);
        at += (uint64_t)n;
        left -= (uint64_t)n;
    }
    return true;
}

/* Bytes at hand are hashed now. Large files on disk wait for the keeper, which finds them there; what goes to a store
 * behind a network passes through here anyway, and would have to be fetched back. */
static const char *hash_now(struct core *c, void *mem, const struct upload_bytes *b)
{
    char *hex = talloc_size(mem, 65);
    struct sha256 *h = sha256_new(mem);
    int fd = b->spool_fd >= 0 ? b->spool_fd : b->source.fd;
    if (fd >= 0 && !(c->blobs->ops->can & BLOB_IS_REMOTE))
        return "";
    if (fd < 0)
        sha256_add(h, b->source.data, (size_t)b->size);
    else if (!hash_file(h, fd, b->spool_fd >= 0 ? 0 : b->source.offset, b->size))
        return ""; /* storing it will fail the same way, and say so */
    sha256_hex(h, hex);
    return hex;
}

/* The particulars of what failed before are kept: they are the answer. */
static void drop_bytes(struct core *c, struct id blob)
{
    struct err_info why = err_save();
    if (c->blobs->ops->remove(c->blobs, blob) != E_OK)
        log_say(LOG_WARN, "upload", "blob %s stays as an orphan until the keeper finds it", blob.s);
    err_restore(&why);
}

/* The store answered that it is down: did the commit happen? Found out, never guessed. */
static enum err settle_unknown(struct core *c, void *mem, const struct who *who, const struct commit *commit, struct node *node_out)
{
    struct err_info why = err_save();
    struct perm see = perm_for(who, VERB_SEE);
    struct place place;
    struct id node;
    bool asked = c->meta->ops->version_node(c->meta, commit->version, &node) == E_OK;
    if (!asked || !id_is(node)) {
        if (asked)
            drop_bytes(c, commit->blob); /* else still unknown: the bytes stay, the keeper decides */
        err_restore(&why);
        return E_STORE_DOWN;
    }
    TRY(c->meta->ops->node_get(c->meta, mem, &see.guard, node, &place));
    *node_out = place.node;
    return E_OK;
}

/* Where the file goes: by the reservation when that was made for a name, else as the target says. */
static enum err commit_target(struct core *c, void *mem, const struct who *who, const struct upload_target *t, struct commit *commit)
{
    if (t->name != NULL) {
        TRY(target_name(mem, t, &commit->name));
        return target_parent(c, mem, who, t, &commit->parent);
    }
    struct upload reserved;
    TRY(upload_show(c, mem, who, commit->upload, &reserved));
    commit->name = reserved.name;
    commit->parent = reserved.parent;
    return E_OK;
}

static enum err commit_file(struct core *c, void *mem, const struct who *who, const struct upload_target *t, struct commit *commit,
                            const struct upload_bytes *bytes, struct node *node_out, bool *replaced_out)
{
    char head[HEAD_BYTES];
    struct perm add = perm_for(who, verbs_of(t));
    TRY(check_size(c, bytes->size));
    TRY(commit_target(c, mem, who, t, commit));
    commit->key = name_key(mem, commit->name);
    commit->type = mem_str(mem, media_type(c->media, commit->name, head, read_head(bytes, head)));
    commit->sha256 = hash_now(c, mem, bytes);

    TRY(store_bytes(c, commit->blob, bytes));
    enum err e = c->meta->ops->upload_commit(c->meta, mem, &add.guard, commit, node_out, replaced_out);
    if (e == E_STORE_DOWN)
        return settle_unknown(c, mem, who, commit, node_out);
    if (e != E_OK && e != E_UNSURE)
        drop_bytes(c, commit->blob);
    return parent_gone(e);
}

enum err upload_store(struct core *c, void *mem, const struct who *who, const struct upload_target *t, struct id reservation,
                      bool keep, const struct upload_bytes *bytes, struct node *node_out, bool *replaced_out)
{
    int64_t now = clock_now_ms(c->clock);
    struct commit commit = {
        .upload = reservation, .keep_upload = keep, .conflict = t->conflict, .expect = t->expect,
        .node = id_new(), .version = id_new(), .blob = id_new(), .size = (int64_t)bytes->size,
        .modified_ms = t->modified_ms > 0 ? t->modified_ms : now, .now_ms = now,
    };
    enum err e = commit_file(c, mem, who, t, &commit, bytes, node_out, replaced_out);
    if (e != E_OK && id_is(reservation) && !keep) {
        struct err_info why = err_save();
        if (upload_abandon(c, who, reservation) != E_OK)
            log_say(LOG_WARN, "upload", "reservation %s is given back when it expires", reservation.s);
        err_restore(&why);
    }
    return e;
}

enum err upload_show(struct core *c, void *mem, const struct who *who, struct id id, struct upload *out)
{
    TRY(c->meta->ops->upload_get(c->meta, mem, id, out));
    if (who->kind != WHO_OPERATOR && !id_eq(out->user, who->user.id))
        return err_set(E_UPLOAD_GONE, "upload %s belongs to another user", id.s);
    return E_OK;
}

enum err upload_abandon(struct core *c, const struct who *who, struct id id)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct upload upload;
    enum err e = upload_show(c, mem, who, id, &upload);
    if (e == E_UPLOAD_GONE)
        return E_OK;
    TRY(e);
    return c->meta->ops->upload_release(c->meta, id);
}
