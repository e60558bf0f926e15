/* Where a node stands, and what may be done there: the first step of every verb on nodes. */
#include "meta/sqlite.h"

#include <string.h>

#include "base/name.h"
#include "meta/rename.h"

#define DEPTH_MOST PATH_MAX_DEPTH

/* Columns of node_place: live, id, parent, name, kind of each row; then of the first row only. */
enum { AT_LIVE, AT_UP, AT_NODE = 5, AT_SPACE = 18, AT_ROLE = 26, AT_STATE };

static void read_ancestor(void *mem, sqlite3_stmt *q, struct node *out)
{
    *out = (struct node){
        .id = row_id(q, AT_UP), .parent = row_id(q, AT_UP + 1), .name = row_text(mem, q, AT_UP + 2),
        .kind = (enum node_kind)sqlite3_column_int(q, AT_UP + 3),
    };
}

static void read_first(void *mem, sqlite3_stmt *q, struct place *out)
{
    row_node(mem, q, AT_NODE, &out->node);
    row_space(mem, q, AT_SPACE, &out->space);
    out->role = (enum member_role)sqlite3_column_int(q, AT_ROLE); /* NULL reads as 0: no member */
    out->user_state = sqlite3_column_type(q, AT_STATE) == SQLITE_NULL ? USER_DISABLED
                                                                      : (enum user_state)sqlite3_column_int(q, AT_STATE);
}

static enum err read_place(struct sqlite *s, void *mem, const struct guard *g, struct id id, struct place *out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    struct node above[DEPTH_MOST];
    bool row;
    *out = (struct place){0};
    TRY(db_one(&s->main, SQL_NODE_PLACE, &q, &row, ARGS(TEXT(id.s), TEXT(g->user.s))));
    if (!row || sqlite3_column_int(q, AT_LIVE) == 0)
        return err_set(E_NOT_FOUND, "node %s is dead or unknown", id.s);
    read_first(mem, q, out);
    TRY(db_next(&s->main, q, &row));
    for (; row && out->depth < DEPTH_MOST; out->depth++) {
        if (sqlite3_column_int(q, AT_LIVE) == 0)
            return err_set(E_NOT_FOUND, "a folder above node %s is dead", id.s);
        read_ancestor(mem, q, &above[out->depth]);
        TRY(db_next(&s->main, q, &row));
    }
    out->ancestors = mem_array(mem, struct node, out->depth);
    if (out->depth > 0)
        memcpy(out->ancestors, above, out->depth * sizeof *above);
    return E_OK;
}

enum err sqlite_place(struct sqlite *s, void *mem, const struct guard *g, struct id id, struct place *out)
{
    TRY(read_place(s, mem, g, id, out));
    TRY(rule_top(out));
    return g->ask(g, out);
}

enum err sqlite_parent(struct sqlite *s, void *mem, const struct guard *g, struct id id, struct place *out)
{
    enum err e = read_place(s, mem, g, id, out);
    if (e == E_NOT_FOUND)
        return err_set(E_NO_PARENT, "folder %s is dead or unknown", id.s);
    TRY(e);
    TRY(rule_top(out));
    TRY(g->ask(g, out));
    if (out->node.kind != NODE_FOLDER)
        return err_set(E_NOT_FOLDER, "node %s is a file", id.s);
    return E_OK;
}

enum err sqlite_child(struct sqlite *s, void *mem, struct id parent, const char *name, struct node *out, bool *found_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    TRY(db_one(&s->main, SQL_NODE_CHILD, &q, found_out, ARGS(TEXT(parent.s), TEXT(name))));
    if (*found_out)
        row_node(mem, q, 0, out);
    return E_OK;
}

enum err sqlite_free_name(struct sqlite *s, void *mem, struct id parent, const char *name, const char **name_out)
{
    struct node taken;
    bool found = true;
    for (unsigned n = 1; found && n <= RENAME_MOST; n++) {
        *name_out = rename_candidate(mem, name, n);
        TRY(sqlite_child(s, mem, parent, *name_out, &taken, &found));
    }
    return found ? err_set(E_NAME_TAKEN, "%d names like it are taken", RENAME_MOST) : E_OK;
}

enum err sqlite_node_insert(struct sqlite *s, const struct node *node)
{
    return db_run(&s->main, SQL_NODE_ADD,
                  ARGS(TEXT(node->id.s), TEXT(node->space.s), TEXT(node->parent.s), TEXT(node->name), TEXT(node->key),
                       NUMBER(node->kind), NUMBER(node->created_ms), NUMBER(node->modified_ms), TEXT(node->version.s),
                       TEXT(node->blob.s), NUMBER(node->size), TEXT(node->type), TEXT(node->sha256)));
}
