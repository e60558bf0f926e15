/* What pages show beside records: what lies next to a file, what is called so in a folder, how a text begins. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/name.h"
#include "core/node.h"
#include "meta/cursor.h"

#define PIECE      1000  /* entries in memory at once while names are looked through */
#define LOOK_MOST  20000 /* names that one call looks at */

/* ---- beside ---- */
static enum err next_file(struct core *c, void *mem, const struct who *who, const struct node *of, bool descending, enum node_sort sort,
                          struct node *out)
{
    struct node_query q = {.sort = sort, .descending = descending, .limit = 1};
    struct place folder;
    struct node_list list;
    q.after = cursor_text(mem, &q, of);
    *out = (struct node){.name = ""};
    TRY(node_entries(c, mem, who, of->parent, &q, &folder, &list));
    if (list.n > 0)
        *out = list.items[0];
    return E_OK;
}

/* Folders stand before all files in either order, so what comes after a file is always a file. */
enum err node_beside(struct core *c, void *mem, const struct who *who, const struct node *file, const struct node_query *q,
                     struct node *before_out, struct node *after_out)
{
    TRY(next_file(c, mem, who, file, !q->descending, q->sort, before_out));
    return next_file(c, mem, who, file, q->descending, q->sort, after_out);
}

/* ---- called so ---- */
struct search {
    const char *key;
    const struct node_query *q;
    struct node_list *found;
};

/* True with one more than there is room for: then the list goes on behind the last that was taken, else behind the piece. */
static bool take_matches(void *mem, const struct search *s, const struct node_list *piece)
{
    struct node_list *found = s->found;
    found->next = piece->next;
    for (size_t i = 0; i < piece->n; i++) {
        if (strstr(piece->items[i].key, s->key) == NULL)
            continue;
        if (found->n == s->q->limit) {
            found->next = cursor_text(mem, s->q, &found->items[found->n - 1]);
            return true;
        }
        found->items[found->n++] = piece->items[i];
    }
    return false;
}

enum err node_find(struct core *c, void *mem, const struct who *who, struct id parent, const struct node_query *q, const char *part,
                   struct place *place_out, struct node_list *out)
{
    const struct search s = {.key = name_key(mem, part), .q = q, .found = out};
    struct node_query look = *q;
    *out = (struct node_list){.items = mem_array(mem, struct node, q->limit)};
    look.limit = PIECE;
    for (unsigned looked = PIECE;; looked += PIECE) {
        void *own = talloc_new(mem);
        struct node_list piece;
        size_t before = out->n;
        TRY(node_entries(c, own, who, parent, &look, place_out, &piece));
        if (take_matches(mem, &s, &piece) || out->next == NULL || looked >= LOOK_MOST)
            return E_OK;
        look.after = out->next = mem_str(mem, out->next);
        if (out->n == before)
            talloc_free(own);
    }
}

/* ---- the beginning of a text ---- */
static enum err add_bytes(void *arg, const void *bytes, size_t n)
{
    struct buf *b = arg;
    buf_add(b, bytes, n);
    return buf_ok(b);
}

enum err node_text(struct core *c, void *mem, const struct who *who, struct id file, size_t most, const char **text_out, bool *whole_out)
{
    struct node node;
    struct delivery delivery;
    struct buf bytes;
    TRY(node_delivery(c, mem, who, file, false, &node, &delivery));
    uint64_t size = (uint64_t)node.size, n = size < most ? size : most;
    buf_init(&bytes, mem, most);
    enum err e = n > 0 ? c->blobs->ops->read(c->blobs, node.blob, 0, n, add_bytes, &bytes) : E_OK;
    if (e == E_NOT_FOUND)
        return err_set(E_DAMAGED, "blob %s is not there", node.blob.s);
    TRY(e);
    *whole_out = n == size;
    *text_out = utf8_shown(mem, bytes.data, *whole_out ? bytes.len : utf8_uncut(bytes.data, bytes.len));
    return E_OK;
}
