#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "blob/file.h"
#include "blob/s3.h"

/* A record is made as ".<id>" and gets its name when it is locked, whole and durable. Its text:
 *
 *   <host> <bucket's base or -> <key>\n<upload id>\n */
enum { RECORD_MAX = 8192, NAME_BYTES = ID_LEN + 2 };
static const int64_t DRAFT_MS = 24 * 3600 * 1000;

static const char *folder_path(const struct s3 *s, const void *mem)
{
    return mem_printf(mem, "%s/s3-multipart", s->store.conf->data_path);
}

enum err s3_record_folder(const struct s3 *s)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    return folder_make(folder_path(s, mem));
}

static enum err open_folder(const struct s3 *s, int *fd_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    return folder_open(AT_FDCWD, folder_path(s, mem), fd_out);
}

/* Where the upload goes: a record of another bucket is not ours to end. */
static char *place(const struct s3 *s, const void *mem, struct id id)
{
    const struct conf *conf = s->store.conf;
    return mem_printf(mem, "%s %s %sblobs/%s", conf->s3_host, *conf->s3_base ? conf->s3_base : "-", s->prefix, id.s);
}

enum err s3_record_make(const struct s3 *s, struct id id, const char *upload, int *fd_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    CLEANUP(close_fd) int folder = -1;
    char draft[NAME_BYTES];
    const char *text = mem_printf(mem, "%s\n%s\n", place(s, mem, id), upload);
    snprintf(draft, sizeof draft, ".%s", id.s);
    TRY(open_folder(s, &folder));
    CLEANUP(close_fd) int fd = openat(folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        return file_errno("make the record", draft);
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fsync(fd) != 0 || renameat(folder, draft, folder, id.s) != 0) {
        enum err e = file_errno("write the record", draft);
        unlinkat(folder, draft, 0);
        return e;
    }
    TRY(folder_sync(folder, "s3-multipart"));
    *fd_out = fd;
    fd = -1; /* the caller's now */
    return E_OK;
}

enum err s3_record_drop(const struct s3 *s, struct id id)
{
    CLEANUP(close_fd) int folder = -1;
    TRY(open_folder(s, &folder));
    if (unlinkat(folder, id.s, 0) != 0 && errno != ENOENT)
        return file_errno("remove the record", id.s);
    return E_OK;
}

/* ---- what a crash left ---- */

struct tidying {
    struct s3 *s;
    int64_t now_ms;
    unsigned *did;
};

static const char *upload_of(const struct s3 *s, const void *mem, struct id id, char *text)
{
    char *line_end = strchr(text, '\n');
    if (line_end == NULL)
        return NULL;
    *line_end = '\0';
    char *upload = line_end + 1;
    size_t n = strcspn(upload, "\n");
    if (n == 0 || upload[n] != '\n' || strcmp(text, place(s, mem, id)) != 0)
        return NULL;
    upload[n] = '\0';
    return upload;
}

static enum err give_up(struct tidying *t, int folder, struct id id, char *text)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const char *upload = upload_of(t->s, mem, id, text);
    struct s3_fault fault;
    if (upload == NULL) {
        log_say(LOG_INFO, "multipart", "the record s3-multipart/%s is of another bucket: left alone", id.s);
        return E_OK;
    }
    s3_abort_upload(t->s, id, upload, &fault);
    if (fault.trouble != S3_FINE && fault.trouble != S3_NO_UPLOAD && fault.trouble != S3_MISSING)
        return s3_fail(&fault, "abort the upload of", id.s);
    if (unlinkat(folder, id.s, 0) != 0 && errno != ENOENT)
        return file_errno("remove the record", id.s);
    log_say(LOG_NOTICE, "multipart", "the upload of blob %s, left over from a crash, is ended", id.s);
    ++*t->did;
    return E_OK;
}

static enum err tidy_one(void *arg, int folder, const char *name, const struct stat *st)
{
    struct tidying *t = arg;
    struct id id;
    char text[RECORD_MAX];
    if (name[0] == '.' && (int64_t)st->st_mtim.tv_sec * 1000 < t->now_ms - DRAFT_MS)
        unlinkat(folder, name, 0);
    if (!S_ISREG(st->st_mode) || id_parse(name, &id) != E_OK)
        return E_OK;
    CLEANUP(close_fd) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) /* finished meanwhile, or under way */
        return E_OK;
    ssize_t n = read(fd, text, sizeof text - 1);
    if (n < 0)
        return file_errno("read the record", name);
    text[n] = '\0';
    return give_up(t, folder, id, text);
}

enum err s3_tidy(struct blob_store *store, unsigned *did_out)
{
    CLEANUP(close_fd) int folder = -1;
    struct tidying t = {.s = s3_of(store), .now_ms = clock_now_ms(&clock_real), .did = did_out};
    *did_out = 0;
    TRY(open_folder(t.s, &folder));
    return folder_each(folder, tidy_one, &t);
}
