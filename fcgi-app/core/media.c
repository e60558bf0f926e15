#include "core/media.h"

#include <magic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"

#define UNKNOWN "application/octet-stream"

/* What may happen to a type on its way out. */
enum how {
    SAVE,   /* sent as it is, as an attachment */
    SHOW,   /* a browser may show it in place */
    ACTIVE, /* a browser would run it: sent as UNKNOWN */
};

static const struct {
    const char *extension, *type;
    enum how how;
} rows[] = {
    {"png", "image/png", SHOW},
    {"jpg", "image/jpeg", SHOW},
    {"jpeg", "image/jpeg", SHOW},
    {"gif", "image/gif", SHOW},
    {"webp", "image/webp", SHOW},
    {"avif", "image/avif", SHOW},
    {"mp3", "audio/mpeg", SHOW},
    {"m4a", "audio/mp4", SHOW},
    {"ogg", "audio/ogg", SHOW},
    {"opus", "audio/ogg", SHOW},
    {"flac", "audio/flac", SHOW},
    {"wav", "audio/wav", SHOW},
    {"mp4", "video/mp4", SHOW},
    {"m4v", "video/mp4", SHOW},
    {"webm", "video/webm", SHOW},
    {"ogv", "video/ogg", SHOW},
    {"txt", "text/plain", SHOW},
    {"text", "text/plain", SHOW},
    {"log", "text/plain", SHOW},
    {"bmp", "image/bmp", SAVE},
    {"tif", "image/tiff", SAVE},
    {"tiff", "image/tiff", SAVE},
    {"heic", "image/heic", SAVE},
    {"ico", "image/vnd.microsoft.icon", SAVE},
    {"mov", "video/quicktime", SAVE},
    {"mkv", "video/x-matroska", SAVE},
    {"avi", "video/x-msvideo", SAVE},
    {"pdf", "application/pdf", SAVE},
    {"zip", "application/zip", SAVE},
    {"gz", "application/gzip", SAVE},
    {"tgz", "application/gzip", SAVE},
    {"bz2", "application/x-bzip2", SAVE},
    {"xz", "application/x-xz", SAVE},
    {"zst", "application/zstd", SAVE},
    {"7z", "application/x-7z-compressed", SAVE},
    {"tar", "application/x-tar", SAVE},
    {"json", "application/json", SAVE},
    {"csv", "text/csv", SAVE},
    {"md", "text/markdown", SAVE},
    {"c", "text/x-c", SAVE},
    {"h", "text/x-c", SAVE},
    {"py", "text/x-python", SAVE},
    {"doc", "application/msword", SAVE},
    {"xls", "application/vnd.ms-excel", SAVE},
    {"ppt", "application/vnd.ms-powerpoint", SAVE},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", SAVE},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", SAVE},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", SAVE},
    {"odt", "application/vnd.oasis.opendocument.text", SAVE},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet", SAVE},
    {"odp", "application/vnd.oasis.opendocument.presentation", SAVE},
    {"epub", "application/epub+zip", SAVE},
    {"bin", UNKNOWN, SAVE},
    {"html", "text/html", ACTIVE},
    {"htm", "text/html", ACTIVE},
    {"xhtml", "application/xhtml+xml", ACTIVE},
    {"svg", "image/svg+xml", ACTIVE},
    {"svgz", "image/svg+xml", ACTIVE},
    {"xml", "application/xml", ACTIVE},
    {"xsl", "application/xslt+xml", ACTIVE},
    {"js", "text/javascript", ACTIVE},
    {"mjs", "text/javascript", ACTIVE},
    {"css", "text/css", ACTIVE},
    {"swf", "application/x-shockwave-flash", ACTIVE},
    {"wasm", "application/wasm", ACTIVE},
};

struct media {
    magic_t magic; /* NULL until needed */
    bool tried;
    char found[100];
};

static int media_close(struct media *m)
{
    if (m->magic != NULL)
        magic_close(m->magic);
    return 0;
}

enum err media_open(const void *ctx, struct media **out)
{
    *out = mem_new(ctx, struct media);
    talloc_set_destructor(*out, media_close);
    return E_OK;
}

static void load_magic(struct media *m)
{
    m->tried = true;
    m->magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF);
    if (m->magic == NULL || magic_load(m->magic, NULL) == 0)
        return;
    log_say(LOG_WARN, "media", "libmagic has no database: files are typed by name alone (%s)", magic_error(m->magic));
    magic_close(m->magic);
    m->magic = NULL;
}

static const char *by_contents(struct media *m, const void *head, size_t n)
{
    if (!m->tried)
        load_magic(m);
    const char *type = m->magic != NULL && n > 0 ? magic_buffer(m->magic, head, n) : NULL;
    if (type == NULL || strchr(type, '/') == NULL || strlen(type) >= sizeof m->found)
        return UNKNOWN;
    snprintf(m->found, sizeof m->found, "%s", type);
    return m->found;
}

const char *media_type(struct media *m, const char *name, const void *head, size_t n)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof rows / sizeof *rows; i++)
        if (strcasecmp(dot + 1, rows[i].extension) == 0)
            return rows[i].type;
    return by_contents(m, head, n);
}

static enum how how_of(const char *type)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(type, rows[i].type) == 0)
            return rows[i].how;
    return ACTIVE; /* what the table does not know is not trusted to be harmless */
}

const char *media_sent_as(const char *type)
{
    if (strcmp(type, "text/plain") == 0)
        return "text/plain; charset=utf-8";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(type, rows[i].type) == 0)
            return rows[i].how == ACTIVE ? UNKNOWN : rows[i].type;
    return UNKNOWN;
}

bool media_inline(const char *type)
{
    return how_of(type) == SHOW;
}
