/* The connection and its commands: one client per process, made when first needed, thrown away when no server
 * could be found. What one worker finds down, the others of the host answer at once for a moment. */
#include "meta/mongo.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define WRITE_MS 5000
#define DOWN_MS 1000 /* so long nobody asks a server that was not found: a recovered one is used within 2 s */

enum { CODE_DUPLICATE = 11000, CODE_AUTH = 18, CODE_NOT_ALLOWED = 13, CODE_DISK_FULL = 14031, CODE_NO_SPACE = 28 };

/* ---- errors ---- */
/* Not when another process found it up since this one began to look: what came back must not be called down once more by
 * the last who had not heard of it. */
static void mark_down(struct mongo *s)
{
    s->broken = true;
    if (s->meta.shm != NULL && atomic_load(&s->meta.shm->store_up_ms) < s->asked_ms)
        atomic_store(&s->meta.shm->store_down_until_ms, clock_monotonic_ms() + DOWN_MS);
}

static void mark_up(struct mongo *s)
{
    if (s->meta.shm != NULL)
        atomic_store(&s->meta.shm->store_up_ms, clock_monotonic_ms());
}

/* With retry-after: it may be over in a moment. */
static enum err down(const char *what, const char *why)
{
    struct err_info info = {.err = E_STORE_DOWN, .retry_after_s = 1};
    snprintf(info.detail, sizeof info.detail, "MongoDB, %s: %s", what, why);
    err_restore(&info);
    return E_STORE_DOWN;
}

/* What stands behind a failure and what to do about it; the first that fits. */
static const struct {
    uint32_t domain, code; /* code 0: any */
    const char *words;     /* in what the driver says */
    const char *cure;
} causes[] = {
    {MONGOC_ERROR_SERVER_SELECTION, 0, "TLS handshake",
     "TLS is refused: see that tlsCAFile in store.metadata knows the server's certificate, that it names this host, and that the server "
     "speaks TLS at all"},
    {MONGOC_ERROR_SERVER_SELECTION, 0, "Failed to resolve", "there is no such host: see store.metadata and the name server"},
    {MONGOC_ERROR_SERVER_SELECTION, 0, "connection closed", "it hangs up: it is going away, or wants TLS, which tls=true in store.metadata speaks"},
    {MONGOC_ERROR_SERVER_SELECTION, 0, "", "nobody answers: see that the server runs, and that store.metadata names its host and port"},
    {MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE, "",
     "user or password are refused: see store.metadata, whose authSource is the database that knows the user"},
    {MONGOC_ERROR_SERVER, CODE_AUTH, "",
     "user or password are refused: see store.metadata, whose authSource is the database that knows the user"},
    {MONGOC_ERROR_SERVER, CODE_NOT_ALLOWED, "",
     "the user may not do that: store.metadata has to name one, with the role readWrite on this database"},
};

static const char *cure_of(const bson_error_t *error)
{
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (causes[i].domain == error->domain && (causes[i].code == 0 || causes[i].code == error->code) &&
            strstr(error->message, causes[i].words) != NULL)
            return causes[i].cure;
    return NULL;
}

enum err mongo_fail(struct mongo *s, const bson_t *reply, const bson_error_t *error, const char *what)
{
    bool found = error->domain != MONGOC_ERROR_SERVER_SELECTION;
    bool duplicate = found && error->code == CODE_DUPLICATE;
    bool raced = duplicate && s->session != NULL && strstr(error->message, "index: _id_") == NULL; /* ids are nobody else's */
    s->raced = raced;
    s->again = (reply != NULL && mongoc_error_has_label(reply, "TransientTransactionError")) || raced;
    if (!found)
        mark_down(s);
    if (error->code == CODE_DISK_FULL || error->code == CODE_NO_SPACE)
        return err_set(E_DISK_FULL, "MongoDB, %s: %s", what, error->message);
    if (duplicate || error->domain == MONGOC_ERROR_BSON || error->domain == MONGOC_ERROR_COMMAND)
        return err_set(E_INTERNAL, "MongoDB, %s: %s", what, error->message);
    const char *cure = cure_of(error);
    CLEANUP(free_mem) char *why = mem_printf(NULL, "%s%s%s%s", cure != NULL ? cure : "", cure != NULL ? " (" : "", error->message,
                                             cure != NULL ? ")" : "");
    return down(what, why);
}

