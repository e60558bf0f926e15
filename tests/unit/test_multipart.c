#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "http/multipart.h"

#define B   "--B\r\n"
#define END "\r\n--B--\r\n"
#define CD  "Content-Disposition: form-data; "

struct seen {
    const void *mem;
    const struct multipart_source *source;
    char *text; /* "name=text;" and "name<[folders]filename|type>contents;" */
    size_t parts;
    enum err answer;
};

static char *contents(const struct seen *s, const struct multipart_part *part)
{
    char *got = mem_array(s->mem, char, part->size + 1);
    if (s->source->fd < 0)
        memcpy(got, s->source->data + part->offset, part->size);
    else
        assert_int_equal(pread(s->source->fd, got, part->size, (off_t)part->offset), part->size);
    return got;
}

static enum err note_part(void *arg, const struct multipart_part *part)
{
    struct seen *s = arg;
    char *got = contents(s, part);

    s->parts++;
    if (part->filename == NULL) {
        assert_string_equal(part->text, got);
        s->text = mem_printf(s->mem, "%s%s=%s;", s->text, part->name, got);
    } else {
        assert_null(part->text);
        s->text = mem_printf(s->mem, "%s%s<%s%s%s%s|%s>%s;", s->text, part->name, part->folders != NULL ? "[" : "",
                             part->folders != NULL ? part->folders : "", part->folders != NULL ? "]" : "", part->filename,
                             part->type != NULL ? part->type : "", got);
    }
    return s->answer;
}

static enum err parse_source(const void *mem, const struct multipart_source *source, struct seen *out)
{
    *out = (struct seen){.mem = mem, .source = source, .text = mem_str(mem, "")};
    return multipart_parse(mem, source, "B", note_part, out);
}

static enum err parse_memory(const void *mem, const char *body, size_t len, struct seen *out)
{
    /* exactly as long as it is, so that reading beyond its end is noticed */
    char *exact = talloc_memdup(mem, body, len);
    struct multipart_source *source = mem_new(mem, struct multipart_source);
    *source = (struct multipart_source){.data = exact, .fd = -1, .size = len};
    return parse_source(mem, source, out);
}

static enum err parse_file(const void *mem, const char *body, size_t len, struct seen *out)
{
    struct multipart_source *source = mem_new(mem, struct multipart_source);
    int fd = memfd_create("body", MFD_CLOEXEC);
    assert_int_equal(write(fd, body, len), len);
    *source = (struct multipart_source){.fd = fd, .size = len};
    enum err e = parse_source(mem, source, out);
    close(fd);
    return e;
}

