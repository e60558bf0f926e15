/* JSON by jansson, with our limits. */
#pragma once
#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

#define JSON_MAX_DEPTH 32

/* Parse the whole of text as one JSON value owned by ctx. E_TOO_DEEP beyond 32 levels (checked before the
 * parser recurses), E_DUPLICATE_FIELD, E_BAD_JSON (also for invalid UTF-8 and NUL characters). */
enum err json_parse(const void *ctx, const char *text, size_t len, json_t **value_out) MUST_CHECK;

/* Compact text on ctx; its length in *len_out when not NULL. */
char *json_text(const void *ctx, const json_t *value, size_t *len_out);

/* A new object or array that goes with ctx. */
json_t *json_own_object(const void *ctx);
json_t *json_own_array(const void *ctx);
