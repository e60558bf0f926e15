/* `coffer migrate`: records or contents to another kind of store. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/view.h"
#include "crypt/crypt.h"
#include "jobs/backup.h"
#include "jobs/lock.h"
#include "jobs/migrate.h"
#include "jobs/records.h"

/* What can move: a row each. */
struct part {
    const char *setting, *things;
    bool (*same)(const struct conf *a, const struct conf *b);
    enum err (*survey)(const struct conf *conf, const struct conf *from, struct view *view);
    enum err (*run)(const struct conf *conf, const struct conf *from, const struct conf *to, struct transfer *t);
    const char *then; /* what to do after the setting is changed */
};

static bool same_blobs(const struct conf *a, const struct conf *b)
{
    return strcmp(a->disk_path, b->disk_path) == 0 && strcmp(a->s3_bucket, b->s3_bucket) == 0 && strcmp(a->s3_prefix, b->s3_prefix) == 0;
}

static enum err survey_blobs(const struct conf *conf, const struct conf *from, struct view *view)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct backup_sum sum;
    struct meta *m;
    (void)from;
    TRY(meta_open(mem, conf, NULL, &m));
    TRY(backup_survey(m, &sum));
    view->progress.files = sum.files;
    view->progress.bytes = sum.bytes;
    return E_OK;
}

static bool same_records(const struct conf *a, const struct conf *b)
{
    return strcmp(a->sqlite_path, b->sqlite_path) == 0 && strcmp(a->mongodb_uri, b->mongodb_uri) == 0;
}

static enum err survey_records(const struct conf *conf, const struct conf *from, struct view *view)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct records_sum sum;
    struct meta *m;
    (void)conf;
    TRY(meta_open(mem, from, NULL, &m));
    TRY(records_sum(m, &sum));
    view->progress.files = sum.n;
    return E_OK;
}

static const struct part parts[] = {
    {"store.metadata", "records", same_records, survey_records, migrate_records, "then start Coffer"},
    {"store.blobs", "contents", same_blobs, survey_blobs, migrate_blobs,
     "then write the web server's file anew (coffer front nginx >FILE), and start Coffer"},
};

struct migration {
    const struct part *part;
    const struct conf *from, *to;
    const char *value; /* of the setting afterwards; NULL: it names TO already */
};

/* "-" is the store that the configuration names: so an address with a password need not stand in a command line. */
static enum err choose(struct app *app, const struct part *part, const char *word, const char *uri, const struct conf **out)
{
    *out = app->conf;
    return strcmp(uri, "-") == 0 ? E_OK : conf_with(app->mem, app->conf, part->setting, uri, word, out);
}

/* As it should stand in the configuration: paths absolute; without a password that would go into a log. */
static const char *value_of(struct app *app, const struct conf *to, const char *uri)
{
    if (to == app->conf)
        return NULL;
    if (strncmp(uri, "disk:", 5) == 0)
        return mem_printf(app->mem, "disk:%s", to->disk_path);
    if (strncmp(uri, "sqlite:", 7) == 0)
        return mem_printf(app->mem, "sqlite:%s", to->sqlite_path);
    return strchr(uri, '@') != NULL ? "the address given as TO" : uri;
}

static enum err migrate_now(struct app *app, struct migration *m, struct view *view, char **argv)
{
    CLEANUP(close_fd) int lock = -1;
    TRY(crypt_start());
    TRY(choose(app, m->part, "FROM", argv[1], &m->from));
    TRY(choose(app, m->part, "TO", argv[2], &m->to));
    if (m->part->same(m->from, m->to))
        return err_say(E_FIELD_INVALID, "FROM and TO are the same store.");
    m->value = value_of(app, m->to, argv[2]);
    TRY(lock_data(app->conf, LOCK_ALONE, &lock));
    if (view->progress.shown)
        TRY(m->part->survey(app->conf, m->from, view));
    return m->part->run(app->conf, m->from, m->to, &view->transfer);
}

static void print_text(const struct migration *m, const struct transfer_count *c)
{
    char moved[SIZE_TEXT_MAX], there[SIZE_TEXT_MAX];
    size_text(c->bytes, moved);
    size_text(c->there_bytes, there);
    printf("%" PRIu64 " %s copied (%s), %" PRIu64 " there already (%s), %" PRIu64 " lost; %" PRIu64 " compared by SHA-256, none differ\n",
           c->files, m->part->things, moved, c->there, there, c->left_out, c->compared);
    if (m->value != NULL)
        printf("Now set %s = %s, %s.\n", m->part->setting, m->value, m->part->then);
    else
        printf("The setting %s names them already: %s.\n", m->part->setting, m->part->then);
    puts("What was copied from is unchanged. Do not start Coffer with it again: it knows nothing of what happens from now on. Remove it when you "
         "miss nothing.");
}

static void print_json(struct app *app, const struct migration *m, const struct transfer_count *c)
{
    json_t *o = json_own_object(app->mem);
    const struct {
        const char *name;
        uint64_t number;
    } numbers[] = {{"copied", c->files}, {"copied_bytes", c->bytes}, {"there", c->there},
                   {"there_bytes", c->there_bytes}, {"lost", c->left_out}, {"compared", c->compared}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(o, numbers[i].name, json_integer((json_int_t)numbers[i].number));
    json_object_set_new(o, "setting", json_string(m->part->setting));
    json_object_set_new(o, "value", m->value != NULL ? json_string(m->value) : json_null());
    puts(json_text(app->mem, o, NULL));
}

int cmd_migrate(struct app *app, int argc, char **argv)
{
    bool chosen[sizeof parts / sizeof *parts] = {false}, json = false;
    struct migration m = {0};
    struct view view;
    if (!command_options(&argc, argv, (struct option_row[]){{"--metadata", &chosen[0], NULL}, {"--blobs", &chosen[1], NULL}, {"--json", &json, NULL}, {0}}) ||
        argc != 3 || chosen[0] == chosen[1])
        return command_usage("migrate");
    m.part = chosen[0] ? &parts[0] : &parts[1];
    view_start(&view, false, false);
    view.progress.things = m.part->things;
    enum err e = migrate_now(app, &m, &view, argv);
    progress_clear(&view.progress);
    if (e != E_OK)
        return command_fail("migrate", e);
    if (json)
        print_json(app, &m, &view.transfer.count);
    else
        print_text(&m, &view.transfer.count);
    return view.transfer.count.left_out > 0 ? 1 : 0;
}
