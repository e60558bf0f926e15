/* Files and folders for those who store bytes: copied in the kernel where it can, errors told apart. */
#pragma once
#include <sys/stat.h>

#include "blob/blob.h"

/* What errno means for whoever stores something: E_DISK_FULL; E_STORE_DOWN for a folder that is not there
 * (a disk that is not mounted); else E_IO. `what`, `name` and errno's words are the detail. */
enum err file_errno(const char *what, const char *name);

/* Write the whole source to `to`, from its start; flushes nothing. Room is claimed first, so that a disk
 * too full for it is noticed before the first byte moves. A source that ends early is E_IO. */
enum err file_copy(int to, const struct blob_source *source) MUST_CHECK;

/* Exactly size bytes at offset of fd. E_DAMAGED when the file ends before. */
enum err file_read(int fd, uint64_t offset, void *bytes, size_t size) MUST_CHECK;

/* Open a folder below `at` (AT_FDCWD for absolute paths); the last step is not a link. */
enum err folder_open(int at, const char *path, int *fd_out) MUST_CHECK;
/* Make an absolute path's folders, 0700, as far as they are missing; durable. */
enum err folder_make(const char *path) MUST_CHECK;
/* Make what is in the folder durable. */
enum err folder_sync(int folder, const char *name) MUST_CHECK;

/* Bytes free for uploads on the folder's disk: what is kept free is the smaller of `reserve` and 2 % of it. */
enum err folder_room(int folder, uint64_t reserve, uint64_t *bytes_out) MUST_CHECK;

/* Hand every entry but . and .. to fn, in any order, until it fails. One that vanishes meanwhile is left
 * out; fn may remove what it is handed. */
typedef enum err folder_each_fn(void *arg, int folder, const char *name, const struct stat *st);
enum err folder_each(int folder, folder_each_fn *fn, void *arg) MUST_CHECK;

/* The spool, <data>/incoming. The caller closes it. */
enum err spool_folder(const struct conf *conf, int *folder_out) MUST_CHECK;
