/* Which setting someone may have meant who wrote one that does not exist. */
#include <string.h>

#include "base/mem.h"
#include "conf/conf_private.h"

#define LONGEST 48
#define NEAR    2 /* so many letters wrong, missing, too many */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '-' ? '_' : c;
}

/* Levenshtein's distance, row by row; capitals and hyphens do not count. b is not longer than LONGEST. */
static size_t distance(const char *a, const char *b)
{
    size_t row[LONGEST + 1], len = strlen(b);
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            size_t replaced = diagonal + (lower(a[i]) != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(replaced, row[j] + 1, row[j + 1] + 1);
        }
    }
    return row[len];
}

static const char *key_of(const char *setting)
{
    const char *dot = strchr(setting, '.');
    return dot != NULL ? dot + 1 : setting;
}

/* How far a row is from what was written; its key in another section is as far as one may be. */
static size_t row_distance(const void *ctx, const char *setting, const struct conf_row *row)
{
    CLEANUP(free_mem) char *name = mem_printf(ctx, "%s.%s", row->section, row->key);
    size_t whole = strlen(name) <= LONGEST ? distance(setting, name) : NEAR + 1;
    return whole > NEAR && strcmp(key_of(setting), row->key) == 0 ? NEAR : whole;
}

const char *conf_near(const void *ctx, const char *setting)
{
    const struct conf_row *best = NULL;
    size_t best_distance = NEAR + 1;
    if (strlen(setting) > 2 * LONGEST)
        return "";
    for (size_t i = 0; i < conf_rows_n; i++) {
        size_t d = row_distance(ctx, setting, &conf_rows[i]);
        if (d < best_distance) {
            best_distance = d;
            best = &conf_rows[i];
        }
    }
    return best != NULL ? mem_printf(ctx, ", did you mean %s.%s?", best->section, best->key) : "";
}
