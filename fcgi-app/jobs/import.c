/* A folder of the file system going in, by descriptors from the top down: nothing is followed, nothing is left out in silence. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/name.h"
#include "core/node.h"
#include "jobs/batch.h"
#include "jobs/seen.h"

#define LEVELS_MOST 4096 /* of a survey; an import ends at PATH_MAX_DEPTH */

struct import {
    struct core *c;
    const struct who *who;
    struct transfer *t;
    struct batch *batch;
    struct buf path;       /* of the entry at hand, below the source */
    struct stat own[2];    /* the data folder and the blobs: never imported into themselves */
};

/* A folder that is being read, and what it becomes. */
struct level {
    int fd;
    struct id node;
    bool fresh;            /* made by this run: nothing is in it */
    size_t depth, bytes;   /* of its path in Coffer */
    void *mem;
    struct seen names, keys;
};

static void close_dir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static int64_t time_of(const struct stat *st)
{
    int64_t ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
    return ms > 0 ? ms : 1; /* 0 would mean now */
}

static const char *kind_of(mode_t mode)
{
    return S_ISLNK(mode) ? "a symbolic link" : S_ISFIFO(mode) ? "a named pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

static enum err walk(struct import *im, struct level *at);

/* ---- names ---- */
/* The name as Coffer keeps it; false: told why not. */
static bool take_name(struct import *im, struct level *at, const char *name, char **normal_out)
{
    const char *path = im->path.data;
    if (name_normal(at->mem, name, strlen(name), normal_out) != E_OK) {
        transfer_tell(im->t, false, path, utf8_valid(name, strlen(name)) ? "its name has characters that cannot be kept, or more than 255 bytes"
                                                                         : "its name is not UTF-8");
        return false;
    }
    if (at->depth + 1 > PATH_MAX_DEPTH || at->bytes + strlen(*normal_out) + 1 > PATH_MAX_BYTES) {
        transfer_tell(im->t, false, path, "its path would have more than %d levels or %d bytes", PATH_MAX_DEPTH, PATH_MAX_BYTES);
        return false;
    }
    CLEANUP(free_mem) char *key = name_key(at->mem, *normal_out);
    bool same_name = seen_add(&at->names, at->mem, *normal_out), same_key = seen_add(&at->keys, at->mem, key);
    if (same_name)
        transfer_tell(im->t, false, path, "another name in this folder is the same in Unicode's normal form NFC");
    else if (same_key)
        transfer_tell(im->t, true, path, "another name in this folder differs only by upper and lower case; both are kept");
    return !same_name;
}

/* What stands there already. */
static enum err look(struct import *im, const struct level *at, void *mem, const char *name, struct node *out, bool *found_out)
{
    struct spot spot;
    *found_out = false;
    if (at->fresh)
        return E_OK;
    TRY(node_at(im->c, mem, im->who, at->node, &name, 1, &spot));
    *found_out = spot.missing == 0;
    *out = spot.place.node;
    return E_OK;
}

/* ---- files ---- */
static bool open_file(struct import *im, const struct level *at, const char *name, struct stat *st, int *fd_out)
{
    CLEANUP(close_fd) int fd = openat(at->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        transfer_tell(im->t, false, im->path.data, "it cannot be opened: %s", fd < 0 ? strerror(errno) : "it just became something else");
        return false;
    }
    *fd_out = fd;
    fd = -1;
    return true;
}

/* Is it to be stored? What has the same size and time is there since an earlier run. */
static bool wanted(struct import *im, const struct node *there, const struct stat *st)
{
    const char *path = im->path.data;
    if (there->kind == NODE_FOLDER) {
        transfer_tell(im->t, false, path, "a folder of that name is there");
        return false;
    }
    if (there->size == (int64_t)st->st_size && there->modified_ms == time_of(st)) {
        im->t->count.there++;
        im->t->count.there_bytes += (uint64_t)st->st_size;
        return false;
    }
    if (!im->t->replace)
        transfer_tell(im->t, false, path, "a file of that name with another size or time is there (--replace replaces it)");
    return im->t->replace;
}

static enum err take_file(struct import *im, struct level *at, const char *name, const char *normal)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct stat st;
    struct node there;
    bool found;
    int fd;
    if (!open_file(im, at, name, &st, &fd))
        return E_OK;
    enum err e = look(im, at, mem, normal, &there, &found);
    if (e != E_OK || (found && !wanted(im, &there, &st))) {
        close_fd(&fd);
        return e;
    }
    if (st.st_mtim.tv_sec < 0)
        transfer_tell(im->t, true, im->path.data, "its time lies before 1970; it gets that year's first moment");
    return batch_file(im->batch, im->path.data, fd, &st, at->node, normal, im->t->replace, time_of(&st));
}

/* ---- folders ---- */
static bool is_own(const struct import *im, const struct stat *st)
{
    for (size_t i = 0; i < sizeof im->own / sizeof *im->own; i++)
        if (im->own[i].st_ino == st->st_ino && im->own[i].st_dev == st->st_dev)
            return true;
    return false;
}

