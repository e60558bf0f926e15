/* `coffer backup` and `coffer restore`. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/view.h"
#include "jobs/backup.h"

static int finish(struct view *view, const char *command, const char *done, enum err e)
{
    const struct transfer_count *c = &view->transfer.count;
    char moved[SIZE_TEXT_MAX], there[SIZE_TEXT_MAX];
    progress_clear(&view->progress);
    if (e != E_OK)
        return command_fail(command, e);
    size_text(c->bytes, moved);
    size_text(c->there_bytes, there);
    printf("%s and checked: %" PRIu64 " contents copied (%s), %" PRIu64 " there already (%s), %" PRIu64 " lost\n", done, c->files, moved,
           c->there, there, c->left_out);
    return c->left_out > 0 ? 1 : 0;
}

static enum err backup_now(struct app *app, struct view *view, const char *folder)
{
    struct backup_sum sum;
    TRY(app_core(app));
    if (view->progress.shown) {
        TRY(backup_survey(app->core->meta, &sum));
        view->progress.files = sum.files;
        view->progress.bytes = sum.bytes;
    }
    return backup_make(app->core, folder, &view->transfer);
}

int cmd_backup(struct app *app, int argc, char **argv)
{
    bool link = false;
    struct view view;
    if (!command_options(&argc, argv, (struct option_row[]){{"--link", &link, NULL}, {0}}) || argc != 2)
        return command_usage("backup");
    view_start(&view, link, false);
    return finish(&view, "backup", "backed up", backup_now(app, &view, argv[1]));
}

int cmd_restore(struct app *app, int argc, char **argv)
{
    struct view view;
    if (!command_options(&argc, argv, (struct option_row[]){{0}}) || argc != 2)
        return command_usage("restore");
    view_start(&view, false, false);
    return finish(&view, "restore", "restored", backup_restore(app->conf, argv[1], &view.transfer));
}
