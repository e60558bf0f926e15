/* What the processes of one host share: a page made before the fork (MAP_SHARED | MAP_ANONYMOUS). */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"

struct shm {
    pthread_mutex_t writers;             /* robust: one writer at a time in front of SQLite's own lock */
    _Atomic int64_t store_down_until_ms; /* monotonic; before it every worker answers E_STORE_DOWN at once */
    _Atomic int64_t store_up_ms;         /* monotonic; when a worker last had an answer from a metadata store behind a network */
    _Atomic int64_t blobs_down_until_ms; /* the same for a blob store behind a network */
    _Atomic int64_t keeper_seen_ms;      /* real time of the keeper's last completed round */
    _Atomic uint64_t requests;
    _Atomic uint64_t uploads_reserved;   /* bytes of open reservations granted by this host; a hint for the disk check */
};

struct shm *shm_new(void); /* ends the process when the kernel has no page to give */

/* Take and give the writers' lock. E_STORE_DOWN with retry-after when not had within timeout_ms. A holder
 * that died is recovered from. A NULL shm (command line) is a lock of one's own: always granted. */
enum err shm_lock(struct shm *shm, unsigned timeout_ms) MUST_CHECK;
void shm_unlock(struct shm *shm);
