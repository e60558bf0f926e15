/* The invariants among records. Each is a pipeline that gives one sentence per finding, and perhaps what to set
 * to mend it. Records change while this reads: so every finding is looked at once more, alone and in a
 * transaction, before it is told or mended. */
#include "meta/mongo.h"

#include <string.h>

#define TOP "n00000000000000000000000000000000"

/* Constant JSON, with ' for ", and what many have in common. */
#define RANGE(first, last)     "{'$match':{'_id':{'$gte':'" first "','$lt':'" last "'}}},"
#define VERSIONS               RANGE("v", "w")
#define NODES                  RANGE("n", "o")
#define BLOBS                  RANGE("b", "c")
#define SPACES                 RANGE("s", "t")
#define JOIN(local, from, field, as) \
    "{'$lookup':{'from':'" from "','localField':'" local "','foreignField':'" field "','as':'" as "'}},"
#define FIRST(array)           "{'$set':{'" array "':{'$first':'$" array "'}}},"
#define WHERE(expression)      "{'$match':{'$expr':" expression "}},"
#define LINE(...)              "{'$project':{'line':{'$concat':[" __VA_ARGS__ "]}}}"
#define LINE_SET(set, ...)     "{'$project':{'set':" set ",'line':{'$concat':[" __VA_ARGS__ "]}}}"
#define SUM(array, field)      "{'$set':{'sum':{'$toLong':{'$sum':{'$map':{'input':'$" array "','in':'$$this." field "'}}}}}},"
#define ID(field)              "{'$substrCP':[{'$ifNull':['$" field "','?']},1,64]}"
#define TEXT(field)            "{'$toString':'$" field "'}"

