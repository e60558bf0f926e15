#include "http/req.h"

#include <string.h>

#include "base/mem.h"

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

char *url_encode(const void *ctx, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = mem_array(ctx, char, strlen(text) * 3 + 1);
    char *to = out;

    for (const char *from = text; *from != '\0'; from++) {
        if (is_unreserved(*from)) {
            *to++ = *from;
            continue;
        }
        unsigned char byte = (unsigned char)*from;
        *to++ = '%';
        *to++ = hex[byte >> 4];
        *to++ = hex[byte & 15];
    }
    return out;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

enum err url_decode(const void *ctx, const char *text, size_t len, bool form, char **out, size_t *len_out)
{
    char *decoded = mem_array(ctx, char, len + 1);
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '+' && form) {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < len ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return err_say(E_BAD_PATH, "A percent sign must be followed by two hexadecimal digits.");
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return err_say(E_BAD_PATH, "An address cannot hold a NUL character.");
        decoded[n++] = c;
    }
    *out = decoded;
    *len_out = n;
    return E_OK;
}
