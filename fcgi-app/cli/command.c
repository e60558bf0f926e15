#include "cli/command.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

const struct command commands[] = {
    {"serve", "[--single]", "Run the workers: master, pools and keeper; --single: one plain worker on descriptor 0.", false, cmd_serve},
    {"keeper", "--once", "Do what the keeper does once, for installations without the master.", false, cmd_keeper},
    {"front", "nginx", "Print the web server's configuration and write its parameter file, which holds the key.", false, cmd_front},
    {"user add", "[--admin] [--if-first] NAME", "Make an account; the password comes from the terminal or standard input.", false, cmd_user_add},
    {"user list", "[--json]", "List the accounts.", false, cmd_user_list},
    {"user passwd", "NAME", "Set a password and end all sessions of the account.", false, cmd_user_passwd},
    {"import", "[--link|--copy] [--replace] DIR NAME:/FOLDER", "Take a folder of this machine into an account; run again, it goes on.", false, cmd_import},
    {"export", "[--replace] NAME:/FOLDER DIR", "Write an account's folder as plain files; run again, it goes on.", false, cmd_export},
    {"backup", "[--link] DIR", "Copy all records and contents into a folder while people work; run again, only what is new is copied.", false, cmd_backup},
    {"restore", "DIR", "Put a backup into an empty data folder.", false, cmd_restore},
    {"fsck", "[--deep] [--repair]", "Check that records and stored contents agree; --deep reads all contents.", false, cmd_fsck},
    {"gc", "", "Remove contents that no file refers to, and what crashes left behind.", false, cmd_gc},
    {"config", "", "Print every setting, its value and where it came from; secrets are masked.", false, cmd_config},
    {"version", "", "Print the version.", true, cmd_version},
    {"help", "", "Print this list.", true, cmd_help},
};
const size_t commands_n = sizeof commands / sizeof *commands;

int command_fail(const char *command, enum err e)
{
    const struct err_info *info = err_last(e);
    const char *what = info->say[0] != '\0' ? info->say : info->detail[0] != '\0' ? info->detail : err_title(e);
    fprintf(stderr, "coffer %s: %s: %s%s%s\n", command, err_code(e), what, info->field[0] != '\0' ? " Field: " : "", info->field);
    return e == E_CONF || e == E_FOREIGN_STORE ? 78 : 1;
}

int command_usage(const char *command)
{
    for (size_t i = 0; i < commands_n; i++)
        if (strcmp(commands[i].name, command) == 0)
            fprintf(stderr, "usage: coffer %s %s\n", commands[i].name, commands[i].args);
    return 64;
}

static const struct option_row *find_option(const struct option_row *rows, const char *name)
{
    for (; rows->name != NULL; rows++)
        if (strcmp(rows->name, name) == 0)
            return rows;
    return NULL;
}

bool command_options(int *argc, char **argv, const struct option_row *rows)
{
    int kept = 1;
    bool options = true;
    for (int i = 1; i < *argc; i++) {
        if (!options || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[kept++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            options = false;
            continue;
        }
        const struct option_row *row = find_option(rows, argv[i]);
        if (row == NULL || (row->value != NULL && i + 1 == *argc)) {
            fprintf(stderr, "coffer: %s %s\n", row == NULL ? "unknown option" : "a value is missing after", argv[i]);
            return false;
        }
        if (row->value != NULL)
            *row->value = argv[++i];
        else
            *row->flag = true;
    }
    argv[kept] = NULL;
    *argc = kept;
    return true;
}

static enum err read_line(const void *ctx, const char **line_out)
{
    char line[1100];
    if (fgets(line, sizeof line, stdin) == NULL)
        return err_say(E_FIELD_INVALID, "There is no password on standard input.");
    size_t len = strcspn(line, "\r\n");
    if (len == sizeof line - 1)
        return err_say(E_FIELD_INVALID, "A password has at most 1,024 bytes.");
    *line_out = mem_strn(ctx, line, len);
    mem_wipe(line, sizeof line);
    return E_OK;
}

static enum err ask_unseen(const void *ctx, const char *prompt, const char **line_out)
{
    struct termios before, quiet;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return err_set(E_IO, "the terminal: %m");
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s: ", prompt);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    enum err e = read_line(ctx, line_out);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return e;
}

enum err command_password(const void *ctx, const char *prompt, const char **password_out)
{
    const char *again;
    if (!isatty(STDIN_FILENO))
        return read_line(ctx, password_out);
    TRY(ask_unseen(ctx, prompt, password_out));
    TRY(ask_unseen(ctx, "Once more", &again));
    return strcmp(*password_out, again) == 0 ? E_OK : err_say(E_FIELD_INVALID, "The two passwords differ.");
}

int cmd_version(struct app *app, int argc, char **argv)
{
    (void)app, (void)argc, (void)argv;
    puts("coffer " PACKAGE_VERSION);
    return 0;
}

int cmd_help(struct app *app, int argc, char **argv)
{
    (void)app, (void)argc, (void)argv;
    puts("usage: coffer [--config FILE] COMMAND [ARGUMENTS]\n");
    for (size_t i = 0; i < commands_n; i++)
        printf("  %-12s %-28s %s\n", commands[i].name, commands[i].args, commands[i].summary);
    puts("\nSettings come from the configuration file and from COFFER_SECTION_KEY in the environment; see coffer.conf(5).");
    return 0;
}
