#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "render/render.h"

/* A row: the template, its partials (name, text, ...), the data, what comes out. */
struct row {
    const char *text, *partials[5], *data, *want;
};

static enum err render(const void *mem, const struct row *row, struct buf *out)
{
    struct templates *t = templates_new(mem);
    json_t *data;

    for (size_t i = 0; row->partials[i] != NULL; i += 2)
        TRY(templates_add(t, row->partials[i], row->partials[i + 1]));
    TRY(templates_add(t, "page", row->text));
    TRY(templates_link(t));
    TRY(json_parse(mem, row->data, strlen(row->data), &data));
    buf_init(out, mem, 64 * 1024);
    return templates_render(t, "page", data, out);
}

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct buf out;
        enum err e = render(mem, &rows[i], &out);
        if (e != E_OK)
            fail_msg("row %zu: %s %s", i, err_name(e), err_last(e)->detail);
        if (strcmp(out.data, rows[i].want) != 0)
            fail_msg("row %zu: [%s] instead of [%s]", i, out.data, rows[i].want);
    }
}
#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof *(rows))

static const struct row interpolation[] = {
    {.text = "", .data = "{}", .want = ""},
    {.text = "plain { } }} {\n", .data = "{}", .want = "plain { } }} {\n"},
    {.text = "Hi {{who}}!", .data = "{\"who\": \"you\"}", .want = "Hi you!"},
    {.text = "{{ who }}{{\twho\n}}", .data = "{\"who\": \"x\"}", .want = "xx"},
    {.text = "{{a}}", .data = "{\"a\": \"& \\\" < > '\"}", .want = "&amp; &quot; &lt; &gt; &#39;"},
    {.text = "{{a}}", .data = "{\"a\": \"{{b}}\", \"b\": \"no\"}", .want = "{{b}}"}, /* once only */
    {.text = "{{a}}", .data = "{\"a\": \"na\\u00efve\"}", .want = "na\xC3\xAFve"},
    {.text = "{{n}}", .data = "{\"n\": 85}", .want = "85"},
    {.text = "{{n}}", .data = "{\"n\": -9223372036854775807}", .want = "-9223372036854775807"},
    {.text = "{{n}}", .data = "{\"n\": 1.5}", .want = "1.5"},
    {.text = "{{n}}", .data = "{\"n\": 0.1}", .want = "0.10000000000000001"},
    {.text = "{{n}}", .data = "{\"n\": 1e300}", .want = "1.0000000000000001e+300"},
    {.text = "{{t}} {{f}}", .data = "{\"t\": true, \"f\": false}", .want = "true false"},
    {.text = "({{no}})({{null}})", .data = "{\"null\": null}", .want = "()()"},
    {.text = "({{o}})({{l}})", .data = "{\"o\": {\"a\": 1}, \"l\": [1]}", .want = "()()"},
    {.text = "  {{a}}\n", .data = "{\"a\": \"-\"}", .want = "  -\n"}, /* a value never stands alone */
    {.text = "\n {{a}} \n", .data = "{\"a\": \"-\"}", .want = "\n - \n"},
    {.text = "{{.}}", .data = "[]", .want = ""},

    /* dotted names */
    {.text = "{{a.b.c}}", .data = "{\"a\": {\"b\": {\"c\": \"deep\"}}}", .want = "deep"},
    {.text = "({{a.b.c}})", .data = "{\"a\": {}}", .want = "()"},
    {.text = "({{a.b.c}})", .data = "{\"a\": {\"b\": {}}, \"c\": \"no\"}", .want = "()"},
    {.text = "({{a.b}})", .data = "{\"a\": \"text\"}", .want = "()"},
    {.text = "{{#a}}{{b.c}}{{/a}}",
     .data = "{\"a\": {\"b\": {\"c\": \"in\"}}, \"b\": {\"c\": \"out\"}}",
     .want = "in"},
    {.text = "({{#a}}{{b.c}}{{/a}})",
     .data = "{\"a\": {\"b\": {}}, \"b\": {\"c\": \"out\"}}",
     .want = "()"}, /* b is found */
    {.text = "({{#a}}{{b}}{{/a}})",
     .data = "{\"a\": {\"b\": null}, \"b\": \"out\"}",
     .want = "()"}, /* null too */
};

