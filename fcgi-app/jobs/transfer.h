/* Trees of files going in and out: `coffer import`, `coffer export`. Both go on where they were broken off, leave nothing
 * out in silence, and need memory for the folders they stand in, not for the tree. */
#pragma once
#include "core/core.h"

struct transfer_count {
    uint64_t files, bytes, folders; /* moved by this run */
    uint64_t there, there_bytes;    /* files that were there already */
    uint64_t left_out, notes;       /* lines told */
    uint64_t copied;                /* of the files: copied although they were to be linked */
    uint64_t compared;              /* read back and found the same, by SHA-256 */
};

struct transfer {
    bool link;    /* import: hard links where it can */
    bool replace; /* what is there with other contents is replaced, not left out */
    bool compare; /* contents between stores: each is read back from where it went */
    /* One file or folder was left out, or (note) something about it changed: path and sentence. */
    void (*tell)(void *arg, bool note, const char *path, const char *why);
    void (*progress)(void *arg, const struct transfer_count *count); /* often */
    void *arg;
    struct transfer_count count;
};

/* Everything below the open folder `source` into the folder `target`. E_OK also when something was left out: see count. */
enum err import_tree(struct core *c, const struct who *who, struct transfer *t, int source, struct id target) MUST_CHECK;
/* How much there is below it, for the time left; what cannot be read counts nothing. */
void import_survey(int source, uint64_t *files_out, uint64_t *bytes_out);

/* Everything below `source` (or the one file it is) into the open folder `target`. */
enum err export_tree(struct core *c, const struct who *who, struct transfer *t, struct id source, int target) MUST_CHECK;

/* ---- shared ---- */
PRINTF(4, 5) void transfer_tell(struct transfer *t, bool note, const char *path, const char *format, ...);
/* One that nobody watches, for what is a part of something else. */
struct transfer transfer_quiet(void);
static inline void transfer_progress(const struct transfer *t)
{
    t->progress(t->arg, &t->count);
}
