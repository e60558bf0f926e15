#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/command.h"

static const char *const sources[] = {[CONF_DEFAULT] = "default", [CONF_FILE] = "file", [CONF_ENVIRONMENT] = "environment", [CONF_ARGUMENT] = "argument"};

static const char *shown(struct app *app, const struct conf_row *row)
{
    const char *value = conf_text(app->mem, app->conf, row);
    return (row->flags & CONF_SECRET) && value[0] != '\0' ? "***" : value;
}

int cmd_config(struct app *app, int argc, char **argv)
{
    bool json = false;
    if (!command_options(&argc, argv, (struct option_row[]){{"--json", &json, NULL}, {0}}) || argc > 1)
        return command_usage("config");
    json_t *all = json_own_array(app->mem);
    for (size_t i = 0; i < conf_rows_n; i++) {
        const struct conf_row *row = &conf_rows[i];
        const char *value = shown(app, row), *source = sources[conf_source_of(app->conf, row)];
        const char *where = app->conf->origins[i].where;
        if (json)
            json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:s}", "section", row->section, "key", row->key, "value", value, "source",
                                                 source, "where", where));
        else
            printf("%s.%s = %s  (%s)\n", row->section, row->key, value, source);
    }
    if (json)
        puts(json_text(app->mem, all, NULL));
    return 0;
}
