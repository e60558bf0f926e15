/* Records in a store: the verbs of the domain, the same for every store (meta_sqlite, meta_mongo).
 *
 * A verb is one transaction and durable when it returns E_OK. A verb that fails changed nothing. All verbs
 * may be called by many processes at once; the contract suite runs pairs of them against each other. Any
 * verb may also fail with E_STORE_DOWN (not reachable, or the write lock was not had within
 * store.busy_timeout; nothing happened), E_DISK_FULL, E_DAMAGED, or E_UNSURE (committed, but the disk refused to make it
 * durable: neither undo it nor say that it is done).
 *
 * Rights are judged inside the transaction: a verb that touches a node reads the node's place first and
 * hands it to the guard; any error of the guard is the verb's answer and nothing changes. A node is dead,
 * and so E_NOT_FOUND, when it or an ancestor is. Records and strings handed out belong to `mem`. */
#pragma once
#include "base/err.h"
#include "base/shm.h"
#include "conf/conf.h"
#include "meta/record.h"
#include "model/model.h"

/* What a verb read about a node before it acts. */
struct place {
    struct space space;
    struct node node;
    enum member_role role;        /* of guard->user in the space */
    enum user_state user_state;   /* of guard->user; USER_DISABLED when there is no such user */
    size_t depth;                 /* ancestors above the node: 0 for a root */
    struct node *ancestors;       /* parent first, root last; only id, parent, name and kind are filled */
};

struct guard {
    enum err (*ask)(const struct guard *self, const struct place *place);
    struct id user;               /* whose membership place.role tells; "" = nobody's */
};

struct meta {
    const struct meta_ops *ops;
    const struct conf *conf;
    struct shm *shm;              /* NULL on the command line */
};

struct user_new {
    struct user user;             /* id, name, key, role, state, created_ms */
    const char *password_hash;
    struct space space;           /* id, root, quota: the personal space */
    const char *invite_hash;      /* NULL: needs none; else this invitation is used up with it */
};

/* What a link grants once: an invitation, or setting a new password. Only the token's hash is kept. */
struct grant {
    const char *hash;             /* hex SHA-256 of the token */
    struct id user;               /* whose password; "" for invitations */
    int64_t created_ms, expires_ms;
};

struct removal {
    struct id user, heir;         /* heir "": the files go too */
    int64_t now_ms;
};

/* A finished upload becoming a file. */
struct commit {
    struct id upload;             /* the reservation, or "" when there was none: then size is charged now */
    bool keep_upload;             /* several files on one reservation: size is taken from it, it stays open */
    struct id parent;             /* used when upload is "" or names no file yet; else the reservation's */
    const char *name, *key;
    enum conflict conflict;
    struct expect expect;
    struct id node, version, blob;/* new ids; node is not used when a file is replaced */
    int64_t size;                 /* bytes really stored */
    const char *type, *sha256;    /* sha256 "" when not known yet */
    int64_t modified_ms, now_ms;
};

/* One of many to commit at once: a folder, or a file whose bytes are stored. See commit_many. */
struct commit_row {
    bool folder;
    struct node node;             /* of a folder: as folder_add takes it */
    struct commit commit;         /* of a file */
    enum err result;              /* out */
};

struct change {                   /* PATCH: absent = unchanged */
    const char *name, *key;       /* NULL: keep */
    struct id parent;             /* "": keep */
    int64_t modified_ms;          /* 0: keep */
    struct expect expect;
    int64_t now_ms;
};

/* A file, or a folder with all below, once more: new nodes, the same blobs. */
struct copy {
    struct id from, parent;       /* parent "": the folder it is in */
    struct id node;               /* the new one's id; what is below gets ids from the store */
    const char *name, *key;       /* NULL: the same */
    enum conflict conflict;       /* CONFLICT_FAIL or CONFLICT_RENAME */
    struct expect expect;         /* of what is copied */
    int64_t now_ms;
};

struct usage {
    int64_t files, folders, size;
};

struct throttle {
    const char *key;              /* what is counted: at most 200 bytes; hash addresses and names first */
    int64_t limit, window_ms;
};

/* A finding of check(); line is a full sentence. */
struct finding {
    bool repaired, damage;
    bool mendable;                /* wrong until it is repaired. None of the three: noticed, harmless */
    const char *line;
};
typedef void finding_fn(void *arg, const struct finding *finding);

struct meta_ops {
    const char *name;
    bool one_host;                /* the store serves one host only */

    /* ---- the store ---- */
    enum err (*upgrade)(struct meta *m);  /* create or upgrade the schema under a lock; safe to run at once by many */
    enum err (*ping)(struct meta *m);     /* E_STORE_DOWN when it cannot be read */
    enum err (*store_id)(struct meta *m, struct id *id_out); /* random, made with the schema; also stands in the blob store */
    void (*checkpoint)(struct meta *m);   /* the keeper's housekeeping */

