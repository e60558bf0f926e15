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

enum err err_set(enum err e, const char *detail, ...)
{
    char text[sizeof last.detail];
    va_list args;
    va_start(args, detail);
    vsnprintf(text, sizeof text, detail, args); /* before begin(): an argument may be last's own text, or %m */
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
    vsnprintf(text, sizeof text, sentence, args);
    va_end(args);
    begin(e);
    memcpy(last.say, text, sizeof text);
    return e;
}

enum err err_field(enum err e, const char *field)
{
    begin(e);
    snprintf(last.field, sizeof last.field, "%s", field);
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