static const struct {
    const char *body;
    enum err want_err;
    const char *want;
} rows[] = {
    {"--B--", E_OK, ""},
    {"--B--\r\n", E_OK, ""},
    {B CD "name=\"a\"\r\n\r\n1" END, E_OK, "a=1;"},
    {B CD "name=\"a\"\r\n\r\n" END, E_OK, "a=;"},
    {B CD "name=\"a\"\r\n\r\n--B--", E_OK, "a=;"}, /* the blank line's CRLF begins the delimiter */
    {B CD "name=\"a\"\r\n\r\n1\r\n--B--", E_OK, "a=1;"},
    {B CD "name=\"a\"\r\n\r\n1\r\n" B CD "name=\"b\"\r\n\r\n2" END, E_OK, "a=1;b=2;"},
    {B CD "name=\"a\"\r\n\r\n1\r\n" B CD "name=\"a\"\r\n\r\n2" END, E_OK, "a=1;a=2;"},
    {B CD "name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nhello" END, E_OK,
     "f<x.txt|text/plain>hello;"},
    {B CD "name=\"f\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n" END, E_OK,
     "f<|application/octet-stream>;"},
    {B "content-TYPE:  a/b \t\r\ncontent-disposition:form-data;name=f;filename=x\r\n\r\n1" END, E_OK,
     "f<x|a/b>1;"},
    {B "X-Other: y\r\n" CD "name=\"a\"\r\n\r\n1" END, E_OK, "a=1;"},
    {B CD "name=\"a\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n1" END, E_OK, "a=1;"},

    /* around the parts */
    {"preamble\r\n" B CD "name=\"a\"\r\n\r\n1" END, E_OK, "a=1;"},
    {"pre --B\r\n--B1\r\n" B CD "name=\"a\"\r\n\r\n1" END, E_OK, "a=1;"},
    {"--Bx\r\n" B CD "name=\"a\"\r\n\r\n1" END, E_OK, "a=1;"},
    {"\r\n" B CD "name=\"a\"\r\n\r\n1" END, E_OK, "a=1;"},
    {B CD "name=\"a\"\r\n\r\n1" END "epilogue\r\n" B "x", E_OK, "a=1;"},
    {"--B \t \r\n" CD "name=\"a\"\r\n\r\n1\r\n--B-- ", E_OK, "a=1;"}, /* transport padding */

    /* contents that look like something */
    {B CD "name=\"a\"\r\n\r\n\r\n" END, E_OK, "a=\r\n;"},
    {B CD "name=\"a\"\r\n\r\n--B" END, E_CUT_OFF, "a=;"}, /* opens a part, whose head has no end */
    {B CD "name=\"a\"\r\n\r\nx--B\r\n" END, E_OK, "a=x--B\r\n;"},
    {B CD "name=\"a\"\r\n\r\n1\r\n--" END, E_OK, "a=1\r\n--;"},
    {B CD "name=\"a\"\r\n\r\n1\r\n--Bx" END, E_OK, "a=1\r\n--Bx;"},
    {B CD "name=\"a\"\r\n\r\n1\r\n--B-" END, E_OK, "a=1\r\n--B-;"},
    {B CD "name=\"a\"\r\n\r\n1\r\r\n--b\r\n" END, E_OK, "a=1\r\r\n--b\r\n;"},
    {B CD "name=\"a\"\r\n\r\n1\n--B--\r\n" END, E_OK, "a=1\n--B--\r\n;"}, /* a bare LF begins no delimiter */

    /* names */
    {B CD "name=\"a%22b%0d%0A%41\"\r\n\r\n1" END, E_OK, "a\"b\r\n%41=1;"}, /* browsers; no other escape */
    {B CD "name=\"f\"; filename=\"a\\\"b\\\\c\"\r\n\r\n1" END, E_OK,
     "f<c|>1;"}, /* curl escapes; then cut like a path */
    {B CD "name=\"f\"; filename=\"a\\\"b.txt\"\r\n\r\n1" END, E_OK, "f<a\"b.txt|>1;"},
    {B CD "name=\"f\"; filename=\"C:\\Documents\\cat.png\"\r\n\r\n1" END, E_OK, "f<cat.png|>1;"},
    {B CD "name=\"f\"; filename=\"/home/me/cat.png\"\r\n\r\n1" END, E_OK, "f<cat.png|>1;"},
    {B CD "name=\"f\"; filename=\"a\\\"\r\n\r\n1" END, E_OK, "f<a\\|>1;"}, /* a browser's file called a\ */
    {B CD "name=\"f\"; filename=\"../..\"\r\n\r\n1" END, E_OK, "f<[../]..|>1;"},
    {B CD "name=\"f\"; filename=\"100%.txt\"\r\n\r\n1" END, E_OK, "f<100%.txt|>1;"},
    {B CD "name=\"f\"; filename=\"a;b=c.txt\"\r\n\r\n1" END, E_OK, "f<a;b=c.txt|>1;"},
    {B CD "name=\"f\"; filename=\"na\xC3\xAFve\"\r\n\r\n1" END, E_OK, "f<na\xC3\xAFve|>1;"},
    {B CD "name=\"f\"; filename*=UTF-8''na%C3%AFve%20x\r\n\r\n1" END, E_OK, "f<na\xC3\xAFve x|>1;"},
    {B CD "name=\"f\"; filename=\"x\"; filename*=utf-8'en'y\r\n\r\n1" END, E_OK, "f<y|>1;"},
    {B CD "name=\"f\"; filename*=utf-8'en'y; filename=\"x\"\r\n\r\n1" END, E_OK, "f<y|>1;"},
    {B CD "name=\"f\"; filename*=UTF-8''..%2Fy\r\n\r\n1" END, E_OK, "f<[../]y|>1;"},
    {B CD "name=\"f\"; filename=\"a b/c/d.txt\"\r\n\r\n1" END, E_OK, "f<[a b/c/]d.txt|>1;"}, /* a chosen folder */
    {B CD "name=\"f\"; filename=\"a//d.txt\"\r\n\r\n1" END, E_OK, "f<[a//]d.txt|>1;"},
    {B CD "name=\"f\"; filename=\"a/b\\d.txt\"\r\n\r\n1" END, E_OK, "f<d.txt|>1;"},
    {B CD "NAME=f ;FileName=x;  other=\"y\";\r\n\r\n1" END, E_OK, "f<x|>1;"},

    /* refused */
    {"", E_CUT_OFF, ""},
    {"x", E_CUT_OFF, ""},
    {"--B", E_CUT_OFF, ""},
    {"--B\r", E_CUT_OFF, ""},
    {"--B-", E_CUT_OFF, ""},
    {B, E_CUT_OFF, ""},
    {B CD "name=\"a\"\r\n", E_CUT_OFF, ""},
    {B CD "name=\"a\"\r\n\r\n1", E_CUT_OFF, ""},
    {B CD "name=\"a\"\r\n\r\n1\r\n--B", E_CUT_OFF, ""},
    {B CD "name=\"a\"\r\n\r\n1\r\n--B\r", E_CUT_OFF, ""},
    {B CD "name=\"a\"\r\n\r\n1\r\n--B-", E_CUT_OFF, ""},
    {B CD "name=\"a\"\r\n\r\n1\r\n" B CD "name=\"b\"\r\n\r\n2", E_CUT_OFF, "a=1;"},
    {"--B\n" CD "name=\"a\"\n\n1\n--B--\n", E_BAD_MULTIPART, ""},
    {B CD "name=\"a\"\r\n\r\n1\r\n--B\n" CD "name=\"b\"\r\n\r\n2" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"a\"\nX: y\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B "X: \r y\r\n" CD "name=\"a\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B "\r\n1" END, E_BAD_MULTIPART, ""},
    {B "\r\n" CD "name=\"a\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B "Content-Type: text/plain\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B "Content-Disposition: attachment; name=\"a\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B "Content-Disposition: form-data\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B "Content-Disposition: form-dataname=a\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "filename=\"x\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"a\"; name=\"b\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"a\"; filename=\"x\"; filename=\"y\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"a\"\r\n" CD "name=\"b\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"a\"\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"a\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"a\"x\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"a\" filename=\"x\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"\xFF\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"f\"; filename=\"\xFF\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"f\"; filename*=UTF-8''%FF\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"f\"; filename*=UTF-8''%00\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"f\"; filename*=UTF-8''%4\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"f\"; filename*=ISO-8859-1''x\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"f\"; filename*=UTF-8'x\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B " " CD "name=\"a\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"a\"\r\n folded\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B "no colon\r\n" CD "name=\"a\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B ": x\r\n" CD "name=\"a\"\r\n\r\n1" END, E_BAD_MULTIPART, ""},
    {B CD "name=\"f\"; filename=\"x\"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==" END, E_BAD_MULTIPART,
     ""},
    {B CD "name=\"a\"\r\n\r\n\xFF" END, E_BAD_MULTIPART, ""},
};

static void forms_in_memory_and_in_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int in_file = 0; in_file <= 1; in_file++) {
            CLEANUP(free_mem) void *mem = talloc_new(NULL);
            struct seen s;
            size_t len = strlen(rows[i].body);
            enum err e =
                in_file ? parse_file(mem, rows[i].body, len, &s) : parse_memory(mem, rows[i].body, len, &s);
            if (e != rows[i].want_err || strcmp(s.text, rows[i].want) != 0)
                fail_msg("row %zu (file %d): %s %s: %s", i, in_file, err_name(e), err_last(e)->say, s.text);
        }
    }
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct seen s;
        if (parse_memory(mem, rows[i].body, strlen(rows[i].body), &s) != E_BAD_MULTIPART)
            continue;
        if (err_last(E_BAD_MULTIPART)->say[0] == '\0')
            fail_msg("row %zu: no sentence", i);
    }
}

