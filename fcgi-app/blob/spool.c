#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "blob/blob.h"
#include "blob/file.h"

enum {
    DIGITS_MAX = 32,
    WRITE_BACK_FROM = 16 << 20, /* smaller ones are flushed fast enough when they are done */
    WRITE_BACK_STEP = 1 << 20,  /* what is still growing is left alone, so that no page is written twice */
};

enum err spool_folder(const struct conf *conf, int *folder_out)
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s/incoming", conf->data_path);
    return folder_open(AT_FDCWD, path, folder_out);
}

/* The digits behind <data>/incoming/, or NULL. Compared as text: the web server's file is made from the
 * same setting, and what is not exactly that name did not come from there. */
static const char *spool_name(const struct conf *conf, const char *path)
{
    static const char folder[] = "/incoming/";
    size_t len = strlen(conf->data_path), digits;
    if (strncmp(path, conf->data_path, len) != 0 || strncmp(path + len, folder, sizeof folder - 1) != 0)
        return NULL;
    path += len + sizeof folder - 1;
    digits = strspn(path, "0123456789");
    return digits > 0 && digits <= DIGITS_MAX && path[digits] == '\0' ? path : NULL;
}

static enum err refuse(const char *path, const char *why)
{
    return err_set(E_FRONT, "the web server named the body file %s: %s", path, why);
}

enum err spool_open(const struct conf *conf, const char *path, int *fd_out, uint64_t *size_out)
{
    const char *name = spool_name(conf, path);
    if (!name)
        return refuse(path,
                      "not a number in the folder incoming below data.path (see client_body_temp_path)");

    CLEANUP(close_fd) int folder = -1;
    struct stat st;
    TRY(spool_folder(conf, &folder));
    CLEANUP(close_fd) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO))
        return file_errno("open", path);
    if (fd < 0 || fstat(fd, &st) != 0)
        return refuse(path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return refuse(path, "not a regular file");
    if (st.st_nlink != 1)
        return refuse(path, "it has a second name");
    if (st.st_uid != geteuid())
        return refuse(path, "it belongs to another user; the web server must run as the same user");
    *size_out = (uint64_t)st.st_size;
    *fd_out = fd;
    fd = -1; /* the caller's now */
    return E_OK;
}

enum err spool_empty(const struct conf *conf, const char *path)
{
    CLEANUP(close_fd) int fd = -1;
    char again[64];
    uint64_t size;
    TRY(spool_open(conf, path, &fd, &size));
    snprintf(again, sizeof again, "/proc/self/fd/%d", fd); /* the file that was checked, for writing */
    return truncate(again, 0) == 0 ? E_OK : file_errno("truncate", path);
}

/* ---- the sweeper ---- */

struct sweep {
    int64_t before_ms;
    unsigned *did;
};

/* The web server uses a name again once it is free. So between looking at a file and removing its name, make
 * sure that the name still means that file; one that old has no owner who would free it in between. */
static enum err remove_same(int folder, const char *name, int fd, unsigned *did)
{
    struct stat open_one, named;
    if (fstat(fd, &open_one) != 0)
        return file_errno("stat", name);
    if (fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? E_OK : file_errno("stat", name);
    if (named.st_ino != open_one.st_ino || named.st_dev != open_one.st_dev)
        return E_OK;
    if (unlinkat(folder, name, 0) != 0)
        return errno == ENOENT ? E_OK : file_errno("remove", name);
    ++*did;
    return E_OK;
}

/* Have the disk begin with what has arrived, so that the flush after the last byte finds little left to do.
 * Only dirty pages that are not on their way yet are taken, and nothing is waited for: it is no more than a
 * hint, and safe to give again and again. */
static void write_back(int fd, off_t size)
{
    off_t settled = size - size % WRITE_BACK_STEP;
    if (size >= WRITE_BACK_FROM)
        (void)sync_file_range(fd, 0, settled, SYNC_FILE_RANGE_WRITE);
}

static enum err sweep_entry(void *arg, int folder, const char *name, const struct stat *seen)
{
    struct sweep *sweep = arg;
    struct stat st;
    if (!S_ISREG(seen->st_mode))
        return E_OK;
    CLEANUP(close_fd) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return E_OK; /* finished meanwhile, or someone else's: no business of ours */
    if ((int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 < sweep->before_ms)
        return remove_same(folder, name, fd, sweep->did);
    write_back(fd, st.st_size);
    return E_OK;
}

enum err spool_sweep(const struct conf *conf, int64_t before_ms, unsigned *did_out)
{
    CLEANUP(close_fd) int folder = -1;
    *did_out = 0;
    TRY(spool_folder(conf, &folder));
    return folder_each(folder, sweep_entry, &(struct sweep){.before_ms = before_ms, .did = did_out});
}
