#include "base/shm.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "base/log.h"

static void check(bool worked, const char *what)
{
    if (worked)
        return;
    log_say(LOG_ERROR, "shared-page", "%s: %m", what);
    abort();
}

struct shm *shm_new(void)
{
    pthread_mutexattr_t kind;
    struct shm *shm = mmap(NULL, sizeof *shm, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    check(shm != MAP_FAILED, "mmap");

    check((errno = pthread_mutexattr_init(&kind)) == 0, "mutex attributes");
    check((errno = pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED)) == 0, "shared mutex");
    check((errno = pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST)) == 0, "robust mutex");
    /* taking it twice or giving what one does not hold is found at once, not as a hanging worker */
    check((errno = pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK)) == 0, "checked mutex");
    check((errno = pthread_mutex_init(&shm->writers, &kind)) == 0, "mutex");
    pthread_mutexattr_destroy(&kind);
    return shm;
}

static struct timespec from_now(unsigned timeout_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t); /* the day's clock may jump */
    t.tv_sec += timeout_ms / 1000;
    t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

enum err shm_lock(struct shm *shm, unsigned timeout_ms)
{
    if (shm == NULL)
        return E_OK;
    struct timespec end = from_now(timeout_ms);
    int failed = pthread_mutex_clocklock(&shm->writers, CLOCK_MONOTONIC, &end);
    /* Whoever died with the lock left nothing half done behind: the lock guards no data of this page, and
     * SQLite rolls the dead one's transaction back by itself. */
    if (failed == EOWNERDEAD)
        failed = pthread_mutex_consistent(&shm->writers);
    if (failed == ETIMEDOUT)
        return err_retry(E_STORE_DOWN, 1);
    assert(failed != EDEADLK); /* this process holds it already */
    return failed == 0 ? E_OK : err_set(E_INTERNAL, "writers' lock: error %d", failed);
}

void shm_unlock(struct shm *shm)
{
    if (shm == NULL)
        return;
    int failed = pthread_mutex_unlock(&shm->writers);
    assert(failed == 0);
    (void)failed;
}
