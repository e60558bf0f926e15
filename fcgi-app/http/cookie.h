/* The Cookie request header (RFC 6265 5.4). For req.c. */
#pragma once
#include <stddef.h>

#include "base/err.h"

/* How many cookies of that name the header has; the first one's value on ctx in *value_out, NULL for none. */
size_t cookie_find(const void *ctx, const char *header, const char *name, char **value_out);