    /* ---- accounts ---- */
    /* User, credential, personal space, its root and the membership, in one. E_NAME_TAKEN, E_BAD_INVITE. */
    enum err (*user_add)(struct meta *m, const struct user_new *in);
    enum err (*user_by_key)(struct meta *m, void *mem, const char *key, struct user *user_out); /* E_NOT_FOUND */
    enum err (*user_by_id)(struct meta *m, void *mem, struct id id, struct user *user_out);
    enum err (*user_list)(struct meta *m, void *mem, const char *after_key, unsigned limit, struct user **users_out, size_t *n_out);
    enum err (*user_space)(struct meta *m, void *mem, struct id user, struct space *space_out); /* the personal one */
    enum err (*credential_get)(struct meta *m, void *mem, struct id user, const char **hash_out);
    /* Also ends every session of the user but `keep` ("" = all). */
    enum err (*credential_set)(struct meta *m, struct id user, const char *hash, struct id keep, int64_t now_ms);

    enum err (*user_rename)(struct meta *m, struct id user, const char *name, const char *key, int64_t now_ms); /* E_NAME_TAKEN */
    /* These two end the user's sessions when something changes. E_LAST_ADMIN when no active administrator would be left. */
    enum err (*user_role)(struct meta *m, struct id user, enum user_role role, int64_t now_ms);
    enum err (*user_state)(struct meta *m, struct id user, enum user_state state, int64_t now_ms);
    enum err (*user_quota)(struct meta *m, struct id user, int64_t quota, int64_t now_ms); /* of the personal space */
    /* The account and all that is its own goes, the name is free. Without heir the space's root is marked dead: the
     * keeper reaps it, and the space with it. With one the root becomes a folder in the heir's root, named after the user
     * or numbered, and the heir's space is charged, whatever its quota. E_NOT_FOUND, E_LAST_ADMIN, E_TOO_NESTED; E_CYCLE:
     * heir and user are the same. */
    enum err (*user_remove)(struct meta *m, const struct removal *in, struct id *folder_out);

    /* ---- what links grant ---- */
    enum err (*invite_add)(struct meta *m, const struct grant *in);
    enum err (*invite_check)(struct meta *m, const char *hash, int64_t now_ms); /* E_BAD_INVITE: unknown, used, over */
    enum err (*reset_add)(struct meta *m, const struct grant *in);              /* the user's earlier ones are void */
    enum err (*reset_user)(struct meta *m, void *mem, const char *hash, int64_t now_ms, struct user *user_out); /* E_BAD_RESET */
    /* The password is set, every session of the user ended, the grant used up. E_BAD_RESET. */
    enum err (*reset_use)(struct meta *m, const char *hash, const char *password_hash, int64_t now_ms);
    /* The installation's own secret, the same for all that use the store: `fresh` of whoever asks first. */
    enum err (*secret)(struct meta *m, void *mem, const char *fresh, const char **secret_out);

    /* ---- sessions ---- */
    /* Ends the user's oldest beyond `most`. E_CREDENTIALS when the user is gone or disabled. */
    enum err (*session_add)(struct meta *m, const struct session *in, unsigned most);
    /* The live session of that token and its active user; E_SIGN_IN when unknown, over, idle since before
     * idle_since_ms, or the user is disabled. Notes `seen` at most once a minute, without durability. */
    enum err (*session_get)(struct meta *m, void *mem, const char *token_hash, int64_t now_ms, int64_t idle_since_ms,
                            struct session *session_out, struct user *user_out);
    enum err (*session_end)(struct meta *m, struct id user, struct id session); /* E_NOT_FOUND */
    enum err (*session_end_all)(struct meta *m, struct id user, struct id keep, int64_t now_ms); /* but `keep` ("" = all) */
    /* Those session_get would give, the latest begun first. */
    enum err (*session_list)(struct meta *m, void *mem, struct id user, int64_t now_ms, int64_t idle_since_ms,
                             struct session **sessions_out, size_t *n_out);
    /* The password was given again: signed in now, under another token; the old one is void. E_NOT_FOUND. */
    enum err (*session_renew)(struct meta *m, struct id user, struct id session, const char *token_hash, int64_t now_ms);