/* ---- connecting ---- */
static void count_command(const mongoc_apm_command_started_t *event)
{
    struct mongo *s = mongoc_apm_command_started_get_context(event);
    s->commands++;
}

static void set_default(mongoc_uri_t *uri, const char *option, int32_t value)
{
    if (!mongoc_uri_has_option(uri, option))
        mongoc_uri_set_option_as_int32(uri, option, value);
}

/* The driver's own limits would let a request wait for half a minute. What the address says is kept. */
static void set_limits(mongoc_uri_t *uri)
{
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE, false);
    set_default(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 2000);
    set_default(uri, MONGOC_URI_CONNECTTIMEOUTMS, 2000);
    set_default(uri, MONGOC_URI_SOCKETTIMEOUTMS, 10000);
    set_default(uri, MONGOC_URI_HEARTBEATFREQUENCYMS, 10000);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, true);
}

/* What was acknowledged is on the disks of a majority; what is read cannot be rolled back. */
static void set_concerns(mongoc_client_t *client)
{
    mongoc_write_concern_t *write = mongoc_write_concern_new();
    mongoc_read_concern_t *read = mongoc_read_concern_new();
    mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
    mongoc_write_concern_set_wmajority(write, WRITE_MS);
    mongoc_write_concern_set_journal(write, true);
    mongoc_read_concern_set_level(read, MONGOC_READ_CONCERN_LEVEL_MAJORITY);
    mongoc_client_set_write_concern(client, write);
    mongoc_client_set_read_concern(client, read);
    mongoc_client_set_read_prefs(client, primary);
    mongoc_write_concern_destroy(write);
    mongoc_read_concern_destroy(read);
    mongoc_read_prefs_destroy(primary);
}

static void watch_commands(struct mongo *s)
{
    mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();
    mongoc_apm_set_command_started_cb(callbacks, count_command);
    mongoc_client_set_apm_callbacks(s->client, callbacks, s);
    mongoc_apm_callbacks_destroy(callbacks);
}

void mongo_close(struct mongo *s)
{
    if (s->client != NULL && s->owner == getpid()) {
        if (s->broken)
            mongoc_client_reset(s->client); /* says no good-byes to a server that is not there */
        mongoc_client_destroy(s->client);
    }
    s->client = NULL; /* a parent's connection is the parent's */
    s->ready = s->broken = false;
}

static bool marked_down(const struct mongo *s)
{
    return s->meta.shm != NULL && atomic_load(&s->meta.shm->store_down_until_ms) > clock_monotonic_ms();
}

enum err mongo_connect(struct mongo *s)
{
    bson_error_t error;
    if (marked_down(s))
        return down("connect", "not reachable a moment ago");
    if (s->broken || s->owner != getpid())
        mongo_close(s);
    if (s->client != NULL)
        return E_OK;
    set_limits(s->uri);
    s->client = mongoc_client_new_from_uri_with_error(s->uri, &error);
    if (s->client == NULL)
        return err_set(E_CONF, "store.metadata: %s", error.message);
    s->owner = getpid();
    mongoc_client_set_error_api(s->client, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_appname(s->client, "coffer");
    set_concerns(s->client);
    watch_commands(s);
    return E_OK;
}

static enum err check_version(struct mongo *s)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    bool found;
    TRY(mongo_one(s, find_one("meta", DOC("_id", S("schema_version"))), &reply, &row, &found));
    if (!found)
        return err_set(E_STORE_DOWN, "MongoDB database %s has no schema yet: `coffer serve` makes it", s->db);
    long long version = doc_number(&row, "value");
    if (version > MONGO_SCHEMA_VERSION)
        return err_set(E_CONF, "MongoDB database %s has schema %lld, made by a newer Coffer; this one knows %d", s->db, version,
                       MONGO_SCHEMA_VERSION);
    if (version < MONGO_SCHEMA_VERSION)
        return err_set(E_STORE_DOWN, "MongoDB database %s has schema %lld, this program needs %d: `coffer serve` upgrades it", s->db,
                       version, MONGO_SCHEMA_VERSION);
    return E_OK;
}

