/* Names for CONFLICT_RENAME, alike in every store: "a.txt", "a (1).txt", "a (2).txt", ... */
#pragma once
#include "base/err.h"

#define RENAME_MOST 999 /* candidates tried before the name counts as taken */

/* The n-th candidate for `name`: the number stands before the last extension (of at most 32 bytes; a leading
 * dot begins none). At most NAME_MAX_BYTES bytes: the part before the number is cut at a character. */
char *rename_candidate(const void *ctx, const char *name, unsigned n);
