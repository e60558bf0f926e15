/* Fields are declared once, with their checker; handlers get a filled struct and never see unchecked input.
 *
 * A table of rows describes a struct; field_fill reads a source (JSON object, form, query string), checks
 * every value and stores it at the row's offset. Strings are owned by ctx. A field that is absent leaves
 * its default (the zeroed struct, or what the caller put there) and sets nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"

struct json_t;

enum field_kind {
    FIELD_TEXT,   /* const char *: valid UTF-8 without NUL, min..max bytes, kept as sent (passwords, content) */
    FIELD_NAME,   /* const char *: name_normal */
    FIELD_LOGIN,  /* const char *: login_key's rule; kept as typed */
    FIELD_ID,     /* struct id: an id; E_FIELD_INVALID otherwise */
    FIELD_INT,    /* int64_t: min..max; JSON integer, or decimal text */
    FIELD_BOOL,   /* bool: JSON true/false, or text 1, true, yes, on / 0, false, no, off */
    FIELD_TIME,   /* int64_t milliseconds: RFC 3339, or decimal seconds since 1970 with up to 3 decimals */
    FIELD_CHOICE, /* int: index into choices */
    FIELD_IDS,    /* struct id_list: JSON array of ids, or the field repeated in a form; at most max */
};

struct id_list {
    size_t n;
    struct id *ids;
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    int64_t min, max;           /* bytes for text (max 0: 4096), value for int, count for lists (max 0: 1000) */
    const char *const *choices; /* NULL-terminated */
    bool required;
    bool secret;                /* never in a log or an error */
    size_t has_offset;          /* when not 0: a bool set true if the field was sent (PATCH: absent = unchanged) */
};

/* Where values come from. Values are looked up by name; text == NULL means absent. */
struct source {
    enum { SOURCE_JSON, SOURCE_PAIRS } kind;
    const void *json;               /* SOURCE_JSON: a json_t object */
    const struct pair *pairs;       /* SOURCE_PAIRS: decoded names and values in the order sent */
    size_t n;
    bool strict;                    /* a field the table lacks is E_FIELD_UNKNOWN (JSON bodies and API queries) */
};

struct pair {
    const char *name, *value;
    size_t value_len;
};

/* Fill the struct at `out` from `source` by `table` (ended by a row without name). Errors set the field:
 * E_FIELD_MISSING, E_FIELD_UNKNOWN, E_FIELD_INVALID (with a sentence that names the rule), E_BAD_NAME,
 * E_DUPLICATE_FIELD (a field not of kind FIELD_IDS sent twice). */
enum err field_fill(const void *ctx, const struct field *table, const struct source *source, void *out) MUST_CHECK;
