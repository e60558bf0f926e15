/* The database: the server judged, collections and indexes made, under a lock that many may want at once. */
#include "meta/mongo.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define WIRE_5_0   13    /* $lookup with fields and a pipeline; snapshots outside of transactions */
#define LOCK_MS    10000 /* who holds the lock for longer is taken for dead: two at work do the same twice, which is as good */
#define WAIT_MS    30000
#define PAUSE_MS   50

/* ---- the server ---- */
static enum err check_server(struct mongo *s)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    TRY(mongo_read(s, DOC("hello", BCON_INT32(1)), &reply));
    if (doc_number(&reply, "maxWireVersion") < WIRE_5_0)
        return err_say(E_CONF, "This MongoDB is too old: Coffer needs version 5.0 or later; upgrade the server.");
    if (!doc_has(&reply, "setName") && strcmp(doc_peek(&reply, "msg"), "isdbgrid") != 0)
        return err_say(E_CONF, "This MongoDB is not a replica set, so it has no transactions: start mongod with --replSet rs0 and "
                               "run rs.initiate() once; one member will do.");
    return E_OK;
}

/* ---- indexes: one row each ---- */
static const struct index {
    const char *collection, *name, *keys; /* keys: JSON, constant */
    bool unique, sparse, live;            /* live: only of documents with {live: true} */
} indexes[] = {
    {"record", "node_name", "{\"parent\":1,\"name\":1,\"space\":1}", .unique = true, .live = true},
    {"record", "node_list", "{\"parent\":1,\"live\":1,\"kind\":1,\"name_key\":1,\"_id\":1}", .unique = false},
    {"record", "node_dead", "{\"removed_ms\":1}", .sparse = true},
    {"record", "in_space", "{\"space\":1}", .sparse = true},
    {"record", "version_node", "{\"node\":1}", .sparse = true},
    {"record", "version_blob", "{\"blob\":1}", .sparse = true},
    {"record", "version_unhashed", "{\"unhashed_ms\":1}", .sparse = true},
    {"record", "blob_unreferenced", "{\"unreferenced_ms\":1}", .sparse = true},
    {"record", "upload_expires", "{\"expires_ms\":1}", .sparse = true},
    {"record", "space_personal", "{\"personal_of\":1}", .unique = true, .sparse = true},
    {"user", "user_key", "{\"key\":1}", .unique = true},
    {"session", "session_token", "{\"token_hash\":1}", .unique = true},
    {"session", "session_user", "{\"user\":1,\"created_ms\":1,\"_id\":1}", .unique = false},
    {"session", "session_expires", "{\"expires_ms\":1}", .unique = false},
    {"session", "session_seen", "{\"seen_ms\":1}", .sparse = true},
    {"member", "member_space", "{\"space\":1,\"user\":1}", .unique = true},
    {"user", "user_role", "{\"role\":1}", .unique = false},
    {"invite", "invite_expires", "{\"expires_ms\":1}", .unique = false},
    {"reset", "reset_expires", "{\"expires_ms\":1}", .unique = false},
    {"reset", "reset_user", "{\"user\":1}", .unique = false},
    {"throttle", "throttle_until", "{\"until_ms\":1}", .unique = false},
};

static enum err make_index(struct mongo *s, const struct index *row)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO keys = bson_new_from_json((const uint8_t *)row->keys, -1, NULL);
    DOC_AUTO index = DOC("key", D(keys), "name", S(row->name), "unique", B(row->unique));
    DOC_AUTO live = DOC("live", B(true));
    if (row->sparse)
        BSON_APPEND_BOOL(index, "sparse", true);
    if (row->live)
        BSON_APPEND_DOCUMENT(index, "partialFilterExpression", live);
    return mongo_write(s, DOC("createIndexes", S(row->collection), "indexes", "[", D(index), "]"), &reply);
}

/* Collections that transactions write to are there before the first one. */
static enum err make_indexes(struct mongo *s)
{
    for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++)
        TRY(make_index(s, &indexes[i]));
    REPLY_AUTO reply = BSON_INITIALIZER;
    return mongo_write(s, DOC("createIndexes", S("credential"), "indexes", "[", "{", "key", "{", "set_ms", BCON_INT32(1), "}", "name",
                              S("credential_set"), "}", "]"), &reply);
}

/* ---- values ---- */
enum err mongo_set_once(struct mongo *s, const char *key, bson_t *value)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO mine = value;
    return mongo_write(s, DOC("update", S("meta"), "updates", "[", "{", "q", "{", "_id", S(key), "}", "u", "{", "$setOnInsert", D(mine),
                              "}", "upsert", B(true), "}", "]"), &reply);
}

static enum err read_version(struct mongo *s, int64_t *version_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    *version_out = 0;
    TRY(mongo_one(s, find_one("meta", DOC("_id", S("schema_version"))), &reply, &row, &found));
    if (found)
        *version_out = doc_number(&row, "value");
    return E_OK;
}

/* A database that has collections, but not ours, is something else's. */
static enum err check_ours(struct mongo *s)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_iter_t rows;
    bson_t row;
    TRY(mongo_rows(s, DOC("listCollections", BCON_INT32(1), "nameOnly", B(true)), &reply, &rows));
    while (rows_next(&rows, &row)) {
        const char *name = doc_peek(&row, "name");
        bool ours = strcmp(name, "meta") == 0 || strcmp(name, "credential") == 0 || strncmp(name, "system.", 7) == 0;
        for (size_t i = 0; !ours && i < sizeof indexes / sizeof *indexes; i++)
            ours = strcmp(name, indexes[i].collection) == 0;
        if (!ours)
            return err_set(E_CONF, "MongoDB database %s holds something else (collection %s): name another in store.metadata", s->db,
                           name);
    }
    return E_OK;
}

static enum err bring_up(struct mongo *s)
{
    int64_t version;
    struct id store = id_new();
    TRY(read_version(s, &version));
    if (version > MONGO_SCHEMA_VERSION)
        return err_set(E_CONF, "MongoDB database %s has schema %lld, made by a newer Coffer; this one knows %d", s->db,
                       (long long)version, MONGO_SCHEMA_VERSION);
    if (version == MONGO_SCHEMA_VERSION)
        return E_OK;
    TRY(check_ours(s));
    TRY(make_indexes(s));
    TRY(mongo_set_once(s, "store_id", DOC("value", S(store.s))));
    return mongo_set_once(s, "schema_version", DOC("value", N(MONGO_SCHEMA_VERSION)));
}

/* ---- the lock ---- */
static enum err wait_for_lock(struct mongo *s, struct id me)
{
    int64_t end_ms = clock_monotonic_ms() + WAIT_MS;
    bool mine = false;
    for (;;) {
        TRY(mongo_lock(s, "lock", me, LOCK_MS, &mine));
        if (mine)
            return E_OK;
        if (clock_monotonic_ms() > end_ms)
            return err_set(E_STORE_DOWN, "MongoDB database %s is being upgraded by another process for %d s", s->db, WAIT_MS / 1000);
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
    }
}

enum err mongo_upgrade(struct meta *m)
{
    struct mongo *s = mongo_of(m);
    struct id me = id_new();
    TRY(mongo_connect(s));
    TRY(check_server(s));
    TRY(wait_for_lock(s, me));
    enum err e = bring_up(s);
    struct err_info why = err_save();
    enum err given = mongo_unlock(s, "lock", me);
    if (e != E_OK)
        err_restore(&why);
    mongo_close(s); /* whoever comes next may fork */
    return e != E_OK ? e : given;
}
