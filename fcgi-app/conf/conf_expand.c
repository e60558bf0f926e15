/* Settings into the text of a web server's configuration. */
#include <string.h>

#include "base/mem.h"
#include "conf/conf_private.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789_."

/* Where in nginx's grammar a place of the text is. Quotes and comments begin only where a word may begin. */
struct place {
    char quote;      /* the one that is open, or 0 */
    bool in_comment; /* until the end of the line */
    bool in_word;
    bool escaped; /* the last character was a backslash */
};

static void place_step(struct place *p, char c)
{
    if (p->escaped) {
        p->escaped = false;
    } else if (p->in_comment) {
        p->in_comment = c != '\n';
    } else if (c == '\\') {
        p->escaped = p->in_word = true;
    } else if (p->quote != 0) {
        if (c == p->quote)
            p->quote = 0;
    } else if (strchr(" \t\r\n;{}", c) != NULL) {
        p->in_word = false;
    } else if (!p->in_word) {
        p->quote = c == '"' || c == '\'' ? c : 0;
        p->in_comment = c == '#';
        p->in_word = !p->in_comment && p->quote == 0;
    }
}

/* The first character of value that would not stay in its place; NULL when all do. */
static const char *breaks_out(const char *value, const struct place *place, bool is_setting)
{
    const char quoted[] = {'\\', '$', place->quote, '\0'};
    const char *special = place->quote != 0 ? quoted : is_setting ? ";{}\"'\\$#" : "";
    bool controls = place->quote != 0 || is_setting || place->in_comment;
    for (const char *p = value; *p != '\0'; p++)
        if (strchr(special, *p) != NULL || (controls && ((unsigned char)*p < 0x20 || *p == 0x7F)))
            return p;
    return NULL;
}

static const char *extra_value(const char *const *extra, const char *name)
{
    for (; extra != NULL && extra[0] != NULL; extra += 2)
        if (strcmp(extra[0], name) == 0)
            return extra[1];
    return NULL;
}

static enum err expand_one(const struct conf *conf, const char *name, const char *const *extra,
                           struct place *place, struct buf *out)
{
    const struct conf_row *row = conf_row_find(name);
    CLEANUP(free_mem) char *text = row != NULL ? conf_text(NULL, conf, row) : NULL;
    const char *value = row != NULL ? text : extra_value(extra, name);
    if (value == NULL)
        return err_set(E_CONF, "@%s@: there is no setting of that name", name);
    const char *bad = breaks_out(value, place, row != NULL);
    if (bad != NULL)
        return err_set(E_CONF, "%s has a character that cannot stand in the web server's file: 0x%02X", name,
                       (unsigned)*bad);
    buf_str(out, value);
    for (const char *p = value; *p != '\0'; p++)
        place_step(place, *p);
    return E_OK;
}

/* The length of NAME when text begins with @NAME@, else 0. */
static size_t name_at(const char *text)
{
    size_t len = *text == '@' ? strspn(text + 1, NAME_CHARS) : 0;
    return len > 0 && text[1 + len] == '@' ? len : 0;
}

enum err conf_expand(const struct conf *conf, const char *text, const char *const *extra, struct buf *out)
{
    struct place place = {0};
    while (*text != '\0') {
        size_t len = name_at(text);
        if (len == 0) {
            place_step(&place, *text);
            buf_char(out, *text++);
            continue;
        }
        CLEANUP(free_mem) char *name = mem_strn(NULL, text + 1, len);
        TRY(expand_one(conf, name, extra, &place, out));
        text += len + 2;
    }
    return buf_ok(out);
}
