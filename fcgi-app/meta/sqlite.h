/* Inside the SQLite store: the connection pair, records from rows, the steps that verbs share, the verbs. */
#pragma once
#include "meta/db.h"
#include "meta/meta.h"
#include "meta/rules.h"

struct sqlite {
    struct meta meta; /* first: a struct meta * is a struct sqlite * */
    struct db main;   /* conf->sqlite_path: every record */
    struct db fast;   /* <sqlite_path>-volatile: throttles, last seen */
};

static inline struct sqlite *sqlite_of(struct meta *m)
{
    return (struct sqlite *)m;
}

/* ---- sqlite_schema.c ---- */
/* The store's files as they should be, opened when they are not yet. E_STORE_DOWN when there is no store, or
 * its schema is older than this program's; E_CONF when it is newer. */
enum err sqlite_ready(struct sqlite *s) MUST_CHECK;
enum err sqlite_upgrade(struct meta *m);
/* Bring an open store's schema to the last of `upgrades` (ends with version 0); within a transaction. */
enum err sqlite_upgrade_steps(struct db *db, int64_t from, const struct sql_upgrade *upgrades) MUST_CHECK;

/* Transactions on the main file, made ready first. */
enum err sqlite_write(struct sqlite *s) MUST_CHECK;
enum err sqlite_read(struct sqlite *s) MUST_CHECK;

/* ---- sqlite_rows.c: strings are copied to mem; `at` is the record's first column ---- */
const char *row_text(void *mem, sqlite3_stmt *q, int at);
struct id row_id(sqlite3_stmt *q, int at);
void row_user(void *mem, sqlite3_stmt *q, int at, struct user *out);
void row_session(void *mem, sqlite3_stmt *q, int at, struct session *out); /* seen_ms stands elsewhere */
void row_space(void *mem, sqlite3_stmt *q, int at, struct space *out);
void row_node(void *mem, sqlite3_stmt *q, int at, struct node *out);
/* Copies every text of the node to mem, so that it outlives the memory it was read or given in. */
void node_keep(void *mem, struct node *node);
void row_version(void *mem, sqlite3_stmt *q, int at, struct version *out);
void row_blob(void *mem, sqlite3_stmt *q, int at, struct blob *out);
void row_upload(void *mem, sqlite3_stmt *q, int at, struct upload *out);

/* ---- sqlite_place.c ---- */
/* Reads the node's place and asks the guard. E_NOT_FOUND when dead or unknown. */
enum err sqlite_place(struct sqlite *s, void *mem, const struct guard *g, struct id id, struct place *out) MUST_CHECK;
/* The place of a folder that something is to be put into. E_NO_PARENT, E_NOT_FOLDER. */
enum err sqlite_parent(struct sqlite *s, void *mem, const struct guard *g, struct id id, struct place *out) MUST_CHECK;
/* The first candidate of the name that is free in the folder. E_NAME_TAKEN. */
enum err sqlite_free_name(struct sqlite *s, void *mem, struct id parent, const char *name, const char **name_out) MUST_CHECK;
enum err sqlite_child(struct sqlite *s, void *mem, struct id parent, const char *name, struct node *out, bool *found_out) MUST_CHECK;
enum err sqlite_node_insert(struct sqlite *s, const struct node *node) MUST_CHECK;

/* The rows of folder_add and upload_commit, within a transaction. What refuses them does so before the first is written. */
enum err sqlite_folder_rows(struct sqlite *s, void *mem, const struct guard *g, const struct node *in) MUST_CHECK;
enum err sqlite_commit_rows(struct sqlite *s, void *mem, const struct guard *g, const struct commit *in, struct node *node_out,
                            bool *replaced_out) MUST_CHECK;

/* What stands at the target of an upload, and would it be accepted? E_PRECONDITION, E_NAME_TAKEN, E_IS_FOLDER. */
struct target {
    struct place place;    /* of the parent */
    bool exists;
    struct node node;      /* when it exists */
};
enum err sqlite_target(struct sqlite *s, void *mem, const char *name, enum conflict conflict, const struct expect *expect,
                       struct target *t) MUST_CHECK; /* fills exists and node; place is there already */
enum err sqlite_upload_row(struct sqlite *s, void *mem, struct id id, struct upload *out, bool *found_out) MUST_CHECK;

