/* The set of templates: reading the files, and joining partials to where they are used. */
#include "render/render.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "render/template.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define SUFFIX         ".html"

struct templates *templates_new(const void *ctx)
{
    return mem_new(ctx, struct templates);
}

const struct mustache *template_find(const struct templates *t, const char *name)
{
    const struct mustache *at = t->first;

    while (at != NULL && strcmp(at->name, name) != 0)
        at = at->next;
    return at;
}

enum err templates_add(struct templates *t, const char *name, const char *text)
{
    if (template_find(t, name) != NULL)
        return err_set(E_CONF, "template %s: there are two of that name", name);
    if (!utf8_valid(text, strlen(text)))
        return err_set(E_CONF, "template %s: not valid UTF-8", name);

    struct mustache *new = mem_new(t, struct mustache);
    TRY(template_parse(new, mem_str(new, name), mem_str(new, text), new));
    new->next = t->first;
    t->first = new;
    return E_OK;
}

static struct mustache *find_partial(const struct templates *t, const char *name)
{
    CLEANUP(free_mem) char *in_folder = mem_printf(NULL, "partials/%s", name);
    const struct mustache *found = template_find(t, in_folder);

    if (found == NULL)
        found = template_find(t, name);
    return (struct mustache *)found;
}

static enum err link_partials(struct templates *t, const struct mustache *template)
{
    for (size_t i = 0; i < template->n_nodes; i++) {
        struct template_node *node = &template->nodes[i];
        if (node->kind != NODE_PARTIAL)
            continue;
        node->target = find_partial(t, node->partial);
        if (node->target == NULL)
            return err_set(E_CONF, "template %s:%zu: there is no partial %s", template->name, node->line,
                           node->partial);
    }
    return E_OK;
}

/* Also finds circles: a template that is being measured has height -1. */
static enum err measure(struct mustache *t)
{
    int height = 1;

    if (t->height > 0)
        return E_OK;
    if (t->height < 0)
        return err_set(E_CONF, "template %s contains itself", t->name);
    t->height = -1;
    for (size_t i = 0; i < t->n_nodes; i++) {
        struct mustache *target = t->nodes[i].target;
        if (target == NULL)
            continue;
        TRY(measure(target));
        if (target->height >= height)
            height = target->height + 1;
    }
    if (height > PARTIALS_MAX_DEPTH)
        return err_set(E_CONF, "template %s: partials are nested more than %d deep", t->name,
                       PARTIALS_MAX_DEPTH);
    t->height = height;
    return E_OK;
}

enum err templates_link(struct templates *t)
{
    for (struct mustache *at = t->first; at != NULL; at = at->next) {
        at->height = 0;
        TRY(link_partials(t, at));
    }
    for (struct mustache *at = t->first; at != NULL; at = at->next)
        TRY(measure(at));
    return E_OK;
}

static void close_file(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

static enum err add_file(struct templates *t, const char *path, const char *name)
{
    CLEANUP(free_mem) char *text = mem_array(NULL, char, FILE_MAX_BYTES + 1);
    CLEANUP(close_file) FILE *file = fopen(path, "re");

    if (file == NULL)
        return err_set(E_CONF, "template %s: %m", path);
    size_t len = fread(text, 1, FILE_MAX_BYTES + 1, file);
    if (ferror(file) || len > FILE_MAX_BYTES || strlen(text) != len)
        return err_set(E_CONF, "template %s: cannot be read, is larger than 1 MiB, or holds a NUL", path);
    return templates_add(t, name, text);
}

static void close_dir(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static enum err add_folder(struct templates *t, const char *dir, const char *prefix, bool required)
{
    CLEANUP(close_dir) DIR *folder = opendir(dir);

    if (folder == NULL && errno == ENOENT && !required)
        return E_OK;
    if (folder == NULL)
        return err_set(E_CONF, "templates in %s: %m", dir);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || len <= strlen(SUFFIX) ||
            strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) != 0)
            continue;
        CLEANUP(free_mem) char *path = mem_printf(NULL, "%s/%s", dir, entry->d_name);
        CLEANUP(free_mem)
        char *name = mem_printf(NULL, "%s%.*s", prefix, (int)(len - strlen(SUFFIX)), entry->d_name);
        TRY(add_file(t, path, name));
    }
    return E_OK;
}

enum err templates_load(const void *ctx, const char *dir, struct templates **out)
{
    struct templates *t = templates_new(ctx);
    CLEANUP(free_mem) char *partials = mem_printf(NULL, "%s/partials", dir);

    TRY(add_folder(t, dir, "", true));
    TRY(add_folder(t, partials, "partials/", false));
    TRY(templates_link(t));
    *out = t;
    return E_OK;
}
