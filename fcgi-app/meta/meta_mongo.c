/* The MongoDB store. */
#include "meta/mongo.h"

#include <stdlib.h>

/* ---- the store ---- */
static enum err mongo_store_id(struct meta *m, struct id *id_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_ready(s));
    TRY(mongo_one(s, find_one("meta", DOC("_id", S("store_id"))), &reply, &row, &found));
    if (!found || id_parse(doc_peek(&row, "value"), id_out) != E_OK)
        return err_set(E_DAMAGED, "MongoDB database %s says no store id", s->db);
    return E_OK;
}

static enum err mongo_ping(struct meta *m)
{
    struct id id;
    enum err e = mongo_store_id(m, &id);
    if (e == E_OK || e == E_STORE_DOWN)
        return e;
    struct err_info why = *err_last(e); /* whatever it was, the store cannot be read */
    return err_set(E_STORE_DOWN, "%s", why.detail);
}

/* The server keeps its own house. */
static void mongo_checkpoint(struct meta *m)
{
    (void)m;
}

const struct meta_ops meta_mongo_ops = {
    .name = "mongodb",

    .upgrade = mongo_upgrade,
    .ping = mongo_ping,
    .store_id = mongo_store_id,
    .checkpoint = mongo_checkpoint,

    .user_add = mongo_user_add,
    .user_by_key = mongo_user_by_key,
    .user_by_id = mongo_user_by_id,
    .user_list = mongo_user_list,
    .user_space = mongo_user_space,
    .credential_get = mongo_credential_get,
    .credential_set = mongo_credential_set,
    .user_rename = mongo_user_rename,
    .user_role = mongo_set_role,
    .user_state = mongo_set_state,
    .user_quota = mongo_user_quota,
    .user_remove = mongo_user_remove,

    .invite_add = mongo_invite_add,
    .invite_check = mongo_invite_check,
    .reset_add = mongo_reset_add,
    .reset_user = mongo_reset_user,
    .reset_use = mongo_reset_use,
    .secret = mongo_secret,

    .session_add = mongo_session_add,
    .session_get = mongo_session_get,
    .session_end = mongo_session_end,
    .session_end_all = mongo_session_end_all,
    .session_list = mongo_session_list,
    .session_renew = mongo_session_renew,

    .node_get = mongo_node_get,
    .node_walk = mongo_node_walk,
    .node_list = mongo_node_list,
    .folder_add = mongo_folder_add,
    .node_remove = mongo_node_remove,
    .node_change = mongo_node_change,
    .node_copy = mongo_node_copy,
    .node_usage = mongo_node_usage,

    .upload_reserve = mongo_upload_reserve,
    .upload_get = mongo_upload_get,
    .upload_commit = mongo_upload_commit,
    .commit_many = mongo_commit_many,
    .upload_release = mongo_upload_release,
    .version_node = mongo_version_node,
    .reserved_total = mongo_reserved_total,

    .expire = mongo_expire,
    .reap = mongo_reap,
    .blobs_dying = mongo_blobs_dying,
    .blob_drop = mongo_blob_drop,
    .blob_get = mongo_blob_get,
    .blob_list = mongo_blob_list,
    .version_list = mongo_version_list,
    .hash_pending = mongo_hash_pending,
    .hash_set = mongo_hash_set,
    .check = mongo_check,

    .keeper_take = mongo_keeper_take,
    .keeper_end = mongo_keeper_end,
    .lease_take = mongo_lease_take,
    .lease_end = mongo_lease_end,

    .record_list = mongo_record_list,
    .record_put = mongo_record_put,
    .snapshot_begin = mongo_snapshot_begin,
    .snapshot_end = mongo_snapshot_end,

    .throttle_charge = mongo_throttle_charge,
    .throttle_refund = mongo_throttle_refund,
};

/* ---- opening ---- */
static int close_store(struct mongo *s)
{
    mongo_close(s);
    mongoc_uri_destroy(s->uri);
    return 0;
}

static void be_quiet(mongoc_log_level_t level, const char *domain, const char *message, void *arg)
{
    (void)level, (void)domain, (void)message, (void)arg; /* what matters comes back as an error, with its particulars */
}

enum err meta_mongo_open(const void *ctx, const struct conf *conf, struct shm *shm, struct meta **out)
{
    bson_error_t error;
    setenv("MONGOC_DISABLE_SHM", "1", 0); /* the driver's counters in /dev/shm, a file that each killed worker would leave */
    mongoc_init();
    mongoc_log_set_handler(be_quiet, NULL);
    mongoc_uri_t *uri = mongoc_uri_new_with_error(conf->mongodb_uri, &error);
    if (uri == NULL) /* without the address: a password may stand in it */
        return err_set(E_CONF, "store.metadata is no address of MongoDB: %s", error.message);
    struct mongo *s = mem_new(ctx, struct mongo);
    s->meta = (struct meta){.ops = &meta_mongo_ops, .conf = conf, .shm = shm};
    s->uri = uri;
    const char *db = mongoc_uri_get_database(uri);
    s->db = mem_str(s, db != NULL && db[0] != '\0' ? db : "coffer");
    talloc_set_destructor(s, close_store);

    /* A server that is not there yet, or is about to be upgraded, is no failure: upgrade is a verb of it. */
    enum err e = mongo_ready(s);
    if (e != E_OK && e != E_STORE_DOWN) {
        talloc_free(s);
        return e;
    }
    err_clear();
    *out = &s->meta;
    return E_OK;
}
