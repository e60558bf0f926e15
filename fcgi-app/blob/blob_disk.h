/* Inside the disk store: what its parts know of each other.
 *
 *   <disk_path>/ab/<id>       a blob, by the first two characters of its id; 256 folders, made by prepare
 *   <disk_path>/store_id      the id that also stands in the metadata
 *   <data.path>/incoming/     bodies that the web server is writing (spool.c)
 *   <data.path>/lost/         what no record knew of, set aside
 *
 * blob_disk.c holds the verbs of one blob, blob_disk_many.c many new ones, blob_disk_setup.c the verbs of the
 * store, blob_disk_walk.c those that go through all of it. */
#pragma once
#include "blob/blob.h"

enum { DISK_SHARDS = 256 };

struct disk {
    struct blob_store store; /* first: what the world sees */
    int root;                /* disk_path, opened when first needed; -1 until then */
    const char *incoming, *lost;
};

/* Of two characters [0-9a-f]. */
static inline unsigned disk_shard_number(const char *hex)
{
    unsigned number = 0;
    for (int i = 0; i < 2; i++)
        number = number * 16 + (unsigned)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    return number;
}

static inline struct disk *disk_of(struct blob_store *s)
{
    return (struct disk *)s;
}

enum err disk_root(struct disk *d) MUST_CHECK; /* d->root is open after this */
/* The folder of that number, or of a blob with that id. The caller closes it. */
enum err disk_shard(struct disk *d, unsigned number, int *folder_out) MUST_CHECK;
enum err disk_shard_of(struct disk *d, struct id id, int *folder_out) MUST_CHECK;

/* A new file with those bytes under that name, durable, or nothing; an existing one is never replaced. */
enum err disk_new_file(struct disk *d, int folder, const char *name,
                       const struct blob_source *source) MUST_CHECK;

/* A file in the making: it has no name in the store before its last byte is durable. */
struct draft {
    int fd;
    int incoming; /* where it has a name for the time being; -1: it has none anywhere */
    char name[48];
};
#define DRAFT_NONE ((struct draft){.fd = -1, .incoming = -1})
enum err draft_open(struct disk *d, int folder, struct draft *draft) MUST_CHECK;
void draft_close(struct draft *draft); /* for CLEANUP; also of none */
/* Give an open file that name. Through the descriptor: whatever its path leads to by now does not matter. 0, or -1 and errno. */
int link_by_fd(int folder, const char *name, int fd) MUST_CHECK;
enum err link_failed(const char *name); /* what errno means after that */

enum err disk_put_many(struct blob_store *s, struct blob_put *rows, size_t n) MUST_CHECK;

enum err disk_prepare(struct blob_store *s) MUST_CHECK;
enum err disk_store_id(struct blob_store *s, struct id *id_out) MUST_CHECK;
enum err disk_store_id_set(struct blob_store *s, struct id id) MUST_CHECK;

enum err disk_each(struct blob_store *s, blob_each_fn *fn, void *arg) MUST_CHECK;
enum err disk_set_aside(struct blob_store *s, const char *id) MUST_CHECK;
enum err disk_sweep(struct blob_store *s, int64_t lost_before_ms, unsigned *did_out) MUST_CHECK;
