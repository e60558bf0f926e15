/* What only a store on disk can find in its folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bench.h"
#include "scratch.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close_fd(&fd);
    return done;
}

static char *below(struct bench *b, const char *name)
{
    return mem_printf(b, "%s/data/%s", b->dir, name);
}

static mode_t mode_of(struct bench *b, const char *name)
{
    struct stat st;
    assert_int_equal(stat(below(b, name), &st), 0);
    return st.st_mode & 07777;
}

static void folders_are_0700_and_files_0600(void **state)
{
    struct bench *b = *state;
    struct id id = id_new();
    char path[64];
    for (unsigned i = 0; i < 256; i++) {
        char name[32];
        snprintf(name, sizeof name, "blobs/%02x", i);
        assert_int_equal(mode_of(b, name), 0700);
    }
    assert_int_equal(mode_of(b, "blobs"), 0700);
    assert_int_equal(mode_of(b, "incoming"), 0700);
    assert_int_equal(mode_of(b, "lost"), 0700);
    assert_int_equal(bench_put(b, id, "hello", 5), E_OK);
    assert_int_equal(b->s->ops->locate(b->s, id, path), E_OK);
    assert_int_equal(mode_of(b, mem_printf(b, "blobs/%s", path)), 0600);
    assert_int_equal(b->s->ops->store_id_set(b->s, id), E_OK);
    assert_int_equal(mode_of(b, "blobs/store_id"), 0600);
    assert_int_equal(bench_entries(b, "data/blobs"), 257);
}

static void touch(struct bench *b, const char *name)
{
    int fd = open(below(b, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void strangers_are_listed_and_can_be_set_aside(void **state)
{
    static const char *const names[] = {
        "ab/note.txt",
        "ab/cd0123456789abcdef0123456789abcd",    /* an id in another's folder */
        "cd/cd0123456789abcdef0123456789abcd.tmp",
        "cd/CD0123456789ABCDEF0123456789ABCD",
        "00/.hidden",
        "ff/name with blanks\nand a line's end",
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ROWS(names); i++) {
        touch(b, mem_printf(b, "blobs/%s", names[i]));
        struct listed listed = bench_list(b);
        if (listed.strangers != 1 || listed.blobs != 0 || strcmp(listed.last, names[i]) != 0)
            fail_msg("row %zu: %u strangers, \"%s\"", i, listed.strangers, listed.last);
        if (b->s->ops->set_aside(b->s, listed.last) != E_OK || bench_list(b).strangers != 0)
            fail_msg("row %zu: stays", i);
        if (bench_entries(b, "data/lost") != (int)i + 1)
            fail_msg("row %zu: not in lost", i);
    }
    assert_int_equal(symlink("/etc/passwd", below(b, "blobs/ab/link")), 0);
    assert_int_equal(bench_list(b).strangers, 1);
    assert_int_equal(b->s->ops->set_aside(b->s, "ab/link"), E_OK);
    assert_int_equal(bench_list(b).strangers, 0);
}

static void set_aside_takes_only_what_each_lists(void **state)
{
    static const char *const names[] = {
        "", "a", "ab", "ab/", "ab/.", "ab/..", "ab/../store_id", "store_id", "../incoming/1", "/etc/passwd", "xy/z",
        "ab/x/y", "AB/x", "ab\\x", "abc/x", "/", "//", "ab//x", "0123456789abcdef0123456789abcdef0",
    };
    struct bench *b = *state;
    touch(b, "blobs/store_id");
    touch(b, "incoming/1");
    for (size_t i = 0; i < ROWS(names); i++)
        if (b->s->ops->set_aside(b->s, names[i]) != E_NOT_FOUND)
            fail_msg("row %zu: %s", i, names[i]);
    assert_int_equal(bench_entries(b, "data/lost"), 0);
}

/* The administrator's things beside the 256 folders (lost+found of a disk, a database when the data folder
 * itself was named) are neither listed nor moved. */
static void what_lies_beside_the_folders_is_not_ours(void **state)
{
    struct bench *b = *state;
    touch(b, "blobs/coffer.db");
    assert_int_equal(mkdir(below(b, "blobs/lost+found"), 0700), 0);
    touch(b, "blobs/lost+found/1");
    assert_int_equal(mkdir(below(b, "blobs/ab/folder"), 0700), 0);
    assert_int_equal(bench_list(b).blobs + bench_list(b).strangers, 0);
}