/* In this order: what is mended first is what the later ones build on. */
static const struct row {
    const char *collection, *pipeline;
    bool mend, damage; /* can be mended; contents or records are missing */
} rows[] = {
    {"session", JOIN("user", "user", "_id", "u") "{'$match':{'u':[]}}," LINE("'Session ','$_id',' belongs to a user who does not exist.'"),
     .damage = true},
    {"credential", JOIN("_id", "user", "_id", "u") "{'$match':{'u':[]}}," LINE("'A password belongs to user ','$_id',' who does not exist.'"),
     .damage = true},
    {"member", JOIN("user", "user", "_id", "u") "{'$match':{'u':[]}}," LINE("'Membership ','$_id',' names a user who does not exist.'"),
     .damage = true},
    {"member", JOIN("space", "record", "_id", "s") "{'$match':{'s':[]}}," LINE("'Membership ','$_id',' names a space that does not exist.'"),
     .damage = true},
    {"record", RANGE("u", "v") JOIN("space", "record", "_id", "s") "{'$match':{'s':[]}},"
     LINE("'Upload '," ID("_id") ",' is in space '," ID("space") ",', which does not exist.'"), .damage = true},
    {"record", VERSIONS JOIN("blob", "record", "_id", "b") "{'$match':{'b':[]}},"
     LINE("'Version '," ID("_id") ",' of node '," ID("node") ",' has no blob '," ID("blob") ",'.'"), .damage = true},
    {"record", VERSIONS JOIN("blob", "record", "_id", "b") "{'$unwind':'$b'}," WHERE("{'$ne':['$size','$b.size']}")
     LINE("'Version '," ID("_id") ",' says '," TEXT("size") ",' bytes, its blob '," ID("blob") ",' has '," TEXT("b.size") ",'.'"),
     .damage = true},
    {"record", VERSIONS JOIN("node", "record", "_id", "n") "{'$match':{'n':[]}},"
     LINE("'Version '," ID("_id") ",' belongs to node '," ID("node") ",', which does not exist.'"), .damage = true},
    {"record", NODES JOIN("space", "record", "_id", "s") "{'$match':{'s':[]}},"
     LINE("'Node '," ID("_id") ",' is in space '," ID("space") ",', which does not exist.'"), .damage = true},
    {"record", NODES "{'$match':{'parent':{'$ne':'" TOP "'}}}," JOIN("parent", "record", "_id", "p") FIRST("p")
     WHERE("{'$or':[{'$ne':[{'$ifNull':['$p.kind',1]},0]},{'$ne':['$p.space','$space']}]}")
     LINE("'Node '," ID("_id") ",' is in '," ID("parent") ",', which is no folder of its space.'"), .damage = true},
    {"record", NODES "{'$match':{'parent':'" TOP "'}}," JOIN("space", "record", "_id", "s") FIRST("s")
     WHERE("{'$ne':[{'$ifNull':['$s.root','']},'$_id']}")
     LINE("'Node '," ID("_id") ",' has no parent, but is not the root of space '," ID("space") ",'.'"), .damage = true},
    {"record", SPACES JOIN("root", "record", "_id", "r") FIRST("r")
     JOIN("_id", "member", "space", "m")
     WHERE("{'$or':[{'$and':[{'$ne':['$r.live',true]},{'$ne':['$m',[]]}]},{'$ne':['$r.kind',0]},{'$ne':['$r.space','$_id']},"
           "{'$ne':['$r.parent','" TOP "']}]}")
     LINE("'Space '," ID("_id") ",' has no live root folder '," ID("root") ",'.'"), .damage = true},
    {"user", JOIN("_id", "record", "personal_of", "s") "{'$match':{'s':[]}}," LINE("'User ','$name',' has no personal space.'"),
     .damage = true},
    {"record", NODES "{'$match':{'kind':1}}," JOIN("version", "record", "_id", "v") FIRST("v")
     WHERE("{'$ne':[{'$ifNull':['$v.node','']},'$_id']}") LINE("'File '," ID("_id") ",' has no version '," ID("version") ",'.'"),
     .damage = true},
    {"record", NODES "{'$match':{'kind':0}}," JOIN("_id", "record", "node", "v")
     WHERE("{'$or':[{'$ne':['$v',[]]},{'$ne':['$version','']},{'$ne':['$contents','']},{'$ne':['$size',0]},{'$ne':['$type','']},"
           "{'$ne':['$sha256','']}]}") LINE("'Folder '," ID("_id") ",' has contents.'"), .damage = true},
    {"record", NODES "{'$match':{'kind':1}}," JOIN("version", "record", "_id", "v") "{'$unwind':'$v'},"
     WHERE("{'$and':[{'$eq':['$v.node','$_id']},{'$or':[{'$ne':['$contents','$v.blob']},{'$ne':['$size','$v.size']},"
           "{'$ne':['$type','$v.type']},{'$ne':['$sha256','$v.sha256']}]}]}")
     LINE_SET("{'contents':'$v.blob','size':'$v.size','type':'$v.type','sha256':'$v.sha256'}",
              "'File '," ID("_id") ",' does not say the same as its version '," ID("version") ",'.'"), .mend = true},
    {"record", BLOBS JOIN("_id", "record", "blob", "v") "{'$set':{'n':{'$toLong':{'$size':'$v'}}}}," WHERE("{'$ne':['$refs','$n']}")
     LINE_SET("{'refs':'$n'}", "'Blob '," ID("_id") ",' counts '," TEXT("refs") ",' versions, there are '," TEXT("n") ",'.'"),
     .mend = true},
    {"record", BLOBS WHERE("{'$ne':[{'$eq':['$refs',0]},{'$gt':[{'$ifNull':['$unreferenced_ms',0]},0]}]}")
     LINE_SET("{'unreferenced_ms':{'$cond':[{'$eq':['$refs',0]},{'$toLong':'$$NOW'},0]}}",
              "'Blob '," ID("_id") ",' with '," TEXT("refs") ",' references says it has none since ',"
              "{'$toString':{'$ifNull':['$unreferenced_ms',0]}},'.'"), .mend = true},
    {"record", BLOBS "{'$match':{'blob_state':1,'refs':{'$gt':0}}},"
     LINE_SET("{'blob_state':{'$toLong':{'$literal':0}}}", "'Blob '," ID("_id") ",' was being removed although '," TEXT("refs")
              ",' versions need it; its bytes may be lost.'"), .mend = true, .damage = true},
    {"record", SPACES JOIN("_id", "record", "space", "n") "{'$set':{'files':{'$map':{'input':'$n','in':'$$this._id'}}}},"
     JOIN("files", "record", "node", "v") SUM("v", "size") WHERE("{'$ne':['$used','$sum']}")
     LINE_SET("{'used':'$sum'}", "'Space '," ID("_id") ",' says '," TEXT("used") ",' bytes used, its versions sum to '," TEXT("sum") ",'.'"),
     .mend = true},
    {"record", SPACES JOIN("_id", "record", "space", "u") SUM("u", "charged")
     WHERE("{'$ne':['$reserved','$sum']}")
     LINE_SET("{'reserved':'$sum'}", "'Space '," ID("_id") ",' says '," TEXT("reserved") ",' bytes reserved, its uploads sum to '," TEXT("sum")
              ",'.'"), .mend = true},
};

/* ---- a row's pipeline ---- */
static bson_t *pipeline_of(void *mem, const struct row *row)
{
    char *text = mem_printf(mem, "{\"p\":[%s]}", row->pipeline);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    return bson_new_from_json((const uint8_t *)text, -1, NULL);
}

