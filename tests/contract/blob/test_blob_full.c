/* The disk store on disks of its own: full ones, two of them. They are mounted in a namespace that goes with
 * the child process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bench.h"
#include "scratch.h"
#include "traps.h"

#define MIB (1024u * 1024)
#define ROWS(table) (sizeof(table) / sizeof *(table))

enum { NO_MOUNTS = 78 };

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close_fd(&fd);
    return done;
}

/* Root just mounts; anyone else becomes root of a user namespace first, where the kernel allows it. */
static bool become_root(void)
{
    char users[64], groups[64];
    snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
    return unshare(CLONE_NEWUSER) == 0 && write_text("/proc/self/setgroups", "deny") &&
           write_text("/proc/self/uid_map", users) && write_text("/proc/self/gid_map", groups);
}

static bool may_mount(void)
{
    if (geteuid() != 0 && !become_root())
        return false;
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool mount_disk(struct bench *b, const char *folder, const char *options)
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s/%s", b->dir, folder);
    return mount("tmpfs", path, "tmpfs", 0, options) == 0;
}

static void skip_without_mounts(int status)
{
    if (child_code(status) != NO_MOUNTS)
        return;
    print_message("# skipped: no file system can be mounted here; test_blob_crash covers ENOSPC by failing calls\n");
    skip();
}

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            return 1;                                                                                        \
        }                                                                                                    \
    } while (0)

static uint64_t room(struct bench *b)
{
    uint64_t bytes = 0;
    return b->s->ops->room(b->s, &bytes) == E_OK ? bytes : UINT64_MAX;
}

static bool too_large(struct bench *b, const struct blob_source *source)
{
    struct id id = id_new();
    uint64_t before = room(b);
    struct listed list = bench_list(b);
    return b->s->ops->put(b->s, id, source) == E_DISK_FULL && bench_lacks(b, id) && room(b) == before &&
           bench_list(b).blobs == list.blobs && bench_list(b).strangers == 0 && bench_entries(b, "data/incoming") == 0;
}

/* What the kernel then does not have. */
static const struct trap no_promise = {"fallocate", SYS_fallocate, 0, 0, EOPNOTSUPP};
static const struct trap no_range = {"copy_file_range", SYS_copy_file_range, 0, 0, EXDEV};
static const struct trap no_sendfile = {"sendfile", SYS_sendfile, 0, 0, EINVAL};
static const struct trap no_nameless = {"O_TMPFILE", SYS_openat, 2, O_TMPFILE & ~O_DIRECTORY, EOPNOTSUPP};

static int full_disk(void *arg)
{
    enum { DISK = 6 << 20, LARGE = 9 << 20, SMALL = 200 << 10, MOST = 64 };
    struct bench *b = arg;
    if (!may_mount() || !mount_disk(b, "data", "size=6m,mode=0700"))
        return NO_MOUNTS;
    MUST(b->opener->open(b, &b->conf, &b->s) == E_OK && b->s->ops->prepare(b->s) == E_OK);

    const unsigned char *bytes = bench_bytes(b, LARGE, 4);
    const struct blob_source memory = {.data = bytes, .fd = -1, .size = LARGE};
    const struct blob_source file = {.fd = bench_file(b, "source", bytes, LARGE), .size = LARGE};
    MUST(room(b) > DISK / 2 && room(b) <= DISK);
    MUST(too_large(b, &memory) && too_large(b, &file));

    /* Full to the brim by blobs that all fit. */
    struct id ids[MOST];
    unsigned n = 0;
    enum err e = E_OK;
    while (n < MOST && (e = bench_put(b, ids[n] = id_new(), bytes + n, SMALL)) == E_OK)
        n++;
    MUST(e == E_DISK_FULL && n > DISK / SMALL / 2 && bench_lacks(b, ids[n]) && bench_list(b).blobs == n);
    for (unsigned i = 0; i < n; i++)
        MUST(bench_holds(b, ids[i], bytes + i, SMALL));
    MUST(b->s->ops->remove(b->s, ids[0]) == E_OK); /* works on a full disk */
    MUST(bench_put(b, ids[0], bytes, SMALL) == E_OK);

    /* Without promises of room: the disk fills while writing. And without nameless files. */
    MUST(trap_set(&no_promise));
    MUST(too_large(b, &memory) && too_large(b, &file));
    MUST(trap_set(&no_range));
    MUST(too_large(b, &file));
    MUST(trap_set(&no_sendfile));
    MUST(too_large(b, &file));
    MUST(trap_set(&no_nameless));
    MUST(too_large(b, &memory) && too_large(b, &file));
    return 0;
}

