/* What the keeper does by itself and the command line on request. Each job works in batches, may be stopped
 * between two, and is safe to run on several hosts at once. */
#pragma once
#include "core/core.h"

/* Sessions, reservations and throttle windows that are over. */
enum err job_expire(struct core *c, unsigned *did_out) MUST_CHECK;
/* What lies below deleted folders: versions dropped, quota given back. */
enum err job_reap(struct core *c, unsigned *did_out) MUST_CHECK;
/* Contents nobody refers to, after gc.grace. */
enum err job_collect(struct core *c, unsigned *did_out) MUST_CHECK;
/* Files of the blob store without a record, older than a day: into lost/. Refuses (E_DAMAGED) when that
 * would be more than 100 files or 1 % of all: then the metadata is to blame, not the files. */
enum err job_orphans(struct core *c, unsigned *did_out) MUST_CHECK;
/* SHA-256 of contents that have none yet. */
enum err job_hash(struct core *c, unsigned *did_out) MUST_CHECK;
/* The spool: write-back started early, what crashes left removed. */
enum err job_spool(struct core *c, unsigned *did_out) MUST_CHECK;
/* What a crash left half done in the blob store: uploads in parts to S3 are ended. */
enum err job_tidy(struct core *c, unsigned *did_out) MUST_CHECK;
enum err job_checkpoint(struct core *c, unsigned *did_out) MUST_CHECK;

/* Every job once. */
enum err jobs_once(struct core *c, unsigned *did_out) MUST_CHECK;

/* The keeper's role function (pool/pool.h). */
struct worker;
int keeper_run(const struct worker *worker);

/* No keeper on any host has the turn for what concerns all; E_BUSY when one has, and so a Coffer runs somewhere. */
enum err keepers_rest(struct meta *m) MUST_CHECK;

/* `coffer fsck`: the invariants among records, and that every blob's bytes are there with the right size; `deep` reads all
 * of them and compares SHA-256. Findings are told one by one. */
struct fsck_result {
    unsigned notices, repaired, damaged;
};
enum err fsck(struct core *c, bool deep, bool repair, finding_fn *report, void *arg, struct fsck_result *out) MUST_CHECK;
