/* Which names were seen in a folder: a set of 64-bit hashes, 16 bytes a name. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
    uint64_t *slots; /* 0: free */
    size_t n, size;  /* size: a power of two */
};

/* True when the name was there before. Grows on ctx. */
bool seen_add(struct seen *s, const void *ctx, const char *name);
