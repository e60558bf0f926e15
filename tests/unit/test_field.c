#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/field.h"
#include "base/json.h"
#include "base/mem.h"

#define ID_A    "0123456789abcdef0123456789abcdef"
#define ID_B    "ffffffffffffffffffffffffffffffff"
#define E_ACUTE "\xc3\xa9"

struct filled {
    const char *text, *name, *login;
    struct id id;
    int64_t number, time_ms;
    bool flag;
    int choice;
    struct id_list ids;
    bool has_text, has_ids;
};

static const char *const conflicts[] = {"fail", "replace", "rename", NULL};

static const struct field table[] = {
    {.name = "text",
     .kind = FIELD_TEXT,
     .offset = offsetof(struct filled, text),
     .min = 2,
     .max = 5,
     .has_offset = offsetof(struct filled, has_text)},
    {.name = "name", .kind = FIELD_NAME, .offset = offsetof(struct filled, name)},
    {.name = "login", .kind = FIELD_LOGIN, .offset = offsetof(struct filled, login), .secret = true},
    {.name = "id", .kind = FIELD_ID, .offset = offsetof(struct filled, id)},
    {.name = "number", .kind = FIELD_INT, .offset = offsetof(struct filled, number), .min = -3, .max = 1000},
    {.name = "flag", .kind = FIELD_BOOL, .offset = offsetof(struct filled, flag)},
    {.name = "time", .kind = FIELD_TIME, .offset = offsetof(struct filled, time_ms)},
    {.name = "choice", .kind = FIELD_CHOICE, .offset = offsetof(struct filled, choice), .choices = conflicts},
    {.name = "ids",
     .kind = FIELD_IDS,
     .offset = offsetof(struct filled, ids),
     .max = 2,
     .has_offset = offsetof(struct filled, has_ids)},
    {0},
};

static enum err fill_json(void *ctx, const struct field *fields, const char *text, struct filled *out)
{
    json_t *json;
    assert_int_equal(json_parse(ctx, text, strlen(text), &json), E_OK);
    struct source source = {.kind = SOURCE_JSON, .json = json, .strict = true};
    return field_fill(ctx, fields, &source, out);
}

/* ---- what is refused, and by which field's name ---- */

static const struct {
    const char *json;
    enum err want;
    const char *field;
} refusals[] = {
    {"{}", E_OK, ""},
    {"[]", E_BAD_JSON, ""},
    {"null", E_BAD_JSON, ""},
    {"\"text\"", E_BAD_JSON, ""},
    {"{\"txet\":1}", E_FIELD_UNKNOWN, "txet"},
    {"{\"Text\":\"ab\"}", E_FIELD_UNKNOWN, "Text"},
    {"{\"\":1}", E_FIELD_UNKNOWN, ""},
    {"{\"text\":\"a\"}", E_FIELD_INVALID, "text"},
    {"{\"text\":\"ab\"}", E_OK, ""},
    {"{\"text\":\"" E_ACUTE E_ACUTE "a\"}", E_OK, ""},
    {"{\"text\":\"" E_ACUTE E_ACUTE E_ACUTE "\"}", E_FIELD_INVALID, "text"}, /* bytes, not characters */
    {"{\"text\":null}", E_FIELD_INVALID, "text"},
    {"{\"text\":12}", E_FIELD_INVALID, "text"},
    {"{\"text\":[\"ab\"]}", E_FIELD_INVALID, "text"},
    {"{\"name\":\"a/b\"}", E_BAD_NAME, "name"},
    {"{\"name\":\"\"}", E_BAD_NAME, "name"},
    {"{\"name\":1}", E_BAD_NAME, "name"},
    {"{\"login\":\"a b\"}", E_FIELD_INVALID, "login"},
    {"{\"login\":false}", E_FIELD_INVALID, "login"},
    {"{\"id\":\"" ID_A "0\"}", E_FIELD_INVALID, "id"},
    {"{\"id\":\"\"}", E_FIELD_INVALID, "id"},
    {"{\"id\":7}", E_FIELD_INVALID, "id"},
    {"{\"number\":-4}", E_FIELD_INVALID, "number"},
    {"{\"number\":1001}", E_FIELD_INVALID, "number"},
    {"{\"number\":1.0}", E_FIELD_INVALID, "number"},
    {"{\"number\":\"5\"}", E_FIELD_INVALID, "number"},
    {"{\"number\":true}", E_FIELD_INVALID, "number"},
    {"{\"flag\":1}", E_FIELD_INVALID, "flag"},
    {"{\"flag\":\"true\"}", E_FIELD_INVALID, "flag"},
    {"{\"time\":\"yesterday\"}", E_FIELD_INVALID, "time"},
    {"{\"time\":-1}", E_FIELD_INVALID, "time"},
    {"{\"time\":1e300}", E_FIELD_INVALID, "time"},
    {"{\"time\":true}", E_FIELD_INVALID, "time"},
    {"{\"choice\":\"Fail\"}", E_FIELD_INVALID, "choice"},
    {"{\"choice\":0}", E_FIELD_INVALID, "choice"},
    {"{\"ids\":\"" ID_A "\"}", E_FIELD_INVALID, "ids"},
    {"{\"ids\":[\"" ID_A "\",\"x\"]}", E_FIELD_INVALID, "ids"},
    {"{\"ids\":[\"" ID_A "\",null]}", E_FIELD_INVALID, "ids"},
    {"{\"ids\":[\"" ID_A "\",\"" ID_A "\",\"" ID_A "\"]}", E_FIELD_INVALID, "ids"},
};

