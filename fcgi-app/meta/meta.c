#include "meta/meta.h"

enum err meta_open(const void *ctx, const struct conf *conf, struct shm *shm, struct meta **out)
{
    if (conf->sqlite_path != NULL && conf->sqlite_path[0] != '\0')
        return meta_sqlite_open(ctx, conf, shm, out);
    if (conf->mongodb_uri != NULL && conf->mongodb_uri[0] != '\0')
        return err_set(E_CONF, "store.metadata: the MongoDB store is not built in");
    return err_set(E_CONF, "store.metadata names no store");
}