static bool open_folder(struct import *im, const struct level *at, const char *name, struct stat *st, int *fd_out)
{
    const char *path = im->path.data;
    CLEANUP(close_fd) int fd = openat(at->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, st) != 0) {
        transfer_tell(im->t, false, path, "the folder and all below it: it cannot be opened: %s", strerror(errno));
        return false;
    }
    if (is_own(im, st)) {
        transfer_tell(im->t, false, path, "the folder and all below it: these are Coffer's own files");
        return false;
    }
    *fd_out = fd;
    fd = -1;
    return true;
}

static enum err make_folder(struct import *im, struct level *below, const struct level *at, const char *normal, const struct stat *st)
{
    struct node node = {
        .id = batch_id(im->batch), .parent = at->node, .name = normal, .kind = NODE_FOLDER, .created_ms = clock_now_ms(im->c->clock),
        .modified_ms = time_of(st),
    };
    below->node = node.id;
    below->fresh = true;
    return batch_folder(im->batch, im->path.data, &node);
}

static enum err take_folder(struct import *im, struct level *at, const char *name, const char *normal)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    CLEANUP(close_fd) int fd = -1;
    struct stat st;
    struct node there;
    bool found;
    if (!open_folder(im, at, name, &st, &fd))
        return E_OK;
    struct level below = {.fd = fd, .depth = at->depth + 1, .bytes = at->bytes + strlen(normal) + 1, .mem = mem};
    TRY(look(im, at, mem, normal, &there, &found));
    if (found && there.kind != NODE_FOLDER) {
        transfer_tell(im->t, false, im->path.data, "the folder and all below it: a file of that name is there");
        return E_OK;
    }
    if (found)
        below.node = there.id;
    else
        TRY(make_folder(im, &below, at, normal, &st));
    return walk(im, &below);
}

/* ---- the walk ---- */
static enum err take_entry(struct import *im, struct level *at, const char *name)
{
    struct stat st;
    char *normal = NULL;
    if (fstatat(at->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        transfer_tell(im->t, false, im->path.data, "it cannot be looked at: %s", strerror(errno));
        return E_OK;
    }
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        transfer_tell(im->t, false, im->path.data, "it is %s", kind_of(st.st_mode));
        return E_OK;
    }
    enum err e = E_OK;
    if (take_name(im, at, name, &normal))
        e = S_ISDIR(st.st_mode) ? take_folder(im, at, name, normal) : take_file(im, at, name, normal);
    talloc_free(normal);
    transfer_progress(im->t);
    return e;
}

static enum err walk(struct import *im, struct level *at)
{
    CLEANUP(close_dir) DIR *dir = fdopendir(fcntl(at->fd, F_DUPFD_CLOEXEC, 0));
    size_t len = im->path.len;
    const struct dirent *entry = NULL;
    while (dir != NULL && (errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        buf_printf(&im->path, "%s%s", len > 0 ? "/" : "", entry->d_name);
        TRY(take_entry(im, at, entry->d_name));
        im->path.len = len;
    }
    if (errno != 0)
        transfer_tell(im->t, false, len > 0 ? mem_strn(at->mem, im->path.data, len) : ".", "the rest of the folder: it cannot be read: %s",
                      strerror(errno));
    return E_OK;
}

static enum err start(struct import *im, void *mem, int source, struct id target, struct level *top)
{
    struct place place;
    struct stat st;
    *top = (struct level){.fd = source, .node = target, .mem = mem};
    TRY(node_show(im->c, mem, im->who, target, &place));
    top->depth = place.depth;
    for (size_t i = 0; i < place.depth; i++)
        top->bytes += strlen(place.ancestors[i].name) + 1;
    top->bytes += strlen(place.node.name) + 1;
    if (stat(im->c->conf->data_path, &im->own[0]) != 0 || stat(*im->c->conf->disk_path ? im->c->conf->disk_path : im->c->conf->data_path,
                                                               &im->own[1]) != 0)
        return err_set(E_STORE_DOWN, "the data folder %s: %m", im->c->conf->data_path);
    if (fstat(source, &st) != 0)
        return err_set(E_IO, "the source: %m");
    return is_own(im, &st) ? err_say(E_FIELD_INVALID, "These are Coffer's own files.") : E_OK;
}

enum err import_tree(struct core *c, const struct who *who, struct transfer *t, int source, struct id target)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct import im = {.c = c, .who = who, .t = t, .batch = batch_new(mem, c, who, t)};
    struct level top;
    buf_init(&im.path, mem, (size_t)LEVELS_MOST * (NAME_MAX_BYTES + 1));
    TRY(start(&im, mem, source, target, &top));
    enum err e = walk(&im, &top);
    enum err last = e == E_OK || !meta_fault(e) ? batch_flush(im.batch) : E_OK;
    return e != E_OK ? e : last;
}

/* ---- the survey ---- */
static void survey(int fd, unsigned levels, uint64_t *files, uint64_t *bytes)
{
    CLEANUP(close_dir) DIR *dir = fdopendir(fd);
    const struct dirent *entry;
    struct stat st;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(st.st_mode)) {
            ++*files;
            *bytes += (uint64_t)st.st_size;
        } else if (S_ISDIR(st.st_mode) && levels < PATH_MAX_DEPTH) {
            int below = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0)
                survey(below, levels + 1, files, bytes);
        }
    }
}

void import_survey(int source, uint64_t *files_out, uint64_t *bytes_out)
{
    *files_out = *bytes_out = 0;
    int again = openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again >= 0)
        survey(again, 0, files_out, bytes_out);
}
