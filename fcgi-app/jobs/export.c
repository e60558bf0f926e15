/* A tree going out into plain folders. A file gets its name when its bytes and its time are complete: whatever ends the run, the
 * next one finds whole files and goes on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/name.h"
#include "blob/file.h"
#include "core/node.h"
#include "jobs/transfer.h"

#define PAGE       500
#define COARSE_MS  2000 /* the time of a file on FAT is even seconds */
#define PART_MAX   64

struct export {
    struct core *c;
    const struct who *who;
    struct transfer *t;
    struct buf path; /* of the node at hand, below the target */
};

static enum err walk(struct export *ex, struct id folder, int to);

static const char *path_of(const struct export *ex)
{
    return ex->path.len > 0 ? ex->path.data : ".";
}

static void set_time(int fd, int64_t modified_ms)
{
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT}, {.tv_sec = modified_ms / 1000, .tv_nsec = modified_ms % 1000 * 1000000},
    };
    (void)futimens(fd, times); /* some file systems only nearly do it: see same_time */
}

static bool same_time(const struct stat *st, int64_t modified_ms)
{
    int64_t ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000, off = ms - modified_ms;
    return off == 0 || (st->st_mtim.tv_nsec == 0 && off > -COARSE_MS && off < COARSE_MS);
}

/* ---- one file ---- */
/* Where its bytes are until they are complete; the same name in the next run, which then begins it anew. */
static void part_name(const struct node *node, char name[PART_MAX])
{
    snprintf(name, PART_MAX, ".coffer-part-%s", node->id.s);
}

static enum err append(void *arg, const void *bytes, size_t n)
{
    return spool_write(*(int *)arg, bytes, n);
}

static enum err write_bytes(struct export *ex, const struct node *node, int to)
{
    CLEANUP(close_fd) int from = -1;
    uint64_t size;
    if (!(ex->c->blobs->ops->can & BLOB_CAN_SENDFILE))
        return ex->c->blobs->ops->read(ex->c->blobs, node->blob, 0, (uint64_t)node->size, append, &to);
    TRY(ex->c->blobs->ops->open(ex->c->blobs, node->blob, &from, &size));
    if (size != (uint64_t)node->size)
        return err_set(E_DAMAGED, "%llu bytes are stored", (unsigned long long)size);
    return file_copy(to, &(struct blob_source){.fd = from, .size = size});
}

/* Never over a file that came there meanwhile; file systems without that promise get the next best. */
static int give_name(int folder, const char *part, const char *name, bool replace)
{
    if (replace)
        return renameat(folder, part, folder, name);
    int failed = renameat2(folder, part, folder, name, RENAME_NOREPLACE);
    if (failed && (errno == EINVAL || errno == ENOSYS))
        return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? (errno = EEXIST, -1) : renameat(folder, part, folder, name);
    return failed;
}

/* What is wrong with the target's disk as a whole ends the run; what is wrong with one file is told. */
static enum err tell_failure(struct export *ex, enum err e)
{
    if (e == E_DISK_FULL || e == E_STORE_DOWN)
        return e;
    transfer_tell(ex->t, false, path_of(ex), "%s", e == E_NOT_FOUND ? "its contents are gone: deleted or replaced just now, else see coffer fsck"
                                                                  : err_last(e)->detail);
    return E_OK;
}