    /* ---- files and folders ---- */
    enum err (*node_get)(struct meta *m, void *mem, const struct guard *g, struct id id, struct place *place_out);
    /* Walk names (n of them, already normal) down from `root`, "" for that of the guard's user's own space. Stops at the last that exists: *found_out
     * tells how many names were found, place_out is where it stopped. With found < n the guard is asked
     * about that last place. E_NOT_FOUND only for the root itself; E_NOT_FOLDER when a file has names
     * below it. */
    enum err (*node_walk)(struct meta *m, void *mem, const struct guard *g, struct id root, const char *const *names, size_t n,
                          struct place *place_out, size_t *found_out);
    /* A folder's live children; folders first, then by the sort's key, ties by id. E_BAD_CURSOR, E_NOT_FOLDER. */
    enum err (*node_list)(struct meta *m, void *mem, const struct guard *g, struct id parent, const struct node_query *q,
                          struct place *place_out, struct node_list *list_out);
    /* The guard is asked about the parent. E_NAME_TAKEN, E_NO_PARENT (parent dead or unknown), E_NOT_FOLDER,
     * E_TOO_NESTED. `in`: id, parent, name, key, times. */
    enum err (*folder_add)(struct meta *m, const struct guard *g, const struct node *in);
    /* Marks one node dead (constant time; the keeper reaps behind it). E_ROOT_NODE, E_PRECONDITION. */
    enum err (*node_remove)(struct meta *m, const struct guard *g, struct id id, const struct expect *expect, int64_t now_ms);
    /* What `change` says, in one row. `g` is asked about the node and, when it moves, `into` about its new folder;
     * *node_out is the node afterwards. E_ROOT_NODE, E_PRECONDITION, E_NAME_TAKEN, E_NO_PARENT, E_NOT_FOLDER,
     * E_CROSS_SPACE, E_TOO_NESTED (also for what is below); E_CYCLE into itself or below, also by two at once. */
    enum err (*node_change)(struct meta *m, void *mem, const struct guard *g, const struct guard *into, struct id id,
                            const struct change *change, struct node *node_out);
    /* `g` is asked about what is copied, `into` about the folder it is put into, also in another space, which is
     * charged. The live nodes as they are at one moment, with their times; blobs gain a reference. E_ROOT_NODE,
     * E_PRECONDITION, E_NAME_TAKEN, E_NO_PARENT, E_NOT_FOLDER, E_QUOTA, E_TOO_NESTED; E_CYCLE into itself or below. */
    enum err (*node_copy)(struct meta *m, void *mem, const struct guard *g, const struct guard *into, const struct copy *in,
                          struct node *node_out);
    enum err (*node_usage)(struct meta *m, const struct guard *g, struct id id, struct usage *usage_out); /* live files below */

    /* ---- uploads ---- */
    /* Charges `charged` to the parent's space and inserts the row; the guard is asked about the parent. With
     * declared -1, charges the smaller of `charged` and what the quota leaves. E_QUOTA with what is left as
     * limit, E_NO_PARENT, E_NOT_FOLDER; E_NAME_TAKEN, E_IS_FOLDER or E_PRECONDITION when commit would fail so already. */
    enum err (*upload_reserve)(struct meta *m, void *mem, const struct guard *g, const struct upload *in, struct upload *out);
    enum err (*upload_get)(struct meta *m, void *mem, struct id id, struct upload *out); /* E_UPLOAD_GONE */
    /* The file is there when this returns E_OK: blob, version and node rows in, a replaced version dropped
     * and refunded, the reservation settled. The guard is asked about the parent again. *replaced_out tells
     * 200 from 201. E_UPLOAD_GONE when the reservation is not there any more and the size cannot be charged
     * anew, E_QUOTA, E_NAME_TAKEN, E_IS_FOLDER, E_PRECONDITION, E_NO_PARENT, E_NOT_FOLDER, E_TOO_NESTED.
     * After E_STORE_DOWN the outcome may be unknown: ask version_node. */
    enum err (*upload_commit)(struct meta *m, void *mem, const struct guard *g, const struct commit *in, struct node *node_out,
                              bool *replaced_out);
    /* For imports: folder_add and upload_commit of each row, in order, in one transaction; a row may stand in a
     * folder that an earlier one makes. What refuses one row stands in its result and the others go on; when the
     * verb itself fails, nothing happened at all. NULL: call meta_commit_many, which then commits each. */
    enum err (*commit_many)(struct meta *m, const struct guard *g, struct commit_row *rows, size_t n);
    /* Removes the row and refunds it; E_OK also when there is none (only the remover refunds). */
    enum err (*upload_release)(struct meta *m, struct id id);
    enum err (*version_node)(struct meta *m, struct id version, struct id *node_out); /* "" when there is no such version */
    enum err (*reserved_total)(struct meta *m, uint64_t *bytes_out); /* what all open uploads announced */