static void a_nul_is_no_text(void **state)
{
    (void)state;
    static const char in_text[] = B CD "name=\"a\"\r\n\r\n1\0002" END;
    static const char in_head[] = B CD "name=\"a\0b\"\r\n\r\n1" END;
    static const char in_file[] = B CD "name=\"a\"; filename=\"x\"\r\n\r\n1\0002" END;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct seen s;
    assert_int_equal(parse_memory(mem, in_text, sizeof in_text - 1, &s), E_BAD_MULTIPART);
    assert_int_equal(parse_memory(mem, in_head, sizeof in_head - 1, &s), E_BAD_MULTIPART);
    assert_int_equal(parse_memory(mem, in_file, sizeof in_file - 1, &s), E_OK);
    assert_int_equal(s.parts, 1);
}

/* Every place of the delimiter around the window's edges: 256 KiB, and the one after it. */
static void delimiters_across_the_windows_edges(void **state)
{
    (void)state;
    static const char head[] = B CD "name=\"f\"; filename=\"x\"\r\n\r\n";
    static const char tail[] = "\r\n" B CD "name=\"a\"\r\n\r\n1" END;
    const size_t window = 256 * 1024, max = 2 * window + 128;
    CLEANUP(free_mem) char *body = mem_array(NULL, char, max + sizeof tail);
    static const size_t edges[] = {256 * 1024, 2 * 256 * 1024 - 4};
    int fd = memfd_create("body", MFD_CLOEXEC);

    memset(body, '-', max);
    memcpy(body, head, sizeof head - 1);
    for (size_t edge = 0; edge < 2; edge++) {
        for (size_t at = edges[edge] - 100; at < edges[edge] + 20; at++) {
            CLEANUP(free_mem) void *mem = talloc_new(NULL);
            struct multipart_source source = {.fd = fd, .size = at + sizeof tail - 1};
            struct seen s = {.mem = mem, .source = &source, .text = mem_str(mem, "")};
            memset(body + sizeof head - 1, '-', max - sizeof head);
            memcpy(body + at, tail, sizeof tail - 1);
            assert_int_equal(pwrite(fd, body, source.size, 0), source.size);
            enum err e = multipart_parse(mem, &source, "B", note_part, &s);
            if (e != E_OK || s.parts != 2 || strcmp(s.text + strlen(s.text) - 5, ";a=1;") != 0)
                fail_msg("delimiter at %zu: %s, %zu parts", at, err_name(e), s.parts);
            if (strlen(s.text) != strlen("f<x|>;a=1;") + at - (sizeof head - 1))
                fail_msg("delimiter at %zu: wrong size", at);
        }
    }
    close(fd);
}

