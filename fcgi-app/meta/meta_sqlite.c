/* The SQLite store: one file for all records, one for what is volatile. */
#include "meta/sqlite.h"

#include "base/log.h"

#define TRUNCATE_PAGES 4096 /* a log of more than 16 MB is cut once all of it is in the database */

/* ---- the store ---- */
static enum err sqlite_store_id(struct meta *m, struct id *id_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(sqlite_ready(s));
    TRY(db_one(&s->main, SQL_META_GET, &q, &row, ARGS(TEXT("store_id"))));
    if (!row || id_parse((const char *)sqlite3_column_text(q, 0), id_out) != E_OK)
        return err_set(E_DAMAGED, "%s says no store id", s->main.path);
    return E_OK;
}

static enum err sqlite_ping(struct meta *m)
{
    struct id id;
    enum err e = sqlite_store_id(m, &id);
    if (e == E_OK || e == E_STORE_DOWN)
        return e;
    struct err_info why = *err_last(e); /* whatever it was, the store cannot be read */
    return err_set(E_STORE_DOWN, "%s", why.detail);
}

/* Writers only append to the log; moving it into the database is done here, beside the requests. */
static void checkpoint(struct db *db)
{
    int pages = 0, done = 0;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
    if (code == SQLITE_OK && pages > TRUNCATE_PAGES && done == pages) {
        sqlite3_busy_timeout(db->handle, 0); /* only when nobody is in the way */
        code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        sqlite3_busy_timeout(db->handle, (int)db->timeout_ms);
    }
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        log_err("checkpoint", db_error(db, code, "checkpoint"));
}

static void sqlite_checkpoint(struct meta *m)
{
    struct sqlite *s = sqlite_of(m);
    if (sqlite_ready(s) != E_OK)
        return; /* the keeper's next verb says why */
    checkpoint(&s->main);
    if (s->fast.handle != NULL)
        checkpoint(&s->fast);
}

const struct meta_ops meta_sqlite_ops = {
    .name = "sqlite",
    .one_host = true,

    .upgrade = sqlite_upgrade,
    .ping = sqlite_ping,
    .store_id = sqlite_store_id,
    .checkpoint = sqlite_checkpoint,

    .user_add = sqlite_user_add,
    .user_by_key = sqlite_user_by_key,
    .user_by_id = sqlite_user_by_id,
    .user_list = sqlite_user_list,
    .user_space = sqlite_user_space,
    .credential_get = sqlite_credential_get,
    .credential_set = sqlite_credential_set,
    .user_rename = sqlite_user_rename,
    .user_role = sqlite_user_role,
    .user_state = sqlite_user_state,
    .user_quota = sqlite_user_quota,
    .user_remove = sqlite_user_remove,

    .invite_add = sqlite_invite_add,
    .invite_check = sqlite_invite_check,
    .reset_add = sqlite_reset_add,
    .reset_user = sqlite_reset_user,
    .reset_use = sqlite_reset_use,
    .secret = sqlite_secret,

    .session_add = sqlite_session_add,
    .session_get = sqlite_session_get,
    .session_end = sqlite_session_end,
    .session_end_all = sqlite_session_end_all,
    .session_list = sqlite_session_list,
    .session_renew = sqlite_session_renew,

    .node_get = sqlite_node_get,
    .node_walk = sqlite_node_walk,
    .node_list = sqlite_node_list,
    .folder_add = sqlite_folder_add,
    .node_remove = sqlite_node_remove,
    .node_change = sqlite_node_change,
    .node_copy = sqlite_node_copy,
    .node_usage = sqlite_node_usage,

    .upload_reserve = sqlite_upload_reserve,
    .upload_get = sqlite_upload_get,
    .upload_commit = sqlite_upload_commit,
    .commit_many = sqlite_commit_many,
    .upload_release = sqlite_upload_release,
    .version_node = sqlite_version_node,
    .reserved_total = sqlite_reserved_total,

    .expire = sqlite_expire,
    .reap = sqlite_reap,
    .blobs_dying = sqlite_blobs_dying,
    .blob_drop = sqlite_blob_drop,
    .blob_get = sqlite_blob_get,
    .blob_list = sqlite_blob_list,
    .version_list = sqlite_version_list,
    .hash_pending = sqlite_hash_pending,
    .hash_set = sqlite_hash_set,
    .check = sqlite_check,

    .lease_take = sqlite_lease_take,
    .lease_end = sqlite_lease_end,
    .backup = sqlite_backup,

    .record_list = sqlite_record_list,
    .record_put = sqlite_record_put,
    .snapshot_begin = sqlite_snapshot_begin,
    .snapshot_end = sqlite_snapshot_end,

    .throttle_charge = sqlite_throttle_charge,
    .throttle_refund = sqlite_throttle_refund,
};

/* ---- opening ---- */
static int close_both(struct sqlite *s)
{
    db_close(&s->main);
    db_close(&s->fast);
    return 0;
}

enum err meta_sqlite_open(const void *ctx, const struct conf *conf, struct shm *shm, struct meta **out)
{
    unsigned timeout_ms = (unsigned)conf->store_busy_timeout;
    struct sqlite *s = mem_new(ctx, struct sqlite);
    s->meta = (struct meta){.ops = &meta_sqlite_ops, .conf = conf, .shm = shm};
    s->main = (struct db){.path = mem_str(s, conf->sqlite_path), .shm = shm, .timeout_ms = timeout_ms, .durable = true};
    s->fast = (struct db){.path = mem_printf(s, "%s-volatile", conf->sqlite_path), .timeout_ms = timeout_ms};
    talloc_set_destructor(s, close_both);

    /* A store that is not there yet, or is about to be upgraded, is no failure: upgrade is a verb of it. */
    enum err e = sqlite_ready(s);
    if (e != E_OK && e != E_STORE_DOWN) {
        talloc_free(s);
        return e;
    }
    err_clear();
    *out = &s->meta;
    return E_OK;
}
