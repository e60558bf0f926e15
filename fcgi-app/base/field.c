#include "base/field.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/name.h"

#define TEXT_MAX_DEFAULT 4096
#define LIST_MAX_DEFAULT 1000
#define TIME_MAX_MS      253402300799999 /* the last millisecond of the year 9999 */

/* One value as it came: from JSON with its type, else as text. */
struct value {
    const json_t *json; /* NULL: text */
    const char *text;   /* NULL: JSON that is not a string */
    size_t len;
};

static struct value value_json(const json_t *json)
{
    return (struct value){.json = json, .text = json_string_value(json), .len = json_string_length(json)};
}

static struct value value_pair(const struct pair *pair)
{
    return (struct value){.text = pair->value, .len = pair->value_len};
}

/* As a string without NUL; what follows may use it as a C string. */
static bool is_text(struct value v)
{
    return v.text != NULL && utf8_valid(v.text, v.len);
}

/* ---- one function per kind; `at` is the member ---- */

static enum err read_text(const void *ctx, const struct field *f, struct value v, void *at)
{
    int64_t max = f->max > 0 ? f->max : TEXT_MAX_DEFAULT;
    if (!is_text(v))
        return err_field_say(E_FIELD_INVALID, f->name, "The field \"%s\" must be text in UTF-8.", f->name);
    if (v.len < (uint64_t)f->min || v.len > (uint64_t)max)
        return err_field_say(E_FIELD_INVALID, f->name, "The field \"%s\" must be %lld to %lld bytes long.",
                             f->name, (long long)f->min, (long long)max);
    *(const char **)at = mem_strn(ctx, v.text, v.len);
    return E_OK;
}

static enum err read_name(const void *ctx, const struct field *f, struct value v, void *at)
{
    char *name;
    if (v.text == NULL)
        return err_field_say(E_BAD_NAME, f->name, "The field \"%s\" must be text.", f->name);
    if (name_normal(ctx, v.text, v.len, &name) != E_OK)
        return err_field_say(E_BAD_NAME, f->name, "%s", err_last(E_BAD_NAME)->say);
    *(const char **)at = name;
    return E_OK;
}

static enum err read_login(const void *ctx, const struct field *f, struct value v, void *at)
{
    char key[LOGIN_MAX_BYTES + 1];
    if (!is_text(v))
        return err_field_say(E_FIELD_INVALID, f->name, "The field \"%s\" must be text in UTF-8.", f->name);
    if (login_key(v.text, key) != E_OK)
        return err_field_say(E_FIELD_INVALID, f->name, "%s", err_last(E_FIELD_INVALID)->say);
    *(const char **)at = mem_strn(ctx, v.text, v.len);
    return E_OK;
}

static enum err read_id(const void *ctx, const struct field *f, struct value v, void *at)
{
    (void)ctx;
    if (!is_text(v) || id_parse(v.text, at) != E_OK)
        return err_field_say(E_FIELD_INVALID, f->name, "The field \"%s\" must be an id.", f->name);
    return E_OK;
}

static bool int_of(struct value v, int64_t *number_out)
{
    if (v.json == NULL)
        return is_text(v) && parse_i64(v.text, INT64_MIN, INT64_MAX, number_out) == E_OK;
    *number_out = json_integer_value(v.json);
    return json_is_integer(v.json);
}

static enum err read_int(const void *ctx, const struct field *f, struct value v, void *at)
{
    int64_t number;
    (void)ctx;
    if (!int_of(v, &number) || number < f->min || number > f->max)
        return err_field_say(E_FIELD_INVALID, f->name,
                             "The field \"%s\" must be a whole number from %lld to %lld.", f->name,
                             (long long)f->min, (long long)f->max);
    *(int64_t *)at = number;
    return E_OK;
}

/* The index of text among words; -1 when it is none of them. */
static int word_index(const char *const *words, struct value v)
{
    if (!is_text(v))
        return -1;
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], v.text) == 0)
            return i;
    return -1;
}

