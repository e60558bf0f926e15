#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "cli/command.h"
#include "jobs/jobs.h"

static void print_finding(void *arg, const struct finding *f)
{
    if (arg == NULL) {
        printf("%s: %s\n", f->repaired ? "repaired" : f->mendable ? "wrong (--repair mends it)" : f->damage ? "damaged" : "note", f->line);
        return;
    }
    const char *level = f->repaired ? "repaired" : f->mendable ? "wrong" : f->damage ? "damaged" : "note";
    json_array_append_new(arg, json_pack("{s:s,s:s}", "level", level, "what", f->line));
}

static void print_sum(struct app *app, json_t *findings, const struct fsck_result *r)
{
    if (findings == NULL) {
        printf("%u damaged, %u repaired, %u notes\n", r->damaged, r->repaired, r->notices);
        return;
    }
    json_t *all = json_own_object(app->mem);
    json_object_set_new(all, "damaged", json_integer(r->damaged));
    json_object_set_new(all, "repaired", json_integer(r->repaired));
    json_object_set_new(all, "notes", json_integer(r->notices));
    json_object_set(all, "findings", findings);
    puts(json_text(app->mem, all, NULL));
}

int cmd_fsck(struct app *app, int argc, char **argv)
{
    bool deep = false, repair = false, json = false;
    struct fsck_result result;
    if (!command_options(&argc, argv, (struct option_row[]){{"--deep", &deep, NULL}, {"--repair", &repair, NULL}, {"--json", &json, NULL}, {0}}) || argc > 1)
        return command_usage("fsck");
    json_t *findings = json ? json_own_array(app->mem) : NULL;
    enum err e = app_core(app);
    if (e == E_OK)
        e = fsck(app->core, deep, repair, print_finding, findings, &result);
    if (e != E_OK) {
        command_fail("fsck", e);
        return 2;
    }
    print_sum(app, findings, &result);
    return result.damaged > 0 ? 2 : result.repaired > 0 ? 1 : 0;
}

/* Round after round, until none finds anything more. */
int cmd_gc(struct app *app, int argc, char **argv)
{
    static enum err (*const rounds[])(struct core *c, unsigned *did_out) = {job_expire, job_reap, job_collect, job_spool};
    unsigned did, all = 0;
    bool json = false;
    if (!command_options(&argc, argv, (struct option_row[]){{"--json", &json, NULL}, {0}}) || argc > 1)
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
    printf(json ? "{\"removed\":%u,\"set_aside\":%u}\n" : "%u records and contents removed, %u files without a record moved to lost/\n", all, did);
    return 0;
}