static void refused_values_name_their_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        void *ctx = talloc_new(NULL);
        struct filled out = {0};
        enum err got = fill_json(ctx, table, refusals[i].json, &out);
        if (got != refusals[i].want)
            fail_msg("row %zu: %s", i, err_name(got));
        if (got != E_OK && strcmp(err_last(got)->field, refusals[i].field) != 0)
            fail_msg("row %zu: field %s", i, err_last(got)->field);
        if (got != E_OK && err_last(got)->say[0] == '\0')
            fail_msg("row %zu: no sentence", i);
        talloc_free(ctx);
    }
}

static void sentences_name_the_rule(void **state)
{
    void *ctx = talloc_new(NULL);
    struct filled out = {0};
    (void)state;
    assert_int_equal(fill_json(ctx, table, "{\"choice\":\"x\"}", &out), E_FIELD_INVALID);
    assert_string_equal(err_last(E_FIELD_INVALID)->say,
                        "The field \"choice\" must be one of: fail, replace, rename.");
    assert_int_equal(fill_json(ctx, table, "{\"number\":1001}", &out), E_FIELD_INVALID);
    assert_non_null(strstr(err_last(E_FIELD_INVALID)->say, "from -3 to 1000"));
    assert_int_equal(fill_json(ctx, table, "{\"text\":\"a\"}", &out), E_FIELD_INVALID);
    assert_non_null(strstr(err_last(E_FIELD_INVALID)->say, "2 to 5 bytes"));
    talloc_free(ctx);
}

/* ---- what is stored ---- */

static void json_is_stored(void **state)
{
    void *ctx = talloc_new(NULL);
    struct filled out = {0};
    (void)state;
    assert_int_equal(fill_json(ctx, table,
                               "{\"text\":\" a \",\"name\":\"e\xcc\x81\",\"login\":\"Ada\",\"id\":\"" ID_A
                               "\",\"number\":-3,\"flag\":true,\"time\":\"2026-11-21T10:31:07.123Z\","
                               "\"choice\":\"rename\",\"ids\":[\"" ID_B "\",\"" ID_A "\"]}",
                               &out),
                     E_OK);
    assert_string_equal(out.text, " a "); /* as sent */
    assert_string_equal(out.name, E_ACUTE);
    assert_string_equal(out.login, "Ada"); /* as typed */
    assert_string_equal(out.id.s, ID_A);
    assert_int_equal(out.number, -3);
    assert_true(out.flag);
    assert_true(out.time_ms == 1795257067123);
    assert_int_equal(out.choice, 2);
    assert_int_equal(out.ids.n, 2);
    assert_string_equal(out.ids.ids[0].s, ID_B);
    assert_string_equal(out.ids.ids[1].s, ID_A);
    assert_true(out.has_text && out.has_ids);
    talloc_free(ctx);
}

static void absent_fields_leave_what_was_there(void **state)
{
    void *ctx = talloc_new(NULL);
    struct filled out = {.text = "kept", .number = 7, .choice = 1, .flag = true};
    (void)state;
    assert_int_equal(fill_json(ctx, table, "{\"ids\":[]}", &out), E_OK);
    assert_string_equal(out.text, "kept");
    assert_true(out.number == 7 && out.choice == 1 && out.flag);
    assert_false(out.has_text);
    assert_true(out.has_ids); /* an empty list is one that was sent */
    assert_int_equal(out.ids.n, 0);
    talloc_free(ctx);
}

