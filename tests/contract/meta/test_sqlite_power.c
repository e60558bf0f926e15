/* A power cut: what the disk has is what was flushed. The operating system's part is played by SQLite's own interface to it
 * (its VFS), which keeps a copy of a file at each flush; after the cut those copies are all that is left. */
#include "bench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 16 };

static struct {
    sqlite3_file *file;
    const sqlite3_io_methods *system; /* what the system would do; not the same for database and log */
    sqlite3_io_methods ours;          /* the same but for flush and close */
    char name[300];
} open_files[FILES];

static sqlite3_vfs *system_vfs;
static sqlite3_vfs our_vfs;
static unsigned flushes;
static bool refuse; /* the disk is broken: flushes fail */

static void copy(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char bytes[65536];
    size_t n;
    while (in != NULL && out != NULL && (n = fread(bytes, 1, sizeof bytes, in)) > 0)
        assert_int_equal(fwrite(bytes, 1, n, out), n);
    if (in != NULL)
        fclose(in);
    if (out != NULL)
        assert_int_equal(fclose(out), 0);
}

static int find(const sqlite3_file *file)
{
    for (int i = 0; i < FILES; i++)
        if (open_files[i].file == file)
            return i;
    return -1;
}

static int our_sync(sqlite3_file *file, int flags)
{
    char kept[320];
    int i = find(file);
    if (refuse)
        return SQLITE_IOERR_FSYNC;
    int code = open_files[i].system->xSync(file, flags);
    if (code != SQLITE_OK)
        return code;
    flushes++;
    snprintf(kept, sizeof kept, "%s.kept", open_files[i].name);
    copy(open_files[i].name, kept);
    return SQLITE_OK;
}

static int our_close(sqlite3_file *file)
{
    int i = find(file);
    open_files[i].file = NULL;
    return open_files[i].system->xClose(file);
}

static int our_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
    (void)vfs;
    int code = system_vfs->xOpen(system_vfs, name, file, flags, flags_out), i = find(NULL);
    if (code != SQLITE_OK || name == NULL || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return code;
    assert_true(i >= 0);
    open_files[i].file = file;
    snprintf(open_files[i].name, sizeof open_files[i].name, "%s", name);
    open_files[i].system = file->pMethods;
    open_files[i].ours = *file->pMethods;
    open_files[i].ours.xSync = our_sync;
    open_files[i].ours.xClose = our_close;
    file->pMethods = &open_files[i].ours;
    return code;
}

static void play_the_system(void)
{
    system_vfs = sqlite3_vfs_find(NULL);
    our_vfs = *system_vfs;
    our_vfs.zName = "power";
    our_vfs.xOpen = our_open;
    assert_int_equal(sqlite3_vfs_register(&our_vfs, 1), SQLITE_OK);
}

/* The store as it is found when the power is back, of all that was written only what was flushed. */
static struct meta *after_the_cut(struct bench *b, const void *ctx)
{
    static unsigned n;
    struct conf *conf = mem_new(ctx, struct conf);
    struct meta *m;
    *conf = b->conf;
    conf->sqlite_path = mem_printf(ctx, "%s/cut-%u.db", b->dir, n++);
    copy(mem_printf(ctx, "%s.kept", b->conf.sqlite_path), conf->sqlite_path);
    copy(mem_printf(ctx, "%s-wal.kept", b->conf.sqlite_path), mem_printf(ctx, "%s-wal", conf->sqlite_path));
    assert_err(meta_sqlite_open(ctx, conf, NULL, &m), E_OK);
    return m;
}

static void every_acknowledged_upload_is_there_after_the_cut(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 30; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct guard g = yes(b->ann.user);
        struct place place;
        struct node file = must_file(b, &b->ann, b->ann.root, mem_printf(mem, "file %d", i), 10 + i);
        struct meta *m = after_the_cut(b, mem);
        assert_err(m->ops->node_get(m, mem, &g, file.id, &place), E_OK);
        assert_int_equal(place.node.size, 10 + i);
        if (i % 10 == 9)
            b->m->ops->checkpoint(b->m); /* the log starts anew: what it held must be in the database by then */
    }
}

static void a_logout_and_a_deletion_hold_after_the_cut(void **state)
{
    struct bench *b = *state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct guard g = yes(b->ann.user);
    struct session s = session_of(b->ann.user, "a token"), found;
    struct user user;
    struct place place;
    struct node file = must_file(b, &b->ann, b->ann.root, "doomed", 1);
    assert_err(b->m->ops->session_add(b->m, &s, 10), E_OK);
    b->m->ops->checkpoint(b->m); /* so far all is on the disk */
    assert_err(b->m->ops->session_end(b->m, b->ann.user, s.id), E_OK);
    assert_err(b->m->ops->node_remove(b->m, &g, file.id, NULL, NOW_MS), E_OK);
    struct meta *m = after_the_cut(b, mem);
    assert_err(m->ops->session_get(m, mem, s.token_hash, NOW_MS, 0, &found, &user), E_SIGN_IN);
    assert_err(m->ops->node_get(m, mem, &g, file.id, &place), E_NOT_FOUND);
}

static void each_write_is_flushed_once(void **state)
{
    struct bench *b = *state;
    must_file(b, &b->ann, b->ann.root, "first", 1);
    unsigned before = flushes;
    must_file(b, &b->ann, b->ann.root, "second", 1);
    assert_int_equal(flushes - before, 1);
}

static void a_disk_that_refuses_to_flush_is_never_a_success(void **state)
{
    struct bench *b = *state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct guard g = yes(b->ann.user);
    struct commit in = commit_of(b->ann.root, "perhaps", 5);
    struct node node;
    bool replaced;
    refuse = true;
    enum err e = b->m->ops->upload_commit(b->m, mem, &g, &in, &node, &replaced);
    refuse = false;
    assert_err(e, E_UNSURE);
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(every_acknowledged_upload_is_there_after_the_cut),
        TEST(a_logout_and_a_deletion_hold_after_the_cut),
        TEST(each_write_is_flushed_once),
        TEST(a_disk_that_refuses_to_flush_is_never_a_success),
    };
    play_the_system();
    return bench_run("sqlite, power cut", tests, ROWS(tests));
}
