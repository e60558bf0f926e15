#include "base/json.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void json_release(void *value)
{
    json_decref(value);
}

/* Deeper nested than the limit? Brackets within strings do not count. Text that is not JSON may give either
 * answer; the parser has the last word. */
static bool too_deep(const char *text, size_t len)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '[' || c == '{') && ++depth > JSON_MAX_DEPTH)
            return true;
        else if (!in_string && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return false;
}

/* jansson's own words quote the text, which may be a password: only the place is passed on. */
static enum err refused(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        mem_exhausted();
    case json_error_duplicate_key:
        return err_say(E_DUPLICATE_FIELD, "A field was sent twice (line %d, column %d).", error->line,
                       error->column);
    default:
        return err_say(E_BAD_JSON, "The body is not valid JSON: line %d, column %d.", error->line,
                       error->column);
    }
}

enum err json_parse(const void *ctx, const char *text, size_t len, json_t **value_out)
{
    json_error_t error;
    if (too_deep(text, len))
        return err_set(E_TOO_DEEP, "JSON of %zu bytes", len);
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL)
        return refused(&error);
    *value_out = own(ctx, value, json_release);
    return E_OK;
}

char *json_text(const void *ctx, const json_t *value, size_t *len_out)
{
    assert(value != NULL);
    size_t len = json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
    char *text = mem_array(ctx, char, len + 1);
    if (json_dumpb(value, text, len, JSON_COMPACT | JSON_ENCODE_ANY) != len || len == 0)
        mem_exhausted(); /* every value has a text; only memory can be missing */
    if (len_out != NULL)
        *len_out = len;
    return text;
}

static json_t *owned_or_exit(const void *ctx, json_t *value)
{
    if (value == NULL)
        mem_exhausted();
    return own(ctx, value, json_release);
}

json_t *json_own_object(const void *ctx)
{
    return owned_or_exit(ctx, json_object());
}

json_t *json_own_array(const void *ctx)
{
    return owned_or_exit(ctx, json_array());
}
