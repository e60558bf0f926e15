/* `coffer migrate`: an installation's records or contents from one store to another, while nobody works with either.
 *
 * The source is read only. The target is empty, or what an earlier run into it left: run again, it goes on. All that went over is read
 * back and compared by SHA-256, and counted; only then the target gets the mark that lets `coffer serve` start with it. */
#pragma once
#include "jobs/transfer.h"

/* The contents that the records of `conf` know, from the store of `from` to that of `to`. What is left out (told) are contents that
 * the source itself has lost. E_FOREIGN_STORE: one of the stores holds another installation's; E_BUSY: the records changed meanwhile. */
enum err migrate_blobs(const struct conf *conf, const struct conf *from, const struct conf *to, struct transfer *t) MUST_CHECK;
/* The records of the store of `from` to that of `to`; sessions and links go with them. count.files are records. E_FOREIGN_STORE: TO holds
 * something else, or another state of the same; E_DAMAGED: they are not the same afterwards. */
enum err migrate_records(const struct conf *conf, const struct conf *from, const struct conf *to, struct transfer *t) MUST_CHECK;