/* With `only`, about that document alone. */
static struct list stages_of(void *mem, const struct row *row, const char *only)
{
    DOC_AUTO doc = pipeline_of(mem, row);
    struct list stages = list_new();
    bson_iter_t each;
    bson_t stage;
    if (only != NULL)
        list_add(&stages, DOC("$match", "{", "_id", S(only), "}"));
    if (doc != NULL && doc_rows(doc, "p", &each))
        while (rows_next(&each, &stage))
            list_add(&stages, bson_copy(&stage));
    return stages;
}

/* ---- once more ---- */
struct looking {
    void *mem;
    const struct row *row;
    const char *id;
    bool repair;
    const char *line; /* out; NULL: there is nothing */
};

/* What is 0 when absent is taken away again: its index holds only what matters. */
static bson_t *mending(const bson_t *set)
{
    bson_iter_t it;
    bool unset = bson_iter_init_find(&it, set, "unreferenced_ms") && bson_iter_as_int64(&it) == 0;
    return unset ? DOC("$unset", "{", "unreferenced_ms", N(1), "}") : DOC("$set", D(set));
}

static enum err mend(struct mongo *s, const struct looking *w, const bson_t *found)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    const uint8_t *data;
    uint32_t len;
    bson_iter_t it;
    bson_t set;
    if (!bson_iter_init_find(&it, found, "set") || !BSON_ITER_HOLDS_DOCUMENT(&it))
        return E_OK;
    bson_iter_document(&it, &len, &data);
    if (!bson_init_static(&set, data, len))
        return E_OK;
    DOC_AUTO change = mending(&set);
    return mongo_write(s, DOC("update", S(w->row->collection), "updates", "[", "{", "q", "{", "_id", S(w->id), "}", "u", D(change), "}",
                              "]"), &reply);
}

static enum err look(struct mongo *s, void *work)
{
    struct looking *w = work;
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO stages = stages_of(w->mem, w->row, w->id);
    bson_t found;
    bool any;
    w->line = NULL;
    TRY(mongo_one(s, aggregate(w->row->collection, &stages), &reply, &found, &any));
    if (!any)
        return E_OK;
    w->line = doc_text(w->mem, &found, "line");
    return w->repair && w->row->mend ? mend(s, w, &found) : E_OK;
}

/* ---- all ---- */
static enum err look_and_tell(struct mongo *s, const struct row *row, const char *id, bool repair, finding_fn *report, void *arg)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct looking w = {.mem = mem, .row = row, .id = id, .repair = repair};
    TRY(mongo_txn(s, look, &w));
    if (w.line != NULL)
        report(arg, &(struct finding){.repaired = repair && row->mend, .damage = row->damage, .mendable = row->mend, .line = w.line});
    return E_OK;
}

/* Their _ids only: there may be many. */
static enum err find_all(struct mongo *s, void *mem, const struct row *row, char ***ids_out, size_t *n_out)
{
    LIST_AUTO stages = stages_of(mem, row, NULL);
    bson_error_t error;
    const bson_t *doc, *reply;
    list_add(&stages, DOC("$project", "{", "_id", N(1), "}"));
    DOC_AUTO opts = DOC("allowDiskUse", B(true));
    DOC_AUTO pipeline = DOC("pipeline", A(stages.array));
    mongoc_collection_t *collection = mongoc_client_get_collection(s->client, s->db, row->collection);
    mongoc_cursor_t *cursor = mongoc_collection_aggregate(collection, MONGOC_QUERY_NONE, pipeline, opts, NULL);
    char **ids = NULL;
    for (*n_out = 0; mongoc_cursor_next(cursor, &doc); ++*n_out) {
        ids = talloc_realloc(mem, ids, char *, (unsigned)*n_out + 1);
        if (ids == NULL)
            mem_exhausted();
        ids[*n_out] = mem_str(mem, doc_peek(doc, "_id"));
    }
    *ids_out = ids;
    enum err e = mongoc_cursor_error_document(cursor, &error, &reply) ? mongo_fail(s, reply, &error, "check") : E_OK;
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(collection);
    return e;
}

static enum err check_one(struct mongo *s, const struct row *row, bool repair, finding_fn *report, void *arg)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char **ids;
    size_t n;
    TRY(find_all(s, mem, row, &ids, &n));
    for (size_t i = 0; i < n; i++)
        TRY(look_and_tell(s, row, ids[i], repair, report, arg));
    return E_OK;
}

enum err mongo_check(struct meta *m, bool repair, finding_fn *report, void *arg)
{
    struct mongo *s = mongo_of(m);
    TRY(mongo_ready(s));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        TRY(check_one(s, &rows[i], repair, report, arg));
    return E_OK;
}
