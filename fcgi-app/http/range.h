/* Range requests (RFC 9110 14). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct range {
    bool whole;             /* no usable Range: send everything with 200 */
    uint64_t first, last;   /* inclusive */
};

/* header NULL, of another unit, malformed, or with several ranges: whole. E_BAD_RANGE: unsatisfiable;
 * err_last's limit is the size. The last N bytes of an empty file are the whole of it. */
enum err range_parse(const char *header, uint64_t size, struct range *out) MUST_CHECK;
