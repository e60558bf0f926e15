#include "meta/rename.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"

#define EXTENSION_MOST 32 /* with its dot; a longer one is part of the name */

static const char *extension_of(const char *name)
{
    const char *end = name + strlen(name), *dot = strrchr(name, '.');
    if (dot == NULL || dot == name || end - dot > EXTENSION_MOST || dot[1] == '\0')
        return end;
    return dot;
}

/* The longest start of at most `most` bytes that ends between two characters. */
static size_t cut(const char *text, size_t len, size_t most)
{
    if (len <= most)
        return len;
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

char *rename_candidate(const void *ctx, const char *name, unsigned n)
{
    char number[16];
    const char *extension = extension_of(name);
    int len = snprintf(number, sizeof number, " (%u)", n);
    size_t stem = cut(name, (size_t)(extension - name), NAME_MAX_BYTES - (size_t)len - strlen(extension));
    return mem_printf(ctx, "%.*s%s%s", (int)stem, name, number, extension);
}
