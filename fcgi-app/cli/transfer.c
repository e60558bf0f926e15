/* `coffer import` and `coffer export`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/name.h"
#include "cli/command.h"
#include "cli/view.h"
#include "core/node.h"
#include "core/session.h"
#include "jobs/transfer.h"

/* "NAME:/folder/below", taken apart. */
struct address {
    struct who who;          /* the operator, in that user's place */
    const char **names;
    size_t n;
};

static enum err split_path(const void *ctx, const char *path, struct address *out)
{
    if (path[0] != '/')
        return err_say(E_FIELD_INVALID, "The folder begins with a slash: NAME:/ or NAME:/folder.");
    out->names = mem_array(ctx, const char *, strlen(path));
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        if (len > 0)
            out->names[out->n++] = mem_strn(ctx, path, len);
        path += len + (path[len] == '/');
    }
    return E_OK;
}

static enum err read_address(struct app *app, const char *text, struct address *out)
{
    const char *colon = strchr(text, ':');
    *out = (struct address){.who = app_operator()};
    if (colon == NULL)
        return err_say(E_FIELD_INVALID, "Name the account and the folder as NAME:/folder.");
    TRY(split_path(app->mem, colon + 1, out));
    enum err e = user_find(app->core, app->mem, mem_strn(app->mem, text, (size_t)(colon - text)), &out->who.user);
    return e == E_NOT_FOUND ? err_say(E_NOT_FOUND, "There is no such account.") : e;
}

static int finish(struct view *view, const char *command, const char *done, enum err e)
{
    view_sum(view, done);
    if (e == E_QUOTA)
        e = err_say(E_QUOTA, "The account's quota is full. Raise it with coffer user quota, then run the same command again: it goes on.");
    if (e != E_OK)
        return command_fail(command, e);
    return view->transfer.count.left_out > 0 ? 1 : 0;
}

/* ---- import ---- */
static enum err target_folder(struct app *app, const struct address *to, struct id *id_out)
{
    struct spot spot;
    TRY(names_check(app->mem, to->names, to->n));
    TRY(node_at(app->core, app->mem, &to->who, (struct id){""}, to->names, to->n, &spot));
    if (spot.place.node.kind != NODE_FOLDER)
        return err_say(E_NOT_FOLDER, "The target is a file, not a folder.");
    return folder_ensure(app->core, app->mem, &to->who, (struct id){""}, to->names, to->n, id_out);
}

static enum err open_source(const char *path, int *fd_out)
{
    *fd_out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd_out < 0 ? err_say(E_NOT_FOUND, "The folder %s cannot be opened: %s.", path, strerror(errno)) : E_OK;
}

static enum err import_now(struct app *app, struct view *view, const char *from, const char *to)
{
    CLEANUP(close_fd) int source = -1;
    struct address address;
    struct id target;
    TRY(open_source(from, &source));
    TRY(app_core(app));
    TRY(read_address(app, to, &address));
    TRY(target_folder(app, &address, &target));
    if (view->progress.shown) {
        fputs("counting ...", stderr);
        view->progress.drawn = true;
        import_survey(source, &view->progress.files, &view->progress.bytes);
        view->progress.start_ms = clock_monotonic_ms();
    }
    return import_tree(app->core, &address.who, &view->transfer, source, target);
}

int cmd_import(struct app *app, int argc, char **argv)
{
    bool link = false, copy = false, replace = false;
    struct view view;
    if (!command_options(&argc, argv, (struct option_row[]){{"--link", &link, NULL}, {"--copy", &copy, NULL}, {"--replace", &replace, NULL}, {0}}) ||
        argc != 3 || (link && copy))
        return command_usage("import");
    if (link)
        fputs("The files become Coffer's by a second name for the same bytes: from now on, do not write to the originals.\n", stderr);
    view_start(&view, link, replace);
    return finish(&view, "import", "imported", import_now(app, &view, argv[1], argv[2]));
}

/* ---- export ---- */
/* The folder is made when it is missing; what is above it has to be there. */
static enum err open_target(const char *path, int *fd_out)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_say(E_IO, "The folder %s cannot be made: %s.", path, strerror(errno));
    return open_source(path, fd_out);
}

static enum err survey(struct app *app, struct view *view, const struct address *from, struct id source)
{
    struct usage usage;
    TRY(node_sum(app->core, &from->who, source, &usage));
    view->progress.files = (uint64_t)usage.files;
    view->progress.bytes = (uint64_t)usage.size;
    return E_OK;
}

static enum err export_now(struct app *app, struct view *view, const char *from, const char *to)
{
    CLEANUP(close_fd) int target = -1;
    struct address address;
    struct spot spot;
    TRY(app_core(app));
    TRY(read_address(app, from, &address));
    TRY(node_at(app->core, app->mem, &address.who, (struct id){""}, address.names, address.n, &spot));
    if (spot.missing > 0)
        return err_say(E_NOT_FOUND, "There is no such file or folder in that account.");
    TRY(open_target(to, &target));
    if (view->progress.shown)
        TRY(survey(app, view, &address, spot.place.node.id));
    return export_tree(app->core, &address.who, &view->transfer, spot.place.node.id, target);
}

int cmd_export(struct app *app, int argc, char **argv)
{
    bool replace = false;
    struct view view;
    if (!command_options(&argc, argv, (struct option_row[]){{"--replace", &replace, NULL}, {0}}) || argc != 3)
        return command_usage("export");
    view_start(&view, false, replace);
    return finish(&view, "export", "exported", export_now(app, &view, argv[1], argv[2]));
}