enum err mongo_ready(struct mongo *s)
{
    TRY(mongo_connect(s));
    if (s->ready)
        return E_OK;
    TRY(check_version(s));
    s->ready = true;
    return E_OK;
}

/* ---- commands ---- */
typedef bool command_fn(mongoc_client_t *client, const char *db, const bson_t *command, const mongoc_read_prefs_t *prefs,
                        const bson_t *opts, bson_t *reply, bson_error_t *error);

static bool run_read(mongoc_client_t *client, const char *db, const bson_t *command, const mongoc_read_prefs_t *prefs,
                     const bson_t *opts, bson_t *reply, bson_error_t *error)
{
    return mongoc_client_read_command_with_opts(client, db, command, prefs, opts, reply, error);
}

static bool run_write(mongoc_client_t *client, const char *db, const bson_t *command, const mongoc_read_prefs_t *prefs,
                      const bson_t *opts, bson_t *reply, bson_error_t *error)
{
    (void)prefs;
    return mongoc_client_write_command_with_opts(client, db, command, opts, reply, error);
}

/* A write may be acknowledged and its statements have failed all the same. */
static bool statement_failed(const bson_t *reply, bson_error_t *error)
{
    bson_t first;
    if (!doc_first(reply, "writeErrors", &first))
        return false;
    bson_set_error(error, MONGOC_ERROR_SERVER, (uint32_t)doc_number(&first, "code"), "%s", doc_peek(&first, "errmsg"));
    return true;
}

static enum err run(struct mongo *s, command_fn *how, bson_t *command, bson_t *opts, bson_t *reply)
{
    DOC_AUTO mine = command;
    DOC_AUTO with = opts;
    bson_error_t error = {0};
    bson_iter_t it;
    const char *what = bson_iter_init(&it, mine) && bson_iter_next(&it) ? bson_iter_key(&it) : "nothing";
    if (s->session != NULL && !mongoc_client_session_append(s->session, with, &error))
        return mongo_fail(s, NULL, &error, what);
    bson_destroy(reply); /* the driver fills it anew in any case */
    s->asked_ms = clock_monotonic_ms();
    bool worked = how(s->client, s->db, mine, NULL, with, reply, &error);
    if (worked)
        mark_up(s);
    if (worked && !statement_failed(reply, &error))
        return E_OK;
    return mongo_fail(s, reply, &error, what);
}

enum err mongo_read(struct mongo *s, bson_t *command, bson_t *reply)
{
    return run(s, run_read, command, bson_new(), reply);
}

enum err mongo_write(struct mongo *s, bson_t *command, bson_t *reply)
{
    return run(s, run_write, command, bson_new(), reply);
}

enum err mongo_volatile(struct mongo *s, bson_t *command, bson_t *reply)
{
    return run(s, run_write, command, DOC("writeConcern", "{", "w", BCON_INT32(1), "}"), reply);
}

/* ---- rows ---- */
bson_t *find_one(const char *collection, bson_t *filter)
{
    DOC_AUTO mine = filter;
    return DOC("find", S(collection), "filter", D(mine), "limit", BCON_INT32(1), "singleBatch", B(true));
}

bson_t *aggregate(const char *collection, const struct list *stages)
{
    return DOC("aggregate", S(collection), "pipeline", A(stages->array), "cursor", "{", "batchSize", BCON_INT32(100000), "}");
}

enum err mongo_rows(struct mongo *s, bson_t *command, bson_t *reply, bson_iter_t *rows_out)
{
    bson_iter_t it, batch;
    TRY(mongo_read(s, command, reply));
    if (!bson_iter_init(&it, reply) || !bson_iter_find_descendant(&it, "cursor.firstBatch", &batch) ||
        !bson_iter_recurse(&batch, rows_out))
        return err_set(E_STORE_DOWN, "MongoDB: an answer without rows");
    return E_OK;
}

enum err mongo_one(struct mongo *s, bson_t *command, bson_t *reply, bson_t *row_out, bool *found_out)
{
    bson_iter_t rows;
    TRY(mongo_rows(s, command, reply, &rows));
    *found_out = rows_next(&rows, row_out);
    return E_OK;
}

int64_t reply_n(const bson_t *reply)
{
    return doc_number(reply, "n");
}
