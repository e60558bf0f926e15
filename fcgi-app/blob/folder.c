#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "blob/file.h"

enum err folder_open(int at, const char *path, int *fd_out)
{
    *fd_out = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *fd_out < 0 ? file_errno("open folder", path) : E_OK;
}

enum err folder_sync(int folder, const char *name)
{
    return fsync(folder) == 0 ? E_OK : file_errno("fsync folder", name);
}

/* One step of folder_make: *at becomes the folder `name` in it. Folders on the way need not be readable, so
 * they are walked by O_PATH; the one that got a new entry is opened once more to be flushed. */
static enum err make_step(int *at, const char *name)
{
    if (mkdirat(*at, name, 0700) == 0) {
        CLEANUP(close_fd) int parent = openat(*at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
            return file_errno("open the folder around", name);
        TRY(folder_sync(parent, name));
    } else if (errno != EEXIST) {
        return file_errno("make folder", name);
    }
    int next = openat(*at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (next < 0)
        return file_errno("open folder", name);
    close_fd(at);
    *at = next;
    return E_OK;
}

enum err folder_make(const char *path)
{
    CLEANUP(close_fd) int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return file_errno("open folder", "/");
    for (const char *p = path; *p;) {
        size_t len = strcspn(p, "/");
        char name[NAME_MAX + 1] = "";
        if (len > NAME_MAX)
            return err_set(E_IO, "make folder %s: a name in it is too long", path);
        memcpy(name, p, len);
        if (len > 0)
            TRY(make_step(&at, name));
        p += len + strspn(p + len, "/");
    }
    return E_OK;
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

enum err folder_each(int folder, folder_each_fn *fn, void *arg)
{
    int again; /* a description of its own: nobody else's place in the list moves */
    TRY(folder_open(folder, ".", &again));
    CLEANUP(close_dir) DIR *dir = fdopendir(again);
    if (!dir) {
        close_fd(&again);
        return file_errno("list", "folder");
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno ? file_errno("list", "folder") : E_OK;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        struct stat st;
        if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            TRY(fn(arg, folder, entry->d_name, &st));
        else if (errno != ENOENT)
            return file_errno("stat", entry->d_name);
    }
}

enum err folder_room(int folder, uint64_t reserve, uint64_t *bytes_out)
{
    struct statvfs v;
    if (fstatvfs(folder, &v) != 0)
        return file_errno("statvfs", "blob folder");
    uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    uint64_t part = (uint64_t)v.f_blocks * v.f_frsize / 50; /* 2 % */
    uint64_t kept = reserve < part ? reserve : part;
    *bytes_out = free_bytes > kept ? free_bytes - kept : 0;
    return E_OK;
}