static enum err write_file(struct export *ex, const struct node *node, int folder, bool replace)
{
    char part[PART_MAX];
    part_name(node, part);
    CLEANUP(close_fd) int fd = openat(folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum err e = fd < 0 ? file_errno("make a file for", node->name) : write_bytes(ex, node, fd);
    if (e == E_OK) {
        set_time(fd, node->modified_ms);
        if (give_name(folder, part, node->name, replace) != 0)
            e = err_set(E_IO, "it cannot have its name: %s", strerror(errno));
    }
    if (e != E_OK) {
        if (fd >= 0)
            unlinkat(folder, part, 0);
        return tell_failure(ex, e);
    }
    ex->t->count.files++;
    ex->t->count.bytes += (uint64_t)node->size;
    return E_OK;
}

/* Two names that differ by case are one on some file systems: then the second finds the first. */
static bool is_previous(int folder, const struct stat *there, const char *previous)
{
    struct stat st;
    return previous != NULL && fstatat(folder, previous, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == there->st_ino &&
           st.st_dev == there->st_dev;
}

static enum err put_file(struct export *ex, const struct node *node, int folder, const char *previous)
{
    struct stat st;
    if (fstatat(folder, node->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return write_file(ex, node, folder, false);
    if (is_previous(folder, &st, previous)) {
        transfer_tell(ex->t, false, path_of(ex), "this disk cannot tell it from %s", previous);
        return E_OK;
    }
    if (S_ISREG(st.st_mode) && st.st_size == node->size && same_time(&st, node->modified_ms)) {
        ex->t->count.there++;
        ex->t->count.there_bytes += (uint64_t)node->size;
        return E_OK;
    }
    if (S_ISREG(st.st_mode) && ex->t->replace)
        return write_file(ex, node, folder, true);
    transfer_tell(ex->t, false, path_of(ex), S_ISREG(st.st_mode) ? "a file of that name with another size or time is there (--replace replaces it)"
                                                               : "something else of that name is there");
    return E_OK;
}

/* ---- folders ---- */
static enum err put_folder(struct export *ex, const struct node *node, int folder, const char *previous)
{
    struct stat st;
    int made = mkdirat(folder, node->name, 0700), why = errno;
    CLEANUP(close_fd) int fd = openat(folder, node->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        if (made != 0 && why == ENOSPC)
            return err_set(E_DISK_FULL, "make folder: no room");
        transfer_tell(ex->t, false, path_of(ex), "the folder and all below it: it cannot be made: %s", strerror(made != 0 && why != EEXIST ? why : errno));
        return E_OK;
    }
    if (made != 0 && is_previous(folder, &st, previous)) {
        transfer_tell(ex->t, false, path_of(ex), "the folder and all below it: this disk cannot tell it from %s", previous);
        return E_OK;
    }
    ex->t->count.folders += made == 0;
    TRY(walk(ex, node->id, fd));
    set_time(fd, node->modified_ms);
    return E_OK;
}

static enum err put_node(struct export *ex, const struct node *node, int folder, const char *previous)
{
    size_t len = ex->path.len;
    buf_printf(&ex->path, "%s%s", len > 0 ? "/" : "", node->name);
    enum err e = node->kind == NODE_FOLDER ? put_folder(ex, node, folder, previous) : put_file(ex, node, folder, previous);
    ex->path.len = len;
    ex->path.data[len] = '\0';
    transfer_progress(ex->t);
    return e;
}

/* The list is ordered by the folded name: those that differ only by case follow each other. */
static enum err put_page(struct export *ex, const struct node_list *list, int folder, char **last, char **last_key, void *mem)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct node *node = &list->items[i];
        bool alike = *last_key != NULL && strcmp(*last_key, node->key) == 0;
        TRY(put_node(ex, node, folder, alike ? *last : NULL));
        talloc_free(*last);
        talloc_free(*last_key);
        *last = mem_str(mem, node->name);
        *last_key = mem_str(mem, node->key);
    }
    return E_OK;
}

static enum err walk(struct export *ex, struct id folder, int to)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char *next = NULL, *last = NULL, *last_key = NULL;
    do {
        CLEANUP(free_mem) void *page = talloc_new(NULL);
        const struct node_query q = {.sort = SORT_NAME, .limit = PAGE, .after = next};
        struct place place;
        struct node_list list;
        enum err e = node_entries(ex->c, page, ex->who, folder, &q, &place, &list);
        if (e == E_NOT_FOUND) {
            transfer_tell(ex->t, false, path_of(ex), "the folder and the rest of it: deleted just now");
            return E_OK;
        }
        TRY(e);
        TRY(put_page(ex, &list, to, &last, &last_key, mem));
        talloc_free(next);
        next = mem_str(mem, list.next);
    } while (next != NULL);
    return E_OK;
}

enum err export_tree(struct core *c, const struct who *who, struct transfer *t, struct id source, int target)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct export ex = {.c = c, .who = who, .t = t};
    struct place place;
    buf_init(&ex.path, mem, PATH_MAX_BYTES + NAME_MAX_BYTES + 2);
    TRY(node_show(c, mem, who, source, &place));
    TRY(place.node.kind == NODE_FOLDER ? walk(&ex, source, target) : put_node(&ex, &place.node, target, NULL));
    return syncfs(target) == 0 ? E_OK : file_errno("syncfs of", "the target");
}
