/* A store that fails when told to: a wrapper is just another store with a `next`. */
#include <stdbool.h>

#include "base/mem.h"
#include "blob/blob.h"

struct fault {
    struct blob_store store; /* first: what the world sees */
    struct blob_ops ops;     /* ours, but with the name and the abilities of the next */
    struct blob_store *next;
    unsigned calls, fail_at;
    bool after;
    enum err e;
};

static struct fault *fault_of(struct blob_store *s)
{
    return (struct fault *)s;
}

static enum err before(struct fault *f)
{
    f->calls++;
    return !f->after && f->calls == f->fail_at ? err_set(f->e, "fault before call %u", f->calls) : E_OK;
}

static enum err after(struct fault *f)
{
    return f->after && f->calls == f->fail_at ? err_set(f->e, "fault after call %u", f->calls) : E_OK;
}

static enum err fault_prepare(struct blob_store *s)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->prepare(f->next));
    return after(f);
}

static enum err fault_store_id(struct blob_store *s, struct id *id_out)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->store_id(f->next, id_out));
    return after(f);
}

static enum err fault_store_id_set(struct blob_store *s, struct id id)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->store_id_set(f->next, id));
    return after(f);
}

static enum err fault_room(struct blob_store *s, uint64_t *bytes_out)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->room(f->next, bytes_out));
    return after(f);
}

static enum err fault_put(struct blob_store *s, struct id id, const struct blob_source *source)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->put(f->next, id, source));
    return after(f);
}

static enum err fault_adopt(struct blob_store *s, struct id id, int fd)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->adopt(f->next, id, fd));
    return after(f);
}

static enum err fault_open(struct blob_store *s, struct id id, int *fd_out, uint64_t *size_out)
{
    struct fault *f = fault_of(s);
    CLEANUP(close_fd) int fd = -1; /* one that the caller never hears of is closed */
    TRY(before(f));
    TRY(f->next->ops->open(f->next, id, &fd, size_out));
    TRY(after(f));
    *fd_out = fd;
    fd = -1;
    return E_OK;
}

static enum err fault_read(struct blob_store *s, struct id id, uint64_t first, uint64_t length,
                           enum err (*write)(void *arg, const void *bytes, size_t n), void *arg)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->read(f->next, id, first, length, write, arg));
    return after(f);
}

static enum err fault_locate(struct blob_store *s, struct id id, char path[static 64])
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->locate(f->next, id, path));
    return after(f);
}

static enum err fault_size(struct blob_store *s, struct id id, uint64_t *size_out)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->size(f->next, id, size_out));
    return after(f);
}

static enum err fault_proxy(struct blob_store *s, const void *mem, struct id id, bool whole, uint64_t first,
                            uint64_t last, struct blob_proxy *out)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->proxy(f->next, mem, id, whole, first, last, out));
    return after(f);
}

static enum err fault_remove(struct blob_store *s, struct id id)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->remove(f->next, id));
    return after(f);
}

static enum err fault_each(struct blob_store *s, blob_each_fn *fn, void *arg)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->each(f->next, fn, arg));
    return after(f);
}

static enum err fault_set_aside(struct blob_store *s, const char *id)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->set_aside(f->next, id));
    return after(f);
}

static enum err fault_sweep(struct blob_store *s, int64_t lost_before_ms, unsigned *did_out)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->sweep(f->next, lost_before_ms, did_out));
    return after(f);
}

static enum err fault_tidy(struct blob_store *s, unsigned *did_out)
{
    struct fault *f = fault_of(s);
    TRY(before(f));
    TRY(f->next->ops->tidy(f->next, did_out));
    return after(f);
}

static const struct blob_ops fault_ops = {
    .prepare = fault_prepare,
    .store_id = fault_store_id,
    .store_id_set = fault_store_id_set,
    .room = fault_room,
    .put = fault_put,
    .adopt = fault_adopt,
    .open = fault_open,
    .read = fault_read,
    .locate = fault_locate,
    .size = fault_size,
    .proxy = fault_proxy,
    .remove = fault_remove,
    .each = fault_each,
    .set_aside = fault_set_aside,
    .sweep = fault_sweep,
    .tidy = fault_tidy,
};

enum err blob_fault_open(const void *ctx, struct blob_store *next, unsigned fail_at, bool after, enum err e,
                         struct blob_store **out)
{
    struct fault *f = mem_new(ctx, struct fault);
    f->ops = fault_ops;
    f->ops.name = next->ops->name;
    f->ops.can = next->ops->can;
    if (!next->ops->open)
        f->ops.open = NULL;
    if (!next->ops->adopt)
        f->ops.adopt = NULL;
    if (!next->ops->locate)
        f->ops.locate = NULL;
    if (!next->ops->proxy)
        f->ops.proxy = NULL;
    if (!next->ops->tidy)
        f->ops.tidy = NULL;
    f->store = (struct blob_store){.ops = &f->ops, .conf = next->conf};
    f->next = next;
    f->fail_at = fail_at;
    f->after = after;
    f->e = e;
    *out = &f->store;
    return E_OK;
}
