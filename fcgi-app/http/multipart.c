#include "http/multipart.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/name.h"
#include "http/multipart_head.h"

#define WINDOW_BYTES   (256 * 1024)
#define TEXT_MAX_BYTES (64 * 1024)
#define HEAD_MAX_BYTES (16 * 1024)
#define MAX_PARTS      10000

/* The body, seen through a window: the whole of it in memory, or a piece of the file. */
struct view {
    const struct multipart_source *source;
    char *window;
    uint64_t window_at;
    size_t window_len;
};

struct parser {
    const void *mem;
    struct view view;
    const char *delimiter; /* CRLF, two dashes, boundary */
    size_t delimiter_len;
    multipart_fn *fn;
    void *arg;
};

static enum err bad(const char *sentence)
{
    return err_say(E_BAD_MULTIPART, "%s", sentence);
}

static enum err read_full(const struct multipart_source *s, uint64_t at, char *to, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = pread(s->fd, to + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(E_IO, "form body at %llu: %s", (unsigned long long)(at + done),
                           n < 0 ? strerror(errno) : "shorter than it was told to be");
        done += (size_t)n;
    }
    return E_OK;
}

/* The bytes at `at`: at least `want` of them, or all that are left; the more the better. */
static enum err look(struct view *v, uint64_t at, size_t want, const char **bytes_out, size_t *len_out)
{
    uint64_t left = v->source->size - at;

    if (v->source->fd < 0) {
        *bytes_out = v->source->data + at;
        *len_out = (size_t)left;
        return E_OK;
    }
    if (want > left)
        want = (size_t)left;
    if (at < v->window_at || at + want > v->window_at + v->window_len) {
        size_t len = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
        v->window_len = 0;
        TRY(read_full(v->source, at, v->window, len));
        v->window_at = at;
        v->window_len = len;
    }
    *bytes_out = v->window + (at - v->window_at);
    *len_out = (size_t)(v->window_at + v->window_len - at);
    return E_OK;
}

/* Where the needle begins, from `at` on; the source's size when nowhere. */
static enum err find(struct view *v, uint64_t at, const char *needle, size_t needle_len, uint64_t *found_out)
{
    for (;;) {
        const char *bytes;
        size_t len;
        TRY(look(v, at, needle_len, &bytes, &len));
        const char *hit = memmem(bytes, len, needle, needle_len);
        if (hit != NULL || at + len == v->source->size) {
            *found_out = hit != NULL ? at + (uint64_t)(hit - bytes) : v->source->size;
            return E_OK;
        }
        at += len - (needle_len - 1); /* the needle may lie across the window's end */
    }
}

enum after { AFTER_PART, AFTER_LAST, AFTER_NOTHING };

/* What follows a delimiter that ends at `at`: a part (*at moves to its head), the form's end, or text that
 * shows that it was none. */
static enum err read_line_end(struct view *v, uint64_t *at, enum after *out)
{
    const char *bytes;
    size_t len, n = 0;

    TRY(look(v, *at, HEAD_MAX_BYTES, &bytes, &len));
    *out = AFTER_NOTHING;
    if (len >= 2 && memcmp(bytes, "--", 2) == 0) {
        *out = AFTER_LAST;
        return E_OK;
    }
    while (n < len && n < HEAD_MAX_BYTES && (bytes[n] == ' ' || bytes[n] == '\t')) /* transport padding */
        n++;
    if (n < len && bytes[n] == '\n')
        return bad("Lines of a form must end with CRLF.");
    if (n + 1 < len && memcmp(bytes + n, "\r\n", 2) == 0) {
        *out = AFTER_PART;
        *at += n + 2;
    }
    return E_OK;
}

/* The next delimiter from `at` on: where it begins, and what it opens (at *next_out). */
static enum err find_delimiter(struct parser *p, uint64_t at, uint64_t *begin_out, uint64_t *next_out,
                               enum after *after_out)
{
    do {
        TRY(find(&p->view, at, p->delimiter, p->delimiter_len, begin_out));
        if (*begin_out == p->view.source->size)
            return err_set(E_CUT_OFF, "form without its closing boundary");
        at = *begin_out + p->delimiter_len;
        *next_out = at;
        TRY(read_line_end(&p->view, next_out, after_out));
    } while (*after_out == AFTER_NOTHING);
    return E_OK;
}

