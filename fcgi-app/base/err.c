#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

static const struct {
    const char *name, *code, *title;
    unsigned status;
    enum log_level level;
} rows[] = {
#define E(name, code, status, level, title) [E_##name] = {"E_" #name, code, title, status, LOG_##level},
#include "base/err.def"
#undef E
};
_Static_assert(sizeof rows / sizeof *rows == E_COUNT, "a row per error");

static struct err_info last;

void err_clear(void)
{
    memset(&last, 0, sizeof last);
}

static void begin(enum err e)
{
    err_clear();
    last.err = e;
}

/* Take half of a UTF-8 character off the end of a text that was cut: it may go to a user. */
static void drop_half_character(char *text, size_t end)
{
    size_t start = end;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t follow = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (end - start < follow)
        text[start - 1] = '\0';
}

static void format_cut(char *text, size_t size, const char *format, va_list args)
{
    int wanted = vsnprintf(text, size, format, args);
    if (wanted < 0)
        text[0] = '\0';
    else if ((size_t)wanted >= size)
        drop_half_character(text, size - 1);
}

/* Each of these formats before begin(): an argument may be last's own text, and %m wants errno as it was. */
enum err err_set(enum err e, const char *detail, ...)
{
    char text[sizeof last.detail];
    va_list args;
    va_start(args, detail);
    format_cut(text, sizeof text, detail, args);
    va_end(args);
    begin(e);
    memcpy(last.detail, text, sizeof text);
    return e;
}

enum err err_say(enum err e, const char *sentence, ...)
{
    char text[sizeof last.say];
    va_list args;
    va_start(args, sentence);
    format_cut(text, sizeof text, sentence, args);
    va_end(args);
    begin(e);
    memcpy(last.say, text, sizeof text);
    return e;
}

enum err err_field(enum err e, const char *field)
{
    return err_field_say(e, field, "%s", "");
}

enum err err_field_say(enum err e, const char *field, const char *sentence, ...)
{
    char name[sizeof last.field], text[sizeof last.say];
    va_list args;
    if (snprintf(name, sizeof name, "%s", field) >=
        (int)sizeof name) /* a stranger's field may have any name */
        drop_half_character(name, sizeof name - 1);
    va_start(args, sentence);
    format_cut(text, sizeof text, sentence, args);
    va_end(args);
    begin(e);
    memcpy(last.field, name, sizeof name);
    memcpy(last.say, text, sizeof text);
    return e;
}

enum err err_limit(enum err e, uint64_t limit)
{
    begin(e);
    last.limit = limit;
    return e;
}

enum err err_retry(enum err e, unsigned seconds)
{
    begin(e);
    last.retry_after_s = seconds;
    return e;
}

struct err_info err_save(void)
{
    return last;
}

void err_restore(const struct err_info *saved)
{
    last = *saved;
}

const struct err_info *err_last(enum err e)
{
    static const struct err_info nothing;
    return last.err == e ? &last : &nothing;
}

const char *err_code(enum err e)
{
    assert(e < E_COUNT);
    return rows[e].code;
}

unsigned err_status(enum err e)
{
    assert(e < E_COUNT);
    return rows[e].status;
}

int err_level(enum err e)
{
    assert(e < E_COUNT);
    return (int)rows[e].level;
}

const char *err_title(enum err e)
{
    assert(e < E_COUNT);
    return rows[e].title;
}

const char *err_name(enum err e)
{
    assert(e < E_COUNT);
    return rows[e].name;
}
