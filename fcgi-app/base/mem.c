#include "base/mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

struct owned {
    void *ptr;
    void (*release)(void *);
};

void mem_exhausted(void)
{
    struct log_line line; /* on the stack: there is no memory to ask for */
    log_begin(&line, LOG_ERROR, "memory");
    log_str(&line, "detail", "out of memory, this process ends");
    log_end(&line);
    abort();
}

static void *got(void *p)
{
    if (p == NULL)
        mem_exhausted();
    return p;
}

void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

void free_mem(void *pointer_to_talloc_chunk)
{
    void *chunk;
    memcpy(&chunk, pointer_to_talloc_chunk, sizeof chunk); /* whatever the pointer's type is */
    talloc_free(chunk);
}

void *mem_zero(const void *ctx, size_t size, size_t n, const char *name)
{
    size_t total;
    if (__builtin_mul_overflow(size, n, &total))
        mem_exhausted();
    void *p = got(talloc_zero_size(ctx, total));
    talloc_set_name_const(p, name);
    return p;
}

char *mem_str(const void *ctx, const char *text)
{
    return text != NULL ? got(talloc_strdup(ctx, text)) : NULL;
}

char *mem_strn(const void *ctx, const char *text, size_t len)
{
    size_t size;
    if (!size_add(len, 1, &size))
        mem_exhausted();
    char *copy = got(talloc_size(ctx, size)); /* not talloc_strndup: it stops at a NUL within len */
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    talloc_set_name_const(copy, "char");
    return copy;
}

char *mem_printf(const void *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = got(talloc_vasprintf(ctx, format, args));
    va_end(args);
    return text;
}

static int owned_release(struct owned *o)
{
    o->release(o->ptr);
    return 0;
}

void *own(const void *ctx, void *ptr, void (*release)(void *))
{
    if (ptr == NULL)
        return NULL;
    struct owned *o = mem_new(ctx, struct owned);
    *o = (struct owned){.ptr = ptr, .release = release};
    talloc_set_destructor(o, owned_release);
    return ptr;
}

enum err parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *number_out)
{
    uint64_t n = 0;
    if (*text == '\0')
        return E_FIELD_INVALID;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return E_FIELD_INVALID;
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (unsigned)(*p - '0'), &n))
            return E_FIELD_INVALID;
    }
    if (n < min || n > max)
        return E_FIELD_INVALID;
    *number_out = n;
    return E_OK;
}

enum err parse_i64(const char *text, int64_t min, int64_t max, int64_t *number_out)
{
    bool negative = *text == '-';
    uint64_t magnitude;
    int64_t n;
    TRY(parse_u64(text + negative, 0, UINT64_MAX, &magnitude));
    bool overflow =
        negative ? __builtin_sub_overflow(0, magnitude, &n) : __builtin_add_overflow(0, magnitude, &n);
    if (overflow || n < min || n > max)
        return E_FIELD_INVALID;
    *number_out = n;
    return E_OK;
}

void mem_wipe(void *p, size_t len)
{
    if (len > 0)
        explicit_bzero(p, len);
}
