/* The first line is a Content-Type, the rest the body; read from memory and from a file, which must agree. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/name.h"
#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t size, offsets, parts;
};

static enum err note_part(void *arg, const struct multipart_part *part)
{
    struct seen *s = arg;

    if (part->offset > s->size || part->size > s->size - part->offset)
        abort();
    if (!utf8_valid(part->name, strlen(part->name)) || (part->filename == NULL) == (part->text == NULL))
        abort();
    if (part->text != NULL && strlen(part->text) != part->size)
        abort();
    s->offsets = s->offsets * 31 + part->offset + part->size;
    s->parts++;
    return E_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    char *boundary;

    if (newline == NULL)
        return 0;
    char *type = mem_strn(mem, (const char *)data, (size_t)(newline - data));
    if (multipart_boundary(mem, type, &boundary) != E_OK)
        return 0;
    struct multipart_source in_memory = {.data = (const char *)newline + 1, .fd = -1};
    in_memory.size = size - (size_t)(newline + 1 - data);
    struct multipart_source in_file = {.fd = memfd_create("body", MFD_CLOEXEC), .size = in_memory.size};
    if (in_file.fd < 0 || write(in_file.fd, in_memory.data, in_file.size) != (ssize_t)in_file.size)
        abort();
    struct seen first = {.size = in_memory.size}, second = first;
    enum err e = multipart_parse(mem, &in_memory, boundary, note_part, &first);
    if (multipart_parse(mem, &in_file, boundary, note_part, &second) != e ||
        memcmp(&first, &second, sizeof first) != 0)
        abort();
    close(in_file.fd);
    return 0;
}
