/* The log: one logfmt line per event on standard error, `ts=... level=info event=request route=... `.
 *
 * A line is built key by key and written with a single write(2), so that lines of many processes never mix.
 * Values are quoted and escaped when they need it (quotes, spaces, bytes below 0x20, DEL, invalid UTF-8):
 * nothing a client sends can begin a second line. A line is cut at 4 KiB. Never log tokens, passwords,
 * query strings or cookies. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARN, LOG_ERROR };

struct log_line {
    char text[4096];
    size_t len;
    bool off;
};

/* Lines below the level are not written; default LOG_INFO. `who` names this process ("master", "api.3"). */
void log_setup(enum log_level lowest, const char *who);

void log_begin(struct log_line *line, enum log_level level, const char *event);
void log_str(struct log_line *line, const char *key, const char *value); /* NULL or "": the key is left out */
void log_int(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);

/* A whole line with one message: `log_say(LOG_WARN, "sweep", "%s: %m", name)`. */
void log_say(enum log_level level, const char *event, const char *format, ...) PRINTF(3, 4);

/* A whole line for a failure that ends here: its code and its detail. */
void log_err(const char *event, enum err e);

/* "debug", "info", ...; E_FIELD_INVALID for anything else. */
enum err log_level_parse(const char *text, enum log_level *level_out) MUST_CHECK;