static bool bool_of(struct value v, bool *yes_out)
{
    static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on", NULL};
    int i = word_index(words, v);
    if (v.json != NULL) {
        *yes_out = json_is_true(v.json);
        return json_is_boolean(v.json);
    }
    *yes_out = i % 2 == 1; /* every second word means yes */
    return i >= 0;
}

static enum err read_bool(const void *ctx, const struct field *f, struct value v, void *at)
{
    bool yes;
    (void)ctx;
    if (!bool_of(v, &yes))
        return err_field_say(E_FIELD_INVALID, f->name, "The field \"%s\" must be true or false.", f->name);
    *(bool *)at = yes;
    return E_OK;
}

/* "1795257067", "1795257067.5", "1795257067.123" */
static bool seconds_of(const char *text, int64_t *t_ms_out)
{
    char whole[16];
    uint64_t seconds, thousandths = 0;
    size_t len = strcspn(text, ".");
    if (len >= sizeof whole)
        return false;
    memcpy(whole, text, len);
    whole[len] = '\0';
    if (parse_u64(whole, 0, TIME_MAX_MS / 1000, &seconds) != E_OK)
        return false;
    if (text[len] == '.') {
        size_t decimals = strlen(text + len + 1);
        if (decimals > 3 || parse_u64(text + len + 1, 0, 999, &thousandths) != E_OK)
            return false;
        for (; decimals < 3; decimals++)
            thousandths *= 10;
    }
    *t_ms_out = (int64_t)(seconds * 1000 + thousandths);
    return true;
}

static bool time_of(struct value v, int64_t *t_ms_out)
{
    if (v.json != NULL && json_is_number(v.json)) {
        double seconds = json_number_value(v.json);
        if (!(seconds >= 0 && seconds <= (double)(TIME_MAX_MS / 1000)))
            return false;
        *t_ms_out = llround(seconds * 1000);
        return true;
    }
    return is_text(v) && (seconds_of(v.text, t_ms_out) || clock_parse_rfc3339(v.text, t_ms_out) == E_OK);
}

static enum err read_time(const void *ctx, const struct field *f, struct value v, void *at)
{
    (void)ctx;
    if (!time_of(v, at))
        return err_field_say(
            E_FIELD_INVALID, f->name,
            "The field \"%s\" must be a time like 2026-11-21T10:31:07Z, or seconds since 1970.", f->name);
    return E_OK;
}

static enum err not_among(const struct field *f)
{
    char words[128] = "";
    size_t len = 0;
    for (const char *const *c = f->choices; *c != NULL && len < sizeof words; c++)
        len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", len > 0 ? ", " : "", *c);
    return err_field_say(E_FIELD_INVALID, f->name, "The field \"%s\" must be one of: %s.", f->name, words);
}

static enum err read_choice(const void *ctx, const struct field *f, struct value v, void *at)
{
    int i = word_index(f->choices, v);
    (void)ctx;
    if (i < 0)
        return not_among(f);
    *(int *)at = i;
    return E_OK;
}

static enum err read_ids(const void *ctx, const struct field *f, const struct value *values, size_t n,
                         void *at)
{
    int64_t max = f->max > 0 ? f->max : LIST_MAX_DEFAULT;
    if (n < (uint64_t)f->min || n > (uint64_t)max)
        return err_field_say(E_FIELD_INVALID, f->name, "The field \"%s\" must be a list of %lld to %lld ids.",
                             f->name, (long long)f->min, (long long)max);
    struct id_list list = {.n = n, .ids = mem_array(ctx, struct id, n)};
    for (size_t i = 0; i < n; i++)
        TRY(read_id(ctx, f, values[i], &list.ids[i]));
    *(struct id_list *)at = list;
    return E_OK;
}

static enum err (*const readers[])(const void *, const struct field *, struct value, void *) = {
    [FIELD_TEXT] = read_text, [FIELD_NAME] = read_name,     [FIELD_LOGIN] = read_login,
    [FIELD_ID] = read_id,     [FIELD_INT] = read_int,       [FIELD_BOOL] = read_bool,
    [FIELD_TIME] = read_time, [FIELD_CHOICE] = read_choice,
};
_Static_assert(sizeof readers / sizeof *readers == FIELD_IDS, "a reader per kind of single value");

/* ---- the sources ---- */

