/* Files and folders: looked up, made, removed. Lists are in mongo_list.c. */
#include "meta/mongo.h"

#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "meta/rules.h"

enum err mongo_node_get(struct meta *m, void *mem, const struct guard *g, struct id id, struct place *place_out)
{
    struct mongo *s = mongo_of(m);
    struct spot spot = {0};
    TRY(mongo_ready(s));
    enum err e = mongo_place(s, mem, g, id, NULL, &spot);
    *place_out = spot.place;
    return e;
}

/* ---- by path: one query, a $lookup for each name ---- */
static void walk_stages(struct list *stages, const char *const *names, size_t n)
{
    char as[24], step[24];
    for (size_t i = 0; i < n; i++) {
        snprintf(as, sizeof as, "step%u", (unsigned)i);
        snprintf(step, sizeof step, "$step%u", (unsigned)i);
        list_add(stages, DOC("$lookup", "{", "from", S("record"), "localField", S(i == 0 ? "_id" : "at"), "foreignField", S("parent"),
                             "pipeline", "[", "{", "$match", "{", "live", B(true), "name", S(names[i]), "}", "}", "]", "as", S(as),
                             "}"));
        list_add(stages, DOC("$set", "{", "at", "{", "$first", S(step), "}", "}"));
        list_add(stages, DOC("$set", "{", "at", "{", "$ifNull", "[", S("$at._id"), S(""), "]", "}", "}"));
    }
}

/* From the root's place to that of the last node found: its ancestors are what was walked through. */
static void walk_down(void *mem, const bson_t *doc, size_t n, struct place *at, size_t *found_out)
{
    char as[24];
    bson_t row;
    for (*found_out = 0; *found_out < n && at->depth < PATH_MAX_DEPTH; ++*found_out) {
        snprintf(as, sizeof as, "step%u", (unsigned)*found_out);
        if (!doc_first(doc, as, &row))
            return;
        struct node *above = mem_array(mem, struct node, at->depth + 1);
        above[0] = at->node;
        for (size_t i = 0; i < at->depth; i++)
            above[i + 1] = at->ancestors[i];
        at->ancestors = above;
        at->depth++;
        doc_node(mem, &row, &at->node);
    }
}

static void start_stages(struct list *stages, const struct guard *g, struct id root)
{
    if (id_is(root)) {
        list_add(stages, DOC("$match", "{", "_id", S(ref_of(OF_NODE, root).s), "}"));
        return;
    }
    list_add(stages, DOC("$match", "{", "personal_of", S(g->user.s), "}"));
    list_add(stages, DOC("$lookup", "{", "from", S("record"), "localField", S("root"), "foreignField", S("_id"), "as", S("top"), "}"));
    list_add(stages, DOC("$unwind", S("$top")));
    list_add(stages, DOC("$replaceRoot", "{", "newRoot", S("$top"), "}"));
}

/* ---- plans ---- */
static void plan_make(struct mongo *s, const bson_t *doc, const struct guard *g, const char *const *names, size_t n)
{
    struct plan *p = mem_new(s, struct plan);
    bson_t space;
    size_t found;
    if (place_read(p, doc, &p->spot.place) != E_OK || !doc_first(doc, "in_space", &space)) {
        talloc_free(p);
        return;
    }
    walk_down(p, doc, n, &p->spot.place, &found);
    p->user = g->user;
    p->name = mem_str(p, names[n - 1]);
    p->seq = doc_number(&space, "seq");
    s->plan = p;
}

struct plan *plan_take(struct mongo *s, void *mem, const struct guard *g, struct id parent, const char *name)
{
    struct plan *p = s->plan;
    s->plan = NULL;
    if (p == NULL)
        return NULL;
    talloc_steal(mem, p);
    return id_eq(p->user, g->user) && id_eq(p->spot.place.node.id, parent) && strcmp(p->name, name) == 0 ? p : NULL;
}

