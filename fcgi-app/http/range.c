#include "http/range.h"

#include <string.h>
#include <strings.h>

/* The digits at *at as a number that stops at the largest: a position beyond every file is still a position.
 */
static bool take_number(const char **at, uint64_t *out)
{
    const char *start = *at;
    uint64_t n = 0;

    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(**at - '0'), &n))
            n = UINT64_MAX;
    }
    *out = n;
    return *at != start;
}

/* "-N": the last N bytes. An empty file has no byte to name in a 206, so all of it is sent instead. */
static enum err parse_suffix(const char *text, uint64_t size, struct range *out)
{
    uint64_t n;

    if (!take_number(&text, &n) || *text != '\0')
        return E_OK;
    if (n == 0)
        return err_limit(E_BAD_RANGE, size);
    if (size > 0)
        *out = (struct range){.first = n < size ? size - n : 0, .last = size - 1};
    return E_OK;
}

enum err range_parse(const char *header, uint64_t size, struct range *out)
{
    uint64_t first, last = UINT64_MAX;

    *out = (struct range){.whole = true};
    if (header == NULL || strncasecmp(header, "bytes=", strlen("bytes=")) != 0)
        return E_OK;
    const char *at = header + strlen("bytes=");
    at += strspn(at, " "); /* as nginx does, which reads the header itself where the contents are on disk */
    if (*at == '-')
        return parse_suffix(at + 1, size, out);
    if (!take_number(&at, &first) || *at++ != '-')
        return E_OK;
    bool open_end = *at == '\0';
    if (!open_end && (!take_number(&at, &last) || *at != '\0' || last < first))
        return E_OK; /* several ranges end here too: at the comma */
    if (first >= size)
        return err_limit(E_BAD_RANGE, size);
    *out = (struct range){.first = first, .last = last < size ? last : size - 1};
    return E_OK;
}