static void interpolates(void **state)
{
    (void)state;
    CHECK(interpolation);
}

static const struct row sections[] = {
    {.text = "{{#t}}yes{{/t}}", .data = "{\"t\": true}", .want = "yes"},
    {.text = "({{#t}}yes{{/t}})", .data = "{\"t\": false}", .want = "()"},
    {.text = "({{#t}}yes{{/t}})", .data = "{\"t\": null}", .want = "()"},
    {.text = "({{#t}}yes{{/t}})", .data = "{}", .want = "()"},
    {.text = "({{#t}}yes{{/t}})", .data = "{\"t\": \"\"}", .want = "()"},
    {.text = "({{#t}}yes{{/t}})", .data = "{\"t\": 0}", .want = "(yes)"},
    {.text = "({{#t}}yes{{/t}})", .data = "{\"t\": {}}", .want = "(yes)"},
    {.text = "({{#t}}{{.}}{{/t}})", .data = "{\"t\": \"a\"}", .want = "(a)"},
    {.text = "{{#a}}{{n}}{{/a}}", .data = "{\"a\": {\"n\": 1}}", .want = "1"},
    {.text = "{{#a}}{{up}}{{n}}{{/a}}", .data = "{\"a\": {\"n\": 1}, \"up\": 2}", .want = "21"},
    {.text = "{{#a}}{{n}}{{/a}}", .data = "{\"a\": {\"n\": 1}, \"n\": 2}", .want = "1"},
    {.text = "{{#l}}{{n}},{{/l}}", .data = "{\"l\": [{\"n\": 1}, {\"n\": 2}, {\"n\": 3}]}", .want = "1,2,3,"},
    {.text = "({{#l}}x{{/l}})", .data = "{\"l\": []}", .want = "()"},
    {.text = "{{#l}}{{.}},{{/l}}",
     .data = "{\"l\": [\"a\", 2, 1.5, true, \"<\"]}",
     .want = "a,2,1.5,true,&lt;,"},
    {.text = "{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", .data = "{\"l\": [[1, 2], [\"a\"]]}", .want = "(12)(a)"},
    {.text = "{{#.}}{{n}}{{/.}}", .data = "[{\"n\": 1}, {\"n\": 2}]", .want = "12"},
    {.text = "{{#l}}[{{.}}]{{/l}}", .data = "{\"l\": [null, false]}", .want = "[][false]"},
    {.text = "{{#a}}{{#b}}{{#c}}{{x}}{{y}}{{z}}{{/c}}{{y}}{{/b}}{{x}}{{/a}}",
     .data = "{\"a\": {\"x\": 1}, \"b\": {\"y\": 2}, \"c\": {\"z\": 3}}",
     .want = "12321"},
    {.text = "{{#a.b}}{{c}}{{/a.b}}", .data = "{\"a\": {\"b\": {\"c\": 1}}}", .want = "1"},
    {.text = "({{#a.b}}{{c}}{{/a.b}})", .data = "{\"a\": {}}", .want = "()"},
    {.text = "{{#a}}1{{/a}}2{{#a}}3{{/a}}", .data = "{\"a\": true}", .want = "123"},
    {.text = "| {{#a}}\t|\t{{/a}} |\n", .data = "{\"a\": true}", .want = "| \t|\t |\n"},
    {.text = "{{# a }}x{{/  a\t}}", .data = "{\"a\": true}", .want = "x"},

    /* lines with nothing but a section's tag vanish */
    {.text = "a\n{{#t}}\nb\n{{/t}}\nc\n", .data = "{\"t\": true}", .want = "a\nb\nc\n"},
    {.text = "a\n  {{#t}}\t\nb\n  {{/t}}  \nc\n", .data = "{\"t\": true}", .want = "a\nb\nc\n"},
    {.text = "a\r\n{{#t}}\r\nb\r\n{{/t}}\r\nc", .data = "{\"t\": true}", .want = "a\r\nb\r\nc"},
    {.text = "  {{#t}}\n#{{/t}}\n/", .data = "{\"t\": true}", .want = "#\n/"},
    {.text = "#{{#t}}\n/\n  {{/t}}", .data = "{\"t\": true}", .want = "#\n/\n"},
    {.text = " {{#t}}b{{/t}}\n", .data = "{\"t\": true}", .want = " b\n"},
    {.text = "{{#t}}{{/t}}\n", .data = "{\"t\": true}", .want = "\n"}, /* two tags on a line */
    {.text = "{{#t}}\n{{#t}}\nb\n{{/t}}\n{{/t}}\n", .data = "{\"t\": true}", .want = "b\n"},
    {.text = "{{#l}}\n- {{.}}\n{{/l}}\n", .data = "{\"l\": [1, 2]}", .want = "- 1\n- 2\n"},
};

