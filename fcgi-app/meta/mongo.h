/* Inside the MongoDB store: the connection, commands, transactions, records from documents, the verbs.
 *
 * Collections. What one upload writes stands in one collection, `record`, so that one `update` command writes it
 * all: spaces, nodes, versions, blobs, uploads and the audit. The first letter of a document's _id tells what it
 * is (enum of_what), the id follows; documents name each other by _id. So every kind is a range of the index on
 * _id. Accounts are apart: `user`, `credential`, `session`, `member`; `throttle` is volatile; `meta` holds the
 * schema's version, the store's id, and the lock of upgrade.
 *
 * Nothing a person typed is ever part of a key, an expression, or text that is parsed: strings enter documents by
 * typed append as values, so "$name" or "a.b" mean nothing.
 *
 * Against write skew: every transaction that adds to, removes from or moves within a space writes the space's
 * document (`seq` counts that), and every one that concerns an account's sessions the user's. Two that overlap
 * therefore conflict, and one of them is run again. */
#pragma once
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* of the library's inline functions */
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <mongoc/mongoc.h>
#pragma GCC diagnostic pop
#include <sys/types.h>

#include "base/mem.h"
#include "meta/meta.h"

#define MONGO_SCHEMA_VERSION 1

struct mongo {
    struct meta meta; /* first: a struct meta * is a struct mongo * */
    mongoc_uri_t *uri;
    const char *db;
    mongoc_client_t *client;          /* NULL: not connected */
    mongoc_client_session_t *session; /* within a transaction, else NULL */
    pid_t owner;                      /* the process that connected: nothing is carried over fork */
    bool ready;                       /* the schema was looked at */
    bool broken;                      /* no server was found: connect anew, the driver would hold back for 5 s */
    bool again;                       /* what failed last is worth another try: the transaction lost against another */
    bool raced;                       /* then: against a duplicate key, which may also be there to stay */
    unsigned commands;                /* sent so far: round trips */
    int64_t asked_ms;                 /* monotonic: when the last command was begun */
    struct plan *plan;                /* what the last walk found, for a commit right behind it; or NULL */
};

static inline struct mongo *mongo_of(struct meta *m)
{
    return (struct mongo *)m;
}

/* ---- building: every value says its type ---- */
#define S(text)   BCON_UTF8(text)
#define N(number) BCON_INT64((int64_t)(number))
#define B(yes)    BCON_BOOL(yes)
#define D(doc)    BCON_DOCUMENT(doc)
#define A(array)  BCON_ARRAY(array)
#define DOC(...)  bcon_new(NULL, __VA_ARGS__, (void *)NULL)
void free_doc(bson_t **doc); /* for CLEANUP */
#define DOC_AUTO CLEANUP(free_doc) bson_t *

/* An array that grows at its end. */
struct list {
    bson_t *array;
    unsigned n;
};
struct list list_new(void);
void list_add(struct list *l, bson_t *doc); /* takes doc */
void free_list(struct list *l);             /* for CLEANUP */
#define LIST_AUTO CLEANUP(free_list) struct list

enum of_what { OF_AUDIT = 'a', OF_BLOB = 'b', OF_NODE = 'n', OF_SPACE = 's', OF_UPLOAD = 'u', OF_VERSION = 'v' };
/* An _id of `record`; "" for no id. */
struct ref {
    char s[ID_LEN + 2];
};
struct ref ref_of(enum of_what what, struct id id);

/* ---- reading: what is absent is "", 0, false; strings are copied to mem ---- */
const char *doc_text(void *mem, const bson_t *doc, const char *field);
const char *doc_peek(const bson_t *doc, const char *field); /* as long as doc lives */
int64_t doc_number(const bson_t *doc, const char *field);
bool doc_has(const bson_t *doc, const char *field);
struct id doc_id(const bson_t *doc, const char *field);  /* a plain id */
struct id doc_ref(const bson_t *doc, const char *field); /* the id of a ref */
/* An array's first document, and how to go through all: `while (rows_next(&it, &doc))`. */
bool doc_first(const bson_t *doc, const char *array, bson_t *out);
bool doc_rows(const bson_t *doc, const char *array, bson_iter_t *rows_out);
bool rows_next(bson_iter_t *rows, bson_t *out);

