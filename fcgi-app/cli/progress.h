/* What a person sees while files go in or out: a line on the terminal, drawn again and again; nothing where standard error is
 * no terminal. */
#pragma once
#include "jobs/transfer.h"

struct progress {
    bool shown;
    const char *things;         /* "files" */
    uint64_t files, bytes;      /* all there is to do; 0: not known */
    int64_t start_ms, drawn_ms; /* monotonic */
    bool drawn;
};

struct progress progress_start(void);
/* Draws at most ten times a second; transfer.progress with a struct progress * as its arg. */
void progress_draw(struct progress *p, const struct transfer_count *count);
void progress_clear(struct progress *p); /* before another line is printed, and at the end */

#define SIZE_TEXT_MAX 16
/* "1.2 GB", as people say it. */
void size_text(uint64_t bytes, char text[SIZE_TEXT_MAX]);
/* A name from a disk or a store as it may be printed: bytes that would move the cursor, and what is not UTF-8, as \xNN. */
const char *printable(const void *ctx, const char *text);
