/* The configuration file, read by inih. Its lines are handed to inih one by one from here, so that each error
 * has its line's number and nothing is cut or guessed in silence. */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "conf/conf_private.h"

#define LINE_BYTES 8192 /* a setting of 4,096 bytes, with room to spare */

struct reading {
    struct loading *l;
    const char *path;
    FILE *file;
    unsigned line;
    enum err err; /* the first thing wrong; nothing is read after it */
};

/* inih's limits are variables in Debian's build: its line of 200 bytes would be split in silence, text behind
 * " ;" dropped, an indented line taken for more of the line above. */
static void inih_setup(void)
{
    ini_use_stack = false;
    ini_initial_alloc = LINE_BYTES;
    ini_max_line = LINE_BYTES;
    ini_allow_realloc = false;
    ini_allow_inline_comments = false;
    ini_allow_multiline = false;
    ini_stop_on_first_error = true;
}

static void wrong(struct reading *r, const char *what)
{
    r->err = err_set(E_CONF, "%s:%u: %s", r->path, r->line, what);
}

/* Up to the newline; how many bytes, or -1 when it does not fit. */
static int read_line(FILE *file, char *text, int size)
{
    int n = 0, c;
    while ((c = getc_unlocked(file)) != EOF) {
        if (n == size - 1)
            return -1;
        text[n++] = (char)c;
        if (c == '\n')
            break;
    }
    text[n] = '\0';
    return n;
}

/* inih would overlook what follows a section's name. */
static bool has_junk_behind_section(const char *text)
{
    text += strspn(text, " \t");
    const char *end = *text == '[' ? strchr(text, ']') : NULL;
    return end != NULL && end[1 + strspn(end + 1, " \t\r\n")] != '\0';
}

static char *next_line(char *text, int size, void *stream)
{
    struct reading *r = stream;
    if (r->err != E_OK)
        return NULL;
    int n = read_line(r->file, text, size);
    r->line++;
    if (n == 0)
        return NULL;
    if (n < 0)
        wrong(r, "the line is too long");
    else if (!utf8_valid(text, (size_t)n))
        wrong(r, "the line is not text in UTF-8");
    else if (has_junk_behind_section(text))
        wrong(r, "nothing may follow [section] on its line");
    return r->err == E_OK ? text : NULL;
}

static enum err set_one(struct reading *r, const char *section, const char *key, const char *value)
{
    CLEANUP(free_mem) char *setting = mem_printf(r->l->conf, "%s.%s", section, key);
    const struct conf_row *row = conf_row_find(setting);
    if (row == NULL && *section == '\0')
        return err_set(E_CONF, "%s:%u: '%s' stands before the first [section]", r->path, r->line, key);
    if (row == NULL) {
        const char *near = conf_near(setting, setting);
        return err_set(E_CONF, "%s:%u: there is no setting %s%s", r->path, r->line, setting, near);
    }
    const struct conf_origin *before = &r->l->origins[conf_row_index(row)];
    if (before->source == CONF_FILE)
        return err_set(E_CONF, "%s:%u: %s is set a second time, first in %s", r->path, r->line, setting,
                       before->where);
    return conf_set(r->l, row, value, CONF_FILE, mem_printf(setting, "%s:%u", r->path, r->line));
}

static int on_setting(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;
    r->err = set_one(r, section, key, value);
    return r->err == E_OK;
}

static void close_file(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

enum err conf_read_file(struct loading *l, const char *path)
{
    CLEANUP(close_file) FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(E_CONF, "%s: %m", path);
    struct reading r = {.l = l, .path = path, .file = file};
    inih_setup();
    int failed = ini_parse_stream(next_line, &r, on_setting, &r);
    if (r.err != E_OK)
        return r.err;
    if (ferror(file))
        return err_set(E_CONF, "%s: cannot be read", path);
    if (failed < 0)
        mem_exhausted();
    if (failed > 0)
        return err_set(E_CONF, "%s:%d: neither [section], nor key = value, nor a comment", path, failed);
    return E_OK;
}
