#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/shm.h"

/* A child that does one thing, and the status of its end. */
static pid_t child_of(void (*what)(struct shm *), struct shm *shm)
{
    pid_t child = fork();
    if (child == 0) {
        what(shm);
        _exit(0);
    }
    assert_true(child > 0);
    return child;
}

static int end_of(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static int ready[2];

static void lock_and_die(struct shm *shm)
{
    if (shm_lock(shm, 1000) != E_OK)
        _exit(1);
    raise(SIGKILL);
}

static void lock_and_stay(struct shm *shm)
{
    if (shm_lock(shm, 1000) != E_OK)
        _exit(1);
    if (write(ready[1], "x", 1) != 1)
        _exit(1);
    pause();
}

#define ROUNDS 20000

static uint64_t *counter; /* not atomic on purpose */

static void count(struct shm *shm)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (shm_lock(shm, 10000) != E_OK)
            _exit(1);
        volatile uint64_t *c = counter;
        *c = *c + 1;
        shm_unlock(shm);
    }
}

static void one_writer_at_a_time(void **state)
{
    struct shm *shm = shm_new();
    (void)state;
    counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(counter, MAP_FAILED);
    pid_t a = child_of(count, shm), b = child_of(count, shm);
    assert_int_equal(end_of(a), 0);
    assert_int_equal(end_of(b), 0);
    assert_int_equal(*counter, 2 * ROUNDS);
    munmap(counter, sizeof *counter);
    munmap(shm, sizeof *shm);
}

static void a_holder_that_died_is_recovered_from(void **state)
{
    struct shm *shm = shm_new();
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(end_of(child_of(lock_and_die, shm)), SIGKILL);
        assert_int_equal(shm_lock(shm, 1000), E_OK);
        shm_unlock(shm);
    }
    munmap(shm, sizeof *shm);
}

static void waiting_ends(void **state)
{
    struct shm *shm = shm_new();
    char byte;
    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t holder = child_of(lock_and_stay, shm);
    assert_int_equal(read(ready[0], &byte, 1), 1);

    int64_t start = clock_monotonic_ms();
    assert_int_equal(shm_lock(shm, 150), E_STORE_DOWN);
    int64_t waited = clock_monotonic_ms() - start;
    assert_true(waited >= 140);
    assert_true(err_last(E_STORE_DOWN)->retry_after_s > 0);
    assert_int_equal(shm_lock(shm, 0), E_STORE_DOWN);
    assert_int_equal(shm_lock(shm, 1999), E_STORE_DOWN); /* nanoseconds carry into seconds */

    kill(holder, SIGKILL);
    end_of(holder);
    assert_int_equal(shm_lock(shm, 0), E_OK);
    shm_unlock(shm);
    close(ready[0]);
    close(ready[1]);
    munmap(shm, sizeof *shm);
}

static void without_a_page_the_lock_is_ones_own(void **state)
{
    (void)state;
    assert_int_equal(shm_lock(NULL, 0), E_OK);
    assert_int_equal(shm_lock(NULL, 0), E_OK);
    shm_unlock(NULL);
}

static void bump(struct shm *shm)
{
    shm->requests++;
    shm->store_down_until_ms = 42;
}

static void the_page_is_shared_and_begins_zeroed(void **state)
{
    struct shm *shm = shm_new();
    (void)state;
    assert_true(shm->requests == 0 && shm->uploads_reserved == 0 && shm->keeper_seen_ms == 0);
    end_of(child_of(bump, shm));
    assert_true(shm->requests == 1 && shm->store_down_until_ms == 42);
    munmap(shm, sizeof *shm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_writer_at_a_time),
        cmocka_unit_test(a_holder_that_died_is_recovered_from),
        cmocka_unit_test(waiting_ends),
        cmocka_unit_test(without_a_page_the_lock_is_ones_own),
        cmocka_unit_test(the_page_is_shared_and_begins_zeroed),
    };
    return cmocka_run_group_tests_name("shm", tests, NULL, NULL);
}