void doc_user(void *mem, const bson_t *doc, struct user *out);
void doc_space(void *mem, const bson_t *doc, struct space *out);
void doc_node(void *mem, const bson_t *doc, struct node *out);
void doc_version(void *mem, const bson_t *doc, struct version *out);
void doc_blob(void *mem, const bson_t *doc, struct blob *out);
void doc_upload(void *mem, const bson_t *doc, struct upload *out);
bson_t *node_doc(const struct node *n);
bson_t *version_doc(const struct version *v, struct id user);
bson_t *upload_doc(void *mem, const struct upload *u);

/* ---- mongo_link.c ---- */
/* Connected, and the schema is this program's. E_STORE_DOWN at once while the mark in shm says so. */
enum err mongo_ready(struct mongo *s) MUST_CHECK;
enum err mongo_connect(struct mongo *s) MUST_CHECK; /* without looking at the schema */
void mongo_close(struct mongo *s);
/* Run one command, which is freed; within a transaction it is part of it. `reply` is filled in any case: destroy
 * it. A duplicate key within a transaction means that another was faster: try again. */
enum err mongo_read(struct mongo *s, bson_t *command, bson_t *reply) MUST_CHECK;
enum err mongo_write(struct mongo *s, bson_t *command, bson_t *reply) MUST_CHECK;
enum err mongo_volatile(struct mongo *s, bson_t *command, bson_t *reply) MUST_CHECK; /* acknowledged by one, from memory */
/* What the driver says, as ours. */
enum err mongo_fail(struct mongo *s, const bson_t *reply, const bson_error_t *error, const char *what) MUST_CHECK;
#define REPLY_AUTO CLEANUP(bson_destroy) bson_t

/* aggregate or find (freed): the rows of the first batch. reply as above. */
enum err mongo_rows(struct mongo *s, bson_t *command, bson_t *reply, bson_iter_t *rows_out) MUST_CHECK;
enum err mongo_one(struct mongo *s, bson_t *command, bson_t *reply, bson_t *row_out, bool *found_out) MUST_CHECK;
/* {find: collection, filter, limit: 1}; filter is freed. */
bson_t *find_one(const char *collection, bson_t *filter);
bson_t *aggregate(const char *collection, const struct list *stages);
int64_t reply_n(const bson_t *reply); /* documents a write matched, inserted or removed */

/* ---- mongo_txn.c ---- */
/* Runs body in a transaction: it may be called several times and must begin anew each time. Any error of it is
 * the answer and undoes everything. When the outcome of the commit cannot be had: E_STORE_DOWN. */
enum err mongo_txn(struct mongo *s, enum err (*body)(struct mongo *s, void *work), void *work) MUST_CHECK;

/* ---- mongo_lock.c ---- */
/* A lock of that name for `ms`; taking one's own again renews it. */
enum err mongo_lock(struct mongo *s, const char *name, struct id me, int64_t ms, bool *mine_out) MUST_CHECK;
enum err mongo_unlock(struct mongo *s, const char *name, struct id me) MUST_CHECK;

/* Writes to `record` collected and sent as one `update` and one `delete` command. */
struct writes {
    struct list updates, deletes;
    bool conditional; /* every update must find its document */
};
struct writes writes_new(void);
void free_writes(struct writes *b); /* for CLEANUP */
#define WRITES_AUTO CLEANUP(free_writes) struct writes
void writes_insert(struct writes *b, struct ref id, bson_t *doc);      /* doc has no _id; taken */
void writes_update(struct writes *b, struct ref id, bson_t *change);   /* {$set: ...}; taken */
void writes_pipeline(struct writes *b, bson_t *filter, struct list *stages); /* both are freed */
void writes_delete(struct writes *b, struct ref id);
/* When a condition of one of them did not hold, and so nothing may be kept: E_STORE_DOWN, worth another try. */
enum err writes_send(struct mongo *s, struct writes *b) MUST_CHECK;

