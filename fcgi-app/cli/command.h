/* The commands of the program `coffer`: one row each in command.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "app.h"

/* An option in the help: what it does. */
struct option_help {
    const char *name, *what;
};

/* Exit statuses: 0 done, 1 failed (fsck: repaired; import, export, backup: something was left out; doctor: warnings), 2 (fsck:
 * damaged; doctor: errors), 64 wrong usage, 78 bad configuration (sysexits.h). The same words stand in coffer(8). */
struct command {
    const char *name;    /* one word, or two: "user add" */
    const char *args;    /* for the usage line */
    const char *summary; /* one sentence; NULL: not in the list */
    bool bare;           /* runs without a configuration */
    int (*run)(struct app *app, int argc, char **argv); /* argv[0] is the command's name */
    const struct option_help *options; /* ended by a row without name; NULL: none */
    const char *about;   /* what else there is to know; NULL: nothing */
};

extern const struct command commands[];
extern const size_t commands_n;

int cmd_serve(struct app *app, int argc, char **argv);
int cmd_keeper(struct app *app, int argc, char **argv);
int cmd_front(struct app *app, int argc, char **argv);
int cmd_user_add(struct app *app, int argc, char **argv);
int cmd_user_list(struct app *app, int argc, char **argv);
int cmd_user_passwd(struct app *app, int argc, char **argv);
int cmd_user_disable(struct app *app, int argc, char **argv);
int cmd_user_enable(struct app *app, int argc, char **argv);
int cmd_user_role(struct app *app, int argc, char **argv);
int cmd_user_quota(struct app *app, int argc, char **argv);
int cmd_user_remove(struct app *app, int argc, char **argv);
int cmd_user_invite(struct app *app, int argc, char **argv);
int cmd_user_reset(struct app *app, int argc, char **argv);
int cmd_import(struct app *app, int argc, char **argv);
int cmd_export(struct app *app, int argc, char **argv);
int cmd_backup(struct app *app, int argc, char **argv);
int cmd_restore(struct app *app, int argc, char **argv);
int cmd_migrate(struct app *app, int argc, char **argv);
int cmd_doctor(struct app *app, int argc, char **argv);
int cmd_fsck(struct app *app, int argc, char **argv);
int cmd_gc(struct app *app, int argc, char **argv);
int cmd_config(struct app *app, int argc, char **argv);
int cmd_version(struct app *app, int argc, char **argv);
int cmd_help(struct app *app, int argc, char **argv);
int cmd_man(struct app *app, int argc, char **argv);

/* ---- shared by commands ---- */
/* A failure on standard error, "coffer user add: name-taken: ...", returning the exit status for it. */
int command_fail(const char *command, enum err e);
int command_usage(const char *command);
/* What `coffer COMMAND --help` prints. */
void command_help(const struct command *command);
/* The command that the first one or two of these words name; *words_out tells how many. NULL: none. */
const struct command *command_find(int argc, char **argv, int *words_out);

struct option_row {
    const char *name; /* "--repair" */
    bool *flag;       /* set true; or */
    const char **value; /* takes the next argument */
};
/* Take options (before or between the other arguments) out of argv; what is left is handed back in order.
 * False, after a line on standard error, for an unknown one. rows end with a row without name. */
bool command_options(int *argc, char **argv, const struct option_row *rows);

/* A password from the terminal (not echoed, asked twice) or the first line of standard input, on ctx. */
enum err command_password(const void *ctx, const char *prompt, const char **password_out) MUST_CHECK;
