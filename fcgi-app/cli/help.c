/* Help and manual: the commands' table and the settings' table, for a terminal and for man(1). */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/doctor.h"

#define WIDTH 100

/* A paragraph, broken between words. */
static void wrap(const char *text, int indent)
{
    int column = 0;
    while (*text != '\0') {
        int len = (int)strcspn(text, " ");
        if (column > 0 && column + 1 + len > WIDTH - indent) {
            putchar('\n');
            column = 0;
        }
        printf("%*s%.*s", column == 0 ? indent : 1, "", len, text);
        column += len + (column > 0);
        text += len;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void list_checks(void)
{
    puts("\nChecks:");
    for (size_t i = 0; i < doctor_checks_n; i++)
        printf("  %-12s %s\n", doctor_checks[i].code, doctor_checks[i].what);
}

void command_help(const struct command *c)
{
    printf("usage: coffer %s%s%s\n\n", c->name, c->args[0] != '\0' ? " " : "", c->args);
    if (c->summary != NULL)
        wrap(c->summary, 0);
    if (c->about != NULL) {
        putchar('\n');
        wrap(c->about, 0);
    }
    for (const struct option_help *o = c->options; o != NULL && o->name != NULL; o++) {
        printf("\n  %s\n", o->name);
        wrap(o->what, 6);
    }
    if (c->run == cmd_doctor)
        list_checks();
}

int cmd_help(struct app *app, int argc, char **argv)
{
    int words;
    const struct command *command = argc > 1 ? command_find(argc - 1, argv + 1, &words) : NULL;
    (void)app;
    if (command != NULL) {
        command_help(command);
        return 0;
    }
    puts("usage: coffer [--config FILE] COMMAND [ARGUMENTS]\n");
    for (size_t i = 0; i < commands_n; i++)
        if (commands[i].summary != NULL)
            printf("  %-12s %-28s %s\n", commands[i].name, commands[i].args, commands[i].summary);
    puts("\n`coffer help COMMAND` says more. Settings come from the configuration file and from COFFER_SECTION_KEY in the environment; "
         "see coffer.conf(5).");
    return argc > 1 && strcmp(argv[0], "help") == 0 ? 64 : 0;
}

/* ---- man pages ---- */
/* Text as troff takes it: a hyphen is a minus, a line does not begin with a control character. */
static void roff(const char *text)
{
    if (text[0] == '.' || text[0] == '\'')
        fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
    }
}

static void roff_line(const char *before, const char *text, const char *after)
{
    fputs(before, stdout);
    roff(text);
    fputs(after, stdout);
}

static void man_command(const struct command *c)
{
    if (c->summary == NULL)
        return;
    roff_line(".SS coffer ", c->name, "");
    roff_line(c->args[0] != '\0' ? " " : "", c->args, "\n");
    roff_line("", c->summary, "\n");
    if (c->about != NULL)
        roff_line("", c->about, "\n");
    for (const struct option_help *o = c->options; o != NULL && o->name != NULL; o++) {
        roff_line(".TP\n.B ", o->name, "\n");
        roff_line("", o->what, "\n");
    }
}

static void man_coffer(void)
{
    fputs(".TH COFFER 8 \"\" \"Coffer " PACKAGE_VERSION "\" \"System administration\"\n.SH NAME\ncoffer \\- file storage on your own server\n"
          ".SH SYNOPSIS\n.B coffer\n[\\fB\\-\\-config\\fR \\fIFILE\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n"
          "Coffer keeps people's files on their own server. This program is the service and everything that an administrator does with it. "
          "Run as root it becomes the owner of the data folder first, so that nothing is left behind that the service cannot read.\n"
          ".SH COMMANDS\n",
          stdout);
    for (size_t i = 0; i < commands_n; i++)
        man_command(&commands[i]);
    fputs(".SH CHECKS\nWhat coffer doctor looks at:\n", stdout);
    for (size_t i = 0; i < doctor_checks_n; i++) {
        roff_line(".TP\n.B ", doctor_checks[i].code, "\n");
        roff_line("", doctor_checks[i].what, "\n");
    }
    fputs(".SH EXIT STATUS\n.TP\n.B 0\nDone.\n.TP\n.B 1\nFailed. fsck: something was repaired. import, export, backup: something was left out. "
          "doctor: warnings.\n.TP\n.B 2\nfsck: damage. doctor: errors.\n.TP\n.B 64\nWrong usage.\n.TP\n.B 78\nThe configuration is not valid.\n"
          ".SH ENVIRONMENT\n.TP\n.B COFFER_CONFIG\nThe configuration file, unless \\-\\-config names one.\n"
          ".TP\n.B COFFER_SECTION_KEY\nA setting; see coffer.conf(5).\n.SH SEE ALSO\n.BR coffer.conf (5),\n.BR nginx (8)\n",
          stdout);
}

static void man_setting(const struct conf_row *row, const char *before)
{
    if (before == NULL || strcmp(before, row->section) != 0)
        roff_line(".SH [", row->section, "]\n");
    roff_line(".TP\n.B ", row->key, "\n");
    roff_line("", row->say, "\n");
    roff_line("", strcmp(row->kind, "PATH") == 0   ? "A path."
                  : strcmp(row->kind, "INT") == 0  ? "A number."
                  : strcmp(row->kind, "SIZE") == 0 ? "Bytes, with K, M, G or T."
                  : strcmp(row->kind, "TIME") == 0 ? "A time, with ms, s, m, h or d."
                  : strcmp(row->kind, "BOOL") == 0 ? "yes or no."
                                                   : "Text.",
              "\n");
    if (row->def[0] != '\0')
        roff_line("Default: ", row->def, ".\n");
    if (row->flags & CONF_REQUIRED)
        puts("Required.");
    if (row->flags & CONF_SECRET)
        puts("Secret: masked wherever it is printed.");
}

static void man_conf(void)
{
    fputs(".TH COFFER.CONF 5 \"\" \"Coffer " PACKAGE_VERSION "\" \"File formats\"\n.SH NAME\ncoffer.conf \\- settings of Coffer\n.SH DESCRIPTION\n"
          "Lines \"key = value\" below lines \"[section]\". Each setting may also be given as COFFER_SECTION_KEY in the environment, or as "
          "COFFER_SECTION_KEY_FILE naming a file whose first line is the value; the environment goes before the file. Unknown settings are errors. "
          "coffer config prints what holds.\n",
          stdout);
    for (size_t i = 0; i < conf_rows_n; i++)
        man_setting(&conf_rows[i], i > 0 ? conf_rows[i - 1].section : NULL);
    fputs(".SH SEE ALSO\n.BR coffer (8)\n", stdout);
}

int cmd_man(struct app *app, int argc, char **argv)
{
    (void)app;
    if (argc != 2)
        return command_usage("man");
    if (strcmp(argv[1], "coffer.8") == 0)
        man_coffer();
    else if (strcmp(argv[1], "coffer.conf.5") == 0)
        man_conf();
    else
        return command_usage("man");
    return 0;
}
