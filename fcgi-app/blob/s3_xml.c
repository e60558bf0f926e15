#include "blob/s3_xml.h"

#include <expat.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { DEPTH_MAX = 8, PATH_BYTES = 512, TEXT_BYTES = 16 << 10 };

struct walk {
    XML_Parser parser;
    struct buf path, text;
    size_t ends[DEPTH_MAX]; /* of the path, one level up each */
    unsigned depth;
    s3_xml_fn *fn;
    void *arg;
    enum err e;
};

static void stop(struct walk *w, enum err e)
{
    if (w->e == E_OK)
        w->e = e;
    XML_StopParser(w->parser, XML_FALSE);
}

static void begin(void *arg, const char *name, const char **attributes)
{
    struct walk *w = arg;
    (void)attributes;
    if (w->depth == DEPTH_MAX) {
        stop(w, err_set(E_BAD_REQUEST, "XML is nested too deep"));
        return;
    }
    w->ends[w->depth++] = w->path.len;
    buf_printf(&w->path, "%s%s", w->path.len > 0 ? "/" : "", name);
    buf_reset(&w->text);
    if (w->path.over)
        stop(w, err_set(E_BAD_REQUEST, "XML has names that are too long"));
}

static void text(void *arg, const char *bytes, int n)
{
    struct walk *w = arg;
    buf_add(&w->text, bytes, (size_t)n);
    if (w->text.over)
        stop(w, err_set(E_BAD_REQUEST, "XML has text that is too long"));
}

static void end(void *arg, const char *name)
{
    struct walk *w = arg;
    (void)name;
    if (w->e != E_OK) /* an empty element is still ended after a stop at its beginning */
        return;
    enum err e = w->fn(w->arg, w->path.data, w->text.data != NULL ? w->text.data : "");
    if (e != E_OK)
        stop(w, e);
    w->path.len = w->ends[--w->depth];
    w->path.data[w->path.len] = '\0';
    buf_reset(&w->text);
}

/* A document type is where entities would be declared. */
static void doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    stop(arg, err_set(E_BAD_REQUEST, "XML has a document type"));
}

enum err s3_xml_walk(const char *bytes, size_t len, s3_xml_fn *fn, void *arg)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct walk w = {.parser = XML_ParserCreate("UTF-8"), .fn = fn, .arg = arg};
    if (w.parser == NULL)
        mem_exhausted();
    buf_init(&w.path, mem, PATH_BYTES);
    buf_init(&w.text, mem, TEXT_BYTES);
    XML_SetUserData(w.parser, &w);
    XML_SetElementHandler(w.parser, begin, end);
    XML_SetCharacterDataHandler(w.parser, text);
    XML_SetStartDoctypeDeclHandler(w.parser, doctype);
    bool whole = len <= INT32_MAX && XML_Parse(w.parser, bytes, (int)len, 1) == XML_STATUS_OK;
    if (!whole && w.e == E_OK)
        w.e = err_set(E_BAD_REQUEST, "not XML: %s", XML_ErrorString(XML_GetErrorCode(w.parser)));
    XML_ParserFree(w.parser);
    return w.e;
}
