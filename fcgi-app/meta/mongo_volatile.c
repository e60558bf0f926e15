/* Throttles: counted document by document, each with a condition that lets it grow only below its limit, and
 * acknowledged by one server from memory. */
#include "meta/mongo.h"

static bson_t *update_one(const char *key, bson_t *condition, bson_t *change, bool upsert)
{
    DOC_AUTO mine = condition;
    DOC_AUTO u = change;
    BSON_APPEND_UTF8(mine, "_id", key);
    return DOC("update", S("throttle"), "updates", "[", "{", "q", D(mine), "u", D(u), "upsert", B(upsert), "}", "]");
}

/* ---- counting ---- */
/* Every row is looked at, so that the wait told is the longest. */
static enum err longest_wait(struct mongo *s, const struct throttle *rows, size_t n, int64_t now_ms, int64_t *wait_out)
{
    *wait_out = 0;
    for (size_t i = 0; i < n; i++) {
        REPLY_AUTO reply = BSON_INITIALIZER;
        bson_t row;
        bool found;
        TRY(mongo_one(s, find_one("throttle", DOC("_id", S(rows[i].key), "until_ms", "{", "$gt", N(now_ms), "}", "count", "{", "$gte",
                                                  N(rows[i].limit), "}")), &reply, &row, &found));
        if (found && doc_number(&row, "until_ms") - now_ms > *wait_out)
            *wait_out = doc_number(&row, "until_ms") - now_ms;
    }
    return E_OK;
}

static enum err count_more(struct mongo *s, const struct throttle *row, int64_t now_ms, bool *counted_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    TRY(mongo_volatile(s, update_one(row->key, DOC("until_ms", "{", "$gt", N(now_ms), "}", "count", "{", "$lt", N(row->limit), "}"),
                                     DOC("$inc", "{", "count", N(1), "}"), false), &reply));
    *counted_out = reply_n(&reply) > 0;
    return E_OK;
}

/* A new window. A duplicate key says that the old one is not over: another attempt began it, or it is full. */
static enum err count_first(struct mongo *s, const struct throttle *row, int64_t now_ms, bool *counted_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    enum err e = mongo_volatile(s, update_one(row->key, DOC("until_ms", "{", "$lte", N(now_ms), "}"),
                                              DOC("$set", "{", "count", N(1), "until_ms", N(now_ms + row->window_ms), "}"), true), &reply);
    *counted_out = e == E_OK;
    return e == E_INTERNAL ? E_OK : e;
}

static enum err count_one(struct mongo *s, const struct throttle *row, int64_t now_ms, bool *counted_out)
{
    *counted_out = false;
    if (row->limit < 1)
        return E_OK;
    TRY(count_more(s, row, now_ms, counted_out));
    if (!*counted_out)
        TRY(count_first(s, row, now_ms, counted_out));
    return *counted_out ? E_OK : count_more(s, row, now_ms, counted_out); /* begun by another meanwhile */
}

static enum err give_back(struct mongo *s, const struct throttle *rows, size_t n, int64_t now_ms)
{
    for (size_t i = 0; i < n; i++) {
        REPLY_AUTO reply = BSON_INITIALIZER;
        TRY(mongo_volatile(s, update_one(rows[i].key, DOC("until_ms", "{", "$gt", N(now_ms), "}", "count", "{", "$gt", N(0), "}"),
                                         DOC("$inc", "{", "count", N(-1), "}"), false), &reply));
    }
    return E_OK;
}

enum err mongo_throttle_charge(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms)
{
    struct mongo *s = mongo_of(m);
    int64_t wait_ms;
    bool counted = true;
    size_t i;
    TRY(mongo_ready(s));
    TRY(longest_wait(s, rows, n, now_ms, &wait_ms));
    for (i = 0; wait_ms == 0 && i < n; i++) {
        TRY(count_one(s, &rows[i], now_ms, &counted));
        if (counted)
            continue;
        TRY(give_back(s, rows, i, now_ms));
        TRY(longest_wait(s, rows, n, now_ms, &wait_ms));
        wait_ms += wait_ms == 0; /* full a moment ago */
    }
    return wait_ms > 0 ? err_retry(E_THROTTLED, (unsigned)((wait_ms + 999) / 1000)) : E_OK;
}

enum err mongo_throttle_refund(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms)
{
    struct mongo *s = mongo_of(m);
    TRY(mongo_ready(s));
    return give_back(s, rows, n, now_ms);
}

/* ---- windows that are over ---- */
enum err mongo_throttles_over(struct mongo *s, int64_t now_ms, unsigned batch, unsigned *did)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    REPLY_AUTO deleted = BSON_INITIALIZER;
    LIST_AUTO deletes = list_new();
    bson_iter_t rows;
    bson_t row;
    TRY(mongo_rows(s, DOC("find", S("throttle"), "filter", "{", "until_ms", "{", "$lte", N(now_ms), "}", "}", "sort", "{", "until_ms",
                          BCON_INT32(1), "}", "limit", N(batch), "batchSize", N(batch)), &reply, &rows));
    while (rows_next(&rows, &row))
        list_add(&deletes, DOC("q", "{", "_id", S(doc_peek(&row, "_id")), "until_ms", "{", "$lte", N(now_ms), "}", "}", "limit",
                               BCON_INT32(1)));
    if (deletes.n == 0)
        return E_OK;
    TRY(mongo_volatile(s, DOC("delete", S("throttle"), "deletes", A(deletes.array)), &deleted));
    *did += (unsigned)reply_n(&deleted);
    return E_OK;
}
