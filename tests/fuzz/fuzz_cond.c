/* A list of tags printed from what was read reads the same; no header reads beyond its end. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/cond.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_list(const void *mem, const char *header)
{
    const char *const *tags, *const *again;
    size_t n, n_again;
    bool any;

    if (cond_tags(mem, header, false, &any, &tags, &n) != E_OK || any)
        return;
    char *printed = mem_str(mem, "");
    for (size_t i = 0; i < n; i++)
        printed = mem_printf(mem, "%s,\"%s\"", printed, tags[i]);
    if (cond_tags(mem, printed, true, &any, &again, &n_again) != E_OK || n_again != n)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (strcmp(tags[i], again[i]) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    if (size > 4096) /* headers are short, and printing above is quadratic */
        return 0;
    const char *header = mem_strn(mem, (const char *)data, size);
    struct req with_match = {.if_match = header, .if_modified_since = header};
    struct req with_date = {.if_none_match = header, .if_unmodified_since = header};

    check_list(mem, header);
    cond_read(&with_match, "abc", 784111777000);
    cond_read(&with_date, "abc", 784111777000);
    cond_if_range(header, "abc", 784111777000);
    return 0;
}