static void strings_live_as_long_as_their_context(void **state)
{
    void *ctx = talloc_new(NULL), *request = talloc_new(NULL);
    struct filled out = {0};
    json_t *json;
    (void)state;
    assert_int_equal(json_parse(request, "{\"text\":\"abc\"}", 14, &json), E_OK);
    struct source source = {.kind = SOURCE_JSON, .json = json, .strict = true};
    assert_int_equal(field_fill(ctx, table, &source, &out), E_OK);
    talloc_free(request);
    assert_string_equal(out.text, "abc");
    talloc_free(ctx);
}

/* ---- pairs: forms and queries ---- */

#define PAIR(n, v)                                                                                           \
    {                                                                                                        \
        .name = n, .value = v, .value_len = sizeof v - 1                                                     \
    }

static const struct {
    struct pair pairs[4];
    size_t n;
    bool strict;
    enum err want;
    const char *field;
} forms[] = {
    {{PAIR("text", "ab"), PAIR("number", "12")}, 2, true, E_OK, ""},
    {{PAIR("text", "ab"), PAIR("text", "ab")}, 2, true, E_DUPLICATE_FIELD, "text"},
    {{PAIR("ids", ID_A), PAIR("ids", ID_B)}, 2, true, E_OK, ""},
    {{PAIR("ids", ID_A), PAIR("ids", ID_B), PAIR("ids", ID_B)}, 3, true, E_FIELD_INVALID, "ids"},
    {{PAIR("other", "1")}, 1, true, E_FIELD_UNKNOWN, "other"},
    {{PAIR("other", "1"), PAIR("other", "1")}, 2, false, E_OK, ""},
    {{PAIR("text", "a\0b")}, 1, true, E_FIELD_INVALID, "text"},
    {{PAIR("text", "a\xff")}, 1, true, E_FIELD_INVALID, "text"},
    {{PAIR("name", "a\0b")}, 1, true, E_BAD_NAME, "name"},
    {{PAIR("login", "abc\0d")}, 1, true, E_FIELD_INVALID, "login"},
    {{PAIR("id", ID_A "\0")}, 1, true, E_FIELD_INVALID, "id"},
    {{PAIR("id", "")}, 1, true, E_FIELD_INVALID, "id"},
    {{PAIR("number", "12\0")}, 1, true, E_FIELD_INVALID, "number"},
    {{PAIR("number", " 12")}, 1, true, E_FIELD_INVALID, "number"},
    {{PAIR("number", "")}, 1, true, E_FIELD_INVALID, "number"},
    {{PAIR("flag", "perhaps")}, 1, true, E_FIELD_INVALID, "flag"},
    {{PAIR("flag", "")}, 1, true, E_FIELD_INVALID, "flag"},
    {{{.name = "text"}}, 1, true, E_OK, ""}, /* a name without a value: absent */
    {{{.name = "text"}, PAIR("text", "ab")}, 2, true, E_OK, ""},
};

static void forms_are_held_to_the_same_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        void *ctx = talloc_new(NULL);
        struct filled out = {0};
        struct source source = {
            .kind = SOURCE_PAIRS, .pairs = forms[i].pairs, .n = forms[i].n, .strict = forms[i].strict};
        enum err got = field_fill(ctx, table, &source, &out);
        if (got != forms[i].want)
            fail_msg("row %zu: %s", i, err_name(got));
        if (got != E_OK && strcmp(err_last(got)->field, forms[i].field) != 0)
            fail_msg("row %zu: field %s", i, err_last(got)->field);
        talloc_free(ctx);
    }
}

static const struct {
    const char *name, *value;
    int64_t want; /* -1: E_FIELD_INVALID */
} words[] = {
    {"flag", "1", 1},
    {"flag", "true", 1},
    {"flag", "yes", 1},
    {"flag", "on", 1},
    {"flag", "0", 0},
    {"flag", "false", 0},
    {"flag", "no", 0},
    {"flag", "off", 0},
    {"flag", "TRUE", -1},
    {"time", "0", 0},
    {"time", "1795257067", 1795257067000},
    {"time", "1795257067.5", 1795257067500},
    {"time", "1795257067.05", 1795257067050},
    {"time", "1795257067.123", 1795257067123},
    {"time", "2026-11-21T10:31:07.123Z", 1795257067123},
    {"time", "253402300799.999", 253402300799999},
    {"time", "253402300800", -1},
    {"time", "1795257067.1234", -1},
    {"time", "1795257067.", -1},
    {"time", ".5", -1},
    {"time", "1.-5", -1},
    {"time", "-1", -1},
    {"time", "99999999999999999999", -1},
    {"time", "", -1},
};

