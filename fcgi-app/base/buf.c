#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_CAP 128

void buf_init(struct buf *b, const void *ctx, size_t max)
{
    size_t cap = max < FIRST_CAP - 1 ? max + 1 : FIRST_CAP;
    *b = (struct buf){.ctx = ctx, .data = mem_array(ctx, char, cap), .cap = cap, .max = max};
}

/* Room for `more` bytes and the NUL; fewer when the ceiling is nearer. Returns how many fit. */
static size_t make_room(struct buf *b, size_t more)
{
    size_t left = b->max - b->len;
    size_t fits = more < left ? more : left;
    if (fits < b->cap - b->len)
        return fits;

    size_t need, cap;
    if (!size_add(b->len + fits, 1, &need))
        mem_exhausted();
    if (__builtin_mul_overflow(b->cap, 2, &cap) || cap < need)
        cap = need;
    if (cap > b->max) /* b->max + 1 would be exact, but may overflow; need never passes it */
        cap = need > b->max ? need : b->max;
    char *data = talloc_realloc_size(b->ctx, b->data, cap);
    if (data == NULL)
        mem_exhausted();
    b->data = data;
    b->cap = cap;
    return fits;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    if (b->over || len == 0)
        return;
    size_t fits = make_room(b, len);
    memcpy(b->data + b->len, bytes, fits);
    b->len += fits;
    b->data[b->len] = '\0';
    b->over = fits < len;
}

void buf_str(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    if (b->over)
        return;
    va_start(args, format);
    va_copy(again, args);
    int wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (wanted > 0) {
        int saved = errno; /* for %m */
        size_t len = (size_t)wanted, fits = make_room(b, len);
        errno = saved;
        vsnprintf(b->data + b->len, fits + 1, format, again);
        b->len += fits;
        b->over = fits < len;
    }
    va_end(again);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->over = false;
    b->data[0] = '\0';
}

enum err buf_ok(const struct buf *b)
{
    return b->over ? err_limit(E_TOO_LARGE, b->max) : E_OK;
}
