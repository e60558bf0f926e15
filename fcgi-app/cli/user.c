#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/command.h"
#include "core/session.h"

#define PAGE 500

static enum err any_account(struct app *app, bool *any_out)
{
    struct user *users;
    size_t n;
    TRY(user_all(app->core, app->mem, "", 1, &users, &n));
    *any_out = n > 0;
    return E_OK;
}

static enum err add(struct app *app, const char *name, bool admin, bool if_first)
{
    const char *password;
    struct user user;
    bool any = false;
    TRY(app_core(app));
    if (if_first)
        TRY(any_account(app, &any));
    if (any)
        return E_OK;
    TRY(command_password(app->mem, "Password", &password));
    TRY(user_create(app->core, app->mem, name, password, admin ? ROLE_ADMIN : ROLE_USER, &user));
    printf("%s %s\n", user.id.s, user.name);
    return E_OK;
}

int cmd_user_add(struct app *app, int argc, char **argv)
{
    bool admin = false, if_first = false;
    if (!command_options(&argc, argv, (struct option_row[]){{"--admin", &admin, NULL}, {"--if-first", &if_first, NULL}, {0}}) ||
        argc != 2)
        return command_usage("user add");
    enum err e = add(app, argv[1], admin, if_first);
    return e == E_OK ? 0 : command_fail("user add", e);
}

static void print_user(const struct user *u, bool json)
{
    char created[CLOCK_TEXT_MAX];
    const char *role = u->role == ROLE_ADMIN ? "admin" : "user", *state = u->state == USER_ACTIVE ? "active" : "disabled";
    clock_rfc3339(u->created_ms, created);
    if (!json) {
        printf("%-20s %-6s %-9s %s\n", u->name, role, state, created);
        return;
    }
    json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s}", "id", u->id.s, "username", u->name, "role", role, "state", state, "created", created);
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}

static enum err list(struct app *app, bool json)
{
    const char *after = "";
    struct user *users;
    size_t n;
    TRY(app_core(app));
    do {
        TRY(user_all(app->core, app->mem, after, PAGE, &users, &n));
        for (size_t i = 0; i < n; i++)
            print_user(&users[i], json);
        after = n > 0 ? users[n - 1].key : after;
    } while (n == PAGE);
    return E_OK;
}

int cmd_user_list(struct app *app, int argc, char **argv)
{
    bool json = false;
    if (!command_options(&argc, argv, (struct option_row[]){{"--json", &json, NULL}, {0}}) || argc != 1)
        return command_usage("user list");
    enum err e = list(app, json);
    return e == E_OK ? 0 : command_fail("user list", e);
}

static enum err set_password(struct app *app, const char *name)
{
    const char *password;
    struct user user;
    TRY(app_core(app));
    TRY(user_find(app->core, app->mem, name, &user));
    TRY(command_password(app->mem, "New password", &password));
    return user_set_password(app->core, user.id, user.name, password, (struct id){""});
}

int cmd_user_passwd(struct app *app, int argc, char **argv)
{
    if (!command_options(&argc, argv, (struct option_row[]){{0}}) || argc != 2)
        return command_usage("user passwd");
    enum err e = set_password(app, argv[1]);
    return e == E_OK ? 0 : command_fail("user passwd", e);
}
