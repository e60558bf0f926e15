#include "jobs/hash.h"

#include <poll.h>

#include "base/log.h"
#include "base/mem.h"
#include "blob/file.h"
#include "crypt/crypt.h"
#include "jobs/jobs.h"

#define BATCH 16
#define PIECE (UINT64_C(256) << 10)

struct progress {
    struct sha256 *hash;
    int stop_fd;
};

/* A file of terabytes must not keep the process from stopping. */
static enum err add(void *arg, const void *bytes, size_t n)
{
    struct progress *p = arg;
    struct pollfd stop = {.fd = p->stop_fd, .events = POLLIN};
    if (p->stop_fd >= 0 && poll(&stop, 1, 0) > 0)
        return err_set(E_BUSY, "told to stop");
    sha256_add(p->hash, bytes, n);
    return E_OK;
}

static enum err hash_until(struct blob_store *blobs, struct id blob, uint64_t size, int stop_fd, char hex_out[65])
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct progress p = {sha256_new(mem), stop_fd};
    if (size > 0)
        TRY(blobs->ops->read(blobs, blob, 0, size, add, &p));
    sha256_hex(p.hash, hex_out);
    return E_OK;
}

enum err hash_blob(struct core *c, struct id blob, uint64_t size, char hex_out[65])
{
    return hash_until(c->blobs, blob, size, c->stop_fd, hex_out);
}

enum err hash_stored(struct blob_store *blobs, struct id blob, uint64_t size, char hex_out[65])
{
    return hash_until(blobs, blob, size, -1, hex_out);
}

enum err hash_file(int fd, uint64_t size, char hex_out[65])
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct sha256 *hash = sha256_new(mem);
    char *piece = talloc_size(mem, PIECE);
    for (uint64_t at = 0; at < size; at += PIECE) {
        size_t n = size - at < PIECE ? (size_t)(size - at) : PIECE;
        TRY(file_read(fd, at, piece, n));
        sha256_add(hash, piece, n);
    }
    sha256_hex(hash, hex_out);
    return E_OK;
}

/* A version that was dropped meanwhile is no failure. */
static enum err hash_one(struct core *c, struct id version, struct id blob)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct blob row;
    char hex[65];
    enum err e = c->meta->ops->blob_get(c->meta, mem, blob, &row);
    if (e == E_NOT_FOUND)
        return E_OK;
    TRY(e);
    TRY(hash_blob(c, blob, (uint64_t)row.size, hex));
    return c->meta->ops->hash_set(c->meta, version, hex);
}

enum err job_hash(struct core *c, unsigned *did_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct id versions[BATCH], blobs[BATCH];
    size_t n;
    *did_out = 0;
    TRY(c->meta->ops->hash_pending(c->meta, mem, BATCH, versions, blobs, &n));
    for (size_t i = 0; i < n; i++) {
        enum err e = hash_one(c, versions[i], blobs[i]);
        if (e == E_BUSY)
            return E_OK;
        if (e != E_OK)
            log_err("hash", e); /* one damaged file must not keep the others waiting; fsck names it */
        else
            ++*did_out;
    }
    return E_OK;
}