static void words_of_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        void *ctx = talloc_new(NULL);
        struct filled out = {0};
        struct pair pair = {
            .name = words[i].name, .value = words[i].value, .value_len = strlen(words[i].value)};
        struct source source = {.kind = SOURCE_PAIRS, .pairs = &pair, .n = 1, .strict = true};
        enum err got = field_fill(ctx, table, &source, &out);
        int64_t value = strcmp(words[i].name, "flag") == 0 ? out.flag : out.time_ms;
        if (got != (words[i].want < 0 ? E_FIELD_INVALID : E_OK) || (got == E_OK && value != words[i].want))
            fail_msg("row %zu: %s, %lld", i, err_name(got), (long long)value);
        talloc_free(ctx);
    }
}

static const struct {
    const char *json;
    int64_t want_ms;
} json_times[] = {
    {"{\"time\":0}", 0},
    {"{\"time\":1795257067}", 1795257067000},
    {"{\"time\":1795257067.123}", 1795257067123},
    {"{\"time\":\"1795257067.123\"}", 1795257067123},
};

static void times_in_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof json_times / sizeof *json_times; i++) {
        void *ctx = talloc_new(NULL);
        struct filled out = {.time_ms = -1};
        if (fill_json(ctx, table, json_times[i].json, &out) != E_OK || out.time_ms != json_times[i].want_ms)
            fail_msg("row %zu: %lld", i, (long long)out.time_ms);
        talloc_free(ctx);
    }
}

/* ---- required fields, limits left out ---- */

static const struct field needy[] = {
    {.name = "text", .kind = FIELD_TEXT, .offset = offsetof(struct filled, text), .required = true},
    {.name = "ids", .kind = FIELD_IDS, .offset = offsetof(struct filled, ids), .min = 1, .required = true},
    {0},
};

static void required_fields(void **state)
{
    void *ctx = talloc_new(NULL);
    struct filled out = {0};
    (void)state;
    assert_int_equal(fill_json(ctx, needy, "{\"ids\":[\"" ID_A "\"]}", &out), E_FIELD_MISSING);
    assert_string_equal(err_last(E_FIELD_MISSING)->field, "text");
    assert_int_equal(fill_json(ctx, needy, "{\"text\":\"\"}", &out), E_FIELD_MISSING);
    assert_string_equal(err_last(E_FIELD_MISSING)->field, "ids");
    assert_int_equal(fill_json(ctx, needy, "{\"text\":\"\",\"ids\":[]}", &out), E_FIELD_INVALID);
    assert_int_equal(fill_json(ctx, needy, "{\"text\":\"\",\"ids\":[\"" ID_A "\"]}", &out), E_OK);

    struct pair pairs[] = {PAIR("text", "")};
    struct source form = {.kind = SOURCE_PAIRS, .pairs = pairs, .n = 1};
    assert_int_equal(field_fill(ctx, needy, &form, &out), E_FIELD_MISSING);
    assert_string_equal(err_last(E_FIELD_MISSING)->field, "ids");
    talloc_free(ctx);
}

static void text_without_a_limit_may_have_4096_bytes(void **state)
{
    void *ctx = talloc_new(NULL);
    struct filled out = {0};
    char long_text[4097];
    (void)state;
    memset(long_text, 'x', sizeof long_text);
    struct pair pairs[] = {{.name = "text", .value = long_text, .value_len = 4096}, PAIR("ids", ID_A)};
    struct source form = {.kind = SOURCE_PAIRS, .pairs = pairs, .n = 2};
    assert_int_equal(field_fill(ctx, needy, &form, &out), E_OK);
    assert_int_equal(strlen(out.text), 4096);
    pairs[0].value_len = 4097;
    assert_int_equal(field_fill(ctx, needy, &form, &out), E_FIELD_INVALID);
    talloc_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_values_name_their_field),
        cmocka_unit_test(sentences_name_the_rule),
        cmocka_unit_test(json_is_stored),
        cmocka_unit_test(absent_fields_leave_what_was_there),
        cmocka_unit_test(strings_live_as_long_as_their_context),
        cmocka_unit_test(forms_are_held_to_the_same_rules),
        cmocka_unit_test(words_of_forms),
        cmocka_unit_test(times_in_json),
        cmocka_unit_test(required_fields),
        cmocka_unit_test(text_without_a_limit_may_have_4096_bytes),
    };
    return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
