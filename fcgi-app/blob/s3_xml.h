/* The XML that S3 answers with, walked by expat: no entities, no document types, little depth. */
#pragma once
#include <stddef.h>

#include "base/err.h"

/* Called at the end of every element with its path from the root ("Error/Code") and the text directly in it. */
typedef enum err s3_xml_fn(void *arg, const char *path, const char *text);

/* E_BAD_REQUEST with a detail when it is not such XML; else what fn fails with. */
enum err s3_xml_walk(const char *text, size_t len, s3_xml_fn *fn, void *arg) MUST_CHECK;
