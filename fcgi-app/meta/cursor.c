#include "meta/cursor.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"

#define BASE64   sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define HEAD_LEN (4 + ID_LEN)
#define TEXT_MOST 4096 /* folding makes a name of 255 bytes longer, but never by this much */

/* Format, sort, order, kind. */
static void head_of(const struct node_query *q, enum node_kind kind, char head[4])
{
    head[0] = '1';
    head[1] = "nsmt"[q->sort];
    head[2] = q->descending ? 'd' : 'a';
    head[3] = kind == NODE_FOLDER ? 'o' : 'i';
}

const char *cursor_text(const void *ctx, const struct node_query *q, const struct node *node)
{
    char head[4];
    CLEANUP(free_mem) char *key = NULL;
    switch (q->sort) {
    case SORT_NAME:
        key = mem_str(NULL, node->key);
        break;
    case SORT_TYPE:
        key = mem_str(NULL, node->type);
        break;
    case SORT_SIZE:
        key = mem_printf(NULL, "%lld", (long long)node->size);
        break;
    case SORT_MODIFIED:
        key = mem_printf(NULL, "%lld", (long long)node->modified_ms);
        break;
    }
    head_of(q, node->kind, head);
    CLEANUP(free_mem) char *plain = mem_printf(NULL, "%.4s%s%s", head, node->id.s, key);
    size_t len = strlen(plain), room = sodium_base64_encoded_len(len, BASE64);
    char *text = mem_array(ctx, char, room);
    return sodium_bin2base64(text, room, (const unsigned char *)plain, len, BASE64);
}

static enum err bad(const char *why)
{
    return err_set(E_BAD_CURSOR, "cursor: %s", why);
}

static enum err decode(const void *ctx, const char *text, char **plain_out)
{
    size_t most = strlen(text), len = 0;
    if (most > TEXT_MOST)
        return bad("too long");
    unsigned char *plain = (unsigned char *)mem_array(ctx, char, most + 1);
    if (sodium_base642bin(plain, most, text, most, NULL, &len, NULL, BASE64) != 0)
        return bad("not base64url");
    if (!utf8_valid((char *)plain, len)) /* also refuses NUL: the rest is a string */
        return bad("not text");
    if (len < HEAD_LEN)
        return bad("too short");
    *plain_out = (char *)plain;
    return E_OK;
}

static enum err parse_head(const struct node_query *q, const char *plain, struct cursor *out)
{
    char head[4], id[ID_LEN + 1] = "";
    out->kind = plain[3] == 'o' ? NODE_FOLDER : NODE_FILE;
    head_of(q, out->kind, head);
    if (memcmp(plain, head, sizeof head) != 0)
        return bad("of another list");
    memcpy(id, plain + 4, ID_LEN);
    return id_parse(id, &out->id) == E_OK ? E_OK : bad("no id");
}

enum err cursor_parse(const void *ctx, const struct node_query *q, struct cursor *out)
{
    char *plain = NULL;
    *out = (struct cursor){0};
    TRY(decode(ctx, q->after, &plain));
    TRY(parse_head(q, plain, out));
    out->text = plain + HEAD_LEN;
    if (!sort_by_text(q->sort) && parse_i64(out->text, INT64_MIN, INT64_MAX, &out->number) != E_OK)
        return bad("no number");
    return E_OK;
}
