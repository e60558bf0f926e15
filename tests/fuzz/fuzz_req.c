/* Parameters, one per line. No segment is a way out, and every decoded text is UTF-8. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "http/req.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char **split_lines(const void *mem, const uint8_t *data, size_t size)
{
    char *text = mem_strn(mem, (const char *)data, size);
    char **params = mem_array(mem, char *, size + 2);
    size_t n = 0;

    for (char *line; (line = strsep(&text, "\n")) != NULL;)
        params[n++] = mem_str(mem, line);
    return params;
}

static void check(const struct req *r)
{
    for (size_t i = 0; i < r->n_segments; i++) {
        const char *segment = r->segments[i];
        if (*segment == '\0' || strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0 ||
            !utf8_valid(segment, strlen(segment)))
            abort();
    }
    for (size_t i = 0; i < r->n_query; i++) {
        if (req_query(r, r->query[i].name) == NULL)
            abort();
    }
    if (r->user_agent != NULL && !utf8_valid(r->user_agent, strlen(r->user_agent)))
        abort();
    if (r->length < -1 || r->queued_ms < 0 || r->body_file == NULL || r->upload == NULL || r->front == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct req *r;

    if (req_parse(mem, split_lines(mem, data, size), "coffer", "device", &r) != E_OK)
        return 0;
    check(r);
    req_wants_html(r);
    return 0;
}