static char *with_text(const void *mem, size_t len)
{
    char *text = mem_array(mem, char, len + 1);
    memset(text, 't', len);
    return mem_printf(mem, B CD "name=\"a\"\r\n\r\n%s" END, text);
}

static void text_has_64_kib(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct seen s;
    char *body = with_text(mem, 64 * 1024);
    assert_int_equal(parse_memory(mem, body, strlen(body), &s), E_OK);
    assert_int_equal(parse_file(mem, body, strlen(body), &s), E_OK);
    body = with_text(mem, 64 * 1024 + 1);
    assert_int_equal(parse_memory(mem, body, strlen(body), &s), E_BAD_MULTIPART);
}

static char *with_head(const void *mem, size_t len)
{
    char *filler = mem_array(mem, char, len + 1);
    const char *first = CD "name=\"a\"\r\nX: ";
    memset(filler, 'h', len - strlen(first) - 4);
    return mem_printf(mem, B "%s%s\r\n\r\n1" END, first, filler);
}

static void a_head_has_16_kib(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct seen s;
    char *body = with_head(mem, 16 * 1024);
    assert_int_equal(parse_memory(mem, body, strlen(body), &s), E_OK);
    body = with_head(mem, 16 * 1024 + 1);
    assert_int_equal(parse_memory(mem, body, strlen(body), &s), E_BAD_MULTIPART);
}

static enum err parse_many(size_t n, size_t *parts_out)
{
    static const char part[] = B CD "name=a\r\n\r\n1\r\n";
    const size_t len = sizeof part - 1;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char *body = mem_array(mem, char, n *len + 5);
    struct seen s;
    for (size_t i = 0; i < n; i++)
        memcpy(body + i * len, part, len);
    memcpy(body + n * len, "--B--", 5);
    struct multipart_source source = {.data = body, .fd = -1, .size = n * len + 5};
    s = (struct seen){.mem = mem, .source = &source, .text = mem_str(mem, "")};
    enum err e = multipart_parse(mem, &source, "B", note_part, &s);
    *parts_out = s.parts;
    return e;
}

