#include "http/target.h"

#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "http/form.h"
#include "http/req.h"

/* What no client may send unencoded: the web server may let it pass, and then it must not reach a name. */
static bool must_be_encoded(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte <= 0x20 || byte == 0x7F || byte == '#')
            return true;
    }
    return false;
}

static enum err parse_segment(const void *ctx, const char *text, size_t len, const char **out)
{
    char *segment;
    size_t n;

    if (len == 0)
        return err_say(E_BAD_PATH, "The address has an empty part between two slashes.");
    TRY(url_decode(ctx, text, len, false, &segment, &n));
    if (!utf8_valid(segment, n))
        return err_say(E_BAD_PATH, "The address is not valid UTF-8.");
    if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
        return err_say(E_BAD_PATH, "The address cannot have . or .. as a part.");
    *out = segment;
    return E_OK;
}

static size_t count_slashes(const char *path, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += path[i] == '/';
    return n;
}

/* path begins with '/'. */
static enum err parse_path(const void *ctx, const char *path, size_t len, struct target *out)
{
    const char **segments = mem_array(ctx, const char *, count_slashes(path, len));
    size_t n = 0;

    for (size_t at = 1; at < len;) {
        const char *slash = memchr(path + at, '/', len - at);
        size_t segment_len = slash != NULL ? (size_t)(slash - path) - at : len - at;
        TRY(parse_segment(segments, path + at, segment_len, &segments[n++]));
        at += segment_len + 1;
    }
    out->segments = segments;
    out->n_segments = n;
    out->trailing_slash = path[len - 1] == '/';
    return E_OK;
}

enum err target_parse(const void *ctx, const char *uri, struct target *out)
{
    size_t len = strlen(uri);
    size_t path_len = strcspn(uri, "?");
    struct pair *query = NULL;

    *out = (struct target){0};
    if (len > TARGET_MAX_BYTES)
        return err_limit(E_URI_TOO_LONG, TARGET_MAX_BYTES);
    if (uri[0] != '/')
        return err_say(E_BAD_PATH, "The address must begin with a slash.");
    if (must_be_encoded(uri, path_len))
        return err_say(E_BAD_PATH, "The address has a character that must be percent-encoded.");
    TRY(parse_path(ctx, uri, path_len, out));
    if (uri[path_len] == '?')
        TRY(form_parse(ctx, uri + path_len + 1, len - path_len - 1, &query, &out->n_query));
    out->query = query;
    return E_OK;
}
