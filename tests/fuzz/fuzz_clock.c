/* Any bytes as a time: refused, or one that is printed and read as itself. */
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_rfc3339(const char *text)
{
    char printed[CLOCK_TEXT_MAX];
    int64_t t, again;
    if (clock_parse_rfc3339(text, &t) != E_OK)
        return;
    must(t >= 0 && t <= 253402300799999);
    clock_rfc3339(t, printed);
    must(clock_parse_rfc3339(printed, &again) == E_OK && again == t);
}

static void check_http(const char *text)
{
    char printed[CLOCK_TEXT_MAX];
    int64_t t, again;
    if (clock_parse_http(text, &t) != E_OK)
        return;
    must(t % 1000 == 0);
    clock_http(t, printed);
    must(clock_parse_http(printed, &again) == E_OK && again == t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strn(NULL, (const char *)data, size);
    check_rfc3339(text);
    check_http(text);
    talloc_free(text);
    return 0;
}