static void a_full_disk_is_told_and_nothing_stays(void **state)
{
    int status = in_child(full_disk, *state);
    skip_without_mounts(status);
    assert_int_equal(status, 0);
}

static int reserved(void *arg)
{
    struct bench *b = arg;
    struct statvfs v;
    if (!may_mount() || !mount_disk(b, "data", "size=8m,mode=0700"))
        return NO_MOUNTS;
    MUST(b->opener->open(b, &b->conf, &b->s) == E_OK && b->s->ops->prepare(b->s) == E_OK);
    MUST(statvfs(b->conf.data_path, &v) == 0);

    uint64_t all = (uint64_t)v.f_bavail * v.f_frsize, part = (uint64_t)v.f_blocks * v.f_frsize / 50;
    const struct { int64_t reserve; uint64_t want; } rows[] = {
        {0, all}, {4096, all - 4096}, {1 << 30, all - part}, {INT64_MAX, all - part},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        b->conf.data_reserve = rows[i].reserve;
        MUST(room(b) == rows[i].want);
    }

    /* The smaller disk counts when there are two; and a disk with less than the reserve has no room. */
    MUST(mount_disk(b, "data/incoming", "size=1m"));
    MUST(room(b) < MIB && room(b) > MIB / 2);
    unsigned char *bytes = bench_bytes(b, MIB, 1);
    close(bench_file(b, "data/incoming/1", bytes, MIB));
    MUST(room(b) == 0);
    return 0;
}

static void room_leaves_the_reserve_out(void **state)
{
    int status = in_child(reserved, *state);
    skip_without_mounts(status);
    assert_int_equal(status, 0);
}

static int another_disk(void *arg)
{
    struct bench *b = arg;
    struct id id = id_new();
    unsigned did = 99;
    if (!may_mount() || !mount_disk(b, "data/blobs", "size=8m,mode=0700"))
        return NO_MOUNTS;
    MUST(b->opener->open(b, &b->conf, &b->s) == E_OK && b->s->ops->prepare(b->s) == E_OK);

    unsigned char *bytes = bench_bytes(b, 2 * MIB, 6);
    int body = bench_file(b, "data/incoming/1", bytes, 2 * MIB);
    MUST(b->s->ops->adopt(b->s, id, body) == E_OK && bench_holds(b, id, bytes, 2 * MIB));
    MUST(b->s->ops->set_aside(b->s, id.s) == E_OK && bench_lacks(b, id) && bench_list(b).strangers == 0);
    MUST(bench_entries(b, "data/lost") == 1);
    MUST(b->s->ops->sweep(b->s, INT64_MAX, &did) == E_OK && did == 1);
    return 0;
}

static void blobs_on_another_disk_are_copied(void **state)
{
    int status = in_child(another_disk, *state);
    skip_without_mounts(status);
    assert_int_equal(status, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_prestate_setup_teardown(test, bench_setup, bench_teardown, (void *)&openers[0])
    const struct CMUnitTest tests[] = {
        TEST(a_full_disk_is_told_and_nothing_stays),
        TEST(room_leaves_the_reserve_out),
        TEST(blobs_on_another_disk_are_copied),
    };
    return cmocka_run_group_tests_name("blob_full", tests, NULL, NULL);
}