static void parts_are_counted(void **state)
{
    (void)state;
    size_t parts;
    assert_int_equal(parse_many(1000, &parts), E_OK);
    assert_int_equal(parts, 1000);
    assert_int_equal(parse_many(10001, &parts), E_BAD_MULTIPART);
    assert_int_equal(parts, 10000);
}

static void the_callers_error_ends_it(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    static const char body[] = B CD "name=\"a\"\r\n\r\n1\r\n" B CD "name=\"b\"\r\n\r\n2" END;
    struct multipart_source source = {.data = body, .fd = -1, .size = sizeof body - 1};
    struct seen s = {.mem = mem, .source = &source, .text = mem_str(mem, ""), .answer = E_QUOTA};
    assert_int_equal(multipart_parse(mem, &source, "B", note_part, &s), E_QUOTA);
    assert_string_equal(s.text, "a=1;");
}

static void a_file_shorter_than_told_is_an_io_error(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    int fd = memfd_create("body", MFD_CLOEXEC);
    struct multipart_source source = {.fd = fd, .size = 100};
    struct seen s;
    assert_int_equal(write(fd, B, 5), 5);
    assert_int_equal(parse_source(mem, &source, &s), E_IO);
    close(fd);
}

static const struct {
    const char *type;
    enum err want_err;
    const char *want;
} types[] = {
    {"multipart/form-data; boundary=abc", E_OK, "abc"},
    {"Multipart/Form-Data;BOUNDARY=abc", E_OK, "abc"},
    {"multipart/form-data; charset=utf-8; boundary=abc", E_OK, "abc"},
    {"multipart/form-data ; boundary=\"a b,c:d\"", E_OK, "a b,c:d"},
    {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", E_OK,
     "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
    {"multipart/form-data; "
     "boundary=\"1234567890123456789012345678901234567890123456789012345678901234567890\"",
     E_OK, "1234567890123456789012345678901234567890123456789012345678901234567890"},
    {"multipart/form-data; "
     "boundary=\"12345678901234567890123456789012345678901234567890123456789012345678901\"",
     E_BAD_MULTIPART, NULL},
    {"multipart/form-data", E_BAD_MULTIPART, NULL},
    {"multipart/form-data; boundary=", E_BAD_MULTIPART, NULL},
    {"multipart/form-data; boundary=\"\"", E_BAD_MULTIPART, NULL},
    {"multipart/form-data; boundary=\"a \"", E_BAD_MULTIPART, NULL},
    {"multipart/form-data; boundary=\"a\x7F\"", E_BAD_MULTIPART, NULL},
    {"multipart/form-data; boundary=\"a", E_BAD_MULTIPART, NULL},
    {"multipart/form-data; boundary", E_BAD_MULTIPART, NULL},
    {"multipart/form-database; boundary=abc", E_MEDIA_TYPE, NULL},
    {"multipart/mixed; boundary=abc", E_MEDIA_TYPE, NULL},
    {"application/json", E_MEDIA_TYPE, NULL},
    {"", E_MEDIA_TYPE, NULL},
    {NULL, E_MEDIA_TYPE, NULL},
};

static void boundaries(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        char *got = NULL;
        enum err e = multipart_boundary(mem, types[i].type, &got);
        if (e != types[i].want_err || (e == E_OK && strcmp(got, types[i].want) != 0))
            fail_msg("row %zu: %s %s", i, err_name(e), got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_in_memory_and_in_files),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(a_nul_is_no_text),
        cmocka_unit_test(delimiters_across_the_windows_edges),
        cmocka_unit_test(text_has_64_kib),
        cmocka_unit_test(a_head_has_16_kib),
        cmocka_unit_test(parts_are_counted),
        cmocka_unit_test(the_callers_error_ends_it),
        cmocka_unit_test(a_file_shorter_than_told_is_an_io_error),
        cmocka_unit_test(boundaries),
    };
    return cmocka_run_group_tests_name("multipart", tests, NULL, NULL);
}
