/* Ids: 128 random bits, printed as 32 characters of [0-9a-f]. Copied by value; "" is "none". */
#pragma once
#include <stdbool.h>
#include <string.h>

#include "base/err.h"

#define ID_LEN 32

struct id {
    char s[ID_LEN + 1];
};

struct id id_new(void);                                   /* from the kernel's random source */
enum err id_parse(const char *text, struct id *id_out) MUST_CHECK; /* E_NOT_FOUND unless exactly an id */

static inline bool id_is(struct id id)
{
    return id.s[0] != '\0';
}

static inline bool id_eq(struct id a, struct id b)
{
    return strcmp(a.s, b.s) == 0;
}
