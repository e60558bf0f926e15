#include "meta/record.h"

#include <stdlib.h>

#include "base/mem.h"

static const char *const names[RECORD_KINDS] = {
#define RECORD(upper, lower) [RECORD_##upper] = #lower,
#include "meta/record.def"
#undef RECORD
};

const char *record_name(enum record_kind kind)
{
    return names[kind];
}

char *record_text(void *mem, const json_t *row)
{
    char *text = json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS);
    if (text == NULL)
        mem_exhausted();
    char *mine = mem_str(mem, text);
    free(text);
    return mine;
}
