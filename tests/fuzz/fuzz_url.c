/* What is decoded, encoded and decoded again stays the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/req.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const void *mem, const char *text, size_t size, bool form)
{
    char *once, *twice;
    size_t len, again;

    if (url_decode(mem, text, size, form, &once, &len) != E_OK)
        return;
    char *encoded = url_encode(mem, once);
    if (url_decode(mem, encoded, strlen(encoded), form, &twice, &again) != E_OK || again != len ||
        memcmp(once, twice, len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);

    check(mem, (const char *)data, size, false);
    check(mem, (const char *)data, size, true);
    return 0;
}
