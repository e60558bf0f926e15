/* Stores behind a network: what keeps Coffer from them, told apart, each with its cure. */
#include <string.h>

#include "base/mem.h"
#include "blob/s3.h"
#include "cli/doctor.h"
#include "meta/mongo.h"

#define WIRE_5_0 13

/* ---- MongoDB ---- */
enum { CODE_NOT_ALLOWED = 13, CODE_NO_AUTHENTICATION = 18 };

static bool is_lock_out(const bson_error_t *error)
{
    return error->domain == MONGOC_ERROR_CLIENT || error->code == CODE_NO_AUTHENTICATION || error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE;
}

static void mongodb_failed(struct doctor *d, const bson_error_t *error)
{
    if (error->code == CODE_NOT_ALLOWED)
        doctor_tell(d, ILL_ERROR, "Give that user the role readWrite on the database, or name a user in store.metadata: mongodb://USER:PASSWORD@HOST/DATABASE.",
                    "MongoDB does not permit Coffer its database (%s).", error->message);
    else if (is_lock_out(error))
        doctor_tell(d, ILL_ERROR, "Correct user and password in store.metadata, and authSource when the user stands in another database.",
                    "MongoDB does not let Coffer in (%s).", error->message);
    else if (strstr(error->message, "TLS") != NULL || strstr(error->message, "certificate") != NULL)
        doctor_tell(d, ILL_ERROR, "Name the authority of its certificate in store.metadata: tls=true&tlsCAFile=FILE.",
                    "MongoDB and Coffer cannot agree on a safe connection (%s).", error->message);
    else
        doctor_tell(d, ILL_ERROR, "Start MongoDB, let this machine through to it, or correct the address in store.metadata (and replicaSet in it).",
                    "MongoDB cannot be reached, or has no primary (%s).", error->message);
}

static bool ask_mongodb(struct doctor *d, struct mongo *s, const char *db, bson_t *command, bson_t *reply)
{
    bson_error_t error;
    DOC_AUTO mine = command;
    bool fine = mongoc_client_command_simple(s->client, db, mine, NULL, reply, &error);
    if (!fine)
        mongodb_failed(d, &error);
    return fine;
}

static void check_mongodb(struct doctor *d, struct mongo *s)
{
    REPLY_AUTO hello = BSON_INITIALIZER; /* the driver makes it anew; an empty one holds no memory */
    REPLY_AUTO found = BSON_INITIALIZER;
    if (!ask_mongodb(d, s, "admin", DOC("hello", BCON_INT32(1)), &hello))
        return;
    if (doc_number(&hello, "maxWireVersion") < WIRE_5_0)
        doctor_tell(d, ILL_ERROR, "Upgrade the server to MongoDB 5.0 or later.", "This MongoDB is too old.");
    else if (!doc_has(&hello, "setName") && strcmp(doc_peek(&hello, "msg"), "isdbgrid") != 0)
        doctor_tell(d, ILL_ERROR, "Start mongod with --replSet rs0 and run rs.initiate() once; one member will do.",
                    "This MongoDB is not a replica set, so it has no transactions.");
    ask_mongodb(d, s, s->db, find_one("meta", DOC("_id", S("store_id"))), &found);
}

void doctor_mongodb(struct doctor *d)
{
    struct meta *m;
    if (d->conf->mongodb_uri[0] == '\0')
        return;
    enum err e = meta_open(d->mem, d->conf, NULL, &m);
    if (e == E_OK)
        e = mongo_connect(mongo_of(m));
    if (e != E_OK)
        doctor_tell(d, ILL_ERROR, "Correct store.metadata: mongodb://USER:PASSWORD@HOST/DATABASE.", "MongoDB cannot be used: %s.", err_last(e)->detail);
    else
        check_mongodb(d, mongo_of(m));
}

