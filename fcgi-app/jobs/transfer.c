#include "jobs/transfer.h"

#include <stdarg.h>
#include <stdio.h>

void transfer_tell(struct transfer *t, bool note, const char *path, const char *format, ...)
{
    char why[512];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (note)
        t->count.notes++;
    else
        t->count.left_out++;
    t->tell(t->arg, note, path, why);
}

static void no_line(void *arg, bool note, const char *path, const char *why)
{
    (void)arg, (void)note, (void)path, (void)why;
}

static void no_progress(void *arg, const struct transfer_count *count)
{
    (void)arg, (void)count;
}

struct transfer transfer_quiet(void)
{
    return (struct transfer){.tell = no_line, .progress = no_progress};
}
