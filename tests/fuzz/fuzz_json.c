/* Any bytes as JSON: refused, or a value that is written and read as itself. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const void *ctx, const json_t *value)
{
    json_t *again;
    size_t len;
    const char *text = json_text(ctx, value, &len);
    if (json_parse(ctx, text, len, &again) != E_OK || !json_equal(value, again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *ctx = talloc_new(NULL);
    json_t *value;
    enum err e = json_parse(ctx, (const char *)data, size, &value);
    if (e == E_OK)
        check_again(ctx, value);
    else if (e != E_BAD_JSON && e != E_TOO_DEEP && e != E_DUPLICATE_FIELD)
        abort();
    talloc_free(ctx);
    return 0;
}
