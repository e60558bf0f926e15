/* Records to another store. */
#include "base/mem.h"
#include "jobs/jobs.h"
#include "jobs/migrate.h"
#include "jobs/records.h"

/* Records of another installation would be refused by the contents at the next start: better said now. */
static enum err check_source(const void *mem, const struct conf *conf, struct id store)
{
    struct blob_store *blobs;
    struct id there;
    TRY(blob_open_store(mem, conf, &blobs));
    if (blobs->ops->store_id(blobs, &there) == E_OK && !id_eq(there, store))
        return err_say(E_FOREIGN_STORE, "FROM holds the records of another installation: they are %s, the contents are %s.", store.s, there.s);
    return E_OK;
}

/* Its id is FROM's: the copy is complete, or it is from another day. */
static enum err check_same(struct meta *from, struct meta *to, struct transfer *t)
{
    struct records_sum sum;
    enum err e = records_compare(from, to, t);
    if (e == E_DAMAGED)
        return err_say(E_FOREIGN_STORE, "TO holds an older or newer state of this installation. Empty it, or name another store.");
    TRY(e);
    TRY(records_sum(to, &sum));
    t->count.there = sum.n;
    return E_OK;
}

enum err migrate_records(const struct conf *conf, const struct conf *from_conf, const struct conf *to_conf, struct transfer *t)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct meta *from, *to;
    struct id store, there;
    TRY(meta_open(mem, from_conf, NULL, &from));
    TRY(from->ops->store_id(from, &store));
    TRY(check_source(mem, conf, store));
    TRY(keepers_rest(from));
    TRY(meta_open(mem, to_conf, NULL, &to));
    TRY(to->ops->upgrade(to));
    TRY(to->ops->store_id(to, &there));
    if (id_eq(there, store))
        return check_same(from, to, t);
    TRY(records_check(from, to));
    TRY(records_copy(from, to, t));
    return records_compare(from, to, t);
}
