/* The disk store when system calls fail, when the kernel lacks them, and when the process is killed at each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bench.h"
#include "scratch.h"
#include "traps.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))

enum { SIZE = 2 << 20 }; /* large enough that room is claimed for it */

struct way {
    struct bench *b;
    struct id id;
    const unsigned char *bytes;
    int near, far; /* the same bytes in incoming, and on another file system (in memory) */
    const struct trap *traps;
    enum err (*go)(struct way *w);
};

static enum err by_memory(struct way *w)
{
    return bench_put(w->b, w->id, w->bytes, SIZE);
}

static enum err by_file(struct way *w)
{
    return w->b->s->ops->put(w->b->s, w->id, &(struct blob_source){.fd = w->near, .size = SIZE});
}

static enum err by_far_file(struct way *w)
{
    return w->b->s->ops->put(w->b->s, w->id, &(struct blob_source){.fd = w->far, .size = SIZE});
}

static enum err by_adoption(struct way *w)
{
    return w->b->s->ops->adopt(w->b->s, w->id, w->near);
}

static void way_begin(struct way *w, struct bench *b, enum err (*go)(struct way *w), const struct trap *traps)
{
    *w = (struct way){.b = b, .id = id_new(), .bytes = bench_bytes(b, SIZE, 5), .go = go, .traps = traps};
    w->near = bench_file(b, "data/incoming/7", w->bytes, SIZE);
    w->far = bench_file(b, NULL, w->bytes, SIZE);
}

static void way_end(struct way *w)
{
    CLEANUP(free_mem) char *body = mem_printf(NULL, "%s/data/incoming/7", w->b->dir);
    unlink(body);
    close(w->near);
    close(w->far);
    w->b->s->ops->remove(w->b->s, w->id);
}

/* In a child: the traps, then the deed. */
static int way_trapped(void *arg)
{
    struct way *w = arg;
    for (const struct trap *trap = w->traps; trap->name; trap++)
        if (!trap_set(trap))
            return NO_TRAPS;
    return (int)w->go(w);
}

static void skip_without_traps(int status)
{
    if (child_code(status) != NO_TRAPS)
        return;
    print_message("# skipped: no seccomp here\n");
    skip();
}

/* O_TMPFILE holds the bit of O_DIRECTORY; its own distinguishes it from opening the folder. */
#define NAMELESS (O_TMPFILE & ~O_DIRECTORY)
#define CALL(call, error) {#call, SYS_##call, 0, 0, error}
#define NO_TMPFILE {"O_TMPFILE", SYS_openat, 2, NAMELESS, EOPNOTSUPP}

static const struct {
    enum err (*go)(struct way *w);
    struct trap traps[5];
    enum err want;
} failures[] = {
    {by_memory, {{"O_TMPFILE", SYS_openat, 2, NAMELESS, ENOSPC}}, E_DISK_FULL},
    {by_memory, {{"O_TMPFILE", SYS_openat, 2, NAMELESS, EACCES}}, E_IO},
    {by_memory, {CALL(openat, EMFILE)}, E_IO},
    {by_memory, {CALL(fallocate, ENOSPC)}, E_DISK_FULL},
    {by_memory, {CALL(fallocate, EDQUOT)}, E_DISK_FULL},
    {by_memory, {CALL(fallocate, EIO)}, E_IO},
    {by_memory, {CALL(write, ENOSPC)}, E_DISK_FULL},
    {by_memory, {CALL(write, EDQUOT)}, E_DISK_FULL},
    {by_memory, {CALL(write, EIO)}, E_IO},
    {by_memory, {CALL(write, EFBIG)}, E_IO},
    {by_memory, {CALL(fdatasync, EIO)}, E_IO},
    {by_memory, {CALL(fdatasync, ENOSPC)}, E_DISK_FULL},
    {by_memory, {CALL(linkat, ENOSPC)}, E_DISK_FULL},
    {by_memory, {CALL(linkat, ENOENT)}, E_IO},
    {by_memory, {CALL(linkat, EPERM)}, E_IO},
    {by_memory, {CALL(linkat, EEXIST)}, E_IO},
    {by_memory, {CALL(fsync, EIO)}, E_IO},
    {by_memory, {CALL(fsync, ENOSPC)}, E_DISK_FULL},
    {by_file, {CALL(copy_file_range, ENOSPC)}, E_DISK_FULL},
    {by_file, {CALL(copy_file_range, EIO)}, E_IO},
    {by_file, {CALL(copy_file_range, EXDEV), CALL(sendfile, ENOSPC)}, E_DISK_FULL},
    {by_file, {CALL(copy_file_range, EXDEV), CALL(sendfile, EIO)}, E_IO},
    {by_far_file, {CALL(copy_file_range, ENOSYS), CALL(sendfile, EINVAL), CALL(write, ENOSPC)}, E_DISK_FULL},
    {by_far_file, {CALL(copy_file_range, ENOSYS), CALL(sendfile, EINVAL), CALL(pread64, EIO)}, E_IO},
    {by_file, {CALL(fdatasync, EIO)}, E_IO},
    {by_adoption, {CALL(fdatasync, EIO)}, E_IO},
    {by_adoption, {CALL(fdatasync, ENOSPC)}, E_DISK_FULL},
    {by_adoption, {CALL(linkat, ENOSPC)}, E_DISK_FULL},
    {by_adoption, {CALL(linkat, EMLINK)}, E_IO},
    {by_adoption, {CALL(linkat, EXDEV)}, E_IO}, /* then copied, and linked in vain again */
    {by_adoption, {CALL(fsync, EIO)}, E_IO},
    {by_memory, {NO_TMPFILE, CALL(fallocate, ENOSPC)}, E_DISK_FULL},
    {by_memory, {NO_TMPFILE, CALL(write, EIO)}, E_IO},
    {by_memory, {NO_TMPFILE, CALL(fdatasync, EIO)}, E_IO},
    {by_memory, {NO_TMPFILE, CALL(linkat, EPERM)}, E_IO},
    {by_memory, {NO_TMPFILE, CALL(fsync, EIO)}, E_IO},
};