/* ---- mongo_charge.c ---- */
/* What the space has used and reserved changes; never below nothing. Always counts seq: the common document. */
void writes_charge(struct writes *b, struct id space, int64_t used, int64_t reserved);
void writes_charge_at(struct writes *b, struct id space, int64_t used, int64_t reserved, int64_t seq); /* only while seq is that */
void writes_release(struct writes *b, struct id blob, int64_t now_ms); /* a blob loses a reference */
struct audit {
    int64_t at_ms;
    struct id user, space, node;
    const char *action, *note;
};
void writes_audit(struct writes *b, const struct audit *a);
/* All versions of a file go; *freed_out is what used shrinks by. */
enum err mongo_versions_drop(struct mongo *s, struct writes *b, struct id node, int64_t now_ms, int64_t *freed_out) MUST_CHECK;
enum err mongo_upload_row(struct mongo *s, void *mem, struct id id, struct upload *out, bool *found_out) MUST_CHECK;

/* ---- mongo_place.c ---- */
/* Reads the node's place, and with `name` also its live child of that name, in one query; asks the guard. */
struct spot {
    struct place place;
    bool exists;
    struct node child; /* when it exists */
};
enum err mongo_place(struct mongo *s, void *mem, const struct guard *g, struct id id, const char *name, struct spot *out) MUST_CHECK;
/* A name that a walk did not find. A commit that follows need not look again: it is written only while the space's `seq` is still
 * that one, so nothing in the space changed meanwhile, nor who may do what there. A plan only ever says yes: what it refuses is
 * looked at anew. */
struct plan {
    struct id user;
    const char *name;
    struct spot spot;
    int64_t seq;
};
struct plan *plan_take(struct mongo *s, void *mem, const struct guard *g, struct id parent, const char *name); /* or NULL */
/* The place of a folder that something is to be put into. E_NO_PARENT, E_NOT_FOLDER. */
enum err mongo_parent(struct mongo *s, void *mem, const struct guard *g, struct id id, const char *name, struct spot *out) MUST_CHECK;
/* The documents of folder_add, within a transaction. What refuses it does so before the first is written. */
enum err mongo_folder_rows(struct mongo *s, void *mem, const struct guard *g, const struct node *in) MUST_CHECK;
/* Stages that add to a node's document what a place is made of; and the place from it. */
void place_stages(struct list *stages, const struct guard *g);
enum err place_read(void *mem, const bson_t *doc, struct place *out) MUST_CHECK;
enum err mongo_child(struct mongo *s, void *mem, struct id parent, const char *name, struct node *out, bool *found_out) MUST_CHECK;
/* The first free of the names that CONFLICT_RENAME gives. E_NAME_TAKEN. */
enum err mongo_free_name(struct mongo *s, void *mem, struct id parent, const char *name, const char **name_out) MUST_CHECK;

