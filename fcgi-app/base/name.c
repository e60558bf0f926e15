#include "base/name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"

/* NFC makes text at most three times shorter (Hangul); what is longer cannot become a name, and a crowd of
 * combining marks would take the library quadratic time to sort. */
#define RAW_MAX_BYTES (4 * NAME_MAX_BYTES)

/* No name has these: the separators of paths, what ends or hides a line, what turns the reading direction
 * (photo<U+202E>gpj.exe), and the byte order mark. */
static const struct {
    int32_t first, last;
} refused[] = {
    {0x00, 0x1F},     {'/', '/'},       {'\\', '\\'},     {0x7F, 0x9F},     {0x61C, 0x61C},
    {0x200E, 0x200F}, {0x2028, 0x2029}, {0x202A, 0x202E}, {0x2066, 0x2069}, {0xFEFF, 0xFEFF},
};

/* The character at p of at most len bytes; 0 at malformed UTF-8 and at the end. */
static size_t next_char(const char *p, size_t len, int32_t *c_out)
{
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)len, c_out);
    return n > 0 ? (size_t)n : 0;
}

bool utf8_valid(const char *text, size_t len)
{
    while (len > 0) {
        int32_t c;
        size_t n = next_char(text, len, &c);
        if (n == 0 || c == 0)
            return false;
        text += n;
        len -= n;
    }
    return true;
}

size_t utf8_uncut(const char *text, size_t len)
{
    size_t tail = 0;
    while (tail < len && tail < 3 && ((unsigned char)text[len - 1 - tail] & 0xc0) == 0x80)
        tail++;
    unsigned char lead = tail < len ? (unsigned char)text[len - 1 - tail] : 0;
    size_t whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return tail + 1 < whole ? len - tail - 1 : len;
}

static bool is_shown(int32_t c)
{
    return (c >= ' ' && c != 0x7f && (c < 0x80 || c > 0x9f)) || c == '\t' || c == '\n' || c == '\r';
}

char *utf8_shown(const void *ctx, const char *bytes, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf", unknown[] = "\xef\xbf\xbd";
    size_t at = len >= 3 && memcmp(bytes, mark, 3) == 0 ? 3 : 0, to = 0;
    char *text = mem_array(ctx, char, 3 * len + 1); /* at worst each byte becomes three */
    while (at < len) {
        int32_t c;
        size_t n = next_char(bytes + at, len - at, &c);
        bool shown = n > 0 && is_shown(c);
        memcpy(text + to, shown ? bytes + at : unknown, shown ? n : 3);
        to += shown ? n : 3;
        at += n > 0 ? n : 1;
    }
    text[to] = '\0';
    return text;
}

static bool is_refused(int32_t c)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (c >= refused[i].first && c <= refused[i].last)
            return true;
    return false;
}

/* Valid UTF-8 through utf8proc, on ctx. */
static char *mapped(const void *ctx, const char *text, size_t len, utf8proc_option_t options)
{
    utf8proc_uint8_t *raw = NULL;
    utf8proc_ssize_t n =
        utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &raw, UTF8PROC_STABLE | options);
    if (n < 0) /* the text is valid and short: nothing else is left */
        mem_exhausted();
    char *copy = mem_strn(ctx, (const char *)raw, (size_t)n);
    free(raw);
    return copy;
}

static enum err name_check(const char *name)
{
    size_t left = strlen(name);
    if (left > NAME_MAX_BYTES)
        return err_say(E_BAD_NAME, "A name can be %d bytes long; this one has %zu.", NAME_MAX_BYTES, left);
    if (left == 0)
        return err_say(E_BAD_NAME, "A name cannot be empty.");
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return err_say(E_BAD_NAME, "\"%s\" cannot be a name.", name);
    while (left > 0) {
        int32_t c;
        size_t n = next_char(name, left, &c);
        if (n == 0 || is_refused(c))
            return c > ' ' && c < 0x7f ? err_say(E_BAD_NAME, "A name cannot contain %c.", (char)c)
                                       : err_say(E_BAD_NAME, "A name cannot contain the character U+%04X.", (unsigned)c);
        name += n;
        left -= n;
    }
    return E_OK;
}

enum err name_normal(const void *ctx, const char *text, size_t len, char **name_out)
{
    if (len > RAW_MAX_BYTES)
        return err_say(E_BAD_NAME, "A name can be %d bytes long; this one has %zu.", NAME_MAX_BYTES, len);
    if (memchr(text, '\0', len) != NULL)
        return err_say(E_BAD_NAME, "A name cannot contain the character U+0000.");
    if (!utf8_valid(text, len))
        return err_say(E_BAD_NAME, "A name must be valid UTF-8.");
    char *name = mapped(ctx, text, len, UTF8PROC_COMPOSE);
    enum err e = name_check(name);
    if (e != E_OK) {
        talloc_free(name);
        return e;
    }
    *name_out = name;
    return E_OK;
}

/* NFC(fold(NFD(name))): names are equal in it exactly when they are a canonical caseless match (Unicode
 * 3.13, D145). Decomposing first matters where a fold splits a mark off (U+0345). */
char *name_key(const void *ctx, const char *name)
{
    char *apart = mapped(ctx, name, strlen(name), UTF8PROC_DECOMPOSE);
    char *key = mapped(ctx, apart, strlen(apart), UTF8PROC_CASEFOLD | UTF8PROC_COMPOSE);
    talloc_free(apart);
    return key;
}

static bool login_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._@+-", c) != NULL);
}

enum err login_key(const char *text, char key_out[LOGIN_MAX_BYTES + 1])
{
    size_t len = strnlen(text, LOGIN_MAX_BYTES + 1), good = 0;
    while (good < len && login_char(text[good]))
        good++;
    if (len < LOGIN_MIN_BYTES || len > LOGIN_MAX_BYTES || good < len)
        return err_field_say(E_FIELD_INVALID, "username",
                             "A user name has %d to %d characters: letters, digits and . _ @ + -",
                             LOGIN_MIN_BYTES, LOGIN_MAX_BYTES);
    for (size_t i = 0; i < len; i++)
        key_out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    key_out[len] = '\0';
    return E_OK;
}
