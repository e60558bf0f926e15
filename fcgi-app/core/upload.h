/* Uploads: reserve, store the bytes, commit. The order of writes is that of docs/architecture.md and never
 * changes: bytes durable, then linked, then one metadata transaction, then the answer. */
#pragma once
#include "core/core.h"

struct upload_target {
    struct id parent;            /* "" = root of the personal space */
    const char *name;            /* normalised by upload; NULL: not known yet (a form) */
    enum conflict conflict;
    struct expect expect;
    int64_t modified_ms;         /* 0: now */
};

/* Before the bytes: rights, parent, name, size limit, disk room, quota. declared -1: unknown length. */
enum err upload_reserve(struct core *c, void *mem, const struct who *who, const struct upload_target *t, int64_t declared,
                        struct upload *out) MUST_CHECK;

/* The bytes of one file, wherever they are. */
struct upload_bytes {
    int spool_fd;                /* adopt the whole file (spool_open), or -1 */
    struct blob_source source;   /* else copy from here */
    uint64_t size;
};

/* Store and commit one file. reservation "": charged now (small bodies). keep: more files follow on this reservation.
 * On any failure the bytes are gone or left to the keeper, and the quota is as before. */
enum err upload_store(struct core *c, void *mem, const struct who *who, const struct upload_target *t, struct id reservation,
                      bool keep, const struct upload_bytes *bytes, struct node *node_out, bool *replaced_out) MUST_CHECK;

enum err upload_show(struct core *c, void *mem, const struct who *who, struct id id, struct upload *out) MUST_CHECK; /* E_UPLOAD_GONE */
/* Give the reservation back; also when it is gone already. Only the owner's. */
enum err upload_abandon(struct core *c, const struct who *who, struct id id) MUST_CHECK;