static void sections_and_the_context_stack(void **state)
{
    (void)state;
    CHECK(sections);
}

static const struct row inverted[] = {
    {.text = "{{^t}}no{{/t}}", .data = "{\"t\": false}", .want = "no"},
    {.text = "({{^t}}no{{/t}})", .data = "{\"t\": true}", .want = "()"},
    {.text = "{{^t}}no{{/t}}", .data = "{\"t\": null}", .want = "no"},
    {.text = "{{^t}}no{{/t}}", .data = "{}", .want = "no"},
    {.text = "{{^t}}no{{/t}}", .data = "{\"t\": []}", .want = "no"},
    {.text = "{{^t}}no{{/t}}", .data = "{\"t\": \"\"}", .want = "no"},
    {.text = "({{^t}}no{{/t}})", .data = "{\"t\": 0}", .want = "()"},
    {.text = "({{^t}}no{{/t}})", .data = "{\"t\": [1]}", .want = "()"},
    {.text = "({{^t}}no{{/t}})", .data = "{\"t\": {}}", .want = "()"},
    {.text = "{{^a.b}}no{{/a.b}}", .data = "{\"a\": {\"b\": false}}", .want = "no"},
    {.text = "{{^a.b}}no{{/a.b}}", .data = "{}", .want = "no"},
    {.text = "{{#l}}{{^last}},{{/last}}{{n}}{{/l}}",
     .data = "{\"l\": [{\"n\": 1, \"last\": true}, {\"n\": 2}]}",
     .want = "1,2"},
    {.text = "a\n {{^t}}\nb\n {{/t}}\nc\n", .data = "{}", .want = "a\nb\nc\n"},
    {.text = "| {{^t}}\t|\t{{/t}} |\n", .data = "{}", .want = "| \t|\t |\n"},
    {.text = "{{#t}}yes{{/t}}{{^t}}no{{/t}}", .data = "{\"t\": [1, 2]}", .want = "yesyes"},
};

static void inverted_sections(void **state)
{
    (void)state;
    CHECK(inverted);
}

static const struct row comments[] = {
    {.text = "12{{! a comment }}34", .data = "{}", .want = "1234"},
    {.text = "12{{!\n  of\n  lines\n}}34\n", .data = "{}", .want = "1234\n"},
    {.text = "a\n{{! alone }}\nb\n", .data = "{}", .want = "a\nb\n"},
    {.text = "a\n  {{! alone }}\nb\n", .data = "{}", .want = "a\nb\n"},
    {.text = "a\r\n{{! alone }}\r\nb", .data = "{}", .want = "a\r\nb"},
    {.text = "  {{! alone }}\n!", .data = "{}", .want = "!"},
    {.text = "!\n  {{! alone }}", .data = "{}", .want = "!\n"},
    {.text = "a\n{{!\nlines\n}}\nb\n", .data = "{}", .want = "a\nb\n"},
    {.text = "  12 {{! 34 }}\n", .data = "{}", .want = "  12 \n"},
    {.text = "12 {{! 5 }} 34", .data = "{}", .want = "12  34"},
    {.text = "({{!name}})", .data = "{\"!name\": 1, \"name\": 2}", .want = "()"},
    {.text = "{{! #&{{ = }}x", .data = "{}", .want = "x"},
};

