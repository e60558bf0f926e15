#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

#include "base/clock.h"

#define TAIL 2 /* kept free for the closing quote and the newline */

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info",   [LOG_NOTICE] = "notice",
    [LOG_WARN] = "warn",   [LOG_ERROR] = "error",
};
#define LEVELS (sizeof level_names / sizeof *level_names)

static struct {
    enum log_level lowest;
    char who[32];
} process = {.lowest = LOG_INFO};

void log_setup(enum log_level lowest, const char *who)
{
    process.lowest = lowest;
    snprintf(process.who, sizeof process.who, "%s", who);
}

/* All of it, or nothing. */
static bool put(struct log_line *line, const char *bytes, size_t n)
{
    if (line->len + n > sizeof line->text - TAIL)
        return false;
    memcpy(line->text + line->len, bytes, n);
    line->len += n;
    return true;
}

/* Bytes of the printable character at p; 0 when there is none: broken UTF-8, C0, DEL or C1, some of which
 * make a terminal do things. */
static size_t printable(const char *p)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)p, (utf8proc_ssize_t)strnlen(p, 4), &c);
    return n < 1 || c < 0x20 || (c >= 0x7F && c <= 0x9F) ? 0 : (size_t)n;
}

/* One character as it stands between quotes; how many bytes of p it took, 0 when the line is full. */
static size_t put_escaped(struct log_line *line, const char *p)
{
    char hex[5];
    size_t n = printable(p);
    if (*p == '"' || *p == '\\')
        return put(line, *p == '"' ? "\\\"" : "\\\\", 2);
    if (n > 0)
        return put(line, p, n) ? n : 0;
    if (*p == '\n' || *p == '\t')
        return put(line, *p == '\n' ? "\\n" : "\\t", 2);
    snprintf(hex, sizeof hex, "\\x%02x", (unsigned char)*p);
    return put(line, hex, 4);
}

static bool is_plain(const char *value)
{
    for (const char *p = value; *p != '\0';) {
        size_t n = printable(p);
        if (n == 0 || strchr(" \"\\=", *p) != NULL)
            return false;
        p += n;
    }
    return true;
}

void log_begin(struct log_line *line, enum log_level level, const char *event)
{
    char now[CLOCK_TEXT_MAX];
    line->len = 0;
    line->off = level < process.lowest;
    if (line->off)
        return;
    clock_rfc3339(clock_now_ms(&clock_real), now);
    log_str(line, "ts", now);
    log_str(line, "level", level_names[level]);
    log_str(line, "proc", process.who);
    log_str(line, "event", event);
}

void log_str(struct log_line *line, const char *key, const char *value)
{
    if (line->off || value == NULL || *value == '\0')
        return;
    size_t before = line->len, key_len = strlen(key);
    bool plain = is_plain(value);
    if ((before > 0 && !put(line, " ", 1)) || !put(line, key, key_len) ||
        !put(line, plain ? "=" : "=\"", plain ? 1 : 2)) {
        line->len = before; /* no half keys */
        return;
    }
    for (size_t n; *value != '\0' && (n = put_escaped(line, value)) > 0;)
        value += n;
    if (!plain)
        line->text[line->len++] = '"'; /* TAIL has room: a full line takes no further key */
}

void log_int(struct log_line *line, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    log_str(line, key, text);
}

void log_end(struct log_line *line)
{
    if (line->off)
        return;
    int saved = errno;
    line->text[line->len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line->text, line->len);
    (void)written; /* there is nowhere left to complain */
    errno = saved;
}

void log_say(enum log_level level, const char *event, const char *format, ...)
{
    char text[sizeof((struct log_line *)0)->text];
    struct log_line line;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_begin(&line, level, event);
    log_str(&line, "detail", text);
    log_end(&line);
}

void log_err(const char *event, enum err e)
{
    const struct err_info *info = err_last(e);
    struct log_line line;
    log_begin(&line, (enum log_level)err_level(e), event);
    log_str(&line, "err", err_name(e));
    log_str(&line, "detail", info->detail);
    log_str(&line, "field", info->field);
    log_str(&line, "say", info->say);
    log_end(&line);
}

enum err log_level_parse(const char *text, enum log_level *level_out)
{
    for (size_t i = 0; i < LEVELS; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level_out = (enum log_level)i;
            return E_OK;
        }
    }
    return E_FIELD_INVALID;
}
