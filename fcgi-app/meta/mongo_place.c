/* Where a node stands, and what may be done there: the first step of every verb on nodes, in one query. */
#include "meta/mongo.h"

#include <string.h>

#include "base/name.h"
#include "meta/rename.h"
#include "meta/rules.h"

#define RENAME_AT_ONCE 100 /* candidates that are looked for in one query */

/* The ancestors, the space, what the user is there, the user. */
void place_stages(struct list *stages, const struct guard *g)
{
    list_add(stages, DOC("$graphLookup", "{", "from", S("record"), "startWith", S("$parent"), "connectFromField", S("parent"),
                         "connectToField", S("_id"), "as", S("up"), "maxDepth", BCON_INT32(PATH_MAX_DEPTH - 1), "depthField",
                         S("depth"), "}"));
    list_add(stages, DOC("$lookup", "{", "from", S("record"), "localField", S("space"), "foreignField", S("_id"), "as",
                         S("in_space"), "}"));
    list_add(stages, DOC("$lookup", "{", "from", S("member"), "localField", S("space"), "foreignField", S("space"), "pipeline", "[",
                         "{", "$match", "{", "user", S(g->user.s), "}", "}", "]", "as", S("membership"), "}"));
    list_add(stages, DOC("$lookup", "{", "from", S("user"), "pipeline", "[", "{", "$match", "{", "_id", S(g->user.s), "}", "}",
                         "]", "as", S("asks"), "}"));
}

static void child_stage(struct list *stages, const char *name)
{
    list_add(stages, DOC("$lookup", "{", "from", S("record"), "localField", S("_id"), "foreignField", S("parent"), "pipeline", "[",
                         "{", "$match", "{", "live", B(true), "name", S(name), "}", "}", "]", "as", S("child"), "}"));
}

/* They come in any order; `depth` 0 is the parent. */
static enum err read_ancestors(void *mem, const bson_t *doc, struct place *out)
{
    bson_iter_t rows;
    bson_t row;
    out->ancestors = mem_array(mem, struct node, PATH_MAX_DEPTH);
    if (!doc_rows(doc, "up", &rows))
        return E_OK;
    for (; rows_next(&rows, &row); out->depth++) {
        int64_t at = doc_number(&row, "depth");
        if (at < 0 || at >= PATH_MAX_DEPTH)
            return err_set(E_DAMAGED, "node %s: more above it than can be", out->node.id.s);
        if (doc_number(&row, "live") == 0)
            return err_set(E_NOT_FOUND, "a folder above node %s is dead", out->node.id.s);
        out->ancestors[at] = (struct node){
            .id = doc_ref(&row, "_id"), .parent = doc_ref(&row, "parent"), .name = doc_text(mem, &row, "name"),
            .kind = (enum node_kind)doc_number(&row, "kind"),
        };
    }
    return E_OK;
}

enum err place_read(void *mem, const bson_t *doc, struct place *out)
{
    bson_t row;
    *out = (struct place){.user_state = USER_DISABLED, .space.name = ""};
    doc_node(mem, doc, &out->node);
    if (doc_number(doc, "live") == 0)
        return err_set(E_NOT_FOUND, "node %s is dead", out->node.id.s);
    if (doc_first(doc, "in_space", &row))
        doc_space(mem, &row, &out->space);
    if (doc_first(doc, "membership", &row))
        out->role = (enum member_role)doc_number(&row, "role");
    if (doc_first(doc, "asks", &row))
        out->user_state = (enum user_state)doc_number(&row, "state");
    TRY(read_ancestors(mem, doc, out));
    return rule_top(out);
}

static enum err read_spot(struct mongo *s, void *mem, const struct guard *g, struct id id, const char *name, struct spot *out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO stages = list_new();
    bson_t doc, child;
    bool found;
    *out = (struct spot){0};
    list_add(&stages, DOC("$match", "{", "_id", S(ref_of(OF_NODE, id).s), "}"));
    place_stages(&stages, g);
    if (name != NULL)
        child_stage(&stages, name);
    TRY(mongo_one(s, aggregate("record", &stages), &reply, &doc, &found));
    if (!found)
        return err_set(E_NOT_FOUND, "node %s is unknown", id.s);
    TRY(place_read(mem, &doc, &out->place));
    out->exists = doc_first(&doc, "child", &child);
    if (out->exists)
        doc_node(mem, &child, &out->child);
    return E_OK;
}

enum err mongo_place(struct mongo *s, void *mem, const struct guard *g, struct id id, const char *name, struct spot *out)
{
    TRY(read_spot(s, mem, g, id, name, out));
    return g->ask(g, &out->place);
}

enum err mongo_parent(struct mongo *s, void *mem, const struct guard *g, struct id id, const char *name, struct spot *out)
{
    enum err e = read_spot(s, mem, g, id, name, out);
    if (e == E_NOT_FOUND)
        return err_set(E_NO_PARENT, "folder %s is dead or unknown", id.s);
    TRY(e);
    TRY(g->ask(g, &out->place));
    if (out->place.node.kind != NODE_FOLDER)
        return err_set(E_NOT_FOLDER, "node %s is a file", id.s);
    return E_OK;
}

/* ---- names in a folder ---- */
enum err mongo_child(struct mongo *s, void *mem, struct id parent, const char *name, struct node *out, bool *found_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    bson_t row;
    TRY(mongo_one(s, find_one("record", DOC("parent", S(ref_of(OF_NODE, parent).s), "live", B(true), "name", S(name))), &reply, &row,
                  found_out));
    if (*found_out)
        doc_node(mem, &row, out);
    return E_OK;
}

static bool taken_in(const bson_iter_t *rows, const char *name)
{
    bson_iter_t each = *rows;
    bson_t row;
    while (rows_next(&each, &row))
        if (strcmp(doc_peek(&row, "name"), name) == 0)
            return true;
    return false;
}

/* Candidates first .. first + RENAME_AT_ONCE - 1. */
static enum err free_among(struct mongo *s, void *mem, struct id parent, const char *name, unsigned first, const char **name_out)
{
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO names = bson_new();
    char *candidates[RENAME_AT_ONCE];
    unsigned n = 0;
    bson_iter_t rows;
    for (; n < RENAME_AT_ONCE && first + n <= RENAME_MOST; n++) {
        char text[16];
        const char *key;
        candidates[n] = rename_candidate(mem, name, first + n);
        bson_uint32_to_string(n, &key, text, sizeof text);
        bson_append_utf8(names, key, -1, candidates[n], -1);
    }
    TRY(mongo_rows(s, DOC("find", S("record"), "filter", "{", "parent", S(ref_of(OF_NODE, parent).s), "live", B(true), "name", "{",
                          "$in", A(names), "}", "}", "projection", "{", "name", N(1), "}", "batchSize", BCON_INT32(RENAME_AT_ONCE)),
                   &reply, &rows));
    for (unsigned i = 0; i < n && *name_out == NULL; i++)
        if (!taken_in(&rows, candidates[i]))
            *name_out = candidates[i];
    return E_OK;
}

enum err mongo_free_name(struct mongo *s, void *mem, struct id parent, const char *name, const char **name_out)
{
    *name_out = NULL;
    for (unsigned first = 1; *name_out == NULL && first <= RENAME_MOST; first += RENAME_AT_ONCE)
        TRY(free_among(s, mem, parent, name, first, name_out));
    return *name_out != NULL ? E_OK : err_set(E_NAME_TAKEN, "%d names like it are taken", RENAME_MOST);
}