static bool is_known(const struct field *table, const char *name)
{
    for (const struct field *f = table; f->name != NULL; f++)
        if (strcmp(f->name, name) == 0)
            return true;
    return false;
}

static enum err unknown(const char *name)
{
    return err_field_say(E_FIELD_UNKNOWN, name, "The request has a field that is not known here: \"%.64s\".",
                         name);
}

static enum err check_source(const struct field *table, const struct source *s)
{
    if (s->kind == SOURCE_JSON && !json_is_object((const json_t *)s->json))
        return err_say(E_BAD_JSON, "The body must be a JSON object.");
    if (!s->strict)
        return E_OK;
    if (s->kind == SOURCE_JSON) {
        for (void *i = json_object_iter((json_t *)s->json); i != NULL;
             i = json_object_iter_next((json_t *)s->json, i))
            if (!is_known(table, json_object_iter_key(i)))
                return unknown(json_object_iter_key(i));
    } else {
        for (size_t i = 0; i < s->n; i++)
            if (!is_known(table, s->pairs[i].name))
                return unknown(s->pairs[i].name);
    }
    return E_OK;
}

/* What was sent under one field's name. */
struct sent {
    bool any; /* also for an empty list */
    size_t n;
    struct value *values;
};

static enum err sent_in_json(const void *ctx, const struct field *f, const json_t *object, struct sent *sent)
{
    const json_t *member = json_object_get(object, f->name);
    bool list = f->kind == FIELD_IDS;
    sent->any = member != NULL;
    if (member == NULL)
        return E_OK;
    if (list && !json_is_array(member))
        return err_field_say(E_FIELD_INVALID, f->name, "The field \"%s\" must be a list of ids.", f->name);
    sent->n = list ? json_array_size(member) : 1;
    sent->values = mem_array(ctx, struct value, sent->n);
    for (size_t i = 0; i < sent->n; i++)
        sent->values[i] = value_json(list ? json_array_get(member, i) : member);
    return E_OK;
}

static bool is_sent(const struct pair *pair, const struct field *f)
{
    return pair->value != NULL && strcmp(pair->name, f->name) == 0;
}

static void sent_in_pairs(const void *ctx, const struct field *f, const struct source *s, struct sent *sent)
{
    for (size_t i = 0; i < s->n; i++)
        sent->n += is_sent(&s->pairs[i], f);
    sent->any = sent->n > 0;
    sent->values = sent->any ? mem_array(ctx, struct value, sent->n) : NULL;
    for (size_t i = 0, n = 0; n < sent->n; i++)
        if (is_sent(&s->pairs[i], f))
            sent->values[n++] = value_pair(&s->pairs[i]);
}

static enum err fill_one(const void *ctx, const struct field *f, const struct sent *sent, void *out)
{
    void *at = (char *)out + f->offset;
    if (f->kind == FIELD_IDS)
        TRY(read_ids(ctx, f, sent->values, sent->n, at));
    else if (sent->n > 1)
        return err_field_say(E_DUPLICATE_FIELD, f->name, "The field \"%s\" was sent twice.", f->name);
    else
        TRY(readers[f->kind](ctx, f, sent->values[0], at));
    if (f->has_offset != 0)
        *(bool *)((char *)out + f->has_offset) = true;
    return E_OK;
}

static enum err fill_field(const void *ctx, const struct field *f, const struct source *s, void *out)
{
    struct sent sent = {0};
    if (s->kind == SOURCE_JSON)
        TRY(sent_in_json(ctx, f, s->json, &sent));
    else
        sent_in_pairs(ctx, f, s, &sent);
    if (!sent.any)
        return f->required ? err_field_say(E_FIELD_MISSING, f->name, "The field \"%s\" is missing.", f->name)
                           : E_OK;
    enum err e = fill_one(ctx, f, &sent, out);
    talloc_free(sent.values);
    return e;
}

enum err field_fill(const void *ctx, const struct field *table, const struct source *source, void *out)
{
    TRY(check_source(table, source));
    for (const struct field *f = table; f->name != NULL; f++)
        TRY(fill_field(ctx, f, source, out));
    return E_OK;
}