    /* ---- the keeper ---- */
    /* One batch each; *did_out counts, 0 = nothing left. */
    enum err (*expire)(struct meta *m, int64_t now_ms, int64_t idle_since_ms, unsigned batch, unsigned *did_out); /* sessions, uploads, grants, throttles */
    enum err (*reap)(struct meta *m, unsigned batch, unsigned *did_out); /* below dead nodes: versions dropped, refunded */
    /* Blobs with refs 0 since before `before_ms` (and those already dying): marked dying, ids handed out. */
    enum err (*blobs_dying)(struct meta *m, void *mem, int64_t before_ms, unsigned batch, struct id **ids_out, size_t *n_out);
    enum err (*blob_drop)(struct meta *m, struct id id); /* after its bytes are gone */
    enum err (*blob_get)(struct meta *m, void *mem, struct id id, struct blob *out); /* E_NOT_FOUND */
    enum err (*blob_list)(struct meta *m, void *mem, struct id after, unsigned limit, struct blob **out, size_t *n_out); /* by id */
    enum err (*version_list)(struct meta *m, void *mem, struct id after, unsigned limit, struct version **out, size_t *n_out); /* by id */
    /* Versions without sha256, oldest first, with their blob; and filling it in (also in the node's copy). */
    enum err (*hash_pending)(struct meta *m, void *mem, unsigned limit, struct id *versions_out, struct id *blobs_out, size_t *n_out);
    enum err (*hash_set)(struct meta *m, struct id version, const char *sha256);
    /* The invariants among records: used and reserved = sums, refs = versions per blob, every version has its
     * blob and node, every node its space and parent, every space its live root, node copies = current
     * version. With `repair` mends what can be computed. */
    enum err (*check)(struct meta *m, bool repair, finding_fn *report, void *arg);

    /* Whose turn it is to do what concerns all hosts: this keeper's for the next `ms`, or still another's. Taking one's own
     * turn again renews it. Only for economy: two at work do nothing twice. NULL where a store has one host. */
    enum err (*keeper_take)(struct meta *m, struct id me, int64_t ms, bool *mine_out);
    enum err (*keeper_end)(struct meta *m, struct id me);

    /* ---- copies; NULL where the store's own tools make them ---- */
    /* While any lease stands, blobs_dying marks nothing: what a copy refers to stays where it is. Taking one's own
     * again renews it; expire ends those that are over. */
    enum err (*lease_take)(struct meta *m, struct id holder, int64_t until_ms);
    enum err (*lease_end)(struct meta *m, struct id holder);
    /* All records as of one moment into a new file, which opens as a store of its own. Sessions, links that
     * grant something, reservations, leases and blobs that nothing refers to are not in it. Others read and write meanwhile. */
    enum err (*backup)(struct meta *m, const char *path);

    /* ---- records as such, for moving to another store (meta/record.h) ---- */
    /* Those with a key beyond `after` ("": all), in the order of keys; fewer than `limit` (at most 1,000): the end. Not among
     * them: the schema's version, leases, and what is volatile. */
    enum err (*record_list)(struct meta *m, void *mem, enum record_kind kind, const char *after, unsigned limit,
                            struct record **rows_out, size_t *n_out);
    /* They stand as they are told, whatever stood there under their keys. Again changes nothing: after a failure some may
     * stand, and all are put once more; a row that is no record refuses them all. At most 1,000, better a hundred; kinds in
     * the order of record_kind. */
    enum err (*record_put)(struct meta *m, enum record_kind kind, const struct record *rows, size_t n);
    /* Between these two record_list, the only verb that may be called then, tells records of one moment. */
    enum err (*snapshot_begin)(struct meta *m);
    void (*snapshot_end)(struct meta *m);

    /* ---- volatile: fast, need not survive a power cut ---- */
    /* Count one attempt against every row at once, or none: E_THROTTLED with retry-after. */
    enum err (*throttle_charge)(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms);
    enum err (*throttle_refund)(struct meta *m, const struct throttle *rows, size_t n, int64_t now_ms);
};

extern const struct meta_ops meta_sqlite_ops, meta_mongo_ops;

/* Open what the configuration names; goes with ctx (a talloc destructor closes it). One per process, after
 * any fork. Never creates the schema: upgrade does. E_STORE_DOWN, E_CONF. */
enum err meta_open(const void *ctx, const struct conf *conf, struct shm *shm, struct meta **out) MUST_CHECK;
enum err meta_commit_many(struct meta *m, const struct guard *g, struct commit_row *rows, size_t n) MUST_CHECK;
/* Is this a fault of the store, which ends what is going on, or an answer to one row? */
bool meta_fault(enum err e);
enum err meta_sqlite_open(const void *ctx, const struct conf *conf, struct shm *shm, struct meta **out) MUST_CHECK;
enum err meta_mongo_open(const void *ctx, const struct conf *conf, struct shm *shm, struct meta **out) MUST_CHECK;
