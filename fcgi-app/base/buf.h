/* A byte buffer that is born with its ceiling and grows as needed on a talloc context.
 *
 * Passing the ceiling sets `over` and drops the rest: add freely, ask once at the end (buf_ok). The data is
 * always NUL-terminated behind `len`, so text can be used as a string. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
    const void *ctx;
    char *data;
    size_t len, cap, max;
    bool over;
};

void buf_init(struct buf *b, const void *ctx, size_t max);
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_str(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3);
void buf_reset(struct buf *b);          /* empty again, memory kept */
enum err buf_ok(const struct buf *b) MUST_CHECK; /* E_TOO_LARGE with the ceiling as limit when over */
