#include "http/form.h"

#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "http/req.h"

/* How many pieces there are between '&', empty ones left out. */
static size_t count_fields(const char *text, size_t len)
{
    size_t n = 0;
    bool in_field = false;

    for (size_t i = 0; i < len; i++) {
        if (!in_field && text[i] != '&')
            n++;
        in_field = text[i] != '&';
    }
    return n;
}

static enum err decode(const void *ctx, const char *text, size_t len, const char **out, size_t *len_out)
{
    char *decoded;

    if (url_decode(ctx, text, len, true, &decoded, len_out) != E_OK)
        return err_say(E_BAD_REQUEST, "The form or query holds a bad percent-encoding or a NUL character.");
    if (!utf8_valid(decoded, *len_out))
        return err_say(E_BAD_REQUEST, "The form or query holds text that is not UTF-8.");
    *out = decoded;
    return E_OK;
}

static enum err parse_field(const void *ctx, const char *text, size_t len, struct pair *out)
{
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
    size_t skip = equals != NULL ? name_len + 1 : len;
    size_t decoded_len;

    TRY(decode(ctx, text, name_len, &out->name, &decoded_len));
    return decode(ctx, text + skip, len - skip, &out->value, &out->value_len);
}

enum err form_parse(const void *ctx, const char *text, size_t len, struct pair **pairs_out, size_t *n_out)
{
    size_t n = count_fields(text, len);
    size_t done = 0;

    if (n > FORM_MAX_FIELDS)
        return err_say(E_BAD_REQUEST, "A form or query can have %d fields at most.", FORM_MAX_FIELDS);

    struct pair *pairs = mem_array(ctx, struct pair, n);
    for (size_t at = 0; at < len;) {
        const char *amp = memchr(text + at, '&', len - at);
        size_t field_len = amp != NULL ? (size_t)(amp - text) - at : len - at;
        if (field_len > 0)
            TRY(parse_field(pairs, text + at, field_len, &pairs[done++]));
        at += field_len + 1;
    }
    *pairs_out = pairs;
    *n_out = n;
    return E_OK;
}
