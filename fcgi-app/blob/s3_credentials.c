#include "blob/s3_credentials.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "blob/s3_role.h"

struct s3_credentials {
    void *held;             /* what keys point into */
    struct s3_keys keys;
    const char *source;
    enum { NOWHERE, ENVIRONMENT, PROFILE, ROLE } from;
    struct timespec written; /* PROFILE: of the file they were read from */
    int64_t until_ms;        /* ROLE */
};

static const int64_t EARLY_MS = 5 * 60 * 1000; /* a role's keys are changed this long before they end */

struct s3_credentials *s3_credentials_new(const void *ctx)
{
    struct s3_credentials *c = mem_new(ctx, struct s3_credentials);
    c->source = "none";
    return c;
}

const char *s3_credentials_source(const struct s3_credentials *c)
{
    return c->source;
}

static const char *variable(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : otherwise;
}

static void hold(struct s3_credentials *c, void *held, const struct s3_keys *keys, const char *source)
{
    talloc_free(c->held);
    c->held = talloc_steal(c, held);
    c->keys = *keys;
    c->source = source;
}

/* ---- the environment ---- */

static enum err from_environment(struct s3_credentials *c, void *mem)
{
    struct s3_keys keys = {variable("AWS_ACCESS_KEY_ID", ""), variable("AWS_SECRET_ACCESS_KEY", ""), variable("AWS_SESSION_TOKEN", "")};
    if (!*keys.id || !*keys.secret)
        return E_NOT_FOUND;
    hold(c, mem, &keys, "environment");
    c->from = ENVIRONMENT;
    return E_OK;
}

/* ---- the profile file ---- */

static const char *profile_path(const void *mem)
{
    const char *named = variable("AWS_SHARED_CREDENTIALS_FILE", NULL), *home = variable("HOME", NULL);
    if (named != NULL)
        return named;
    if (home == NULL) {
        const struct passwd *pw = getpwuid(geteuid());
        home = pw != NULL ? pw->pw_dir : "";
    }
    return mem_printf(mem, "%s/.aws/credentials", home);
}

static void cut_blanks(char **text)
{
    *text += strspn(*text, " \t");
    size_t n = strlen(*text);
    while (n > 0 && strchr(" \t\r\n", (*text)[n - 1]) != NULL)
        (*text)[--n] = '\0';
}

static void take_line(const void *mem, char *line, const char *profile, bool *inside, struct s3_keys *keys)
{
    static const char *const names[] = {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"};
    const char **members[] = {&keys->id, &keys->secret, &keys->token};
    char *value = strchr(line, '=');
    cut_blanks(&line);
    if (line[0] == '[') {
        size_t n = strlen(profile);
        *inside = strncmp(line + 1, profile, n) == 0 && strcmp(line + 1 + n, "]") == 0;
        return;
    }
    if (!*inside || value == NULL || line[0] == '#' || line[0] == ';')
        return;
    *value++ = '\0';
    cut_blanks(&line);
    cut_blanks(&value);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(line, names[i]) == 0)
            *members[i] = mem_str(mem, value);
}

static void close_file(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

/* Lines of any length: a session token has a kilobyte and more. */
static void read_profile(const void *mem, FILE *file, const char *profile, struct s3_keys *keys)
{
    char *line = NULL;
    size_t room = 0;
    bool inside = false;
    while (getline(&line, &room, file) >= 0)
        take_line(mem, line, profile, &inside, keys);
    if (line != NULL)
        mem_wipe(line, room);
    free(line);
}

static enum err from_profile(struct s3_credentials *c, void *mem)
{
    const char *path = profile_path(mem), *profile = variable("AWS_PROFILE", variable("AWS_DEFAULT_PROFILE", "default"));
    struct s3_keys keys = {"", "", ""};
    struct stat st;
    CLEANUP(close_file) FILE *file = fopen(path, "re");
    if (file == NULL && errno == ENOENT)
        return E_NOT_FOUND;
    if (file == NULL || fstat(fileno(file), &st) != 0)
        return err_set(E_FIELD_INVALID, "cannot read %s: %m", path);
    read_profile(mem, file, profile, &keys);
    if (!*keys.id || !*keys.secret)
        return variable("AWS_PROFILE", NULL) == NULL
                   ? E_NOT_FOUND
                   : err_set(E_FIELD_INVALID, "%s has no keys for the profile %s", path, profile);
    hold(c, mem, &keys, mem_printf(mem, "profile %s of %s", profile, path));
    c->from = PROFILE;
    c->written = st.st_mtim;
    return E_OK;
}

static bool profile_changed(const struct s3_credentials *c)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct stat st;
    return stat(profile_path(mem), &st) == 0 &&
           (st.st_mtim.tv_sec != c->written.tv_sec || st.st_mtim.tv_nsec != c->written.tv_nsec);
}

/* ---- the role ---- */

static enum err from_role(struct s3_credentials *c, void *mem)
{
    struct s3_role role;
    if (strcmp(variable("AWS_EC2_METADATA_DISABLED", ""), "true") == 0)
        return E_NOT_FOUND;
    TRY(s3_role_fetch(mem, variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254"), &role));
    hold(c, mem, &role.keys, mem_printf(mem, "instance role %s", role.name));
    c->from = ROLE;
    c->until_ms = role.until_ms;
    return E_OK;
}

/* ---- all of them ---- */

static bool still_good(const struct s3_credentials *c, int64_t now_ms)
{
    switch (c->from) {
    case ENVIRONMENT:
        return true;
    case PROFILE:
        return !profile_changed(c);
    case ROLE:
        return now_ms < c->until_ms - EARLY_MS;
    default:
        return false;
    }
}

static enum err find(struct s3_credentials *c)
{
    static enum err (*const places[])(struct s3_credentials *, void *) = {from_environment, from_profile, from_role};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        void *mem = talloc_new(c);
        enum err e = places[i](c, mem);
        if (e == E_OK)
            return E_OK;
        talloc_free(mem);
        if (e != E_NOT_FOUND)
            return e;
    }
    return err_set(E_NOT_FOUND, "no credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor a profile in "
                                "~/.aws/credentials, nor an instance role");
}

enum err s3_credentials_get(struct s3_credentials *c, int64_t now_ms, struct s3_keys *keys_out)
{
    if (!still_good(c, now_ms)) {
        enum err e = find(c);
        if (e != E_OK && !(c->from == ROLE && now_ms < c->until_ms)) /* early: the old ones last a while */
            return e;
    }
    *keys_out = c->keys;
    return E_OK;
}

bool s3_credentials_renew(struct s3_credentials *c)
{
    bool others = c->from == ROLE || (c->from == PROFILE && profile_changed(c));
    if (others)
        c->from = NOWHERE;
    return others;
}
