/* `coffer backup` and `coffer restore`, from and into any stores. A backup is a folder laid out as the data folder of an installation on
 * SQLite and disk is, whatever the stores it was made from:
 *
 *   coffer.db        all records as of one moment, one closed file
 *   blobs/ab/<id>    the contents they refer to
 *   backup.json      written last: format, store_id, when, how much
 *   coffer.conf      the configuration file, when there was one
 *
 * Run again into the same folder, only what is new is copied; until the new coffer.db takes its place the folder is the backup it
 * was before. */
#pragma once
#include "jobs/transfer.h"

/* What is left out (told) are contents that the store itself has lost. E_BUSY: another one into this folder is running;
 * E_FOREIGN_STORE: the folder holds something else. */
enum err backup_make(struct core *c, const char *folder, struct transfer *t) MUST_CHECK;
/* Into the stores that conf names, where there must be no records and no contents yet but those of a restore that was broken off. */
enum err backup_restore(const struct conf *conf, const char *folder, struct transfer *t) MUST_CHECK;

/* How much a backup to make or restore has to move, for the time left; called by both through here. */
struct backup_sum {
    uint64_t files, bytes;
};
enum err backup_survey(struct meta *m, struct backup_sum *out) MUST_CHECK;

/* ---- shared ---- */
/* The settings of a store that lies in `folder` as a backup does. Goes with ctx. */
struct conf *backup_conf(const void *ctx, const struct conf *conf, const char *folder);
/* A database with a name of its own, with the settings of conf. Goes with ctx. */
enum err backup_use(const void *ctx, const struct conf *conf, const char *database, struct meta **out) MUST_CHECK;
/* Called before a batch of so many bytes is moved. */
typedef enum err backup_hold_fn(void *arg, uint64_t bytes);
/* Every blob that m knows, from one store to the other; what is there already stays. */
enum err backup_blobs(struct meta *m, struct blob_store *from, struct blob_store *to, struct transfer *t, backup_hold_fn *hold,
                      void *arg) MUST_CHECK;
/* What SQLite leaves beside a database that was not closed; it must never meet another database of that name. */
bool backup_has_journal(const char *database);
enum err backup_remove_database(const char *database) MUST_CHECK; /* with its journals; E_OK also when there is none */
/* Records and contents in that folder agree (fsck, not deep): E_DAMAGED with the first finding. */
enum err backup_verify(const struct conf *conf) MUST_CHECK;
/* A copy of a file, durable, in place of what had the name. */
enum err backup_file(const char *from, const char *to) MUST_CHECK;
