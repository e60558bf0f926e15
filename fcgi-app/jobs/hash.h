/* SHA-256 of stored contents. */
#pragma once
#include "core/core.h"

enum err hash_blob(struct core *c, struct id blob, uint64_t size, char hex_out[65]) MUST_CHECK;
/* The same in a store that no core has opened. */
enum err hash_stored(struct blob_store *blobs, struct id blob, uint64_t size, char hex_out[65]) MUST_CHECK;
/* Of an open file, from its start. E_DAMAGED when it ends early. */
enum err hash_file(int fd, uint64_t size, char hex_out[65]) MUST_CHECK;
