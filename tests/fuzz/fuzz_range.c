/* First eight bytes: the size; the rest: the header. A range lies within the size. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole;
    struct range range;

    if (size < sizeof whole)
        return 0;
    memcpy(&whole, data, sizeof whole);
    CLEANUP(free_mem) char *header = mem_strn(NULL, (const char *)data + sizeof whole, size - sizeof whole);
    if (range_parse(header, whole, &range) == E_OK && !range.whole &&
        (range.first > range.last || range.last >= whole))
        abort();
    return 0;
}
