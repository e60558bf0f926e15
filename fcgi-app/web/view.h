/* What a page shows besides its data: "site", "user" and "page" (title, links, breadcrumbs, formatted sizes and
 * times). Templates only print; everything they print is made here. */
#pragma once
#include "web/walk.h"

/* The object a template is rendered with, from reply.data and the walk. */
json_t *view_make(struct walk *w);

/* "1.4 MB" (powers of 1000), "812 B". */
char *view_size(const void *mem, int64_t bytes);