/* ---- steps that verbs share, within a transaction ---- */
enum err mongo_update(struct mongo *s, const char *collection, bson_t *filter, bson_t *change, bool many, int64_t *n_out) MUST_CHECK;
enum err mongo_delete(struct mongo *s, const char *collection, bson_t *filter, int64_t *n_out) MUST_CHECK; /* all that match */
enum err mongo_touch(struct mongo *s, const char *what) MUST_CHECK; /* a document of `meta` that excludes others */
enum err mongo_set_once(struct mongo *s, const char *key, bson_t *value) MUST_CHECK;
enum err mongo_note(struct mongo *s, struct id user, const char *action, const char *text, int64_t now_ms) MUST_CHECK;
enum err mongo_personal(struct mongo *s, void *mem, struct id user, struct space *space_out) MUST_CHECK; /* E_NOT_FOUND */
enum err mongo_user_row(struct mongo *s, void *mem, struct id id, struct user *out) MUST_CHECK; /* E_NOT_FOUND */
enum err mongo_admin_left(struct mongo *s, const struct user *user) MUST_CHECK;                 /* E_LAST_ADMIN */
enum err mongo_password(struct mongo *s, struct id user, const char *hash, struct id keep, int64_t now_ms) MUST_CHECK;
enum err mongo_invite_take(struct mongo *s, const char *hash, int64_t now_ms) MUST_CHECK;
enum err mongo_space_drop(struct mongo *s, struct id space) MUST_CHECK;
enum err mongo_spaces_touch(struct mongo *s, struct id user) MUST_CHECK; /* counts seq where the user is a member */
enum err mongo_leases_over(struct mongo *s, int64_t now_ms, unsigned *did) MUST_CHECK;
enum err mongo_leased(struct mongo *s, bool *leased_out) MUST_CHECK;
/* E_TOO_NESTED unless all live nodes below the folder, its children on `level`, fit when its path has `bytes`. */
enum err mongo_fits_below(struct mongo *s, struct id folder, size_t bytes, size_t level) MUST_CHECK;

/* ---- the verbs (meta.h) ---- */
enum err mongo_upgrade(struct meta *m);
enum err mongo_user_add(struct meta *m, const struct user_new *in);
enum err mongo_user_by_key(struct meta *m, void *mem, const char *key, struct user *user_out);
enum err mongo_user_by_id(struct meta *m, void *mem, struct id id, struct user *user_out);
enum err mongo_user_list(struct meta *m, void *mem, const char *after_key, unsigned limit, struct user **users_out, size_t *n_out);
enum err mongo_user_space(struct meta *m, void *mem, struct id user, struct space *space_out);
enum err mongo_credential_get(struct meta *m, void *mem, struct id user, const char **hash_out);
enum err mongo_credential_set(struct meta *m, struct id user, const char *hash, struct id keep, int64_t now_ms);

enum err mongo_user_rename(struct meta *m, struct id user, const char *name, const char *key, int64_t now_ms);
enum err mongo_set_role(struct meta *m, struct id user, enum user_role role, int64_t now_ms);
enum err mongo_set_state(struct meta *m, struct id user, enum user_state state, int64_t now_ms);
enum err mongo_user_quota(struct meta *m, struct id user, int64_t quota, int64_t now_ms);
enum err mongo_user_remove(struct meta *m, const struct removal *in, struct id *folder_out);
enum err mongo_invite_add(struct meta *m, const struct grant *in);
enum err mongo_invite_check(struct meta *m, const char *hash, int64_t now_ms);
enum err mongo_reset_add(struct meta *m, const struct grant *in);
enum err mongo_reset_user(struct meta *m, void *mem, const char *hash, int64_t now_ms, struct user *user_out);
enum err mongo_reset_use(struct meta *m, const char *hash, const char *password_hash, int64_t now_ms);
enum err mongo_secret(struct meta *m, void *mem, const char *fresh, const char **secret_out);
enum err mongo_keeper_take(struct meta *m, struct id me, int64_t ms, bool *mine_out);
enum err mongo_keeper_end(struct meta *m, struct id me);
enum err mongo_lease_take(struct meta *m, struct id holder, int64_t until_ms);
enum err mongo_lease_end(struct meta *m, struct id holder);
enum err mongo_session_end_all(struct meta *m, struct id user, struct id keep, int64_t now_ms);
enum err mongo_session_list(struct meta *m, void *mem, struct id user, int64_t now_ms, int64_t idle_since_ms,
                            struct session **sessions_out, size_t *n_out);
enum err mongo_session_renew(struct meta *m, struct id user, struct id session, const char *token_hash, int64_t now_ms);

