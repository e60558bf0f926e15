/* The MongoDB store's row: the same tests against the server that COFFER_TEST_MONGODB_URI names, each in a new
 * database, which goes again, but not from a server that goes itself (COFFER_TEST_MONGODB_GOES): SecantusDB may spin for ever
 * over a database that a killed process had a transaction in. Without the variable the program says so and is skipped. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "meta/mongo.h"

static const char *server(void)
{
    const char *uri = getenv("COFFER_TEST_MONGODB_URI");
    return uri != NULL ? uri : "";
}

__attribute__((constructor)) static void skip_without_server(void)
{
    if (server()[0] != '\0')
        return;
    puts("1..0 # SKIP COFFER_TEST_MONGODB_URI names no server");
    exit(0);
}

/* ---- databases ---- */
static int drop(char *uri)
{
    mongoc_client_t *client = mongoc_client_new(uri);
    mongoc_uri_t *parsed = mongoc_uri_new(uri);
    mongoc_database_t *db = mongoc_client_get_database(client, mongoc_uri_get_database(parsed));
    mongoc_database_drop(db, NULL);
    mongoc_database_destroy(db);
    mongoc_uri_destroy(parsed);
    mongoc_client_destroy(client);
    return 0;
}

/* The server's address with a database of its own; what follows "?" stays behind it. */
static void elsewhere(struct bench *b, unsigned n)
{
    const char *uri = server(), *options = strchr(uri, '?');
    size_t len = options != NULL ? (size_t)(options - uri) : strlen(uri);
    while (len > 0 && uri[len - 1] == '/')
        len--;
    char *own = mem_printf(b, "%.*s/coffer_test_%d_%u_%.6s%s", (int)len, uri, (int)getpid(), n, id_new().s, options != NULL ? options : "");
    if (getenv("COFFER_TEST_MONGODB_GOES") == NULL)
        talloc_set_destructor(own, drop);
    b->conf.mongodb_uri = own;
}

/* ---- damage ---- */
#define OTHER(letter) letter "ffffffffffffffffffffffffffffffff"

static const struct {
    const char *collection;
    enum of_what what;   /* 0: a plain id */
    const char *field;   /* that names it; NULL: _id */
    const char *change;  /* JSON; NULL: the document goes */
} damages[] = {
    [HURT_USED] = {"record", OF_SPACE, NULL, "{\"$inc\":{\"used\":7}}"},
    [HURT_RESERVED] = {"record", OF_SPACE, NULL, "{\"$inc\":{\"reserved\":7}}"},
    [HURT_REFS] = {"record", OF_BLOB, NULL, "{\"$inc\":{\"refs\":1}}"},
    [HURT_SINCE] = {"record", OF_BLOB, NULL, "{\"$set\":{\"unreferenced_ms\":5}}"},
    [HURT_DYING] = {"record", OF_BLOB, NULL, "{\"$set\":{\"blob_state\":1}}"},
    [HURT_COPY] = {"record", OF_NODE, NULL, "{\"$inc\":{\"size\":7}}"},
    [HURT_NO_BLOB] = {"record", OF_BLOB, NULL, NULL},
    [HURT_NO_NODE] = {"record", OF_NODE, NULL, NULL},
    [HURT_NO_VERSION] = {"record", OF_NODE, "node", NULL},
    [HURT_NO_PARENT] = {"record", OF_NODE, NULL, "{\"$set\":{\"parent\":\"" OTHER("n") "\"}}"},
    [HURT_NO_SPACE] = {"record", OF_NODE, NULL, "{\"$set\":{\"space\":\"" OTHER("s") "\"}}"},
    [HURT_NO_ROOT] = {"record", OF_SPACE, "space", "{\"$set\":{\"live\":false}}"}, /* a space with nothing but its root */
    [HURT_NO_TOP] = {"record", OF_NODE, NULL, "{\"$set\":{\"parent\":\"n00000000000000000000000000000000\"}}"},
    [HURT_NO_PERSONAL] = {"record", 0, "personal_of", "{\"$unset\":{\"personal_of\":1}}"},
    [HURT_USER_DISABLED] = {"user", 0, NULL, "{\"$set\":{\"state\":1}}"},
    [HURT_NOTES_LOST] = {"session", 0, NULL, "{\"$unset\":{\"seen_ms\":1}}"}, /* of all sessions */
};

static void hurt(struct bench *b, enum hurt what, struct id id)
{
    struct mongo *s = mongo_of(b->m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO q = bson_new();
    DOC_AUTO change = bson_new_from_json((const uint8_t *)(damages[what].change != NULL ? damages[what].change : "{}"), -1, NULL);
    const char *field = damages[what].field != NULL ? damages[what].field : "_id";
    if (id_is(id))
        BSON_APPEND_UTF8(q, field, damages[what].what != 0 ? ref_of(damages[what].what, id).s : id.s);
    bson_t *command =
        damages[what].change != NULL
            ? DOC("update", S(damages[what].collection), "updates", "[", "{", "q", D(q), "u", D(change), "multi", B(true), "}", "]")
            : DOC("delete", S(damages[what].collection), "deletes", "[", "{", "q", D(q), "limit", BCON_INT32(0), "}", "]");
    assert_err(mongo_write(s, command, &reply), E_OK);
    assert_true(reply_n(&reply) > 0);
}

const struct opener openers[] = {
    {"mongodb", meta_mongo_open, elsewhere, hurt, 20},
};
_Static_assert(ROWS(openers) == OPENERS, "a row per store");
