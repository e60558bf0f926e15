/* Records from rows: each function reads columns in the order of sql/statements.sql. */
#include "meta/sqlite.h"

#include <stdio.h>
#include <string.h>

/* What stands in the database is the enumerations' numbers. */
_Static_assert(ROLE_USER == 0 && ROLE_ADMIN == 1 && USER_ACTIVE == 0 && USER_DISABLED == 1, "user");
_Static_assert(SPACE_PERSONAL == 0 && SPACE_TEAM == 1 && SESSION_BROWSER == 0, "space, session");
_Static_assert(MEMBER_NONE == 0 && MEMBER_VIEWER == 1 && MEMBER_OWNER == 5, "member");
_Static_assert(NODE_FOLDER == 0 && NODE_FILE == 1 && BLOB_LIVE == 0 && BLOB_DYING == 1, "node, blob");
_Static_assert(CONFLICT_FAIL == 0 && CONFLICT_REPLACE == 1 && CONFLICT_RENAME == 2, "conflict");

const char *row_text(void *mem, sqlite3_stmt *q, int at)
{
    const char *text = (const char *)sqlite3_column_text(q, at);
    return mem_str(mem, text != NULL ? text : "");
}

struct id row_id(sqlite3_stmt *q, int at)
{
    struct id id = {0};
    const char *text = (const char *)sqlite3_column_text(q, at);
    if (text != NULL)
        snprintf(id.s, sizeof id.s, "%s", text);
    return id;
}

void row_user(void *mem, sqlite3_stmt *q, int at, struct user *out)
{
    *out = (struct user){
        .id = row_id(q, at), .name = row_text(mem, q, at + 1), .key = row_text(mem, q, at + 2),
        .role = (enum user_role)sqlite3_column_int(q, at + 3), .state = (enum user_state)sqlite3_column_int(q, at + 4),
        .created_ms = sqlite3_column_int64(q, at + 5),
    };
}

void row_session(void *mem, sqlite3_stmt *q, int at, struct session *out)
{
    *out = (struct session){
        .id = row_id(q, at), .user = row_id(q, at + 2), .kind = (enum session_kind)sqlite3_column_int(q, at + 3),
        .created_ms = sqlite3_column_int64(q, at + 4), .signed_in_ms = sqlite3_column_int64(q, at + 5),
        .expires_ms = sqlite3_column_int64(q, at + 6), .address = row_text(mem, q, at + 7), .agent = row_text(mem, q, at + 8),
    };
    snprintf(out->token_hash, sizeof out->token_hash, "%s", (const char *)sqlite3_column_text(q, at + 1));
}

void row_space(void *mem, sqlite3_stmt *q, int at, struct space *out)
{
    *out = (struct space){
        .id = row_id(q, at), .kind = (enum space_kind)sqlite3_column_int(q, at + 1), .name = row_text(mem, q, at + 2),
        .root = row_id(q, at + 3), .quota = sqlite3_column_int64(q, at + 4), .used = sqlite3_column_int64(q, at + 5),
        .reserved = sqlite3_column_int64(q, at + 6), .tree_rev = sqlite3_column_int64(q, at + 7),
    };
}

void row_node(void *mem, sqlite3_stmt *q, int at, struct node *out)
{
    *out = (struct node){
        .id = row_id(q, at), .space = row_id(q, at + 1), .parent = row_id(q, at + 2),
        .name = row_text(mem, q, at + 3), .key = row_text(mem, q, at + 4),
        .kind = (enum node_kind)sqlite3_column_int(q, at + 5),
        .created_ms = sqlite3_column_int64(q, at + 6), .modified_ms = sqlite3_column_int64(q, at + 7),
        .version = row_id(q, at + 8), .blob = row_id(q, at + 9), .size = sqlite3_column_int64(q, at + 10),
        .type = row_text(mem, q, at + 11), .sha256 = row_text(mem, q, at + 12),
    };
}

void node_keep(void *mem, struct node *node)
{
    const char **const texts[] = {&node->name, &node->key, &node->type, &node->sha256};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = mem_str(mem, *texts[i]);
}

void row_version(void *mem, sqlite3_stmt *q, int at, struct version *out)
{
    *out = (struct version){
        .id = row_id(q, at), .node = row_id(q, at + 1), .blob = row_id(q, at + 2), .size = sqlite3_column_int64(q, at + 3),
        .type = row_text(mem, q, at + 4), .sha256 = row_text(mem, q, at + 5), .created_ms = sqlite3_column_int64(q, at + 6),
    };
}

void row_blob(void *mem, sqlite3_stmt *q, int at, struct blob *out)
{
    *out = (struct blob){
        .id = row_id(q, at), .size = sqlite3_column_int64(q, at + 1), .refs = sqlite3_column_int64(q, at + 2),
        .state = (enum blob_state)sqlite3_column_int(q, at + 3), .unreferenced_ms = sqlite3_column_int64(q, at + 4),
        .created_ms = sqlite3_column_int64(q, at + 5), .format = sqlite3_column_int(q, at + 6),
        .key_id = row_text(mem, q, at + 7),
    };
}

void row_upload(void *mem, sqlite3_stmt *q, int at, struct upload *out)
{
    *out = (struct upload){
        .id = row_id(q, at), .space = row_id(q, at + 1), .parent = row_id(q, at + 2), .user = row_id(q, at + 3),
        .blob = row_id(q, at + 4), .name = row_text(mem, q, at + 5), .conflict = (enum conflict)sqlite3_column_int(q, at + 6),
        .expect.must_exist = sqlite3_column_int(q, at + 7) != 0, .expect.must_not_exist = sqlite3_column_int(q, at + 8) != 0,
        .declared = sqlite3_column_int64(q, at + 10), .charged = sqlite3_column_int64(q, at + 11),
        .offset = sqlite3_column_int64(q, at + 12), .modified_ms = sqlite3_column_int64(q, at + 13),
        .created_ms = sqlite3_column_int64(q, at + 14), .expires_ms = sqlite3_column_int64(q, at + 15),
    };
    rule_etags_read(mem, row_text(mem, q, at + 9), &out->expect);
}
