#include "http/cond.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static bool is_tag_char(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte == 0x21 || (byte >= 0x23 && byte != 0x7F); /* etagc, RFC 9110 8.8.3 */
}

/* One entity tag at *at; the text between its quotes. */
static bool take_tag(const char **at, bool *weak_out, const char **text_out, size_t *len_out)
{
    const char *p = *at;

    *weak_out = strncmp(p, "W/", 2) == 0;
    p += *weak_out ? 2 : 0;
    if (*p++ != '"')
        return false;
    *text_out = p;
    while (is_tag_char(*p))
        p++;
    *len_out = (size_t)(p - *text_out);
    if (*p != '"')
        return false;
    *at = p + 1;
    return true;
}

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* No more tags than commas plus one. */
static const char **room_for_tags(const void *ctx, const char *header)
{
    size_t n = 1;

    for (const char *p = header; *p != '\0'; p++)
        n += *p == ',';
    return mem_array(ctx, const char *, n);
}

enum err cond_tags(const void *ctx, const char *header, bool strong, bool *any_out,
                   const char *const **tags_out, size_t *n_out)
{
    const char **tags = room_for_tags(ctx, header);
    size_t n = 0, seen = 0;
    const char *at = skip_blanks(header);

    *any_out = *at == '*' && *skip_blanks(at + 1) == '\0';
    while (!*any_out && *at != '\0') {
        const char *text;
        size_t len;
        bool weak;
        if (*at != ',') { /* lists may have empty members */
            if (!take_tag(&at, &weak, &text, &len))
                return err_say(E_BAD_REQUEST,
                               "A condition must be a list of entity tags in double quotes, or *.");
            seen++;
            if (!weak || !strong)
                tags[n++] = mem_strn(tags, text, len);
        }
        at = skip_blanks(at);
        if (*at != '\0' && *at++ != ',')
            return err_say(E_BAD_REQUEST, "Entity tags in a condition must be separated by commas.");
        at = skip_blanks(at);
    }
    if (!*any_out && seen == 0)
        return err_say(E_BAD_REQUEST, "A condition without any entity tag cannot be met.");
    *tags_out = tags;
    *n_out = n;
    return E_OK;
}

/* Does the list name this tag? One that cannot be read names nothing. */
static bool names_tag(const char *header, bool strong, const char *etag)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const char *const *tags;
    size_t n;
    bool any;

    if (cond_tags(mem, header, strong, &any, &tags, &n) != E_OK)
        return false;
    for (size_t i = 0; i < n && !any; i++)
        any = strcmp(tags[i], etag) == 0;
    return any;
}

/* Whole seconds: what a Last-Modified header can say. */
static int64_t in_seconds(int64_t t_ms)
{
    return t_ms >= 0 ? t_ms / 1000 : -((999 - t_ms) / 1000);
}

/* Steps 1 and 2: may the thing be used at all? What cannot be read as If-Match is not met; a date that
 * cannot be read is as if it was not sent (RFC 9110 13.1.4). */
static bool may_proceed(const struct req *r, const char *etag, int64_t modified_ms)
{
    int64_t date_ms;

    if (r->if_match != NULL)
        return names_tag(r->if_match, true, etag);
    if (r->if_unmodified_since != NULL && clock_parse_http(r->if_unmodified_since, &date_ms) == E_OK)
        return in_seconds(modified_ms) <= in_seconds(date_ms);
    return true;
}

/* Steps 3 and 4: does the client have it already? */
static bool is_known(const struct req *r, const char *etag, int64_t modified_ms)
{
    int64_t date_ms;

    if (r->if_none_match != NULL)
        return names_tag(r->if_none_match, false, etag);
    if (r->if_modified_since != NULL && clock_parse_http(r->if_modified_since, &date_ms) == E_OK)
        return in_seconds(modified_ms) <= in_seconds(date_ms);
    return false;
}

enum cond cond_read(const struct req *r, const char *etag, int64_t modified_ms)
{
    if (!may_proceed(r, etag, modified_ms))
        return COND_FAILED;
    return is_known(r, etag, modified_ms) ? COND_NOT_MODIFIED : COND_SEND;
}

bool cond_if_range(const char *if_range, const char *etag, int64_t modified_ms)
{
    const char *text, *at = if_range;
    size_t len;
    bool weak;
    int64_t date_ms;

    if (if_range == NULL)
        return true;
    if (take_tag(&at, &weak, &text, &len))
        return *at == '\0' && !weak && strlen(etag) == len && memcmp(text, etag, len) == 0;
    return clock_parse_http(if_range, &date_ms) == E_OK && in_seconds(date_ms) == in_seconds(modified_ms);
}
