/* application/x-www-form-urlencoded and query strings (WHATWG URL, "urlencoded parsing"). */
#pragma once
#include <stddef.h>

#include "base/err.h"
#include "base/field.h"

#define FORM_MAX_FIELDS 1000

/* Decoded pairs in the order sent, on ctx. E_BAD_REQUEST for bad encoding, NUL, invalid UTF-8 or too many. */
enum err form_parse(const void *ctx, const char *text, size_t len, struct pair **pairs_out, size_t *n_out) MUST_CHECK;
