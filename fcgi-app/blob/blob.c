#include "blob/blob.h"

enum err blob_open_store(const void *ctx, const struct conf *conf, struct blob_store **out)
{
    return *conf->disk_path ? blob_disk_open(ctx, conf, out) : blob_s3_open(ctx, conf, out);
}

enum err blob_put_many(struct blob_store *s, struct blob_put *rows, size_t n)
{
    if (s->ops->put_many != NULL)
        return s->ops->put_many(s, rows, n);
    for (size_t i = 0; i < n; i++) {
        rows[i].linked = false;
        rows[i].result = s->ops->put(s, rows[i].id, &rows[i].source);
    }
    return E_OK;
}
