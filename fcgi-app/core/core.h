/* The domain. Every function takes `who` asks, judges rights inside the store's transaction (core/perm.h),
 * and gives records and deliveries. Knows no HTTP, no SQL, no HTML.
 *
 * Outputs belong to `mem`. Beyond what a function names, any of them may fail with E_STORE_DOWN,
 * E_DISK_FULL, E_IO or E_DAMAGED. */
#pragma once
#include "base/clock.h"
#include "base/err.h"
#include "base/shm.h"
#include "blob/blob.h"
#include "conf/conf.h"
#include "meta/meta.h"
#include "model/model.h"

struct core {
    const struct conf *conf;
    const struct clock *clock;
    struct shm *shm;          /* NULL on the command line */
    struct meta *meta;
    struct blob_store *blobs;
    struct media *media;      /* core/media.h */
    int stop_fd;              /* readable when long jobs should break off; -1: never */
};

/* The stores, opened and matched (E_FOREIGN_STORE when their store_id differ). Goes with ctx. */
enum err core_open(const void *ctx, const struct conf *conf, struct shm *shm, const struct clock *clock, struct core **out) MUST_CHECK;
/* A folder named by its id that is gone answers as one that is somebody else's: E_NOT_FOUND for E_NO_PARENT. */
enum err parent_gone(enum err e) MUST_CHECK;
/* What `serve` does before the first worker: schema upgraded, folders made, store ids matched or set. */
enum err core_prepare(const struct conf *conf) MUST_CHECK;