static void comments_vanish(void **state)
{
    (void)state;
    CHECK(comments);
}

static const struct row partials[] = {
    {.text = "[{{>p}}]", .partials = {"p", "from it"}, .data = "{}", .want = "[from it]"},
    {.text = "[{{> p }}]", .partials = {"p", "*{{x}}*"}, .data = "{\"x\": 1}", .want = "[*1*]"},
    {.text = "{{>p}}", .partials = {"partials/p", "folder", "p", "page"}, .data = "{}", .want = "folder"},
    {.text = "{{>partials/p}}", .partials = {"partials/p", "folder"}, .data = "{}", .want = "folder"},
    {.text = "{{#l}}{{>p}}{{/l}}",
     .partials = {"p", "<{{n}}>"},
     .data = "{\"l\": [{\"n\": 1}, {\"n\": 2}]}",
     .want = "<1><2>"},
    {.text = "{{>a}}", .partials = {"a", "1{{>b}}", "b", "2{{x}}"}, .data = "{\"x\": 3}", .want = "123"},
    {.text = "| {{>p}} |", .partials = {"p", "\t|\t"}, .data = "{}", .want = "| \t|\t |"},

    /* alone on their line, and indented */
    {.text = "a\n{{>p}}\nb\n", .partials = {"p", "p\n"}, .data = "{}", .want = "a\np\nb\n"},
    {.text = "|\r\n{{>p}}\r\n|", .partials = {"p", ">"}, .data = "{}", .want = "|\r\n>|"},
    {.text = "  {{>p}}\n>", .partials = {"p", ">\n>"}, .data = "{}", .want = "  >\n  >>"},
    {.text = ">\n  {{>p}}", .partials = {"p", ">\n>"}, .data = "{}", .want = ">\n  >\n  >"},
    {.text = "  {{x}}  {{>p}}\n", .partials = {"p", ">\n>"}, .data = "{\"x\": \"|\"}", .want = "  |  >\n>\n"},
    {.text = "\\\n {{>p}}\n/\n",
     .partials = {"p", "|\n{{x}}\n|\n"},
     .data = "{\"x\": \"<\\n-\"}",
     .want = "\\\n |\n &lt;\n-\n |\n/\n"}, /* a value's own lines are left alone */
    {.text = "  {{>p}}\n",
     .partials = {"p", "{{#t}}\na\n{{/t}}\n"},
     .data = "{\"t\": true}",
     .want = "  a\n"},
    {.text = "  {{>p}}\n",
     .partials = {"p", "{{#l}}\n- {{.}}\n{{/l}}\n"},
     .data = "{\"l\": [1, 2]}",
     .want = "  - 1\n  - 2\n"},
    {.text = "  {{>p}}\n", .partials = {"p", "{{#t}}a{{/t}}\n"}, .data = "{\"t\": true}", .want = "  a\n"},
    {.text = "  {{>p}}\n",
     .partials = {"p", "a{{#t}}\n{{/t}} b\n"},
     .data = "{\"t\": true}",
     .want = "  a\n   b\n"},
    {.text = "  {{>p}}\n", .partials = {"p", "{{! c }}a\n\nb\n"}, .data = "{}", .want = "  a\n\n  b\n"},
    {.text = " {{>a}}\n",
     .partials = {"a", "a\n  {{>b}}\na\n", "b", "b\nb\n"},
     .data = "{}",
     .want = " a\n   b\n   b\n a\n"},
    {.text = " {{>a}}\n", .partials = {"a", "a\n{{>b}}\n", "b", "b\n"}, .data = "{}", .want = " a\n b\n"},
    {.text = " {{>a}}\n", .partials = {"a", "a {{>b}}\n", "b", "b\nb"}, .data = "{}", .want = " a b\nb\n"},
};

