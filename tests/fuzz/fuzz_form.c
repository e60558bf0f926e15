/* Every pair is UTF-8 text of the length told. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "http/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct pair *pairs;
    size_t n;

    if (form_parse(mem, (const char *)data, size, &pairs, &n) != E_OK)
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (strlen(pairs[i].value) != pairs[i].value_len || !utf8_valid(pairs[i].value, pairs[i].value_len) ||
            !utf8_valid(pairs[i].name, strlen(pairs[i].name)))
            abort();
    }
    if (n > FORM_MAX_FIELDS)
        abort();
    return 0;
}
