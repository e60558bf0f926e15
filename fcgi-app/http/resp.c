#include "http/resp.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "http/req.h"

#define HEAD_MAX (16 * 1024) /* nginx reads at most fastcgi_buffer_size; more than this is a bug of ours */

static const struct {
    unsigned status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

const char *resp_reason(unsigned status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Unknown";
}

void resp_init(struct resp *r, const void *ctx)
{
    *r = (struct resp){.ctx = ctx, .status = 200};
    buf_init(&r->head, ctx, HEAD_MAX);
}

void resp_clear(struct resp *r)
{
    buf_reset(&r->head);
    r->status = 200;
    r->body = NULL;
    r->body_len = 0;
}

static bool is_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return *name != '\0' && name[strspn(name, allowed)] == '\0';
}

static bool is_value(const char *value)
{
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7F)
            return false;
    }
    return true;
}

enum err resp_header(struct resp *r, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP(free_mem) char *value = talloc_vasprintf(r->ctx, format, args);
    va_end(args);

    if (value == NULL || !is_name(name) || !is_value(value))
        return err_set(E_INTERNAL, "response header %s with a character that cannot stand in one", name);
    size_t line_len = strlen(name) + strlen(": \r\n") + strlen(value);
    if (line_len > HEAD_MAX - r->head.len)
        return err_set(E_INTERNAL, "response header %s makes the head larger than %d bytes", name, HEAD_MAX);
    buf_printf(&r->head, "%s: %s\r\n", name, value);
    return E_OK;
}

void resp_head_text(const struct resp *r, struct buf *out)
{
    buf_printf(out, "Status: %u %s\r\n", r->status, resp_reason(r->status));
    buf_add(out, r->head.data, r->head.len);
    buf_str(out, "\r\n");
}

/* A name for clients that read only the plain parameter: one '_' per character, not per byte. */
static char *plain_name(const void *ctx, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-";
    char *out = mem_str(ctx, name);
    char *to = out;

    for (; *name != '\0'; name++) {
        bool continues = ((unsigned char)*name & 0xC0) == 0x80;
        if (!continues)
            *to++ = strchr(plain, *name) != NULL ? *name : '_';
    }
    *to = '\0';
    return out;
}

char *resp_disposition(const void *ctx, const char *name, int attachment)
{
    CLEANUP(free_mem) char *plain = plain_name(NULL, name);
    CLEANUP(free_mem) char *encoded = url_encode(NULL, name);

    return mem_printf(ctx, "%s; filename=\"%s\"; filename*=UTF-8''%s", attachment ? "attachment" : "inline",
                      plain, encoded);
}
