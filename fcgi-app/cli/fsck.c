#include <inttypes.h>
#include <stdio.h>

#include "cli/command.h"
#include "jobs/jobs.h"

static void print_finding(void *arg, const struct finding *f)
{
    (void)arg;
    printf("%s: %s\n", f->repaired ? "repaired" : f->mendable ? "wrong (--repair mends it)" : f->damage ? "damaged" : "note", f->line);
}

int cmd_fsck(struct app *app, int argc, char **argv)
{
    bool deep = false, repair = false;
    struct fsck_result result;
    if (!command_options(&argc, argv, (struct option_row[]){{"--deep", &deep, NULL}, {"--repair", &repair, NULL}, {0}}) || argc > 1)
        return command_usage("fsck");
    enum err e = app_core(app);
    if (e == E_OK)
        e = fsck(app->core, deep, repair, print_finding, NULL, &result);
    if (e != E_OK) {
        command_fail("fsck", e);
        return 2;
    }
    printf("%u damaged, %u repaired, %u notes\n", result.damaged, result.repaired, result.notices);
    return result.damaged > 0 ? 2 : result.repaired > 0 ? 1 : 0;
}

/* Round after round, until none finds anything more. */
int cmd_gc(struct app *app, int argc, char **argv)
{
    static enum err (*const rounds[])(struct core *c, unsigned *did_out) = {job_expire, job_reap, job_collect, job_spool};
    unsigned did, all = 0;
    if (!command_options(&argc, argv, (struct option_row[]){{0}}) || argc > 1)
        return command_usage("gc");
    enum err e = app_core(app);
    for (size_t i = 0; e == E_OK && i < sizeof rounds / sizeof *rounds; i++)
        do {
            e = rounds[i](app->core, &did);
            all += did;
        } while (e == E_OK && did > 0);
    if (e == E_OK)
        e = job_orphans(app->core, &did);
    if (e != E_OK)
        return command_fail("gc", e);
    printf("%u records and contents removed, %u files without a record moved to lost/\n", all, did);
    return 0;
}