static void a_second_one_set_aside_replaces_nothing(void **state)
{
    struct bench *b = *state;
    struct id id = id_new();
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(bench_put(b, id, "hello", 5), E_OK);
        assert_int_equal(b->s->ops->set_aside(b->s, id.s), E_OK);
        assert_int_equal(bench_entries(b, "data/lost"), i);
    }
}

/* A disk that is not mounted is an empty folder, or none. That is not the same as a blob that is gone. */
static void a_missing_folder_is_a_store_that_is_down(void **state)
{
    struct bench *b = *state;
    struct id id;
    int fd = -1;
    uint64_t size;
    unsigned did;
    assert_int_equal(id_parse("ab0123456789abcdef0123456789abcd", &id), E_OK);
    assert_int_equal(rmdir(below(b, "blobs/ab")), 0);
    assert_int_equal(bench_put(b, id, "hello", 5), E_STORE_DOWN);
    assert_int_equal(b->s->ops->open(b->s, id, &fd, &size), E_STORE_DOWN);
    assert_int_equal(b->s->ops->remove(b->s, id), E_STORE_DOWN);
    assert_int_equal(rmdir(below(b, "lost")), 0);
    assert_int_equal(b->s->ops->sweep(b->s, 0, &did), E_STORE_DOWN);
    assert_int_equal(b->s->ops->prepare(b->s), E_OK);
    assert_int_equal(bench_put(b, id, "hello", 5), E_OK);

    struct blob_store *fresh;
    b->conf.disk_path = below(b, "nowhere");
    assert_int_equal(b->opener->open(b, &b->conf, &fresh), E_OK);
    assert_int_equal(fresh->ops->store_id(fresh, &id), E_STORE_DOWN);
    assert_int_equal(fresh->ops->room(fresh, &size), E_STORE_DOWN);
}

static void a_blob_that_is_no_file_is_not_read(void **state)
{
    struct bench *b = *state;
    struct id id;
    int fd = -1;
    uint64_t size;
    char *path = below(b, "blobs/ab/ab0123456789abcdef0123456789abcd");
    assert_int_equal(id_parse("ab0123456789abcdef0123456789abcd", &id), E_OK);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(b->s->ops->open(b->s, id, &fd, &size), E_IO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(b->s->ops->open(b->s, id, &fd, &size), E_DAMAGED);
    assert_int_equal(fd, -1);
}

static void a_store_id_that_is_none_is_damage(void **state)
{
    static const char *const texts[] = {
        "", "\n", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcde\n",
        "0123456789abcdef0123456789abcdef\n\n", "0123456789abcdef0123456789abcdeg\n",
        "0123456789abcdef0123456789abcdef0\n",
    };
    struct bench *b = *state;
    struct id id, mine = id_new();
    for (size_t i = 0; i < ROWS(texts); i++) {
        touch(b, "blobs/store_id");
        assert_true(write_text(below(b, "blobs/store_id"), texts[i]));
        if (b->s->ops->store_id(b->s, &id) != E_DAMAGED || b->s->ops->store_id_set(b->s, mine) != E_DAMAGED)
            fail_msg("row %zu", i);
        assert_int_equal(unlink(below(b, "blobs/store_id")), 0);
    }
}

static void the_store_is_chosen_by_configuration(void **state)
{
    struct bench *b = *state;
    struct blob_store *s;
    assert_int_equal(blob_open_store(b, &b->conf, &s), E_OK);
    assert_ptr_equal(s->ops, &blob_disk_ops);
    b->conf.disk_path = "";
    b->conf.s3_bucket = "bucket";
    assert_int_equal(blob_open_store(b, &b->conf, &s), E_OK);
    assert_ptr_equal(s->ops, &blob_s3_ops);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_prestate_setup_teardown(test, bench_setup, bench_teardown, (void *)&openers[0])
    const struct CMUnitTest tests[] = {
        TEST(folders_are_0700_and_files_0600),
        TEST(strangers_are_listed_and_can_be_set_aside),
        TEST(set_aside_takes_only_what_each_lists),
        TEST(what_lies_beside_the_folders_is_not_ours),
        TEST(a_second_one_set_aside_replaces_nothing),
        TEST(a_missing_folder_is_a_store_that_is_down),
        TEST(a_blob_that_is_no_file_is_not_read),
        TEST(a_store_id_that_is_none_is_damage),
        TEST(the_store_is_chosen_by_configuration),
    };
    return cmocka_run_group_tests_name("blob_disk", tests, NULL, NULL);
}
