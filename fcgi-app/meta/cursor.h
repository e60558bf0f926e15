/* Where a list goes on: the sort's key and the id of the last entry given, as opaque text, alike in every
 * store. The text is base64url (RFC 4648 5) of: format, sort, order and kind (one character each), id, key. */
#pragma once
#include "base/err.h"
#include "model/model.h"

struct cursor {
    enum node_kind kind; /* folders come first: a folder's cursor has all files behind it */
    struct id id;
    const char *text;    /* the key of SORT_NAME and SORT_TYPE */
    int64_t number;      /* of SORT_SIZE and SORT_MODIFIED */
};

/* The cursor behind `node` in a list sorted as q says. */
const char *cursor_text(const void *ctx, const struct node_query *q, const struct node *node);

/* q->after read back; E_BAD_CURSOR unless cursor_text can have made it for the same sort and order. */
enum err cursor_parse(const void *ctx, const struct node_query *q, struct cursor *out) MUST_CHECK;

static inline bool sort_by_text(enum node_sort sort)
{
    return sort == SORT_NAME || sort == SORT_TYPE;
}