enum err mongo_node_walk(struct meta *m, void *mem, const struct guard *g, struct id root, const char *const *names, size_t n,
                         struct place *place_out, size_t *found_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO stages = list_new();
    bson_t doc;
    bool found;
    size_t most = n < PATH_MAX_DEPTH ? n : PATH_MAX_DEPTH;
    TRY(mongo_ready(s));
    TALLOC_FREE(s->plan);
    start_stages(&stages, g, root);
    place_stages(&stages, g);
    walk_stages(&stages, names, most);
    TRY(mongo_one(s, aggregate("record", &stages), &reply, &doc, &found));
    if (!found)
        return err_set(E_NOT_FOUND, "root %s of user %s is unknown", root.s, g->user.s);
    TRY(place_read(mem, &doc, place_out));
    walk_down(mem, &doc, most, place_out, found_out);
    TRY(g->ask(g, place_out));
    if (*found_out < n && place_out->node.kind != NODE_FOLDER)
        return err_set(E_NOT_FOLDER, "node %s is a file, the path goes on", place_out->node.id.s);
    if (n == most && *found_out + 1 == n)
        plan_make(s, &doc, g, names, n);
    return E_OK;
}

/* ---- making a folder ---- */
enum err mongo_folder_rows(struct mongo *s, void *mem, const struct guard *g, const struct node *in)
{
    WRITES_AUTO b = writes_new();
    struct spot spot;
    TRY(mongo_parent(s, mem, g, in->parent, in->name, &spot));
    TRY(rule_nesting(&spot.place, in->name));
    if (spot.exists)
        return err_set(E_NAME_TAKEN, "folder %s has %s", in->parent.s, spot.child.id.s);

    const struct node node = {
        .id = in->id, .space = spot.place.space.id, .parent = in->parent, .name = in->name, .key = in->key, .kind = NODE_FOLDER,
        .created_ms = in->created_ms, .modified_ms = in->modified_ms, .type = "", .sha256 = "",
    };
    const struct audit audit = {
        .at_ms = in->created_ms, .user = g->user, .space = node.space, .node = in->id, .action = "folder_add", .note = in->name,
    };
    writes_charge(&b, node.space, 0, 0);
    writes_insert(&b, ref_of(OF_NODE, node.id), node_doc(&node));
    writes_audit(&b, &audit);
    return writes_send(s, &b);
}

struct making {
    void *mem;
    const struct guard *guard;
    const struct node *in;
};

static enum err add_folder(struct mongo *s, void *work)
{
    const struct making *w = work;
    return mongo_folder_rows(s, w->mem, w->guard, w->in);
}

enum err mongo_folder_add(struct meta *m, const struct guard *g, const struct node *in)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct making w = {.mem = mem, .guard = g, .in = in};
    return mongo_txn(mongo_of(m), add_folder, &w);
}

/* ---- removing ---- */
struct removing {
    void *mem;
    const struct guard *guard;
    struct id id;
    const struct expect *expect;
    int64_t now_ms;
};

/* A file goes at once, so that its owner has the room at once; a folder is marked and the keeper reaps. */
static enum err remove_node(struct mongo *s, struct writes *b, const struct node *node, int64_t now_ms)
{
    int64_t freed = 0;
    if (node->kind == NODE_FOLDER) {
        writes_update(b, ref_of(OF_NODE, node->id), DOC("$set", "{", "live", B(false), "removed_ms", N(now_ms), "}"));
    } else {
        TRY(mongo_versions_drop(s, b, node->id, now_ms, &freed));
        writes_delete(b, ref_of(OF_NODE, node->id));
    }
    writes_charge(b, node->space, -freed, 0);
    return E_OK;
}

static enum err ask_and_remove(struct mongo *s, void *work)
{
    const struct removing *w = work;
    WRITES_AUTO b = writes_new();
    struct spot spot;
    TRY(mongo_place(s, w->mem, w->guard, w->id, NULL, &spot));
    if (spot.place.depth == 0)
        return err_set(E_ROOT_NODE, "node %s is a root", w->id.s);
    if (w->expect != NULL)
        TRY(rule_expect(w->expect, &spot.place.node));
    TRY(remove_node(s, &b, &spot.place.node, w->now_ms));

    const struct audit audit = {
        .at_ms = w->now_ms, .user = w->guard->user, .space = spot.place.space.id, .node = w->id, .action = "node_remove",
        .note = spot.place.node.name,
    };
    writes_audit(&b, &audit);
    return writes_send(s, &b);
}

enum err mongo_node_remove(struct meta *m, const struct guard *g, struct id id, const struct expect *expect, int64_t now_ms)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct removing w = {.mem = mem, .guard = g, .id = id, .expect = expect, .now_ms = now_ms};
    return mongo_txn(mongo_of(m), ask_and_remove, &w);
}
