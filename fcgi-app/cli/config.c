#include <stdio.h>

#include "base/mem.h"
#include "cli/command.h"

int cmd_config(struct app *app, int argc, char **argv)
{
    static const char *const sources[] = {[CONF_DEFAULT] = "default", [CONF_FILE] = "file", [CONF_ENVIRONMENT] = "environment"};
    if (!command_options(&argc, argv, (struct option_row[]){{0}}) || argc > 1)
        return command_usage("config");
    for (size_t i = 0; i < conf_rows_n; i++) {
        const struct conf_row *row = &conf_rows[i];
        const char *value = conf_text(app->mem, app->conf, row);
        if ((row->flags & CONF_SECRET) && value[0] != '\0')
            value = "***";
        printf("%s.%s = %s  (%s)\n", row->section, row->key, value, sources[conf_source_of(app->conf, row)]);
    }
    return 0;
}
