/* The request target (REQUEST_URI as sent) taken apart: path segments and query. For req.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/field.h"

#define TARGET_MAX_BYTES (16 * 1024)

struct target {
    const char *const *segments; /* decoded; never empty, "." or ".." */
    size_t n_segments;
    bool trailing_slash; /* also for "/" */
    const struct pair *query;
    size_t n_query;
};

/* On ctx. E_URI_TOO_LONG, E_BAD_PATH, E_BAD_REQUEST for the query. */
enum err target_parse(const void *ctx, const char *uri, struct target *out) MUST_CHECK;
