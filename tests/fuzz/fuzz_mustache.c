/* Three texts, a NUL between: JSON, a template, and a partial "p". What is rendered has no markup that came
 * from the data. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "render/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Markup comes from the templates only: no value brings a '<' of its own. */
static void check(const char *page, const char *partial, const struct buf *out)
{
    if (strchr(page, '<') == NULL && strchr(partial, '<') == NULL && memchr(out->data, '<', out->len) != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char *texts[3] = {mem_strn(mem, (const char *)data, size), "", ""};
    struct templates *t = templates_new(mem);
    struct buf out;
    json_t *value;

    for (int i = 1; i < 3; i++) {
        char *next = texts[i - 1] + strlen(texts[i - 1]) + 1;
        if (next > texts[0] + size)
            break;
        texts[i] = next;
    }
    if (json_parse(mem, texts[0], strlen(texts[0]), &value) != E_OK)
        return 0;
    if (templates_add(t, "page", texts[1]) != E_OK || templates_add(t, "p", texts[2]) != E_OK ||
        templates_link(t) != E_OK)
        return 0;
    buf_init(&out, mem, 1 << 16);
    if (templates_render(t, "page", value, &out) == E_OK)
        check(texts[1], texts[2], &out);
    return 0;
}
