/* The plain records every layer above speaks of. No behaviour, no storage, no HTTP.
 *
 * Strings belong to the context that was handed to whoever filled the record; sizes are bytes, times
 * milliseconds since 1970 UTC. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/id.h"

/* ---- people ---- */
enum user_role { ROLE_USER, ROLE_ADMIN };
enum user_state { USER_ACTIVE, USER_DISABLED };

struct user {
    struct id id;
    const char *name, *key; /* as typed; folded (unique) */
    enum user_role role;
    enum user_state state;
    int64_t created_ms;
};

enum session_kind { SESSION_BROWSER };

struct session {
    struct id id;
    char token_hash[65]; /* hex SHA-256 of the opaque token */
    struct id user;
    enum session_kind kind;
    int64_t created_ms, signed_in_ms, seen_ms, expires_ms; /* expires: the hard end */
    const char *address, *agent;
};

/* Who asks: made once per request by the stage `who`, or by the command line. */
enum who_kind { WHO_ANONYMOUS, WHO_USER, WHO_GUEST, WHO_TOKEN, WHO_OPERATOR /* the command line */ };

struct who {
    enum who_kind kind;
    struct user user;         /* id "" unless signed in */
    struct id session;
    int64_t signed_in_ms;
    unsigned scopes;          /* bits of enum verb; all of them for a session */
    struct id space;          /* limit to one space; "" = none */
    struct id share;
    const char *address;      /* of the client, as the web server resolved it */
};

/* What may be done to a node. perm_ask (core/perm.h) is the only judge. */
enum verb { VERB_SEE = 1, VERB_READ = 2, VERB_ADD = 4, VERB_CHANGE = 8, VERB_REMOVE = 16, VERB_SHARE = 32, VERB_MANAGE = 64 };
#define VERB_ALL 127u

/* ---- spaces and files ---- */
enum space_kind { SPACE_PERSONAL, SPACE_TEAM };
enum member_role { MEMBER_NONE, MEMBER_VIEWER, MEMBER_UPLOADER, MEMBER_EDITOR, MEMBER_MANAGER, MEMBER_OWNER };

struct space {
    struct id id;
    enum space_kind kind;
    const char *name;
    struct id root;
    int64_t quota;    /* 0: none */
    int64_t used;     /* sizes of all versions */
    int64_t reserved; /* charged by open uploads */
    int64_t tree_rev;
};

enum node_kind { NODE_FOLDER, NODE_FILE };

struct node {
    struct id id, space, parent; /* a root's parent is the nil id NODE_TOP, never "" */
    const char *name, *key;      /* a root's name is "" */
    enum node_kind kind;
    int64_t created_ms, modified_ms;
    /* of the current version; "" and 0 for folders */
    struct id version, blob;
    int64_t size;
    const char *type;   /* media type, "" for folders */
    const char *sha256; /* hex, "" until known */
};
#define NODE_TOP ((struct id){"00000000000000000000000000000000"})

/* One row for every contents a file ever had and still keeps. */
struct version {
    struct id id, node, blob;
    int64_t size, created_ms;
    const char *type, *sha256; /* sha256 "" until known */
};

enum blob_state { BLOB_LIVE, BLOB_DYING };

struct blob {
    struct id id;
    int64_t size, refs;
    enum blob_state state;
    int64_t unreferenced_ms; /* 0 while referenced */
    int64_t created_ms;
    int format;              /* 0: as is */
    const char *key_id;      /* "" until there is encryption at rest */
};

/* What to do when the name is taken. */
enum conflict { CONFLICT_FAIL, CONFLICT_REPLACE, CONFLICT_RENAME };

/* A precondition on the node at the target (RFC 9110 13.1), judged inside the transaction. */
struct expect {
    bool must_exist;         /* If-Match: * */
    bool must_not_exist;     /* If-None-Match: * */
    size_t n;                /* If-Match with tags: the current blob must be one of them */
    const struct id *etags;
};

/* A reservation: charged to the space until committed or released; its row is the arbiter. */
struct upload {
    struct id id, space, parent, user, blob;
    const char *name;          /* "" for a form whose files are not known yet */
    enum conflict conflict;
    struct expect expect;
    int64_t declared, charged; /* declared -1: unknown */
    int64_t offset;
    int64_t modified_ms;       /* 0: the upload's time */
    int64_t created_ms, expires_ms;
};

/* ---- lists ---- */
enum node_sort { SORT_NAME, SORT_SIZE, SORT_MODIFIED, SORT_TYPE };

struct node_query {
    enum node_sort sort;
    bool descending;
    unsigned limit;     /* 1..1000 */
    const char *after;  /* opaque place in the list as the store gave it in node_list.next; NULL: the start */
};

struct node_list {
    size_t n;
    struct node *items;
    const char *next;   /* NULL: the end */
};

/* ---- going out ---- */
/* Contents to send; made by core, carried out by web/reply as the web server's hands allow. */
struct delivery {
    struct id blob;
    int64_t size, modified_ms;
    const char *name, *type;
    bool attachment;
};
