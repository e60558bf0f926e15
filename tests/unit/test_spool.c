#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "../contract/blob/scratch.h"
#include "../contract/blob/traps.h"
#include "base/clock.h"
#include "base/mem.h"
#include "blob/blob.h"

static struct spool {
    char dir[256];
    struct conf conf;
} spool;

static int setup(void **state)
{
    (void)state;
    scratch_make(spool.dir);
    spool.conf = (struct conf){.data_path = spool.dir};
    CLEANUP(free_mem) char *incoming = mem_printf(NULL, "%s/incoming", spool.dir);
    return mkdir(incoming, 0700);
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(spool.dir);
    return 0;
}

/* A path below the data folder; good until four more were asked for. */
static const char *at(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", spool.dir, name);
    return path;
}

static void make_file(const char *name, const char *text)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static enum err try_open(const char *path)
{
    int fd = -1;
    uint64_t size = 0;
    enum err e = spool_open(&spool.conf, path, &fd, &size);
    if (e == E_OK)
        close(fd);
    else
        assert_int_equal(fd, -1);
    return e;
}

static void a_body_is_opened_and_its_size_told(void **state)
{
    int fd = -1;
    uint64_t size = 0;
    char text[8] = "";
    (void)state;
    make_file("incoming/0000000001", "hello");
    assert_int_equal(spool_open(&spool.conf, at("incoming/0000000001"), &fd, &size), E_OK);
    assert_int_equal(size, 5);
    assert_int_equal(read(fd, text, sizeof text), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
}

static void other_names_are_refused(void **state)
{
    static const char *const names[] = {
        "incoming/", "incoming", "", "coffer.db", "incoming/x", "incoming/1x", "incoming/x1", "incoming/1/",
        "incoming/../1", "incoming/../coffer.db", "incoming/./1", "incoming//1", "incoming/1/../1", "incoming/-1",
        "incoming/1 ", "incoming/ 1", "incoming/1\n", "incoming/0x1", "incoming2/1", "Incoming/1",
        "incoming/000000000000000000000000000000001", /* 33 digits */
        "blobs/ab/1", "1", "incoming/put.0123456789abcdef0123456789abcdef",
    };
    (void)state;
    make_file("incoming/1", "hello");
    make_file("incoming/000000000000000000000000000000001", "hello");
    make_file("incoming/1x", "hello");
    make_file("incoming/1 ", "hello");
    make_file("1", "hello");
    make_file("coffer.db", "secret");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (try_open(at(names[i])) != E_FRONT)
            fail_msg("row %zu: %s", i, names[i]);
    assert_int_equal(try_open("incoming/1"), E_FRONT);
    assert_int_equal(try_open("1"), E_FRONT);
    assert_int_equal(try_open(""), E_FRONT);
    assert_int_equal(try_open("/etc/passwd"), E_FRONT);
    assert_int_equal(try_open(at("incoming/1")), E_OK);
}

static void make_link(void)
{
    assert_int_equal(symlink(at("coffer.db"), at("incoming/1")), 0);
}

static void make_dangling_link(void)
{
    assert_int_equal(symlink("nothing", at("incoming/1")), 0);
}

static void make_hard_link(void)
{
    assert_int_equal(link(at("coffer.db"), at("incoming/1")), 0);
}

static void make_fifo(void)
{
    assert_int_equal(mkfifo(at("incoming/1"), 0600), 0);
}

static void make_folder(void)
{
    assert_int_equal(mkdir(at("incoming/1"), 0700), 0);
}

static void make_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(snprintf(address.sun_path, sizeof address.sun_path, "%s", at("incoming/1")) < (int)sizeof address.sun_path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void make_nothing(void)
{
}

static void whatever_is_no_plain_file_of_ours_is_refused(void **state)
{
    static const struct { const char *name; void (*make)(void); } rows[] = {
        {"a link to a file", make_link},     {"a link to nothing", make_dangling_link},
        {"a second name", make_hard_link},   {"a FIFO", make_fifo},
        {"a folder", make_folder},           {"a socket", make_socket},
        {"nothing", make_nothing},
    };
    (void)state;
    make_file("coffer.db", "secret");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rows[i].make();
        if (try_open(at("incoming/1")) != E_FRONT || !*err_last(E_FRONT)->detail)
            fail_msg("row %zu: %s", i, rows[i].name);
        remove(at("incoming/1"));
    }
}

static int open_as_nobody(void *arg)
{
    (void)arg;
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 100;
    int fd;
    uint64_t size;
    return (int)spool_open(&spool.conf, at("incoming/1"), &fd, &size);
}

static void a_file_of_another_user_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("# skipped: needs root to make a file of another user\n");
        skip();
    }
    make_file("incoming/1", "hello");
    assert_int_equal(chown(at("incoming/1"), 65534, 65534), 0);
    assert_int_equal(try_open(at("incoming/1")), E_FRONT);

    /* The other way round: readable by permission, yet not ours. */
    assert_int_equal(chown(at("incoming/1"), 0, 0), 0);
    assert_int_equal(chmod(at("incoming/1"), 0644), 0);
    assert_int_equal(chmod(at("incoming"), 0755), 0);
    assert_int_equal(chmod(spool.dir, 0755), 0);
    assert_int_equal(child_code(in_child(open_as_nobody, NULL)), E_FRONT);
    assert_int_equal(chmod(at("incoming/1"), 0600), 0);
    assert_int_equal(child_code(in_child(open_as_nobody, NULL)), E_FRONT);
}

