/* What an administrator does with an account that exists. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "core/admin.h"
#include "core/node.h"

#define DAY_MS    INT64_C(86400000)
#define DAYS_MOST 365

static const struct option_row none[] = {{0}};

static enum err find(struct app *app, const char *name, struct user *user_out)
{
    TRY(app_core(app));
    enum err e = user_find(app->core, app->mem, name, user_out);
    return e == E_NOT_FOUND ? err_say(E_NOT_FOUND, "There is no account %s.", name) : e;
}

static int done(const char *command, enum err e)
{
    return e == E_OK ? 0 : command_fail(command, e);
}

/* ---- state and role ---- */
static int set_state(struct app *app, int argc, char **argv, const char *command, enum user_state state)
{
    struct user user;
    if (!command_options(&argc, argv, none) || argc != 2)
        return command_usage(command);
    enum err e = find(app, argv[1], &user);
    if (e == E_OK)
        e = user_set_state(app->core, user.id, state);
    return done(command, e);
}

int cmd_user_disable(struct app *app, int argc, char **argv)
{
    return set_state(app, argc, argv, "user disable", USER_DISABLED);
}

int cmd_user_enable(struct app *app, int argc, char **argv)
{
    return set_state(app, argc, argv, "user enable", USER_ACTIVE);
}

int cmd_user_role(struct app *app, int argc, char **argv)
{
    struct user user;
    if (!command_options(&argc, argv, none) || argc != 3 || (strcmp(argv[2], "admin") != 0 && strcmp(argv[2], "user") != 0))
        return command_usage("user role");
    enum err e = find(app, argv[1], &user);
    if (e == E_OK)
        e = user_set_role(app->core, user.id, strcmp(argv[2], "admin") == 0 ? ROLE_ADMIN : ROLE_USER);
    return done("user role", e);
}

/* ---- quota ---- */
/* "none", or bytes with K, M, G or T. */
static bool read_size(const char *text, int64_t *bytes_out)
{
    static const char units[] = "KMGT";
    CLEANUP(free_mem) char *digits = mem_str(NULL, text);
    size_t len = strlen(digits);
    const char *unit = len > 0 ? strchr(units, digits[len - 1]) : NULL;
    int shift = unit != NULL && *unit != '\0' ? 10 * (int)(unit - units + 1) : 0;
    *bytes_out = 0;
    if (strcmp(text, "none") == 0)
        return true;
    if (shift > 0)
        digits[len - 1] = '\0';
    if (parse_i64(digits, 1, INT64_MAX >> shift, bytes_out) != E_OK)
        return false;
    *bytes_out <<= shift;
    return true;
}

static enum err show_quota(struct app *app, const struct user *user)
{
    char used[SIZE_TEXT_MAX], quota[SIZE_TEXT_MAX] = "none";
    struct space space;
    TRY(user_usage(app->core, app->mem, user->id, &space));
    size_text((uint64_t)space.used, used);
    if (space.quota > 0)
        size_text((uint64_t)space.quota, quota);
    printf("%s uses %s (%" PRId64 " bytes), quota %s", user->name, used, space.used, quota);
    printf(space.quota > 0 ? " (%" PRId64 " bytes)\n" : "\n", space.quota);
    return E_OK;
}

int cmd_user_quota(struct app *app, int argc, char **argv)
{
    struct user user;
    int64_t quota = 0;
    if (!command_options(&argc, argv, none) || argc < 2 || argc > 3 || (argc == 3 && !read_size(argv[2], &quota)))
        return command_usage("user quota");
    enum err e = find(app, argv[1], &user);
    if (e == E_OK && argc == 3)
        e = user_set_quota(app->core, user.id, quota);
    if (e == E_OK)
        e = show_quota(app, &user);
    return done("user quota", e);
}

/* ---- removing ---- */
/* Without a word about its files, only an account that has none goes. */
static enum err check_empty(struct app *app, const struct user *user)
{
    const struct who who = {.kind = WHO_OPERATOR, .user = *user, .scopes = VERB_ALL, .address = ""};
    struct place place;
    struct node_list list;
    TRY(node_entries(app->core, app->mem, &who, (struct id){""}, &(struct node_query){.limit = 1}, &place, &list));
    return list.n == 0 ? E_OK : err_say(E_FIELD_MISSING, "The account has files: say --files delete, or --files transfer=NAME.");
}

static enum err remove_user(struct app *app, const char *name, const char *files)
{
    static const char transfer[] = "transfer=";
    struct user user, heir = {.id = {""}};
    struct id folder = {""};
    TRY(find(app, name, &user));
    if (files == NULL)
        TRY(check_empty(app, &user));
    else if (strcmp(files, "delete") != 0)
        TRY(find(app, files + strlen(transfer), &heir));
    TRY(user_remove(app->core, user.id, heir.id, &folder));
    if (id_is(folder))
        printf("the files of %s are in a folder of %s now\n", user.name, heir.name);
    return E_OK;
}

int cmd_user_remove(struct app *app, int argc, char **argv)
{
    const char *files = NULL;
    if (!command_options(&argc, argv, (struct option_row[]){{"--files", NULL, &files}, {0}}) || argc != 2 ||
        (files != NULL && strcmp(files, "delete") != 0 && strncmp(files, "transfer=", 9) != 0))
        return command_usage("user remove");
    return done("user remove", remove_user(app, argv[1], files));
}

/* ---- links ---- */
static void print_link(const char *link, int64_t expires_ms)
{
    char until[CLOCK_TEXT_MAX];
    clock_rfc3339(expires_ms, until);
    printf("%s\n", link);
    fprintf(stderr, "for one use, until %s\n", until);
}

static enum err invite(struct app *app, uint64_t days)
{
    char token[ADMIN_TOKEN_SIZE];
    int64_t expires_ms;
    TRY(app_core(app));
    TRY(invite_create(app->core, (int64_t)days * DAY_MS, token, &expires_ms));
    print_link(invite_link(app->core, app->mem, token), expires_ms);
    if (strcmp(app->conf->site_register, "invite") != 0)
        fprintf(stderr, "site.register is %s: it holds once that is invite\n", app->conf->site_register);
    return E_OK;
}

int cmd_user_invite(struct app *app, int argc, char **argv)
{
    const char *text = "7";
    uint64_t days;
    if (!command_options(&argc, argv, (struct option_row[]){{"--days", NULL, &text}, {0}}) || argc != 1 ||
        parse_u64(text, 1, DAYS_MOST, &days) != E_OK)
        return command_usage("user invite");
    return done("user invite", invite(app, days));
}

static enum err reset(struct app *app, const char *name)
{
    char token[ADMIN_TOKEN_SIZE];
    int64_t expires_ms;
    struct user user;
    TRY(find(app, name, &user));
    TRY(reset_create(app->core, user.id, token, &expires_ms));
    print_link(reset_link(app->core, app->mem, token), expires_ms);
    return E_OK;
}

int cmd_user_reset(struct app *app, int argc, char **argv)
{
    if (!command_options(&argc, argv, none) || argc != 2)
        return command_usage("user reset");
    return done("user reset", reset(app, argv[1]));
}