/* The first delimiter needs no line before it; otherwise a preamble is skipped. */
static enum err find_first(struct parser *p, uint64_t *next_out, enum after *after_out)
{
    const char *bytes;
    size_t len, dashes_len = p->delimiter_len - 2;
    uint64_t begin;

    TRY(look(&p->view, 0, dashes_len, &bytes, &len));
    if (len >= dashes_len && memcmp(bytes, p->delimiter + 2, dashes_len) == 0) {
        *next_out = dashes_len;
        TRY(read_line_end(&p->view, next_out, after_out));
        if (*after_out != AFTER_NOTHING)
            return E_OK;
    }
    return find_delimiter(p, 0, &begin, next_out, after_out);
}

/* The head of the part at *at, which moves behind its blank line. */
static enum err read_head(struct parser *p, const void *mem, uint64_t *at, struct part_head *out)
{
    const char *bytes;
    size_t len;

    TRY(look(&p->view, *at, HEAD_MAX_BYTES, &bytes, &len));
    if (len >= 2 && memcmp(bytes, "\r\n", 2) == 0)
        return bad("A part has no Content-Disposition.");
    bool whole = len <= HEAD_MAX_BYTES;
    if (!whole)
        len = HEAD_MAX_BYTES;
    const char *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (end == NULL && whole)
        return err_set(E_CUT_OFF, "form ends within the head of a part");
    if (end == NULL)
        return bad("The head of a part is longer than 16 KiB or has no end.");
    *at += (uint64_t)(end - bytes) + 4;
    return part_head_parse(mem, bytes, (size_t)(end - bytes) + 2, out);
}

static enum err read_text(struct parser *p, const void *mem, struct multipart_part *part)
{
    const char *bytes;
    size_t len;

    if (part->size > TEXT_MAX_BYTES)
        return bad("A text field of the form is longer than 64 KiB.");
    TRY(look(&p->view, part->offset, (size_t)part->size, &bytes, &len));
    if (!utf8_valid(bytes, (size_t)part->size))
        return bad("A text field of the form is not UTF-8 text.");
    part->text = mem_strn(mem, bytes, (size_t)part->size);
    return E_OK;
}

/* One part from its head at *at to the delimiter behind it. */
static enum err read_part(struct parser *p, uint64_t *at, enum after *after_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(p->mem);
    struct part_head head;
    uint64_t end, next;

    TRY(read_head(p, mem, at, &head));
    struct multipart_part part = {
        .name = head.name, .filename = head.filename, .folders = head.folders, .type = head.type, .offset = *at};
    /* An empty part: its delimiter shares the CRLF that ends the head. */
    TRY(find_delimiter(p, *at - 2, &end, &next, after_out));
    part.size = end > *at ? end - *at : 0;
    if (part.filename == NULL)
        TRY(read_text(p, mem, &part));
    *at = next;
    return p->fn(p->arg, &part);
}

enum err multipart_parse(const void *mem, const struct multipart_source *source, const char *boundary,
                         multipart_fn *fn, void *arg)
{
    CLEANUP(free_mem) void *own_mem = talloc_new(mem);
    struct parser p = {.mem = own_mem, .view = {.source = source}, .fn = fn, .arg = arg};
    enum after after;
    uint64_t at;

    if (source->size == 0)
        return err_set(E_CUT_OFF, "form without a byte");
    p.delimiter = mem_printf(own_mem, "\r\n--%s", boundary);
    p.delimiter_len = strlen(p.delimiter);
    if (source->fd >= 0)
        p.view.window = mem_array(own_mem, char, WINDOW_BYTES);
    TRY(find_first(&p, &at, &after));
    for (unsigned n = 0; after == AFTER_PART; n++) {
        if (n == MAX_PARTS)
            return bad("The form has more than 10,000 parts.");
        TRY(read_part(&p, &at, &after));
    }
    return E_OK;
}
