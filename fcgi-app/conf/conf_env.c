/* Settings from the environment: COFFER_SECTION_KEY, COFFER_SECTION_KEY_FILE, and the names other programs
 * use. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf_private.h"

#define PREFIX      "COFFER_"
#define VALUE_BYTES 8192

/* Variables of this prefix that are no settings, whatever the sections are called. */
static const char *const not_settings[] = {"COFFER_CONFIG", "COFFER_FIRST_PASSWORD"};

/* COFFER_SITE_PUBLIC_URL */
static char *variable_of(const void *ctx, const struct conf_row *row)
{
    char *name = mem_printf(ctx, PREFIX "%s_%s", row->section, row->key);
    for (char *p = name; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    return name;
}

static void close_file(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

/* The first line of the file that a ..._FILE variable names. */
static enum err first_line(const char *variable, const char *path, char value[VALUE_BYTES])
{
    CLEANUP(close_file) FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(E_CONF, "%s: %s: %m", variable, path);
    value[0] = '\0';
    if (fgets(value, VALUE_BYTES, file) == NULL && ferror(file))
        return err_set(E_CONF, "%s: %s: cannot be read", variable, path);
    size_t len = strcspn(value, "\r\n");
    if (len == VALUE_BYTES - 1)
        return err_set(E_CONF, "%s: %s: the first line is too long", variable, path);
    value[len] = '\0';
    return E_OK;
}

static enum err set_from_file(struct loading *l, const struct conf_row *row, const char *variable,
                              const char *path)
{
    char value[VALUE_BYTES];
    TRY(first_line(variable, path, value));
    enum err e = conf_set(l, row, value, CONF_ENVIRONMENT, variable);
    mem_wipe(value, sizeof value);
    return e;
}

static enum err set_row(struct loading *l, const struct conf_row *row)
{
    CLEANUP(free_mem) char *variable = variable_of(l->conf, row);
    const char *variable_file = mem_printf(variable, "%s_FILE", variable);
    const char *value = getenv(variable), *path = getenv(variable_file);
    if (value != NULL && path != NULL)
        return err_set(E_CONF, "%s and %s are both set; keep one", variable, variable_file);
    if (path != NULL)
        return set_from_file(l, row, variable_file, path);
    return value != NULL ? conf_set(l, row, value, CONF_ENVIRONMENT, variable) : E_OK;
}

/* ---- variables that look like settings ---- */

static bool is_not_setting(const char *name)
{
    for (size_t i = 0; i < sizeof not_settings / sizeof *not_settings; i++)
        if (strcmp(name, not_settings[i]) == 0)
            return true;
    return strncmp(name, "COFFER_TEST_", strlen("COFFER_TEST_")) == 0;
}

/* "section.key" of a variable that begins with a known section's name, NULL for others. */
static char *setting_of(const void *ctx, const char *name)
{
    char *setting = mem_str(ctx, name + strlen(PREFIX));
    for (char *p = setting; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    for (size_t i = 0; i < conf_rows_n; i++) {
        size_t len = strlen(conf_rows[i].section);
        if (strncmp(setting, conf_rows[i].section, len) == 0 && setting[len] == '_') {
            setting[len] = '.';
            return setting;
        }
    }
    return NULL;
}

/* "COFFER_SITE_TITLE_FILE" without "_FILE". */
static void drop_file_suffix(char *name)
{
    size_t len = strlen(name), suffix = strlen("_FILE");
    if (len > suffix && strcmp(name + len - suffix, "_FILE") == 0)
        name[len - suffix] = '\0';
}

static enum err check_variable(const void *ctx, const char *entry)
{
    CLEANUP(free_mem) char *name = mem_strn(ctx, entry, strcspn(entry, "="));
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || is_not_setting(name))
        return E_OK;
    char *bare = mem_str(name, name);
    drop_file_suffix(bare);
    const char *setting = setting_of(name, bare);
    const struct conf_row *row = setting != NULL ? conf_row_find(setting) : NULL;
    if (setting == NULL || (row != NULL && strcmp(variable_of(name, row), bare) == 0))
        return E_OK;
    return err_set(E_CONF, "environment: %s sets nothing: there is no setting %s%s", name, setting,
                   conf_near(name, setting));
}

/* ---- names that are usual elsewhere ---- */

static enum err set_usual(struct loading *l, const char *variable, const char *scheme, const char *setting,
                          const char *present)
{
    const char *value = getenv(variable);
    if (value == NULL || *value == '\0' || *present != '\0')
        return E_OK;
    CLEANUP(free_mem) char *text = mem_printf(l->conf, "%s%s", scheme, value);
    return conf_set(l, conf_row_find(setting), text, CONF_ENVIRONMENT, variable);
}

enum err conf_read_environment(struct loading *l)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        TRY(check_variable(l->conf, *entry));
    for (size_t i = 0; i < conf_rows_n; i++)
        TRY(set_row(l, &conf_rows[i]));
    TRY(set_usual(l, "MONGODB_URI", "", "store.metadata", l->conf->store_metadata));
    TRY(set_usual(l, "AWS_ENDPOINT_URL_S3", "", "store.s3_endpoint", l->conf->store_s3_endpoint));
    TRY(set_usual(l, "AWS_ENDPOINT_URL", "", "store.s3_endpoint", l->conf->store_s3_endpoint));
    TRY(set_usual(l, "AWS_REGION", "", "store.s3_region", l->conf->store_s3_region));
    TRY(set_usual(l, "AWS_DEFAULT_REGION", "", "store.s3_region", l->conf->store_s3_region));
    TRY(set_usual(l, "AWS_CA_BUNDLE", "", "store.s3_ca", l->conf->store_s3_ca));
    return set_usual(l, "S3_BUCKET", "s3://", "store.blobs", l->conf->store_blobs);
}
