/* Media types: what a file is sent as. Never the uploader's word. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct media;
enum err media_open(const void *ctx, struct media **out) MUST_CHECK;

/* The type to keep for a file: from libmagic on its first bytes and the name's extension, one of the table
 * in media.c; "application/octet-stream" when unsure, and always for what a browser would run (script,
 * style, html, svg, xml). Static storage. */
const char *media_type(struct media *m, const char *name, const void *head, size_t n);
/* On the short list of what may be shown in the browser. */
bool media_inline(const char *type);
