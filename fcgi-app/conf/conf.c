#include "conf/conf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf_private.h"

#ifndef COFFER_SYSCONFDIR
#define COFFER_SYSCONFDIR "/usr/local/etc/coffer"
#endif

#define INSTALLED COFFER_SYSCONFDIR "/coffer.conf"

const struct conf_row conf_rows[] = {
#define C(section_, key_, kind_, def_, min_, max_, flags_, say_)                                             \
    {.section = #section_,                                                                                   \
     .key = #key_,                                                                                           \
     .kind = #kind_,                                                                                         \
     .def = def_,                                                                                            \
     .say = say_,                                                                                            \
     .min = min_,                                                                                            \
     .max = max_,                                                                                            \
     .flags = flags_,                                                                                        \
     .offset = offsetof(struct conf, section_##_##key_)},
#include "conf/conf.def"
#undef C
};
#define ROWS (sizeof conf_rows / sizeof *conf_rows)
const size_t conf_rows_n = ROWS;

static const void *member(const struct conf *conf, const struct conf_row *row)
{
    return (const char *)conf + row->offset;
}

const struct conf_row *conf_row_find(const char *setting)
{
    for (const struct conf_row *row = conf_rows; row < conf_rows + ROWS; row++) {
        size_t len = strlen(row->section);
        if (strncmp(setting, row->section, len) == 0 && setting[len] == '.' &&
            strcmp(setting + len + 1, row->key) == 0)
            return row;
    }
    return NULL;
}

size_t conf_row_index(const struct conf_row *row)
{
    return (size_t)(row - conf_rows);
}

enum err conf_refuse(const struct conf *conf, const char *setting, const char *format, ...)
{
    char text[sizeof((struct err_info *)0)->detail];
    const struct conf_row *row = conf_row_find(setting);
    va_list args;
    assert(row != NULL);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(E_CONF, "%s: %s %s", conf->origins[conf_row_index(row)].where, setting, text);
}

enum err conf_set(struct loading *l, const struct conf_row *row, const char *text, enum conf_source source,
                  const char *where)
{
    if (conf_value_parse(l, row, text, (char *)l->conf + row->offset) != E_OK)
        return err_set(E_CONF, "%s: %s.%s %s", where, row->section, row->key, err_last(E_CONF)->detail);
    l->origins[conf_row_index(row)] =
        (struct conf_origin){.source = source, .where = mem_str(l->conf, where)};
    return E_OK;
}

static enum err set_defaults(struct loading *l)
{
    for (const struct conf_row *row = conf_rows; row < conf_rows + ROWS; row++) {
        if (row->def[0] != '\0') {
            TRY(conf_set(l, row, row->def, CONF_DEFAULT, "default"));
            continue;
        }
        *(const char **)((char *)l->conf + row->offset) =
            ""; /* text, maybe shorter than a given one must be */
        l->origins[conf_row_index(row)] = (struct conf_origin){.source = CONF_DEFAULT, .where = "default"};
    }
    return E_OK;
}

/* Required rows are text. */
static enum err check_required(const struct loading *l)
{
    for (const struct conf_row *row = conf_rows; row < conf_rows + ROWS; row++) {
        if ((row->flags & CONF_REQUIRED) == 0 || **(const char *const *)member(l->conf, row) != '\0')
            continue;
        return err_set(E_CONF, "%s: %s.%s is required. %s",
                       l->conf->file[0] != '\0' ? l->conf->file : "configuration", row->section, row->key,
                       row->say);
    }
    return E_OK;
}

/* Which file to read: "" for none. One that was asked for must be there, the installed one need not. */
static const char *file_wanted(const char *file)
{
    const char *asked = file != NULL ? file : getenv("COFFER_CONFIG");
    if (asked != NULL && *asked != '\0')
        return asked;
    return access(INSTALLED, F_OK) == 0 ? INSTALLED : "";
}

/* conf->file, absolute, and the folder at which relative paths begin. */
static enum err set_folder(struct loading *l, const char *file)
{
    char *cwd = own(l->conf, getcwd(NULL, 0), free);
    if (cwd == NULL)
        return err_set(E_CONF, "current folder: %m");
    l->conf->file = *file != '\0' ? conf_path(l->conf, cwd, file) : "";
    const char *slash = strrchr(l->conf->file, '/');
    if (slash == NULL)
        l->dir = cwd;
    else
        l->dir =
            mem_strn(l->conf, l->conf->file, slash == l->conf->file ? 1 : (size_t)(slash - l->conf->file));
    return E_OK;
}

static enum err load(struct loading *l, const char *file)
{
    TRY(set_folder(l, file));
    TRY(set_defaults(l));
    if (*file != '\0')
        TRY(conf_read_file(l, file));
    TRY(conf_read_environment(l));
    TRY(check_required(l));
    return conf_rules(l);
}

enum err conf_load(const void *ctx, const char *file, const struct conf **conf_out)
{
    struct conf *conf = mem_new(ctx, struct conf);
    struct loading l = {.conf = conf, .origins = mem_array(conf, struct conf_origin, ROWS)};
    conf->origins = l.origins;
    enum err e = load(&l, file_wanted(file));
    if (e != E_OK) {
        talloc_free(conf);
        return e;
    }
    *conf_out = conf;
    return E_OK;
}

enum err conf_with(const void *ctx, const struct conf *conf, const char *setting, const char *value, const char *where,
                   const struct conf **out)
{
    struct conf *copy = mem_new(ctx, struct conf);
    *copy = *conf;
    struct loading l = {.conf = copy, .origins = mem_array(copy, struct conf_origin, ROWS), .dir = own(copy, getcwd(NULL, 0), free)};
    memcpy(l.origins, conf->origins, ROWS * sizeof *l.origins);
    copy->origins = l.origins;
    *out = copy;
    if (l.dir == NULL)
        return err_set(E_CONF, "current folder: %m");
    TRY(conf_set(&l, conf_row_find(setting), value, CONF_ARGUMENT, where));
    return conf_rules(&l);
}

char *conf_text(const void *ctx, const struct conf *conf, const struct conf_row *row)
{
    return conf_value_text(ctx, row, member(conf, row));
}

enum conf_source conf_source_of(const struct conf *conf, const struct conf_row *row)
{
    return conf->origins[conf_row_index(row)].source;
}
