/* Copying: rows for every node below, no bytes.
 *
 * A small copy is one transaction. A large one would hold up every other writer, so it is made in pieces: what is copied
 * is read from one moment by a connection of its own; the copy's top is dead until the last piece brings it to life, and
 * so nobody sees any of it before. Meanwhile a lease in the name of the top keeps the keeper from reaping it, and the blobs
 * of what somebody deletes at the same time from being collected. Whoever dies on the way leaves a dead folder, which the
 * keeper reaps and refunds once the lease is over. */
#include "meta/sqlite.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/name.h"

#define PAGE        200 /* entries of a folder that are in memory at once */
#define SMALL_NODES 500 /* below the top: copied in one transaction */
#define PIECE_MS    50
#define LEASE_MS    INT64_C(3600000)
#define LIKE_CHARS  8   /* 32 bits */

/* A folder that is being filled: where it is, and how deep. */
struct spot {
    struct id id;
    size_t depth, bytes;
};

struct work {
    struct sqlite *s, *source;  /* where the copy goes; what is read from */
    void *mem;
    const struct guard *guard, *into;
    const struct copy *in;
    struct place from, target;
    bool large;
    void *piece;                /* memory of the current piece: its target */
    int64_t piece_end_ms;
    int64_t size;               /* of files not charged yet */
    struct spot top;            /* the copy's, as everything below it was measured */
    size_t deepest, longest;    /* of all copied: levels, bytes of the path */
};

/* ---- pieces ---- */
/* Others may have acted since the last piece: may this still go there? */
static enum err piece_begin(struct work *w)
{
    int64_t held;
    talloc_free(w->piece);
    w->piece = talloc_new(w->mem);
    w->piece_end_ms = clock_monotonic_ms() + PIECE_MS;
    TRY(sqlite_write(w->s));
    TRY(db_number(&w->s->main, SQL_LEASE_HELD, &held, ARGS(TEXT(w->in->node.s))));
    if (!held)
        return err_set(E_STORE_DOWN, "the copy %s took longer than its lease", w->in->node.s);
    return sqlite_parent(w->s, w->piece, w->into, w->target.node.id, &w->target);
}

static enum err charge(struct work *w)
{
    TRY(rule_fits(&w->target.space, w->size));
    TRY(sqlite_charge(w->s, w->target.space.id, w->size, 0));
    w->size = 0;
    return E_OK;
}

/* The writers' lock is not handed on in turn: without a pause it would be ours again before others are awake. */
static void let_others_write(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static enum err next_piece(struct work *w)
{
    if (!w->large || clock_monotonic_ms() < w->piece_end_ms)
        return E_OK;
    TRY(charge(w));
    TRY(db_end(&w->s->main, E_OK));
    let_others_write();
    return piece_begin(w);
}

/* ---- one node ---- */
/* Ids that begin alike lie on neighbouring pages: a piece changes dozens of them, not thousands. What is left is random still. */
static struct id id_like(const struct work *w)
{
    struct id id = id_new();
    memcpy(id.s, w->in->node.s, LIKE_CHARS);
    return id;
}

static enum err add_version(struct work *w, const struct node *n)
{
    TRY(db_run(&w->s->main, SQL_BLOB_REFER, ARGS(TEXT(n->blob.s))));
    if (db_changes(&w->s->main) == 0)
        return err_set(E_DAMAGED, "file with blob %s: the blob is unknown or dying", n->blob.s);
    return db_run(&w->s->main, SQL_VERSION_ADD,
                  ARGS(TEXT(n->version.s), TEXT(n->id.s), TEXT(n->blob.s), NUMBER(n->size), TEXT(n->type), TEXT(n->sha256),
                       NUMBER(w->in->now_ms), TEXT(w->into->user.s)));
}

/* `n` is the original, and the copy when this returns. */
static enum err add_node(struct work *w, struct node *n, struct id id, struct id parent)
{
    n->id = id;
    n->parent = parent;
    n->space = w->target.space.id;
    n->created_ms = w->in->now_ms;
    if (n->kind == NODE_FILE)
        n->version = id_like(w);
    TRY(sqlite_node_insert(w->s, n));
    if (n->kind == NODE_FOLDER)
        return E_OK;
    if (__builtin_add_overflow(w->size, n->size, &w->size))
        return err_limit(E_QUOTA, (uint64_t)rule_room(&w->target.space));
    return add_version(w, n);
}

/* ---- what is below ---- */
static enum err read_page(struct work *w, void *mem, struct id parent, enum node_kind kind, const struct node *after,
                          struct node *page, size_t *n_out)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&w->source->main, SQL_LIST_NAME_ASC, &q, &row,
               ARGS(TEXT(parent.s), NUMBER(kind), TEXT(after->key), TEXT(after->id.s), NUMBER(PAGE))));
    for (*n_out = 0; row; ++*n_out) {
        row_node(mem, q, 0, &page[*n_out]);
        TRY(db_next(&w->source->main, q, &row));
    }
    return E_OK;
}

