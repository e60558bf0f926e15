/* Conditional requests (RFC 9110 13): entity tags and dates, in the order of precedence of 13.2.2. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "http/req.h"

enum cond { COND_SEND, COND_NOT_MODIFIED, COND_FAILED };

/* For GET and HEAD of a thing whose strong tag is `etag` (without quotes) and time `modified_ms`. */
enum cond cond_read(const struct req *r, const char *etag, int64_t modified_ms);

/* Is the If-Range condition (NULL: none) true? */
bool cond_if_range(const char *if_range, const char *etag, int64_t modified_ms);

/* The strong tags of an If-Match or If-None-Match header, without quotes, on ctx; *any_out for "*". Weak ones are left out
 * when `strong`. E_BAD_REQUEST when malformed. */
enum err cond_tags(const void *ctx, const char *header, bool strong, bool *any_out, const char *const **tags_out, size_t *n_out) MUST_CHECK;