enum err mongo_session_add(struct meta *m, const struct session *in, unsigned most);
enum err mongo_session_get(struct meta *m, void *mem, const char *token_hash, int64_t now_ms, int64_t idle_since_ms,
                           struct session *session_out, struct user *user_out);
enum err mongo_session_end(struct meta *m, struct id user, struct id session);

enum err mongo_node_get(struct meta *m, void *mem, const struct guard *g, struct id id, struct place *place_out);
enum err mongo_node_walk(struct meta *m, void *mem, const struct guard *g, struct id root, const char *const *names, size_t n,
                         struct place *place_out, size_t *found_out);
enum err mongo_node_list(struct meta *m, void *mem, const struct guard *g, struct id parent, const struct node_query *q,
                         struct place *place_out, struct node_list *list_out);
enum err mongo_folder_add(struct meta *m, const struct guard *g, const struct node *in);
enum err mongo_node_remove(struct meta *m, const struct guard *g, struct id id, const struct expect *expect, int64_t now_ms);
enum err mongo_node_change(struct meta *m, void *mem, const struct guard *g, const struct guard *into, struct id id,
                           const struct change *change, struct node *node_out);
enum err mongo_node_copy(struct meta *m, void *mem, const struct guard *g, const struct guard *into, const struct copy *in,
                         struct node *node_out);
enum err mongo_node_usage(struct meta *m, const struct guard *g, struct id id, struct usage *usage_out);

enum err mongo_upload_reserve(struct meta *m, void *mem, const struct guard *g, const struct upload *in, struct upload *out);
enum err mongo_upload_get(struct meta *m, void *mem, struct id id, struct upload *out);
enum err mongo_upload_commit(struct meta *m, void *mem, const struct guard *g, const struct commit *in, struct node *node_out,
                             bool *replaced_out);
enum err mongo_commit_many(struct meta *m, const struct guard *g, struct commit_row *rows, size_t n);
enum err mongo_upload_release(struct meta *m, struct id id);
enum err mongo_version_node(struct meta *m, struct id version, struct id *node_out);
enum err mongo_reserved_total(struct meta *m, uint64_t *bytes_out);

enum err mongo_expire(struct meta *m, int64_t now_ms, int64_t idle_since_ms, unsigned batch, unsigned *did_out);
enum err mongo_reap(struct meta *m, unsigned batch, unsigned *did_out);
enum err mongo_blobs_dying(struct meta *m, void *mem, int64_t before_ms, unsigned batch, struct id **ids_out, size_t *n_out);
enum err mongo_blob_drop(struct meta *m, struct id id);
enum err mongo_blob_get(struct meta *m, void *mem, struct id id, struct blob *out);
enum err mongo_blob_list(struct meta *m, void *mem, struct id after, unsigned limit, struct blob **out, size_t *n_out);
enum err mongo_version_list(struct meta *m, void *mem, struct id after, unsigned limit, struct version **out, size_t *n_out);
enum err mongo_hash_pending(struct meta *m, void *mem, unsigned limit, struct id *versions_out, struct id *blobs_out, size_t *n_out);
enum err mongo_hash_set(struct meta *m, struct id version, const char *sha256);
enum err mongo_check(struct meta *m, bool repair, finding_fn *report, void *arg);

enum err mongo_record_list(struct meta *m, void *mem, enum record_kind kind, const char *after, unsigned limit,
                          struct record **rows_out, size_t *n_out);
enum err mongo_record_put(struct meta *m, enum record_kind kind, const struct record *rows, size_t n);
enum err mongo_snapshot_begin(struct meta *m);
void mongo_snapshot_end(struct meta *m);

enum err mongo_throttle_charge(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms);
enum err mongo_throttle_refund(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms);
enum err mongo_throttles_over(struct mongo *s, int64_t now_ms, unsigned batch, unsigned *did) MUST_CHECK;