static enum err copy_below(struct work *w, struct id from, const struct spot *to);

static enum err copy_one(struct work *w, const struct node *from, const struct spot *to)
{
    struct node node = *from;
    const struct spot spot = {.id = id_like(w), .depth = to->depth + 1, .bytes = to->bytes + strlen(from->name) + 1};
    if (spot.depth > PATH_MAX_DEPTH || spot.bytes > PATH_MAX_BYTES)
        return err_set(E_TOO_NESTED, "a copy of %s would be on level %zu, with a path of %zu bytes", from->id.s, spot.depth, spot.bytes);
    w->deepest = spot.depth > w->deepest ? spot.depth : w->deepest;
    w->longest = spot.bytes > w->longest ? spot.bytes : w->longest;
    TRY(next_piece(w));
    TRY(add_node(w, &node, spot.id, to->id));
    return node.kind == NODE_FOLDER ? copy_below(w, from->id, &spot) : E_OK;
}

static enum err copy_kind(struct work *w, struct id from, enum node_kind kind, const struct spot *to)
{
    CLEANUP(free_mem) struct node *page = mem_array(NULL, struct node, PAGE);
    CLEANUP(free_mem) void *last_key = NULL;
    size_t n = PAGE;
    for (struct node last = {.key = ""}; n == PAGE; last = (struct node){.id = page[n - 1].id, .key = last_key}) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        TRY(read_page(w, mem, from, kind, &last, page, &n));
        for (size_t i = 0; i < n; i++)
            TRY(copy_one(w, &page[i], to));
        if (n < PAGE)
            break;
        talloc_free(last_key);
        last_key = mem_str(NULL, page[n - 1].key);
    }
    return E_OK;
}

/* As deep as folders are nested: the store allows PATH_MAX_DEPTH levels. */
static enum err copy_below(struct work *w, struct id from, const struct spot *to)
{
    TRY(copy_kind(w, from, NODE_FOLDER, to));
    return copy_kind(w, from, NODE_FILE, to);
}

/* ---- the whole ---- */
static enum err find_from(struct work *w)
{
    TRY(sqlite_place(w->source, w->mem, w->guard, w->in->from, &w->from));
    if (w->from.depth == 0)
        return err_set(E_ROOT_NODE, "node %s is a root", w->in->from.s);
    return rule_expect(&w->in->expect, &w->from.node);
}

static enum err find_target(struct work *w)
{
    const struct copy *in = w->in;
    TRY(sqlite_parent(w->s, w->mem, w->into, id_is(in->parent) ? in->parent : w->from.node.parent, &w->target));
    if (rule_within(&w->target, in->from))
        return err_say(E_CYCLE, "A folder cannot be copied into itself.");
    return E_OK;
}

static enum err pick_name(struct work *w, struct node *node)
{
    struct node taken;
    bool found;
    if (w->in->name != NULL) {
        node->name = w->in->name;
        node->key = w->in->key;
    }
    TRY(sqlite_child(w->s, w->mem, w->target.node.id, node->name, &taken, &found));
    if (found && w->in->conflict != CONFLICT_RENAME)
        return err_set(E_NAME_TAKEN, "folder %s has %s", w->target.node.id.s, taken.id.s);
    if (found) {
        TRY(sqlite_free_name(w->s, w->mem, w->target.node.id, node->name, &node->name));
        node->key = name_key(w->mem, node->name);
    }
    return rule_nesting(&w->target, node->name);
}