/* ---- sqlite_people.c, sqlite_grants.c: steps of verbs ---- */
/* E_LAST_ADMIN unless another active administrator is there, or the user is none. */
enum err sqlite_admin_left(struct sqlite *s, const struct user *user) MUST_CHECK;
enum err sqlite_user_row(struct sqlite *s, void *mem, struct id id, struct user *out) MUST_CHECK; /* E_NOT_FOUND */
/* Uses an invitation up. E_BAD_INVITE. */
enum err sqlite_invite_take(struct sqlite *s, const char *hash, int64_t now_ms) MUST_CHECK;
enum err sqlite_password(struct sqlite *s, struct id user, const char *hash, struct id keep, int64_t now_ms) MUST_CHECK;
/* A user's personal space. E_NOT_FOUND. */
enum err sqlite_personal(struct sqlite *s, void *mem, struct id user, struct space *space_out) MUST_CHECK;
/* A space whose root is gone goes too. */
enum err sqlite_space_drop(struct sqlite *s, struct id space) MUST_CHECK;

/* ---- sqlite_charge.c ---- */
enum err sqlite_charge(struct sqlite *s, struct id space, int64_t used, int64_t reserved) MUST_CHECK;
/* Removes all versions of a file: blobs lose a reference, *freed_out is what used shrinks by. */
enum err sqlite_versions_drop(struct sqlite *s, struct id node, int64_t now_ms, int64_t *freed_out) MUST_CHECK;
/* Removes a reservation and refunds it; *found_out tells whether there was one. */
enum err sqlite_upload_drop(struct sqlite *s, struct id upload, bool *found_out) MUST_CHECK;

/* Within a transaction; see lease_take. */
enum err sqlite_lease_row(struct sqlite *s, struct id holder, int64_t until_ms) MUST_CHECK;

struct audit {
    int64_t at_ms;
    struct id user, space, node;
    const char *action, *note;
};
enum err sqlite_audit(struct sqlite *s, const struct audit *a) MUST_CHECK;

/* ---- the verbs (meta.h) ---- */
enum err sqlite_user_add(struct meta *m, const struct user_new *in);
enum err sqlite_user_by_key(struct meta *m, void *mem, const char *key, struct user *user_out);
enum err sqlite_user_by_id(struct meta *m, void *mem, struct id id, struct user *user_out);
enum err sqlite_user_list(struct meta *m, void *mem, const char *after_key, unsigned limit, struct user **users_out, size_t *n_out);
enum err sqlite_user_space(struct meta *m, void *mem, struct id user, struct space *space_out);
enum err sqlite_credential_get(struct meta *m, void *mem, struct id user, const char **hash_out);
enum err sqlite_credential_set(struct meta *m, struct id user, const char *hash, struct id keep, int64_t now_ms);

enum err sqlite_user_rename(struct meta *m, struct id user, const char *name, const char *key, int64_t now_ms);
enum err sqlite_user_role(struct meta *m, struct id user, enum user_role role, int64_t now_ms);
enum err sqlite_user_state(struct meta *m, struct id user, enum user_state state, int64_t now_ms);
enum err sqlite_user_quota(struct meta *m, struct id user, int64_t quota, int64_t now_ms);
enum err sqlite_user_remove(struct meta *m, const struct removal *in, struct id *folder_out);

enum err sqlite_invite_add(struct meta *m, const struct grant *in);
enum err sqlite_invite_check(struct meta *m, const char *hash, int64_t now_ms);
enum err sqlite_reset_add(struct meta *m, const struct grant *in);
enum err sqlite_reset_user(struct meta *m, void *mem, const char *hash, int64_t now_ms, struct user *user_out);
enum err sqlite_reset_use(struct meta *m, const char *hash, const char *password_hash, int64_t now_ms);
enum err sqlite_secret(struct meta *m, void *mem, const char *fresh, const char **secret_out);

enum err sqlite_session_add(struct meta *m, const struct session *in, unsigned most);
enum err sqlite_session_get(struct meta *m, void *mem, const char *token_hash, int64_t now_ms, int64_t idle_since_ms,
                            struct session *session_out, struct user *user_out);
enum err sqlite_session_end(struct meta *m, struct id user, struct id session);
enum err sqlite_session_end_all(struct meta *m, struct id user, struct id keep, int64_t now_ms);
enum err sqlite_session_list(struct meta *m, void *mem, struct id user, int64_t now_ms, int64_t idle_since_ms,
                             struct session **sessions_out, size_t *n_out);
enum err sqlite_session_renew(struct meta *m, struct id user, struct id session, const char *token_hash, int64_t now_ms);