/* ---- S3 ---- */
static const char *const s3_cures[S3_TROUBLES] = {
    [S3_NO_KEYS] = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the service, or a credentials file, or give the machine a role.",
    [S3_BAD_ID] = "Correct AWS_ACCESS_KEY_ID, or make a new key.",
    [S3_BAD_SECRET] = "Correct AWS_SECRET_ACCESS_KEY: it does not belong to that key.",
    [S3_EXPIRED] = "Renew the session token, or use credentials that renew themselves (a role).",
    [S3_NO_BUCKET] = "Make the bucket, or correct store.blobs.",
    [S3_REGION] = "Set store.s3_region (AWS_REGION) to the bucket's region.",
    [S3_SKEW] = "Set the clock, and have it kept (systemd-timesyncd, chrony).",
    [S3_BUSY] = "Wait; if it stays so, ask for more, or have fewer programs use the bucket.",
    [S3_DNS] = "Correct store.s3_endpoint, or the machine's name service.",
    [S3_CONNECT] = "Start the S3 server, let this machine through to it, or correct store.s3_endpoint.",
    [S3_TLS] = "Name the authority of the server's certificate as store.s3_ca, or use the name that stands in the certificate.",
    [S3_TIMEOUT] = "Look after the S3 server, or the way to it: it takes connections and does not answer.",
    [S3_FULL] = "Make room in the S3 server, or raise the bucket's quota.",
};

/* All that Coffer needs to be allowed. */
static const char *policy(struct doctor *d)
{
    const char *prefix = d->conf->s3_prefix;
    return mem_printf(d->mem, "Allow these keys what Coffer needs, by this policy: {\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":"
                              "[\"s3:PutObject\",\"s3:GetObject\",\"s3:DeleteObject\",\"s3:AbortMultipartUpload\"],\"Resource\":"
                              "\"arn:aws:s3:::%s/%s%s*\"}]}.", d->conf->s3_bucket, prefix, prefix[0] != '\0' ? "/" : "");
}

static void s3_failed(struct doctor *d, const char *what, const char *name, const struct s3_fault *fault)
{
    const char *cure = fault->trouble == S3_DENIED ? policy(d) : s3_cures[fault->trouble];
    enum err e = s3_fail(fault, what, name);
    const struct err_info *info = err_last(e);
    doctor_tell(d, ILL_ERROR, cure != NULL ? cure : "Look into the S3 server's own log.", "%s (%s)", info->say[0] != '\0' ? info->say : err_title(e),
                info->detail);
}

/* An upload that does not exist is ended: that there is none is well. */
static bool is_well(const struct s3_ask *ask, const struct s3_fault *fault)
{
    bool ended = ask->query[0].name != NULL && (fault->trouble == S3_NO_UPLOAD || fault->trouble == S3_MISSING);
    return fault->trouble == S3_FINE || ended;
}

/* In this order; each needs another permission. */
static void try_s3(struct doctor *d, struct s3 *s, const char *name, const struct http_body *body, const char *sha256)
{
    const struct s3_ask steps[] = {
        {.method = "PUT", .key = name, .body = body, .payload = sha256},
        {.method = "GET", .key = name},
        {.method = "DELETE", .key = name, .query = {{"uploadId", "none"}}},
        {.method = "DELETE", .key = name},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct http_call call;
        struct s3_fault fault;
        s3_ask(s, d->mem, &steps[i], &call, &fault);
        if (is_well(&steps[i], &fault))
            continue;
        s3_failed(d, steps[i].method, name, &fault);
        if (i == 0)
            return; /* what keeps us from writing mostly keeps us from all of it */
    }
}

void doctor_s3(struct doctor *d)
{
    static const char text[] = "coffer doctor\n";
    const struct http_body body = {.data = text, .fd = -1, .size = sizeof text - 1};
    struct blob_store *store;
    char sha256[65];
    if (d->conf->s3_bucket[0] == '\0' || blob_open_store(d->mem, d->conf, &store) != E_OK ||
        s3_hash(&(struct blob_source){.data = text, .fd = -1, .size = body.size}, sha256) != E_OK)
        return;
    try_s3(d, s3_of(store), mem_printf(d->mem, "doctor-%s", id_new().s), &body, sha256);
}