static enum err note(struct work *w, const struct node *top)
{
    const struct audit audit = {
        .at_ms = w->in->now_ms, .user = w->into->user, .space = top->space, .node = top->id, .action = "node_copy", .note = top->name,
    };
    return sqlite_audit(w->s, &audit);
}

static enum err is_large(struct work *w)
{
    int64_t n = 0;
    if (w->from.node.kind == NODE_FOLDER)
        TRY(db_number(&w->s->main, SQL_NODE_MANY, &n, ARGS(TEXT(w->in->from.s), NUMBER(SMALL_NODES + 1))));
    w->large = n > SMALL_NODES;
    return E_OK;
}

/* All of a small copy; the top of a large one, dead and with its lease. */
static enum err begin(struct work *w, struct node *top)
{
    TRY(find_from(w));
    TRY(find_target(w));
    TRY(is_large(w));
    *top = w->from.node;
    TRY(pick_name(w, top));
    w->top = (struct spot){.id = w->in->node, .depth = w->target.depth + 1, .bytes = rule_path_bytes(&w->target, top->name)};
    w->deepest = w->top.depth;
    w->longest = w->top.bytes;
    TRY(add_node(w, top, w->in->node, w->target.node.id));
    if (w->large) {
        TRY(db_run(&w->s->main, SQL_NODE_MARK_DEAD, ARGS(TEXT(top->id.s), NUMBER(w->in->now_ms))));
        return sqlite_lease_row(w->s, top->id, w->in->now_ms + LEASE_MS);
    }
    if (top->kind == NODE_FOLDER)
        TRY(copy_below(w, w->in->from, &w->top));
    TRY(charge(w));
    return note(w, top);
}

/* The target may have been moved and the name taken since the beginning. */
static enum err attach(struct work *w, struct node *top)
{
    TRY(charge(w));
    TRY(pick_name(w, top));
    size_t depth = w->target.depth + 1 + (w->deepest - w->top.depth);
    size_t bytes = rule_path_bytes(&w->target, top->name) + (w->longest - w->top.bytes);
    if (depth > PATH_MAX_DEPTH || bytes > PATH_MAX_BYTES)
        return err_set(E_TOO_NESTED, "%zu levels and %zu bytes would be below folder %s", depth, bytes, w->target.node.id.s);
    TRY(db_run(&w->s->main, SQL_NODE_REVIVE, ARGS(TEXT(top->id.s), TEXT(top->name), TEXT(top->key))));
    TRY(db_run(&w->s->main, SQL_LEASE_END, ARGS(TEXT(top->id.s))));
    top->space = w->target.space.id;
    return note(w, top);
}

static enum err fill(struct work *w, struct node *top)
{
    TRY(piece_begin(w));
    TRY(copy_below(w, w->in->from, &w->top));
    return attach(w, top);
}

/* Everything is read as it is at one moment: what is deleted after it is copied still. */
static enum err copy_large(struct work *w, struct node *top)
{
    struct meta *reader;
    struct usage sum;
    TRY(meta_sqlite_open(w->mem, w->s->meta.conf, NULL, &reader));
    TRY(sqlite_node_usage(reader, w->guard, w->in->from, &sum));
    TRY(rule_fits(&w->target.space, sum.size)); /* said before anything is charged */
    w->source = sqlite_of(reader);
    TRY(sqlite_read(w->source));
    TRY(find_from(w));
    return db_end(&w->s->main, fill(w, top));
}

/* Without this the keeper waits for the end of the lease. */
static void give_up(struct work *w)
{
    struct err_info why = err_save();
    enum err e = sqlite_lease_end(&w->s->meta, w->in->node);
    if (e != E_OK)
        log_err("copy", e);
    err_restore(&why);
}

enum err sqlite_node_copy(struct meta *m, void *mem, const struct guard *g, const struct guard *into, const struct copy *in,
                          struct node *node_out)
{
    CLEANUP(free_mem) void *own = talloc_new(NULL);
    struct work w = {.s = sqlite_of(m), .source = sqlite_of(m), .mem = own, .guard = g, .into = into, .in = in};
    TRY(sqlite_write(w.s));
    TRY(db_end(&w.s->main, begin(&w, node_out)));
    enum err e = w.large ? copy_large(&w, node_out) : E_OK;
    if (e != E_OK) {
        give_up(&w);
        return e;
    }
    node_keep(mem, node_out);
    return E_OK;
}
