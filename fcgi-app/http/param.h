/* Parameters of header values: `; name=value; name="value"` (RFC 9110 5.6.6), read as leniently as what
 * browsers and curl put into forms needs. */
#pragma once
#include <stdbool.h>

struct param {
    char *name; /* lower case */
    char *value;
};

enum param_found { PARAM_END, PARAM_FOUND, PARAM_BAD };

/* The next parameter of the value at *at (behind the type, or behind the last parameter), on ctx.
 *
 * In quotes, \" and \\ stand for one character and any other backslash for itself: curl escapes, browsers
 * do not. A backslash before the value's very last quote is that of a browser too. */
enum param_found param_next(const void *ctx, const char **at, struct param *out);
