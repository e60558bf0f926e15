/* Memory: talloc. Temporary memory belongs to a task (a request, a command) and goes with one call.
 *
 * Running out of memory ends the process (the master starts the worker again): no caller checks for NULL. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <talloc.h>

#include "base/err.h"

/* Scope-bound release, declared where the thing is taken: `CLEANUP(close_fd) int fd = open(...);` The
 * function gets a pointer to the variable. */
#define CLEANUP(function) __attribute__((cleanup(function)))
void close_fd(int *fd);            /* for CLEANUP: closes unless negative */
void free_mem(void *pointer_to_talloc_chunk); /* for CLEANUP: talloc_free of *(void **)p */

/* Zeroed memory of one or n records on ctx. */
#define mem_new(ctx, type)       ((type *)mem_zero((ctx), sizeof(type), 1, #type))
#define mem_array(ctx, type, n)  ((type *)mem_zero((ctx), sizeof(type), (n), #type))
void *mem_zero(const void *ctx, size_t size, size_t n, const char *name);

/* Ends the process with a line in the log: for a library's allocation that gave NULL. */
_Noreturn void mem_exhausted(void);

/* Copies on ctx; mem_str takes NULL for NULL. */
char *mem_str(const void *ctx, const char *text);
char *mem_strn(const void *ctx, const char *text, size_t len);
char *mem_printf(const void *ctx, const char *format, ...) PRINTF(2, 3);

/* Make foreign memory (json_t, sqlite3_stmt ...) go with ctx: release(ptr) is called when ctx is freed.
 * Returns ptr. NULL is passed through. What was owned last is released first. */
void *own(const void *ctx, void *ptr, void (*release)(void *));

/* Sizes are added and multiplied checked; false on overflow. */
static inline bool size_add(size_t a, size_t b, size_t *sum_out)
{
    return !__builtin_add_overflow(a, b, sum_out);
}

/* The whole text is one decimal number in [min, max]: no sign for unsigned, no blanks, no leading '+'.
 * E_FIELD_INVALID otherwise; sets no particulars, the caller knows the field. */
enum err parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *number_out) MUST_CHECK;
enum err parse_i64(const char *text, int64_t min, int64_t max, int64_t *number_out) MUST_CHECK;

/* Overwrite secrets; never optimised away. */
void mem_wipe(void *p, size_t len);
