#include "blob/blob.h"

enum err blob_open_store(const void *ctx, const struct conf *conf, struct blob_store **out)
{
    if (*conf->disk_path)
        return blob_disk_open(ctx, conf, out);
    return err_set(E_CONF, "store.blobs = s3://%s: not built in; use disk:PATH", conf->s3_bucket);
}
