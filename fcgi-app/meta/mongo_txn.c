/* Transactions: tried again, with jitter, for as long as a request waits for a store (store.busy_timeout). The first try is made
 * at once; one that lost against another lines up behind the host's other losers, so that many writers of one space do
 * not wear each other out. (The driver's own helper would try for two minutes.) */
#include "meta/mongo.h"

#include <assert.h>
#include <sodium.h>
#include <time.h>

#include "base/clock.h"

#define MOST_COMMIT_MS 2000
#define MOST_RACED     5 /* a duplicate key that is still there then belongs to no race */

/* ---- one try ---- */
static enum err begin(struct mongo *s)
{
    bson_error_t error;
    mongoc_transaction_opt_t *opts = mongoc_transaction_opts_new();
    mongoc_read_concern_t *read = mongoc_read_concern_new();
    mongoc_read_concern_set_level(read, MONGOC_READ_CONCERN_LEVEL_SNAPSHOT);
    mongoc_transaction_opts_set_read_concern(opts, read);
    mongoc_transaction_opts_set_write_concern(opts, mongoc_client_get_write_concern(s->client));
    mongoc_transaction_opts_set_max_commit_time_ms(opts, MOST_COMMIT_MS);

    s->asked_ms = clock_monotonic_ms();
    s->session = mongoc_client_start_session(s->client, NULL, &error);
    bool begun = s->session != NULL && mongoc_client_session_start_transaction(s->session, opts, &error);
    mongoc_read_concern_destroy(read);
    mongoc_transaction_opts_destroy(opts);
    return begun ? E_OK : mongo_fail(s, NULL, &error, "start a transaction");
}

/* A commit may be sent again as often as one likes: it happens once. */
static enum err commit(struct mongo *s, int64_t end_ms)
{
    enum err e;
    bool unknown;
    do {
        REPLY_AUTO reply = BSON_INITIALIZER;
        bson_error_t error;
        bson_destroy(&reply);
        s->asked_ms = clock_monotonic_ms();
        if (mongoc_client_session_commit_transaction(s->session, &reply, &error))
            return E_OK;
        e = mongo_fail(s, &reply, &error, "commit");
        unknown = mongoc_error_has_label(&reply, "UnknownTransactionCommitResult");
        s->again = s->again && !unknown;
    } while (unknown && !s->broken && clock_monotonic_ms() < end_ms);
    return e == E_INTERNAL ? err_set(E_STORE_DOWN, "%s", err_last(e)->detail) : e;
}

static void finish(struct mongo *s)
{
    if (s->session == NULL)
        return;
    if (s->broken)
        mongoc_client_reset(s->client); /* no good-byes to a server that is not there */
    mongoc_client_session_destroy(s->session); /* undoes what is not committed */
    s->session = NULL;
}

static enum err try_once(struct mongo *s, enum err (*body)(struct mongo *s, void *work), void *work, int64_t end_ms)
{
    s->again = s->raced = false;
    enum err e = begin(s);
    if (e == E_OK)
        e = body(s, work);
    if (e == E_OK)
        e = commit(s, end_ms);
    struct err_info why = err_save();
    finish(s);
    err_restore(&why);
    return e;
}

/* ---- until it works ---- */
static void pause_for(unsigned try)
{
    unsigned step = try < 5 ? try : 5;
    long ms = (long)(1u << step) + (long)randombytes_uniform(8u << step);
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static enum err try_again(struct mongo *s, enum err (*body)(struct mongo *s, void *work), void *work, int64_t end_ms, enum err e)
{
    unsigned raced = s->raced;
    for (unsigned try = 1; e != E_OK && s->again && !s->broken && raced < MOST_RACED && clock_monotonic_ms() < end_ms; try++) {
        pause_for(try);
        e = try_once(s, body, work, end_ms);
        raced += s->raced;
    }
    return e;
}

/* Others were always faster, or somebody dead still has its transaction: what MongoDB said goes into the log. */
static enum err lost(void)
{
    struct err_info why = err_save();
    why.err = E_STORE_DOWN;
    why.retry_after_s = 1;
    why.say[0] = why.field[0] = '\0';
    err_restore(&why);
    return E_STORE_DOWN;
}

enum err mongo_txn(struct mongo *s, enum err (*body)(struct mongo *s, void *work), void *work)
{
    unsigned wait_ms = (unsigned)s->meta.conf->store_busy_timeout;
    int64_t end_ms = clock_monotonic_ms() + wait_ms;
    TRY(mongo_ready(s));
    assert(s->session == NULL);
    enum err e = try_once(s, body, work, end_ms);
    if (e == E_OK || !s->again || s->broken)
        return e;
    TRY(shm_lock(s->meta.shm, wait_ms));
    e = try_again(s, body, work, end_ms, e);
    shm_unlock(s->meta.shm);
    return e != E_OK && s->again && !s->raced ? lost() : e;
}

/* ---- writes in one go ---- */
struct writes writes_new(void)
{
    return (struct writes){.updates = list_new(), .deletes = list_new()};
}

void free_writes(struct writes *b)
{
    free_list(&b->updates);
    free_list(&b->deletes);
}

/* An insert among updates: nothing has `never`, so the document is always new, or a duplicate. */
void writes_insert(struct writes *b, struct ref id, bson_t *doc)
{
    DOC_AUTO mine = doc;
    list_add(&b->updates, DOC("q", "{", "_id", S(id.s), "never", B(true), "}", "u", D(mine), "upsert", B(true)));
}

void writes_update(struct writes *b, struct ref id, bson_t *change)
{
    DOC_AUTO mine = change;
    list_add(&b->updates, DOC("q", "{", "_id", S(id.s), "}", "u", D(mine)));
}

void writes_pipeline(struct writes *b, bson_t *filter, struct list *stages)
{
    DOC_AUTO mine = filter;
    list_add(&b->updates, DOC("q", D(mine), "u", A(stages->array)));
    free_list(stages);
}

void writes_delete(struct writes *b, struct ref id)
{
    list_add(&b->deletes, DOC("q", "{", "_id", S(id.s), "}", "limit", BCON_INT32(1)));
}

enum err writes_send(struct mongo *s, struct writes *b)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    if (b->updates.n > 0)
        TRY(mongo_write(s, DOC("update", S("record"), "updates", A(b->updates.array), "ordered", B(true)), &reply));
    if (b->conditional && reply_n(&reply) < b->updates.n) {
        s->again = true;
        return err_retry(E_STORE_DOWN, 1);
    }
    if (b->deletes.n > 0)
        TRY(mongo_write(s, DOC("delete", S("record"), "deletes", A(b->deletes.array), "ordered", B(true)), &reply));
    free_writes(b);
    *b = writes_new();
    return E_OK;
}
