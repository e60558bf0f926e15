#include "http/param.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

static size_t token_len(const char *p)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return strspn(p, allowed);
}

/* The text in quotes at *at, which stands behind the first quote; NULL when they are not closed. */
static char *take_quoted(const void *ctx, const char **at)
{
    const char *from = *at;
    char *value = mem_array(ctx, char, strlen(from) + 1);
    char *to = value;

    for (; *from != '"'; from++) {
        if (*from == '\0')
            return NULL;
        bool escape = *from == '\\' && (from[1] == '\\' || (from[1] == '"' && strchr(from + 2, '"') != NULL));
        if (escape)
            from++;
        *to++ = *from;
    }
    *at = from + 1;
    return value;
}

static char *take_token(const void *ctx, const char **at)
{
    size_t len = token_len(*at);
    char *value = len > 0 ? mem_strn(ctx, *at, len) : NULL;

    *at += len;
    return value;
}

enum param_found param_next(const void *ctx, const char **at, struct param *out)
{
    const char *p = skip_blanks(*at);

    if (*p != ';')
        return *p == '\0' ? PARAM_END : PARAM_BAD;
    while (*p == ';')
        p = skip_blanks(p + 1);
    if (*p == '\0')
        return PARAM_END;
    out->name = take_token(ctx, &p);
    if (out->name == NULL || *p++ != '=')
        return PARAM_BAD;
    for (char *c = out->name; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    bool quoted = *p == '"';
    p += quoted;
    out->value = quoted ? take_quoted(ctx, &p) : take_token(ctx, &p);
    *at = p;
    return out->value != NULL ? PARAM_FOUND : PARAM_BAD;
}
