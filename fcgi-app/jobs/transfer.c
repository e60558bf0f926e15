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
