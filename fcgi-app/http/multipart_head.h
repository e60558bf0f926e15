/* What stands at the head of a part of a form, and the parameters of header values. For multipart.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct part_head {
    char *name;     /* valid UTF-8 */
    char *filename; /* NULL: a text field; "": a file field left empty */
    char *folders;  /* what stands before filename when that is a relative path: "a/b/"; else NULL */
    char *type;     /* NULL when absent */
};

/* The header lines of a part, each ended by CRLF, on ctx. E_BAD_MULTIPART with a sentence. */
enum err part_head_parse(const void *ctx, const char *text, size_t len, struct part_head *out) MUST_CHECK;