static void partials_and_their_indentation(void **state)
{
    (void)state;
    CHECK(partials);
}

static const struct {
    const char *text, *says;
} refused[] = {
    {"{{{a}}}", "page:1: "},
    {"\n{{&a}}", "page:2: "},
    {"{{& a}}", "page:1: "},
    {"{{=<% %>=}}", "page:1: "},
    {"{{<a}}{{/a}}", "page:1: "},
    {"{{$a}}{{/a}}", "page:1: "},
    {"{{a", "page:1: a tag is not closed"},
    {"a\nb {{", "page:2: a tag is not closed"},
    {"{{a}", "page:1: a tag is not closed"},
    {"{{}}", "page:1: a tag has no name"},
    {"{{ }}", "page:1: a tag has no name"},
    {"{{#}}{{/}}", "page:1: a tag has no name"},
    {"{{>}}", "page:1: a tag has no name"},
    {"{{a b}}", "page:1: "},
    {"{{a|b}}", "page:1: "},
    {"{{ {a} }}", "page:1: "},
    {"{{a..b}}", "page:1: "},
    {"{{.a}}", "page:1: "},
    {"{{a.}}", "page:1: "},
    {"{{..}}", "page:1: "},
    {"x\n{{#a}}\nx", "page:2: the section a is not closed"},
    {"{{#a}}{{^b}}{{/b}}", "page:1: the section a is not closed"},
    {"{{/a}}", "page:1: a section is closed that is not open"},
    {"{{#a}}{{/b}}", "page:1: another section is open"},
    {"{{#a}}{{#b}}{{/a}}{{/b}}", "page:1: another section is open"},
    {"{{#a}}{{/ab}}", "page:1: another section is open"},
    {"a\n{{>none}}", "page:2: there is no partial none"},
    {"{{>page}}", "contains itself"},
    {"\xFF", "not valid UTF-8"},
};

static void refuses_bad_templates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct buf out;
        enum err e = render(mem, &(struct row){.text = refused[i].text, .data = "{}"}, &out);
        if (e != E_CONF || strstr(err_last(e)->detail, refused[i].says) == NULL)
            fail_msg("row %zu: %s %s", i, err_name(e), err_last(e)->detail);
    }
}

static enum err link_chain(size_t n, bool circle)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct templates *t = templates_new(mem);
    for (size_t i = 1; i < n; i++)
        TRY(templates_add(t, mem_printf(mem, "p%zu", i), mem_printf(mem, "{{>p%zu}}", i + 1)));
    TRY(templates_add(t, mem_printf(mem, "p%zu", n), circle ? "{{>p1}}" : "end"));
    return templates_link(t);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(link_chain(32, false), E_OK);
    assert_int_equal(link_chain(33, false), E_CONF);
    assert_int_equal(link_chain(2, true), E_CONF);
    assert_int_equal(link_chain(3, true), E_CONF);

    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct templates *t = templates_new(mem);
    char *open = mem_str(mem, ""), *close = mem_str(mem, "");
    for (int i = 0; i < 32; i++) {
        open = mem_printf(mem, "%s{{#a}}", open);
        close = mem_printf(mem, "%s{{/a}}", close);
    }
    assert_int_equal(templates_add(t, "good", mem_printf(mem, "%s%s", open, close)), E_OK);
    assert_int_equal(templates_add(t, "bad", mem_printf(mem, "{{#a}}%s%s{{/a}}", open, close)), E_CONF);
}

