/* Records as such, as one store tells them and another takes them.
 *
 * A row is JSON text: an object whose members are the columns of sql/schema.sql but the key's, in alphabetical order;
 * text, whole numbers, null. Two stores that hold the same record say the same text. The key is text: the table's primary
 * key; a member's is "USER:SPACE", an entry's of the audit a number of 20 digits or, from MongoDB, 32 hexadecimal ones. */
#pragma once
#include <jansson.h>

#include "base/err.h"

enum record_kind {
#define RECORD(upper, lower) RECORD_##upper,
#include "meta/record.def"
#undef RECORD
    RECORD_KINDS
};

struct record {
    const char *key, *row;
};

const char *record_name(enum record_kind kind); /* of its table */
char *record_text(void *mem, const json_t *row);
