/* Locks among hosts: documents of `meta` that only one can make, and that are over by themselves when their owner is gone. The
 * time is the server's, so that clocks need not agree. */
#include "meta/mongo.h"

#define KEEPER "keeper"

enum err mongo_lock(struct mongo *s, const char *name, struct id me, int64_t ms, bool *mine_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO now = DOC("$toLong", S("$$NOW"));
    DOC_AUTO over = DOC("$lt", "[", S("$until_ms"), D(now), "]");
    DOC_AUTO vacant = DOC("_id", S(name), "$or", "[", "{", "owner", S(me.s), "}", "{", "$expr", D(over), "}", "]");
    DOC_AUTO take = DOC("owner", "{", "$literal", S(me.s), "}", "until_ms", "{", "$add", "[", D(now), N(ms), "]", "}");
    enum err e = mongo_write(s, DOC("update", S("meta"), "updates", "[", "{", "q", D(vacant), "u", "[", "{", "$set", D(take), "}", "]",
                                    "upsert", B(true), "}", "]"), &reply);
    *mine_out = e == E_OK;
    return e == E_INTERNAL ? E_OK : e; /* a duplicate: somebody has it */
}

enum err mongo_unlock(struct mongo *s, const char *name, struct id me)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    return mongo_write(s, DOC("delete", S("meta"), "deletes", "[", "{", "q", "{", "_id", S(name), "owner", S(me.s), "}", "limit",
                              BCON_INT32(1), "}", "]"), &reply);
}

enum err mongo_keeper_take(struct meta *m, struct id me, int64_t ms, bool *mine_out)
{
    TRY(mongo_ready(mongo_of(m)));
    return mongo_lock(mongo_of(m), KEEPER, me, ms, mine_out);
}

enum err mongo_keeper_end(struct meta *m, struct id me)
{
    TRY(mongo_ready(mongo_of(m)));
    return mongo_unlock(mongo_of(m), KEEPER, me);
}
