/* Media types: what a file is, and what it is sent as. Never the uploader's word. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct media;
/* libmagic is loaded at the first file whose name says nothing: most workers never need its 8 MB. */
enum err media_open(const void *ctx, struct media **out) MUST_CHECK;

/* What a file is: by its name's extension when the table in media.c knows it, else by libmagic from its
 * first bytes, else application/octet-stream. Never longer than 100 bytes; valid until the next call. */
const char *media_type(struct media *m, const char *name, const void *head, size_t n);

/* What a type is sent as: active types (script, style, html, svg, xml) and unknown ones go out as
 * application/octet-stream, text as UTF-8. Static storage. */
const char *media_sent_as(const char *type);
/* On the short list of what a browser may show in place. */
bool media_inline(const char *type);
