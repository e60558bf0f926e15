/* The program: finds the command in the table (cli/command.c) and runs it. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/command.h"

/* As root, become the owner of the data folder first: nothing is ever left behind that the service cannot read. */
static enum err become_owner(const struct conf *conf)
{
    struct stat st;
    if (geteuid() != 0 || stat(conf->data_path, &st) != 0 || st.st_uid == 0)
        return E_OK;
    struct passwd *pw = getpwuid(st.st_uid);
    if ((pw != NULL ? initgroups(pw->pw_name, st.st_gid) : setgroups(1, &st.st_gid)) != 0 || setgid(st.st_gid) != 0 ||
        setuid(st.st_uid) != 0)
        return err_set(E_CONF, "cannot become the owner of %s: %m", conf->data_path);
    return E_OK;
}

static enum err prepare(struct app *app)
{
    enum log_level level;
    TRY(conf_load(app->mem, app->conf_file, &app->conf));
    TRY(log_level_parse(app->conf->server_log_level, &level));
    log_setup(level, "coffer");
    return become_owner(app->conf);
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run(struct app *app, int argc, char **argv)
{
    int words = 0;
    const struct command *command = argc > 0 ? command_find(argc, argv, &words) : NULL;
    if (command == NULL) {
        cmd_help(app, argc, argv);
        return 64;
    }
    if (wants_help(argc, argv)) {
        command_help(command);
        return 0;
    }
    if (!command->bare) {
        enum err e = prepare(app);
        if (e != E_OK)
            return command_fail(command->name, e);
    }
    return command->run(app, argc - words + 1, argv + words - 1);
}

int main(int argc, char **argv)
{
    struct app app = {.mem = talloc_new(NULL)};
    char help[] = "help";
    argc--, argv++;
    if (argc >= 2 && (strcmp(argv[0], "--config") == 0 || strcmp(argv[0], "-c") == 0)) {
        app.conf_file = argv[1];
        argc -= 2, argv += 2;
    } else if (argc >= 1 && (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)) {
        argv[0] += strspn(argv[0], "-");
        argv[0] = argv[0][0] == 'h' ? help : argv[0];
    }
    int status = run(&app, argc, argv);
    talloc_free(app.mem);
    return status;
}
