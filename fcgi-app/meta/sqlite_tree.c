/* Files and folders: looked up, made, removed. Lists are in sqlite_list.c. */
#include "meta/sqlite.h"

enum err sqlite_node_get(struct meta *m, void *mem, const struct guard *g, struct id id, struct place *place_out)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_ready(s));
    return sqlite_place(s, mem, g, id, place_out); /* one statement: no transaction needed */
}

/* ---- by path ---- */
static enum err start_of(struct sqlite *s, void *mem, const struct guard *g, struct id root, struct id *start_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    struct space space;
    bool row;
    *start_out = root;
    if (id_is(root))
        return E_OK;
    TRY(db_one(&s->main, SQL_USER_SPACE, &q, &row, ARGS(TEXT(g->user.s))));
    if (!row)
        return err_set(E_NOT_FOUND, "user %s has no space", g->user.s);
    row_space(mem, q, 0, &space);
    *start_out = space.root;
    return E_OK;
}

static enum err walk_down(struct sqlite *s, void *mem, struct id root, const char *const *names, size_t n, struct id *last_out,
                          size_t *found_out)
{
    struct node child;
    bool found = true;
    *last_out = root;
    for (*found_out = 0; *found_out < n; (*found_out)++) {
        TRY(sqlite_child(s, mem, *last_out, names[*found_out], &child, &found));
        if (!found)
            break;
        *last_out = child.id;
    }
    return E_OK;
}

static enum err walk_and_ask(struct sqlite *s, void *mem, const struct guard *g, struct id root, const char *const *names, size_t n,
                             struct place *place_out, size_t *found_out)
{
    struct id last, start;
    TRY(start_of(s, mem, g, root, &start));
    TRY(walk_down(s, mem, start, names, n, &last, found_out));
    TRY(sqlite_place(s, mem, g, last, place_out));
    if (*found_out < n && place_out->node.kind != NODE_FOLDER)
        return err_set(E_NOT_FOLDER, "node %s is a file, the path goes on", last.s);
    return E_OK;
}

enum err sqlite_node_walk(struct meta *m, void *mem, const struct guard *g, struct id root, const char *const *names, size_t n,
                          struct place *place_out, size_t *found_out)
{
    struct sqlite *s = sqlite_of(m);
    TRY(sqlite_read(s));
    return db_end(&s->main, walk_and_ask(s, mem, g, root, names, n, place_out, found_out));
}

/* ---- making a folder ---- */
enum err sqlite_folder_rows(struct sqlite *s, void *mem, const struct guard *g, const struct node *in)
{
    struct place place;
    struct node taken;
    bool found;
    TRY(sqlite_parent(s, mem, g, in->parent, &place));
    TRY(rule_nesting(&place, in->name));
    TRY(sqlite_child(s, mem, in->parent, in->name, &taken, &found));
    if (found)
        return err_set(E_NAME_TAKEN, "folder %s has %s", in->parent.s, taken.id.s);

    const struct node node = {
        .id = in->id, .space = place.space.id, .parent = in->parent, .name = in->name, .key = in->key, .kind = NODE_FOLDER,
        .created_ms = in->created_ms, .modified_ms = in->modified_ms, .type = "", .sha256 = "",
    };
    const struct audit audit = {
        .at_ms = in->created_ms, .user = g->user, .space = place.space.id, .node = in->id, .action = "folder_add", .note = in->name,
    };
    TRY(sqlite_node_insert(s, &node));
    return sqlite_audit(s, &audit);
}

enum err sqlite_folder_add(struct meta *m, const struct guard *g, const struct node *in)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    TRY(sqlite_write(s));
    return db_end(&s->main, sqlite_folder_rows(s, mem, g, in));
}

/* ---- removing ---- */
/* A file goes at once, so that its owner has the room at once; a folder is marked and the keeper reaps. */
static enum err remove_node(struct sqlite *s, const struct node *node, int64_t now_ms)
{
    int64_t freed;
    if (node->kind == NODE_FOLDER)
        return db_run(&s->main, SQL_NODE_MARK_DEAD, ARGS(TEXT(node->id.s), NUMBER(now_ms)));
    TRY(sqlite_versions_drop(s, node->id, now_ms, &freed));
    TRY(sqlite_charge(s, node->space, -freed, 0));
    return db_run(&s->main, SQL_NODE_DROP, ARGS(TEXT(node->id.s)));
}

static enum err ask_and_remove(struct sqlite *s, void *mem, const struct guard *g, struct id id, const struct expect *expect,
                               int64_t now_ms)
{
    struct place place;
    TRY(sqlite_place(s, mem, g, id, &place));
    if (place.depth == 0)
        return err_set(E_ROOT_NODE, "node %s is a root", id.s);
    if (expect != NULL)
        TRY(rule_expect(expect, &place.node));
    TRY(remove_node(s, &place.node, now_ms));

    const struct audit audit = {
        .at_ms = now_ms, .user = g->user, .space = place.space.id, .node = id, .action = "node_remove", .note = place.node.name,
    };
    return sqlite_audit(s, &audit);
}

enum err sqlite_node_remove(struct meta *m, const struct guard *g, struct id id, const struct expect *expect, int64_t now_ms)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    TRY(sqlite_write(s));
    return db_end(&s->main, ask_and_remove(s, mem, g, id, expect, now_ms));
}

/* ---- sums ---- */
static enum err sum_below(struct sqlite *s, struct id id, struct usage *out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&s->main, SQL_NODE_USAGE, &q, &row, ARGS(TEXT(id.s))));
    *out = (struct usage){
        .files = sqlite3_column_int64(q, 0), .folders = sqlite3_column_int64(q, 1), .size = sqlite3_column_int64(q, 2),
    };
    return E_OK;
}

static enum err ask_and_sum(struct sqlite *s, void *mem, const struct guard *g, struct id id, struct usage *out)
{
    struct place place;
    TRY(sqlite_place(s, mem, g, id, &place));
    if (place.node.kind == NODE_FOLDER)
        return sum_below(s, id, out);
    *out = (struct usage){.files = 1, .size = place.node.size};
    return E_OK;
}

enum err sqlite_node_usage(struct meta *m, const struct guard *g, struct id id, struct usage *usage_out)
{
    struct sqlite *s = sqlite_of(m);
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    TRY(sqlite_read(s));
    return db_end(&s->main, ask_and_sum(s, mem, g, id, usage_out));
}
