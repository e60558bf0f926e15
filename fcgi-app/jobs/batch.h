/* Folders and files on their way in: gathered until flushing them costs little for each, then stored by one flush of the disk
 * and one transaction, in the order of docs/architecture.md. */
#pragma once
#include <sys/stat.h>

#include "core/perm.h"
#include "jobs/transfer.h"

#define BATCH_ROWS      400
#define BATCH_SMALL     (256u << 10)            /* bytes of a file that goes through memory, and is hashed on the way */
#define BATCH_MEMORY    (8u << 20)              /* bytes of such files at most */
#define BATCH_OPEN      48                      /* larger files at most; they are copied by the kernel */
#define BATCH_LINKS     200                     /* with links there is no copy: more of them */
#define BATCH_BYTES     (INT64_C(512) << 20)    /* all of them */

struct batch {
    struct core *c;
    struct perm perm;
    struct transfer *t;
    void *mem;                    /* what the rows need; emptied by a flush */
    struct commit_row rows[BATCH_ROWS];
    struct blob_put puts[BATCH_ROWS];
    const char *paths[BATCH_ROWS];
    size_t n, open;
    uint64_t memory, bytes;
    struct id like;               /* see batch_id */
};

struct batch *batch_new(const void *ctx, struct core *c, const struct who *who, struct transfer *t);
/* A new id that shares its first 32 bits with the others of this batch and is random behind them: so their rows stand together in
 * the store, and a transaction changes tens of pages instead of thousands. */
struct id batch_id(const struct batch *b);
/* A folder that earlier rows may not know: its id is good for parents of later rows at once. */
enum err batch_folder(struct batch *b, const char *path, const struct node *folder) MUST_CHECK;
/* A file: takes fd over, closes it. `name` is normal; the source's time is in modified_ms. */
enum err batch_file(struct batch *b, const char *path, int fd, const struct stat *st, struct id parent, const char *name,
                    bool replace, int64_t modified_ms) MUST_CHECK;
/* Store what was gathered. Fails only with faults that end the import; what refuses one file is told. */
enum err batch_flush(struct batch *b) MUST_CHECK;