enum err sqlite_node_get(struct meta *m, void *mem, const struct guard *g, struct id id, struct place *place_out);
enum err sqlite_node_walk(struct meta *m, void *mem, const struct guard *g, struct id root, const char *const *names, size_t n,
                          struct place *place_out, size_t *found_out);
enum err sqlite_node_list(struct meta *m, void *mem, const struct guard *g, struct id parent, const struct node_query *q,
                          struct place *place_out, struct node_list *list_out);
enum err sqlite_folder_add(struct meta *m, const struct guard *g, const struct node *in);
enum err sqlite_node_remove(struct meta *m, const struct guard *g, struct id id, const struct expect *expect, int64_t now_ms);
enum err sqlite_node_change(struct meta *m, void *mem, const struct guard *g, const struct guard *into, struct id id,
                            const struct change *change, struct node *node_out);
enum err sqlite_node_copy(struct meta *m, void *mem, const struct guard *g, const struct guard *into, const struct copy *in,
                          struct node *node_out);
enum err sqlite_node_usage(struct meta *m, const struct guard *g, struct id id, struct usage *usage_out);

enum err sqlite_upload_reserve(struct meta *m, void *mem, const struct guard *g, const struct upload *in, struct upload *out);
enum err sqlite_upload_get(struct meta *m, void *mem, struct id id, struct upload *out);
enum err sqlite_upload_commit(struct meta *m, void *mem, const struct guard *g, const struct commit *in, struct node *node_out,
                              bool *replaced_out);
enum err sqlite_commit_many(struct meta *m, const struct guard *g, struct commit_row *rows, size_t n);
enum err sqlite_upload_release(struct meta *m, struct id id);
enum err sqlite_version_node(struct meta *m, struct id version, struct id *node_out);
enum err sqlite_reserved_total(struct meta *m, uint64_t *bytes_out);

enum err sqlite_expire(struct meta *m, int64_t now_ms, int64_t idle_since_ms, unsigned batch, unsigned *did_out);
enum err sqlite_reap(struct meta *m, unsigned batch, unsigned *did_out);
enum err sqlite_blobs_dying(struct meta *m, void *mem, int64_t before_ms, unsigned batch, struct id **ids_out, size_t *n_out);
enum err sqlite_blob_drop(struct meta *m, struct id id);
enum err sqlite_blob_get(struct meta *m, void *mem, struct id id, struct blob *out);
enum err sqlite_blob_list(struct meta *m, void *mem, struct id after, unsigned limit, struct blob **out, size_t *n_out);
enum err sqlite_version_list(struct meta *m, void *mem, struct id after, unsigned limit, struct version **out, size_t *n_out);
enum err sqlite_hash_pending(struct meta *m, void *mem, unsigned limit, struct id *versions_out, struct id *blobs_out, size_t *n_out);
enum err sqlite_hash_set(struct meta *m, struct id version, const char *sha256);
enum err sqlite_check(struct meta *m, bool repair, finding_fn *report, void *arg);

enum err sqlite_lease_take(struct meta *m, struct id holder, int64_t until_ms);
enum err sqlite_lease_end(struct meta *m, struct id holder);
enum err sqlite_backup(struct meta *m, const char *path);

enum err sqlite_record_list(struct meta *m, void *mem, enum record_kind kind, const char *after, unsigned limit,
                           struct record **rows_out, size_t *n_out);
enum err sqlite_record_put(struct meta *m, enum record_kind kind, const struct record *rows, size_t n);
enum err sqlite_snapshot_begin(struct meta *m);
void sqlite_snapshot_end(struct meta *m);

/* Best effort, for the sessions' verbs: the last request of a session (now when it cannot be known). */
int64_t sqlite_seen(struct sqlite *s, const struct session *session, int64_t now_ms);
void sqlite_seen_note(struct sqlite *s, struct id session, int64_t now_ms);
void sqlite_seen_drop(struct sqlite *s, struct id session);
/* Sessions idle since before, at most `batch`; throttles whose window is over go. */
enum err sqlite_idle(struct sqlite *s, void *mem, int64_t before_ms, unsigned batch, struct id **ids_out, size_t *n_out) MUST_CHECK;
enum err sqlite_throttles_over(struct sqlite *s, int64_t now_ms, unsigned batch, unsigned *did_out) MUST_CHECK;
enum err sqlite_throttle_charge(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms);
enum err sqlite_throttle_refund(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms);