/* Two uses of each of 31 partials: 2^31 ways through, which linking must not walk. */
static void linking_looks_at_each_once(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct templates *t = templates_new(mem);
    for (size_t i = 1; i < 32; i++) {
        char *text = mem_printf(mem, "{{>p%zu}}{{>p%zu}}", i + 1, i + 1);
        assert_int_equal(templates_add(t, mem_printf(mem, "p%zu", i), text), E_OK);
    }
    assert_int_equal(templates_add(t, "p32", ""), E_OK);
    assert_int_equal(templates_link(t), E_OK);
}

static void output_has_the_buffers_ceiling(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct templates *t = templates_new(mem);
    struct buf out;
    assert_int_equal(templates_add(t, "page", "{{#.}}xxxxxxxxxx{{/.}}"), E_OK);
    assert_int_equal(templates_link(t), E_OK);
    json_t *data = json_own_array(mem);
    for (int i = 0; i < 100; i++)
        json_array_append_new(data, json_true());
    buf_init(&out, mem, 1000);
    assert_int_equal(templates_render(t, "page", data, &out), E_OK);
    buf_init(&out, mem, 999);
    assert_int_equal(templates_render(t, "page", data, &out), E_TOO_LARGE);
}

static void unknown_twice_and_unlinked(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct templates *t = templates_new(mem);
    struct buf out;
    buf_init(&out, mem, 100);
    assert_int_equal(templates_add(t, "page", "x"), E_OK);
    assert_int_equal(templates_add(t, "page", "y"), E_CONF);
    assert_int_equal(templates_render(t, "page", NULL, &out), E_INTERNAL);
    assert_int_equal(templates_link(t), E_OK);
    assert_int_equal(templates_render(t, "other", NULL, &out), E_INTERNAL);
    assert_int_equal(templates_render(t, "page", NULL, &out), E_OK);
    assert_string_equal(out.data, "x");
}

static void put(const char *dir, const char *name, const char *text)
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s/%s", dir, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void drop(const char *dir, const char *name)
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "%s/%s", dir, name);
    assert_int_equal(remove(path), 0);
}

static void loads_a_folder(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char dir[] = "/tmp/test_mustache.XXXXXX";
    struct templates *t;
    struct buf out;
    assert_non_null(mkdtemp(dir));
    char *sub = mem_printf(mem, "%s/partials", dir);
    buf_init(&out, mem, 100);

    put(dir, "login.html", "{{>head}}in\n");
    put(dir, "notes.txt", "{{{");
    put(dir, ".hidden.html", "{{{");
    assert_int_equal(templates_load(mem, dir, &t), E_CONF); /* no partial yet */
    assert_non_null(strstr(err_last(E_CONF)->detail, "login:1: "));
    assert_int_equal(mkdir(sub, 0700), 0);
    put(sub, "head.html", "<h1>{{t}}</h1>\n");
    json_t *data = json_own_object(mem);
    json_object_set_new(data, "t", json_string("a&b"));
    assert_int_equal(templates_load(mem, dir, &t), E_OK);
    assert_int_equal(templates_render(t, "login", data, &out), E_OK);
    assert_string_equal(out.data, "<h1>a&amp;b</h1>\nin\n");

    drop(sub, "head.html");
    drop(dir, "partials");
    drop(dir, "login.html");
    drop(dir, "notes.txt");
    drop(dir, ".hidden.html");
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(templates_load(mem, dir, &t), E_CONF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interpolates),
        cmocka_unit_test(sections_and_the_context_stack),
        cmocka_unit_test(inverted_sections),
        cmocka_unit_test(comments_vanish),
        cmocka_unit_test(partials_and_their_indentation),
        cmocka_unit_test(refuses_bad_templates),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(linking_looks_at_each_once),
        cmocka_unit_test(output_has_the_buffers_ceiling),
        cmocka_unit_test(unknown_twice_and_unlinked),
        cmocka_unit_test(loads_a_folder),
    };
    return cmocka_run_group_tests_name("mustache", tests, NULL, NULL);
}
