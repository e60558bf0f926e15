/* One setting's text to its value and back, by the row's kind. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/name.h"
#include "conf/conf_private.h"

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1},          {"K", 1LL << 10}, {"M", 1LL << 20},
                                    {"G", 1LL << 30}, {"T", 1LL << 40}, {NULL, 0}};
static const struct unit times[] = {{"", 1000},     {"ms", 1},       {"s", 1000}, {"m", 60000},
                                    {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

/* Units in which a value is printed, the largest first: those that nginx reads, too. */
static const struct unit sizes_shown[] = {{"M", 1LL << 20}, {"K", 1LL << 10}, {"", 1}};
static const struct unit times_shown[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

const char *conf_path(const void *ctx, const char *dir, const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2 + strspn(path + 2, "/");
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (path[0] == '/')
        return mem_strn(ctx, path, len);
    if (len == 0 || (len == 1 && path[0] == '.'))
        return mem_str(ctx, dir);
    return mem_printf(ctx, "%s/%.*s", strcmp(dir, "/") == 0 ? "" : dir, (int)len, path);
}

/* ---- reading ---- */

static enum err parse_text(struct loading *l, const struct conf_row *row, const char *text, void *at)
{
    size_t len = strlen(text);
    if (len < (uint64_t)row->min || len > (uint64_t)row->max)
        return err_set(E_CONF, "must be %lld to %lld bytes long, this has %zu", (long long)row->min,
                       (long long)row->max, len);
    *(const char **)at = mem_str(l->conf, text);
    return E_OK;
}

static enum err parse_path(struct loading *l, const struct conf_row *row, const char *text, void *at)
{
    if (*text == '\0')
        return parse_text(l, row, text, at);
    CLEANUP(free_mem) const char *path = conf_path(l->conf, l->dir, text);
    return parse_text(l, row, path, at); /* the limit is for what the kernel gets */
}

/* Digits and a unit; false when it is something else, or more than 64 bits. */
static bool number_of(const char *text, const struct unit *units, int64_t *number_out)
{
    char digits[24];
    int64_t number;
    bool negative = *text == '-';
    size_t len = negative + strspn(text + negative, "0123456789");
    if (len >= sizeof digits)
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    if (parse_i64(digits, INT64_MIN, INT64_MAX, &number) != E_OK)
        return false;
    for (const struct unit *u = units; u->name != NULL; u++)
        if (strcmp(text + len, u->name) == 0)
            return !__builtin_mul_overflow(number, u->factor, number_out);
    return false;
}

static enum err parse_number(struct loading *l, const struct conf_row *row, const char *text, void *at,
                             const struct unit *units, const char *what)
{
    int64_t number;
    if (!number_of(text, units, &number))
        return err_set(E_CONF, "must be %s, not '%s'", what, text);
    if (number < row->min || number > row->max) {
        CLEANUP(free_mem) char *min = conf_value_text(l->conf, row, &row->min);
        CLEANUP(free_mem) char *max = conf_value_text(l->conf, row, &row->max);
        return err_set(E_CONF, "must be from %s to %s, not '%s'", min, max, text);
    }
    *(int64_t *)at = number;
    return E_OK;
}

static enum err parse_int(struct loading *l, const struct conf_row *row, const char *text, void *at)
{
    return parse_number(l, row, text, at, no_units, "a whole number");
}

static enum err parse_size(struct loading *l, const struct conf_row *row, const char *text, void *at)
{
    return parse_number(l, row, text, at, sizes, "a number of bytes, or one with K, M, G or T behind it");
}

static enum err parse_time(struct loading *l, const struct conf_row *row, const char *text, void *at)
{
    return parse_number(l, row, text, at, times,
                        "a number of seconds, or one with ms, s, m, h or d behind it");
}

static enum err parse_bool(struct loading *l, const struct conf_row *row, const char *text, void *at)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    (void)l;
    (void)row;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *(bool *)at = i % 2 == 1; /* every second word means yes */
            return E_OK;
        }
    }
    return err_set(E_CONF, "must be yes or no, not '%s'", text);
}

/* ---- printing ---- */

static char *text_text(const void *ctx, const void *at)
{
    return mem_str(ctx, *(const char *const *)at);
}

static char *int_text(const void *ctx, const void *at)
{
    return mem_printf(ctx, "%lld", (long long)*(const int64_t *)at);
}

/* In the largest unit that leaves no rest. */
static char *number_text(const void *ctx, int64_t number, const struct unit *units)
{
    if (number == 0)
        return mem_str(ctx, "0");
    while (number % units->factor != 0)
        units++;
    return mem_printf(ctx, "%lld%s", (long long)(number / units->factor), units->name);
}

static char *size_text(const void *ctx, const void *at)
{
    return number_text(ctx, *(const int64_t *)at, sizes_shown);
}

static char *time_text(const void *ctx, const void *at)
{
    return number_text(ctx, *(const int64_t *)at, times_shown);
}

static char *bool_text(const void *ctx, const void *at)
{
    return mem_str(ctx, *(const bool *)at ? "yes" : "no");
}

static const struct kind {
    const char *name;
    enum err (*parse)(struct loading *l, const struct conf_row *row, const char *text, void *at);
    char *(*text)(const void *ctx, const void *at);
} kinds[] = {
    {"TEXT", parse_text, text_text}, {"PATH", parse_path, text_text}, {"INT", parse_int, int_text},
    {"SIZE", parse_size, size_text}, {"TIME", parse_time, time_text}, {"BOOL", parse_bool, bool_text},
};

static const struct kind *kind_of(const struct conf_row *row)
{
    const struct kind *k = kinds;
    while (strcmp(k->name, row->kind) != 0)
        k++; /* each of conf.def's is there: they also had to compile as CONF_TYPE_* */
    return k;
}

/* Control characters have no place in any setting, and could end a line in a file made from it. */
static bool is_clean(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            return false;
    return utf8_valid(text, strlen(text));
}

enum err conf_value_parse(struct loading *l, const struct conf_row *row, const char *text, void *at)
{
    if (!is_clean(text))
        return err_set(E_CONF, "must be UTF-8 without control characters");
    return kind_of(row)->parse(l, row, text, at);
}

char *conf_value_text(const void *ctx, const struct conf_row *row, const void *at)
{
    return kind_of(row)->text(ctx, at);
}
