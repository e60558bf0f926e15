/* Mustache (the specification's interpolation, sections, inverted sections, comments, partials), by jansson
 * data. Everything interpolated is escaped for HTML (& < > " '); there is no raw form: '{{{' and '{{&' are
 * refused when a template is loaded. Set-delimiter tags and lambdas are left out.
 *
 * A page is called by its file's name ("login"), a partial "partials/<name>"; {{> x}} means "partials/x", else
 * the page "x". A section is left out (an inverted one shown) for a name that is absent, null, false, "" or an
 * empty list; 0 is something. Integers print as such, reals with 17 digits, lists and objects as nothing. */
#pragma once
#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct templates;

/* An empty set, for tests and for templates made of text. */
struct templates *templates_new(const void *ctx);

/* Read every <dir>/<name>.html and <dir>/partials/<name>.html once. E_CONF names file and line of what is
 * wrong (unknown partial, unclosed section, raw form). */
enum err templates_load(const void *ctx, const char *dir, struct templates **out) MUST_CHECK;

/* A template from text, for tests. */
enum err templates_add(struct templates *t, const char *name, const char *text) MUST_CHECK;
enum err templates_link(struct templates *t) MUST_CHECK; /* checks that every partial exists, none contains itself; depth <= 32 */

/* Render into out. E_INTERNAL for an unknown template, E_TOO_LARGE by out's ceiling. */
enum err templates_render(const struct templates *t, const char *name, const json_t *data, struct buf *out) MUST_CHECK;