static void each_failing_call_leaves_nothing_and_can_be_tried_again(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < ROWS(failures); i++) {
        struct way w;
        way_begin(&w, b, failures[i].go, failures[i].traps);
        int status = in_child(way_trapped, &w);
        skip_without_traps(status);
        if (child_code(status) != (int)failures[i].want)
            fail_msg("row %zu: status %x, %s wanted", i, (unsigned)status, err_name(failures[i].want));
        struct listed listed = bench_list(b);
        if (!bench_lacks(b, w.id) || listed.blobs || listed.strangers || bench_entries(b, "data/incoming") != 1)
            fail_msg("row %zu: something is left", i);
        if (w.go(&w) != E_OK || !bench_holds(b, w.id, w.bytes, SIZE))
            fail_msg("row %zu: not possible afterwards", i);
        way_end(&w);
    }
}

/* What a kernel or a file system may lack. */
static const struct {
    enum err (*go)(struct way *w);
    struct trap traps[5];
} lacks[] = {
    {by_memory, {CALL(fallocate, EOPNOTSUPP)}},
    {by_memory, {CALL(fallocate, ENOSYS)}},
    {by_file, {CALL(copy_file_range, EXDEV)}},
    {by_file, {CALL(copy_file_range, EINVAL)}},
    {by_file, {CALL(copy_file_range, ENOSYS)}},
    {by_file, {CALL(copy_file_range, EOPNOTSUPP)}},
    {by_file, {CALL(copy_file_range, EPERM)}},
    {by_file, {CALL(copy_file_range, EXDEV), CALL(sendfile, EINVAL)}},
    {by_far_file, {CALL(copy_file_range, EXDEV), CALL(sendfile, ENOSYS)}},
    {by_memory, {NO_TMPFILE}},
    {by_memory, {{"O_TMPFILE", SYS_openat, 2, NAMELESS, EISDIR}}},
    {by_far_file, {NO_TMPFILE, CALL(copy_file_range, EXDEV), CALL(sendfile, EINVAL), CALL(fallocate, EOPNOTSUPP)}},
};

static void what_a_file_system_lacks_is_done_otherwise(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < ROWS(lacks); i++) {
        struct way w;
        way_begin(&w, b, lacks[i].go, lacks[i].traps);
        int status = in_child(way_trapped, &w);
        skip_without_traps(status);
        if (status != 0 || !bench_holds(b, w.id, w.bytes, SIZE))
            fail_msg("row %zu: status %x", i, (unsigned)status);
        if (bench_entries(b, "data/incoming") != 1)
            fail_msg("row %zu: something is left", i);
        way_end(&w);
    }
}

/* ---- kill -9 ---- */

/* Killed before the call; `blob` when the whole of it is there by then, `leftover` when the spool has to be
 * swept. */
