/* SHA-256 of stored contents. */
#pragma once
#include "core/core.h"

enum err hash_blob(struct core *c, struct id blob, uint64_t size, char hex_out[65]) MUST_CHECK;
