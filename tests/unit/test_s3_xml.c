/* XML as S3 sends it, and as nobody should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "blob/s3_xml.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))

static enum err note(void *arg, const char *path, const char *text)
{
    buf_printf(arg, "%s=%s;", path, text);
    return strcmp(text, "stop") == 0 ? E_CUT_OFF : E_OK;
}

static const struct { const char *xml; enum err e; const char *seen; } rows[] = {
    {"<a/>", E_OK, "a=;"},
    {"<a>x</a>", E_OK, "a=x;"},
    {"<?xml version='1.0'?>\n<a xmlns=\"http://s3\"><b>1</b><b>2</b></a>\n", E_OK, "a/b=1;a/b=2;a=;"},
    {"<a><b><c>&lt;&amp;&#xE9;</c></b></a>", E_OK, "a/b/c=<&\xC3\xA9;a/b=;a=;"},
    {"<a><![CDATA[<b>]]></a>", E_OK, "a=<b>;"},
    {"<a><b>stop</b><b>2</b></a>", E_CUT_OFF, "a/b=stop;"},
    {"", E_BAD_REQUEST, ""},
    {"text", E_BAD_REQUEST, ""},
    {"<a>", E_BAD_REQUEST, ""},
    {"<a></b>", E_BAD_REQUEST, ""},
    {"<a/><a/>", E_BAD_REQUEST, "a=;"},
    {"<a>&b;</a>", E_BAD_REQUEST, ""},
    {"<!DOCTYPE a><a/>", E_BAD_REQUEST, ""},
    {"<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>", E_BAD_REQUEST, ""},
    {"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", E_BAD_REQUEST, ""},
    {"<a>\xFF</a>", E_BAD_REQUEST, ""},
    {"<a><b><c><d><e><f><g><h/></g></f></e></d></c></b></a>", E_OK, "a/b/c/d/e/f/g/h=;a/b/c/d/e/f/g=;a/b/c/d/e/f=;a/b/c/d/e=;a/b/c/d=;a/b/c=;a/b=;a=;"},
    {"<a><b><c><d><e><f><g><h><i/></h></g></f></e></d></c></b></a>", E_BAD_REQUEST, ""},
};

static void what_is_in_it_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS(rows); i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct buf seen;
        buf_init(&seen, mem, 4096);
        enum err e = s3_xml_walk(rows[i].xml, strlen(rows[i].xml), note, &seen);
        if (e != rows[i].e || strcmp(seen.data != NULL ? seen.data : "", rows[i].seen) != 0)
            fail_msg("row %zu: %s \"%s\"", i, err_name(e), seen.data != NULL ? seen.data : "");
    }
}

static void long_texts_are_refused(void **state)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct buf xml, seen;
    (void)state;
    buf_init(&xml, mem, 1 << 20);
    buf_init(&seen, mem, 1 << 20);
    buf_str(&xml, "<a>");
    for (int i = 0; i < 20000; i++)
        buf_char(&xml, 'x');
    buf_str(&xml, "</a>");
    assert_int_equal(s3_xml_walk(xml.data, xml.len, note, &seen), E_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_it_is_told),
        cmocka_unit_test(long_texts_are_refused),
    };
    return cmocka_run_group_tests_name("s3_xml", tests, NULL, NULL);
}
