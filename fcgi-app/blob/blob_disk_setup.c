#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "blob/blob_disk.h"
#include "blob/file.h"

static const char STORE_ID[] = "store_id";

enum err disk_prepare(struct blob_store *s)
{
    struct disk *d = disk_of(s);
    TRY(folder_make(d->incoming));
    TRY(folder_make(d->lost));
    TRY(folder_make(s->conf->disk_path));
    TRY(disk_root(d));
    for (unsigned i = 0; i < DISK_SHARDS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%02x", i);
        if (mkdirat(d->root, name, 0700) != 0 && errno != EEXIST)
            return file_errno("make blob folder", name);
    }
    return folder_sync(d->root, s->conf->disk_path);
}

enum err disk_store_id(struct blob_store *s, struct id *id_out)
{
    struct disk *d = disk_of(s);
    TRY(disk_root(d));
    CLEANUP(close_fd) int fd = openat(d->root, STORE_ID, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return err_set(E_NOT_FOUND, "the blob folder has no store_id yet");
    char text[ID_LEN + 2]; /* the id, a line's end, and room to see that more follows */
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n < 0)
        return file_errno("read", STORE_ID);
    if (n != ID_LEN + 1 || text[ID_LEN] != '\n')
        return err_set(E_DAMAGED, "the file store_id in the blob folder does not hold an id");
    text[ID_LEN] = '\0';
    if (id_parse(text, id_out) != E_OK)
        return err_set(E_DAMAGED, "the file store_id in the blob folder does not hold an id");
    return E_OK;
}

enum err disk_store_id_set(struct blob_store *s, struct id id)
{
    struct id there;
    enum err e = disk_store_id(s, &there);
    if (e == E_OK)
        return id_eq(there, id) ? E_OK
                                : err_set(E_FOREIGN_STORE, "the blob folder belongs to store %s", there.s);
    if (e != E_NOT_FOUND)
        return e;

    char text[ID_LEN + 2];
    struct disk *d = disk_of(s);
    snprintf(text, sizeof text, "%s\n", id.s);
    return disk_new_file(d, d->root, STORE_ID,
                         &(struct blob_source){.data = text, .fd = -1, .size = strlen(text)});
}