static const struct {
    enum err (*go)(struct way *w);
    struct trap traps[3];
    bool blob, leftover;
} kills[] = {
    {by_memory, {CALL(openat, 0)}, false, false},
    {by_memory, {CALL(fallocate, 0)}, false, false},
    {by_memory, {CALL(write, 0)}, false, false},
    {by_memory, {CALL(fdatasync, 0)}, false, false},
    {by_memory, {CALL(linkat, 0)}, false, false},
    {by_memory, {CALL(fsync, 0)}, true, false},
    {by_file, {CALL(copy_file_range, 0)}, false, false},
    {by_file, {CALL(linkat, 0)}, false, false},
    {by_adoption, {CALL(fdatasync, 0)}, false, false},
    {by_adoption, {CALL(linkat, 0)}, false, false},
    {by_adoption, {CALL(fsync, 0)}, true, false},
    {by_memory, {NO_TMPFILE, CALL(write, 0)}, false, true},
    {by_memory, {NO_TMPFILE, CALL(fdatasync, 0)}, false, true},
    {by_memory, {NO_TMPFILE, CALL(linkat, 0)}, false, true},
    {by_memory, {NO_TMPFILE, CALL(fsync, 0)}, true, true},
};

static void killed_at_any_call_nothing_half_is_visible(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < ROWS(kills); i++) {
        struct way w;
        unsigned did;
        way_begin(&w, b, kills[i].go, kills[i].traps);
        int status = in_child(way_trapped, &w);
        skip_without_traps(status);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
            fail_msg("row %zu: not killed, status %x", i, (unsigned)status);
        if (!(kills[i].blob ? bench_holds(b, w.id, w.bytes, SIZE) : bench_lacks(b, w.id)) ||
            bench_list(b).blobs != kills[i].blob || bench_list(b).strangers)
            fail_msg("row %zu: not as promised", i);
        if (bench_entries(b, "data/incoming") != 1 + kills[i].leftover)
            fail_msg("row %zu: leftovers", i);
        assert_int_equal(spool_sweep(&b->conf, clock_now_ms(&clock_real) + 1000, &did), E_OK);
        if (did != 1u + kills[i].leftover || (kills[i].blob && !bench_holds(b, w.id, w.bytes, SIZE)))
            fail_msg("row %zu: sweep removed %u", i, did);
        way_end(&w);
    }
}

static void killed_at_any_time_nothing_half_is_visible(void **state)
{
    enum { LARGE = 48 << 20, ROUNDS = 20 };
    struct bench *b = *state;
    unsigned killed = 0, whole = 0;
    const unsigned char *bytes = bench_bytes(b, LARGE, 9);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct id id = id_new();
        int status = -1;
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            _exit((int)bench_put(b, id, bytes, LARGE));
        nanosleep(&(struct timespec){.tv_nsec = (long)i * 3000000}, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status);
        bool there = bench_list(b).blobs == 1;
        whole += there;
        if (!(there ? bench_holds(b, id, bytes, LARGE) : bench_lacks(b, id)) || bench_list(b).strangers)
            fail_msg("round %u: half a blob", i);
        if (!there && !WIFSIGNALED(status))
            fail_msg("round %u: done, but nothing is there", i);
        assert_int_equal(b->s->ops->remove(b->s, id), E_OK);
    }
    print_message("# %u of %d killed, %u blobs whole\n", killed, (int)ROUNDS, whole);
    assert_true(killed > 0);
}

/* ---- and when all goes well ---- */

static int descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void descriptors_are_given_back(void **state)
{
    struct bench *b = *state;
    int before = descriptors();
    struct id id = id_new();
    for (int i = 0; i < 20; i++) {
        struct way w;
        way_begin(&w, b, by_adoption, NULL);
        assert_int_equal(w.go(&w), E_OK);
        assert_int_equal(w.go(&w), E_IO); /* the id is taken */
        way_end(&w);
        assert_int_equal(bench_put(b, id, "hello", 5), E_OK);
        assert_int_equal(bench_put(b, id, "hello", 5), E_IO);
        assert_int_equal(bench_list(b).blobs, 1);
        assert_int_equal(b->s->ops->set_aside(b->s, id.s), E_OK);
    }
    assert_int_equal(descriptors(), before);

    struct blob_store *another;
    assert_int_equal(b->opener->open(b, &b->conf, &another), E_OK);
    assert_int_equal(another->ops->remove(another, id), E_OK);
    talloc_free(another);
    assert_int_equal(descriptors(), before);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_prestate_setup_teardown(test, bench_setup, bench_teardown, (void *)&openers[0])
    const struct CMUnitTest tests[] = {
        TEST(each_failing_call_leaves_nothing_and_can_be_tried_again),
        TEST(what_a_file_system_lacks_is_done_otherwise),
        TEST(killed_at_any_call_nothing_half_is_visible),
        TEST(killed_at_any_time_nothing_half_is_visible),
        TEST(descriptors_are_given_back),
    };
    return cmocka_run_group_tests_name("blob_crash", tests, NULL, NULL);
}
