#include "http/cookie.h"

#include <string.h>

#include "base/mem.h"

size_t cookie_find(const void *ctx, const char *header, const char *name, char **value_out)
{
    size_t name_len = strlen(name), found = 0;

    *value_out = NULL;
    for (const char *at = header; *at != '\0';) {
        at += strspn(at, " \t;");
        size_t len = strcspn(at, ";");
        if (len > name_len && memcmp(at, name, name_len) == 0 && at[name_len] == '=' && found++ == 0) {
            size_t value_len = len - name_len - 1;
            const char *value = at + name_len + 1;
            while (value_len > 0 && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
                value_len--;
            *value_out = mem_strn(ctx, value, value_len);
        }
        at += len;
    }
    return found;
}