static void the_folder_itself_is_not_a_link(void **state)
{
    (void)state;
    make_file("incoming/1", "hello");
    assert_int_equal(rename(at("incoming"), at("elsewhere")), 0);
    assert_int_equal(symlink("elsewhere", at("incoming")), 0);
    assert_int_not_equal(try_open(at("incoming/1")), E_OK);
    assert_int_equal(unlink(at("incoming")), 0);
    assert_int_equal(try_open(at("incoming/1")), E_STORE_DOWN);
}

/* ---- the sweeper ---- */

static void set_age(const char *name, int64_t seconds)
{
    time_t then = (time_t)(clock_now_ms(&clock_real) / 1000 - seconds);
    const struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};
    assert_int_equal(utimensat(AT_FDCWD, at(name), times, AT_SYMLINK_NOFOLLOW), 0);
}

static bool there(const char *name)
{
    struct stat st;
    return lstat(at(name), &st) == 0;
}

static void the_old_go_the_young_stay(void **state)
{
    int64_t hour_ago_ms = clock_now_ms(&clock_real) - 3600000;
    unsigned did = 99;
    (void)state;
    make_file("incoming/1", "old");
    make_file("incoming/2", "young");
    make_file("incoming/put.0123", "left by a crash");
    make_file("incoming/3", "old, and adopted before the crash");
    assert_int_equal(link(at("incoming/3"), at("blob")), 0);
    set_age("incoming/1", 3700);
    set_age("incoming/2", 3500);
    set_age("incoming/3", 90000);
    set_age("incoming/put.0123", 90000);

    assert_int_equal(spool_sweep(&spool.conf, hour_ago_ms, &did), E_OK);
    assert_int_equal(did, 3);
    assert_false(there("incoming/1"));
    assert_true(there("incoming/2"));
    assert_false(there("incoming/3"));
    assert_false(there("incoming/put.0123"));
    assert_true(there("blob"));
    assert_int_equal(spool_sweep(&spool.conf, hour_ago_ms, &did), E_OK);
    assert_int_equal(did, 0);
}

static void what_is_no_file_is_left_alone(void **state)
{
    unsigned did = 99;
    (void)state;
    make_file("coffer.db", "secret");
    set_age("coffer.db", 90000);
    assert_int_equal(symlink(at("coffer.db"), at("incoming/1")), 0);
    assert_int_equal(mkfifo(at("incoming/2"), 0600), 0);
    assert_int_equal(mkdir(at("incoming/3"), 0700), 0);
    make_file("incoming/3/4", "below");
    set_age("incoming/1", 90000);
    set_age("incoming/2", 90000);
    set_age("incoming/3/4", 90000);
    set_age("incoming/3", 90000);
    assert_int_equal(spool_sweep(&spool.conf, clock_now_ms(&clock_real) - 1000, &did), E_OK);
    assert_int_equal(did, 0);
    assert_true(there("incoming/1") && there("incoming/2") && there("incoming/3/4") && there("coffer.db"));
}

/* The one call that starts write-back kills: so the end of the child tells whether it was made. */
static int sweep_trapped(void *arg)
{
    static const struct trap trap = {"sync_file_range", SYS_sync_file_range, 3, SYNC_FILE_RANGE_WRITE, 0};
    unsigned did = 99;
    (void)arg;
    if (!trap_set(&trap))
        return NO_TRAPS;
    return spool_sweep(&spool.conf, clock_now_ms(&clock_real) - 3600000, &did) == E_OK && did == 0 ? 0 : 1;
}

static void write_back_begins_with_large_files_only(void **state)
{
    static const struct { off_t size; bool want; } rows[] = {{0, false}, {1 << 20, false}, {16 << 20, true}, {100 << 20, true}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_file("incoming/1", "");
        assert_int_equal(truncate(at("incoming/1"), rows[i].size), 0);
        int status = in_child(sweep_trapped, NULL);
        if (child_code(status) == NO_TRAPS) {
            print_message("# skipped: no seccomp here\n");
            skip();
        }
        bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if (killed != rows[i].want || (!killed && child_code(status) != 0))
            fail_msg("row %zu: status %x", i, (unsigned)status);
        assert_int_equal(unlink(at("incoming/1")), 0);
    }
}

static void write_back_changes_nothing(void **state)
{
    enum { SIZE = (17 << 20) + 5 };
    unsigned did = 99;
    (void)state;
    char *bytes = mem_array(NULL, char, SIZE), *again = mem_array(NULL, char, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7 + i / 1000);
    make_file("incoming/1", "");
    CLEANUP(close_fd) int fd = open(at("incoming/1"), O_RDWR | O_CLOEXEC);
    assert_int_equal(write(fd, bytes, SIZE), SIZE);
    assert_int_equal(spool_sweep(&spool.conf, clock_now_ms(&clock_real) - 3600000, &did), E_OK);
    assert_int_equal(did, 0);
    assert_int_equal(pread(fd, again, SIZE, 0), SIZE);
    assert_memory_equal(bytes, again, SIZE);
    talloc_free(bytes);
    talloc_free(again);
}

static void a_missing_folder_is_told(void **state)
{
    unsigned did = 99;
    (void)state;
    assert_int_equal(rmdir(at("incoming")), 0);
    assert_int_equal(spool_sweep(&spool.conf, 0, &did), E_STORE_DOWN);
    assert_int_equal(did, 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_body_is_opened_and_its_size_told),
        TEST(other_names_are_refused),
        TEST(whatever_is_no_plain_file_of_ours_is_refused),
        TEST(a_file_of_another_user_is_refused),
        TEST(the_folder_itself_is_not_a_link),
        TEST(the_old_go_the_young_stay),
        TEST(what_is_no_file_is_left_alone),
        TEST(write_back_begins_with_large_files_only),
        TEST(write_back_changes_nothing),
        TEST(a_missing_folder_is_told),
    };
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
