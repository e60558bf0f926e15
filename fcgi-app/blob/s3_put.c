#include <string.h>

#include "base/mem.h"
#include "blob/file.h"
#include "blob/s3.h"
#include "crypt/crypt.h"

enum { PIECE = 256 << 10 };

static enum err hash_file(struct sha256 *h, const struct blob_source *source)
{
    CLEANUP(free_mem) char *piece = mem_array(NULL, char, PIECE);
    uint64_t at = source->offset, left = source->size;
    while (left > 0) {
        size_t n = left < PIECE ? (size_t)left : PIECE;
        enum err e = file_read(source->fd, at, piece, n);
        if (e == E_DAMAGED) /* true of a blob; here it is a source that was promised longer */
            return err_set(E_IO, "the source ends early");
        TRY(e);
        sha256_add(h, piece, n);
        at += n;
        left -= n;
    }
    return E_OK;
}

enum err s3_hash(const struct blob_source *source, char hex_out[static 65])
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct sha256 *h = sha256_new(mem);
    if (source->fd >= 0)
        TRY(hash_file(h, source));
    else if (source->size > 0)
        sha256_add(h, source->data, (size_t)source->size);
    sha256_hex(h, hex_out);
    return E_OK;
}

bool s3_is_mine(struct s3 *s, const char *key, const char *tag, uint64_t size, struct s3_fault *fault_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct s3_head head;
    s3_head(s, mem, key, &head, fault_out);
    return fault_out->trouble == S3_FINE && head.size == size && strcmp(head.put, tag) == 0;
}

struct writing {
    struct s3 *s;
    const char *key, *tag, *sha256;
    struct http_body body;
    bool unsure; /* an earlier try may have arrived: its answer was lost */
};

/* The body's hash is signed and checked by the other side: what is stored is what was read here. */
static void write_once(const struct writing *w, struct s3_fault *fault)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    struct s3_ask ask = {.method = "PUT", .key = w->key, .body = &w->body, .payload = w->sha256};
    ask.headers[0] = (struct s3_pair){"x-amz-meta-coffer-put", w->tag};
    if (!w->s->no_conditions)
        ask.headers[1] = (struct s3_pair){"if-none-match", "*"};
    s3_once(w->s, mem, &ask, &call, fault);
}

/* After a try that failed. True when the matter is settled, with the outcome in fault. */
static bool settled(struct writing *w, struct s3_fault *fault)
{
    struct s3_fault seen;
    if (fault->trouble == S3_UNKNOWN_CONDITION && !w->s->no_conditions) {
        w->s->no_conditions = true;
        fault->trouble = S3_CONFLICT; /* once more, without */
        return false;
    }
    if (fault->trouble == S3_TAKEN) {
        if (w->unsure && s3_is_mine(w->s, w->key, w->tag, w->body.size, &seen))
            fault->trouble = S3_FINE;
        return true;
    }
    w->unsure = w->unsure || s3_is_unsure(fault->trouble);
    return false;
}

/* A try whose answer was lost may have worked: that is asked before anything is sent again. */
static void write_until(struct writing *w, struct s3_fault *fault)
{
    struct s3_patience patience;
    s3_begin(&patience);
    do {
        if (w->unsure && s3_is_mine(w->s, w->key, w->tag, w->body.size, fault))
            return;
        write_once(w, fault);
        if (fault->trouble == S3_FINE || settled(w, fault))
            return;
    } while (s3_again(w->s, &patience, fault));
}

enum err s3_put(struct blob_store *store, struct id id, const struct blob_source *source)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct s3 *s = s3_of(store);
    const struct id tag = id_new();
    char sha256[65];
    struct s3_fault fault;
    struct writing w = {.s = s, .key = s3_blob_key(mem, id), .tag = tag.s, .sha256 = sha256};
    if (source->size > S3_PART_MIN)
        return s3_put_parts(s, id, source, w.tag);
    TRY(s3_hash(source, sha256));
    w.body = (struct http_body){.data = source->data, .fd = source->fd, .offset = source->offset, .size = source->size};
    write_until(&w, &fault);
    return fault.trouble == S3_FINE ? E_OK : s3_fail(&fault, "put", id.s);
}
