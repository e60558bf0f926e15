#include "http/multipart_head.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/name.h"
#include "http/multipart.h"
#include "http/param.h"
#include "http/req.h"

static enum err bad(const char *sentence)
{
    return err_say(E_BAD_MULTIPART, "%s", sentence);
}

/* Browsers encode just these three (WHATWG HTML, "multipart/form-data encoding"); any other % is itself. */
static void decode_browser_escapes(char *text)
{
    static const struct {
        const char *escape;
        char c;
    } escapes[] = {{"%22", '"'}, {"%0D", '\r'}, {"%0A", '\n'}};
    char *to = text;

    for (const char *from = text; *from != '\0';) {
        char c = *from;
        size_t used = 1;
        for (size_t i = 0; c == '%' && i < sizeof escapes / sizeof *escapes; i++) {
            if (strncasecmp(from, escapes[i].escape, 3) == 0) {
                c = escapes[i].c;
                used = 3;
            }
        }
        *to++ = c;
        from += used;
    }
    *to = '\0';
}

/* "C:\pictures\cat.png" is how some old browsers name cat.png. A name that is nothing but its folder stays
 * whole, to be refused as a name. */
static char *cut_path(char *name)
{
    char *last = name;

    for (char *p = name; *p != '\0'; p++) {
        if ((*p == '/' || *p == '\\') && p[1] != '\0')
            last = p + 1;
    }
    return last;
}

/* How browsers send the files of a chosen folder: with their path in it. */
static char *folders_of(const void *ctx, const char *name, const char *last)
{
    size_t len = (size_t)(last - name);
    bool relative = len > 0 && name[0] != '/' && memchr(name, '\\', len) == NULL && utf8_valid(name, len);
    return relative ? mem_strn(ctx, name, len) : NULL;
}

/* filename*=UTF-8''na%C3%AFve.txt (RFC 8187 3.2). */
static enum err decode_extended(const void *ctx, const char *value, char **out)
{
    size_t len;
    bool utf8 = strncasecmp(value, "UTF-8'", strlen("UTF-8'")) == 0;
    const char *text = utf8 ? strchr(value + strlen("UTF-8'"), '\'') : NULL;

    if (text == NULL)
        return bad("The parameter filename* of a part must be UTF-8 (RFC 8187).");
    text++;
    if (url_decode(ctx, text, strlen(text), false, out, &len) != E_OK)
        return bad("The parameter filename* of a part is not percent-encoded text.");
    return E_OK;
}

static enum err take_once(char **field, char *value)
{
    if (*field != NULL)
        return bad("A parameter of a part's Content-Disposition stands twice.");
    *field = value;
    return E_OK;
}

/* name, filename and filename* of `form-data; name="..."`; the latter NULL where absent. */
static enum err read_params(const void *ctx, const char *at, char **name, char **plain, char **extended)
{
    struct param param;
    enum param_found found;

    while ((found = param_next(ctx, &at, &param)) == PARAM_FOUND) {
        if (strcmp(param.name, "name") == 0)
            TRY(take_once(name, param.value));
        else if (strcmp(param.name, "filename") == 0)
            TRY(take_once(plain, param.value));
        else if (strcmp(param.name, "filename*") == 0)
            TRY(take_once(extended, param.value));
    }
    return found == PARAM_END ? E_OK : bad("A part's Content-Disposition is malformed.");
}

static enum err read_disposition(const void *ctx, const char *value, struct part_head *out)
{
    char *plain = NULL, *extended = NULL;
    const char *at = value + strlen("form-data");

    if (out->name != NULL)
        return bad("A part has two Content-Disposition headers.");
    if (strncasecmp(value, "form-data", strlen("form-data")) != 0)
        return bad("A part's Content-Disposition is not form-data.");
    TRY(read_params(ctx, at, &out->name, &plain, &extended));
    if (out->name == NULL)
        return bad("A part has no field name.");
    decode_browser_escapes(out->name);
    if (plain != NULL)
        decode_browser_escapes(plain);
    if (extended != NULL)
        TRY(decode_extended(ctx, extended, &plain));
    out->filename = plain != NULL ? cut_path(plain) : NULL;
    out->folders = plain != NULL ? folders_of(ctx, plain, out->filename) : NULL;
    if (!utf8_valid(out->name, strlen(out->name)))
        return bad("A field name of the form is not UTF-8.");
    if (out->filename != NULL && !utf8_valid(out->filename, strlen(out->filename)))
        return bad("A file name of the form is not UTF-8.");
    return E_OK;
}

/* Contents are taken as they are: storing base64 text in place of a file would be a silent loss. */
static enum err check_encoding(const char *value)
{
    static const char *const plain[] = {"binary", "8bit", "7bit"};

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcasecmp(value, plain[i]) == 0)
            return E_OK;
    }
    return bad("A part has a Content-Transfer-Encoding, which forms cannot have (RFC 7578).");
}

static enum err take_header(const void *ctx, char *line, struct part_head *out)
{
    char *value = strchr(line, ':');

    if (value == NULL || value == line || *line == ' ' || *line == '\t')
        return bad("A header line of a part is malformed.");
    *value++ = '\0';
    value += strspn(value, " \t");
    for (size_t len = strlen(value); len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'); len--)
        value[len - 1] = '\0';

    if (strcasecmp(line, "content-disposition") == 0)
        return read_disposition(ctx, value, out);
    if (strcasecmp(line, "content-transfer-encoding") == 0)
        return check_encoding(value);
    if (strcasecmp(line, "content-type") != 0)
        return E_OK;
    if (out->type != NULL)
        return bad("A part has two Content-Type headers.");
    out->type = value;
    return E_OK;
}

enum err part_head_parse(const void *ctx, const char *text, size_t len, struct part_head *out)
{
    char *copy = mem_strn(ctx, text, len);

    *out = (struct part_head){0};
    if (strlen(copy) != len)
        return bad("A header line of a part holds a NUL character.");
    for (char *line = copy, *end; *line != '\0'; line = end + 2) {
        end = strstr(line, "\r\n");
        if (end != NULL)
            *end = '\0';
        if (end == NULL || strpbrk(line, "\r\n") != NULL)
            return bad("Lines of a form's parts must end with CRLF.");
        TRY(take_header(ctx, line, out));
    }
    return out->name != NULL ? E_OK : bad("A part has no Content-Disposition.");
}

static bool is_boundary(const char *text)
{
    static const char allowed[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ";
    size_t len = strspn(text, allowed);

    return len >= 1 && len <= 70 && text[len] == '\0' && text[len - 1] != ' '; /* RFC 2046 5.1.1 */
}

enum err multipart_boundary(const void *ctx, const char *content_type, char **boundary_out)
{
    static const char media_type[] = "multipart/form-data";
    struct param param;
    enum param_found found;

    if (content_type == NULL || strncasecmp(content_type, media_type, strlen(media_type)) != 0)
        return E_MEDIA_TYPE;
    const char *at = content_type + strlen(media_type);
    if (*at != '\0' && strchr("; \t", *at) == NULL)
        return E_MEDIA_TYPE;
    while ((found = param_next(ctx, &at, &param)) == PARAM_FOUND) {
        if (strcmp(param.name, "boundary") == 0 && is_boundary(param.value)) {
            *boundary_out = param.value;
            return E_OK;
        }
    }
    return bad("The Content-Type of the form names no valid boundary.");
}
