/* Bytes by id: immutable, named by a random id, never renamed or rewritten.
 *
 * put and adopt return E_OK only when the bytes and their name are durable (DESIGN: fdatasync, link, fsync of
 * the folder). A blob is never visible half. Errors: E_DISK_FULL, E_IO, E_STORE_DOWN, E_NOT_FOUND. A failed
 * fsync fails the call and is never retried.
 *
 * A store behind a network (BLOB_IS_REMOTE) gives E_OK only for what the other side confirmed. What it may try
 * again it tries itself, within limits; then E_STORE_DOWN, with when to come back, or E_STORE_REFUSED when the
 * other side answers but does not let us in. Their details name the cause, their sentences hold no secrets. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/shm.h"
#include "conf/conf.h"

enum blob_can {
    BLOB_CAN_SENDFILE = 1, /* the web server can send it by path (locate) */
    BLOB_CAN_ADOPT = 2,    /* a finished file on the same disk is linked, not copied */
    BLOB_CAN_RANGE = 4,
    BLOB_CAN_PROXY = 8,    /* the web server can fetch it with headers we sign (proxy) */
    BLOB_IS_REMOTE = 16,   /* whoever asks it may wait for seconds */
};

struct blob_store {
    const struct blob_ops *ops;
    const struct conf *conf;
    struct shm *shm;    /* NULL on the command line; set by whoever opened the store */
};

/* How the web server fetches bytes of a blob by itself. Strings belong to the mem given. */
struct blob_proxy {
    const char *target;        /* what stands in the request's first line */
    const char *authorization, *date, *token; /* header values; token "" when there is none */
    const char *range;         /* the Range header, "" for the whole blob */
};

/* Where the bytes of a new blob come from. */
struct blob_source {
    const void *data;   /* in memory, or */
    int fd;             /* at offset of an open file (-1: memory) */
    uint64_t offset, size;
};

/* One of many new blobs: see put_many. */
struct blob_put {
    struct id id;
    struct blob_source source;
    bool link;          /* the source's whole file may be linked instead of copied: nobody will change it any more */
    bool linked;        /* out: and it was */
    enum err result;    /* out: E_OK when it is stored; else nothing is under this id */
};

typedef enum err blob_each_fn(void *arg, const char *id, uint64_t size, int64_t modified_ms);

struct blob_ops {
    const char *name;
    unsigned can;

    enum err (*prepare)(struct blob_store *s);                       /* make folders; safe to repeat */
    enum err (*store_id)(struct blob_store *s, struct id *id_out);   /* E_NOT_FOUND when the store is new */
    enum err (*store_id_set)(struct blob_store *s, struct id id);    /* never replaces one */
    /* Bytes free for uploads (reserve taken off); UINT64_MAX when unlimited. */
    enum err (*room)(struct blob_store *s, uint64_t *bytes_out);
    enum err (*put)(struct blob_store *s, struct id id, const struct blob_source *source);
    /* Many at once, for imports: as put of each row, in the same order of writes, but flushed together. A failure
     * stored none of them; E_OK: each row has its own result. NULL: call blob_put_many, which then puts each. */
    enum err (*put_many)(struct blob_store *s, struct blob_put *rows, size_t n);
    /* Take over a file that the web server finished: fd was opened and checked by spool_open. */
    enum err (*adopt)(struct blob_store *s, struct id id, int fd);
    /* An open descriptor for reading; size told. The caller closes it. NULL where BLOB_CAN_SENDFILE is not. */
    enum err (*open)(struct blob_store *s, struct id id, int *fd_out, uint64_t *size_out);
    /* Hand the bytes [first, first + length) to write() in pieces of at most 1 MiB. */
    enum err (*read)(struct blob_store *s, struct id id, uint64_t first, uint64_t length,
                     enum err (*write)(void *arg, const void *bytes, size_t n), void *arg);
    enum err (*locate)(struct blob_store *s, struct id id, char path[static 64]); /* "ab/<id>" below the blob folder */
    /* A blob's size, as the store has it. */
    enum err (*size)(struct blob_store *s, struct id id, uint64_t *size_out);
    /* Bytes first to last, or all with whole; good for minutes. NULL where BLOB_CAN_PROXY is not. */
    enum err (*proxy)(struct blob_store *s, const void *mem, struct id id, bool whole, uint64_t first, uint64_t last,
                      struct blob_proxy *out);
    enum err (*remove)(struct blob_store *s, struct id id);          /* E_OK also when it is gone already */
    /* Every file among the blobs, any order: a blob by its id, anything else by a name that is no id (S3: blobs only, the
     * rest of the bucket is somebody's). E_STORE_REFUSED where we may not list. */
    enum err (*each)(struct blob_store *s, blob_each_fn *fn, void *arg);
    enum err (*set_aside)(struct blob_store *s, const char *id);     /* what each named: move to lost/; E_NOT_FOUND */
    enum err (*sweep)(struct blob_store *s, int64_t lost_before_ms, unsigned *did_out); /* old ones out of lost/ */
    /* What a crash left half done: finished or given up. NULL: a crash leaves nothing. Called every minute. */
    enum err (*tidy)(struct blob_store *s, unsigned *did_out);
};

extern const struct blob_ops blob_disk_ops;
extern const struct blob_ops blob_s3_ops;

enum err blob_open_store(const void *ctx, const struct conf *conf, struct blob_store **out) MUST_CHECK;
/* An open descriptor for reading a blob of any store: where there is no file, its bytes are fetched into an unnamed one in
 * the spool. Size told; the caller closes it. */
enum err blob_open_file(struct blob_store *s, struct id id, int *fd_out, uint64_t *size_out) MUST_CHECK;
enum err blob_put_many(struct blob_store *s, struct blob_put *rows, size_t n) MUST_CHECK;
enum err blob_disk_open(const void *ctx, const struct conf *conf, struct blob_store **out) MUST_CHECK;
enum err blob_s3_open(const void *ctx, const struct conf *conf, struct blob_store **out) MUST_CHECK;
/* Another store behind a fault: fails the n-th call of any verb with `e`, before or after the deed. Tests only. */
enum err blob_fault_open(const void *ctx, struct blob_store *next, unsigned fail_at, bool after, enum err e, struct blob_store **out) MUST_CHECK;

/* ---- the spool: bodies the web server wrote under <data>/incoming ---- */
/* Open a body file by the name the web server gave. The name must be <data>/incoming/ + digits; the file
 * regular, one link, of our uid. E_FRONT with a detail otherwise (database, link, FIFO, `..`, someone
 * else's): nothing is read. size in *size_out. */
enum err spool_open(const struct conf *conf, const char *path, int *fd_out, uint64_t *size_out) MUST_CHECK;
/* A body of one's own spooling, for web servers that stream: an unnamed file in the spool that adopt can take. */
enum err spool_new(const struct conf *conf, int *fd_out) MUST_CHECK;
enum err spool_write(int fd, const void *bytes, size_t n) MUST_CHECK; /* all of it; E_DISK_FULL, E_IO */
/* Empty a body file that will never be finished, as spool_open checks it; the web server still holds it open, so
 * removing its name would free nothing. */
enum err spool_empty(const struct conf *conf, const char *path) MUST_CHECK;
/* Bytes that lie in the spool now (uploads on their way in). */
enum err spool_used(const struct conf *conf, uint64_t *bytes_out) MUST_CHECK;
/* Remove what crashes left: files older than before_ms. Starts write-back of the large ones on the way. */
enum err spool_sweep(const struct conf *conf, int64_t before_ms, unsigned *did_out) MUST_CHECK;
