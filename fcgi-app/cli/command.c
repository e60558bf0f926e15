#include "cli/command.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"

static const struct option_help import_options[] = {
    {"--link", "Give each file a second name in the data folder instead of copying it: nothing is read, no room is needed. Only on the same file "
               "system; what cannot be linked is copied. The originals must not be written to afterwards."},
    {"--copy", "Copy each file; where the file system can share bytes between files, it does. This is the default."},
    {"--replace", "Replace files that are there with another size or time. Without it they are left out, and told."},
    {0},
};
static const struct option_help export_options[] = {
    {"--replace", "Replace files that are there with another size or time. Without it they are left out, and told."},
    {0},
};
static const struct option_help backup_options[] = {
    {"--link", "Give each content a second name instead of copying it: no room is needed, but the backup lives and dies with the disk."},
    {0},
};
static const struct option_help json_option[] = {{"--json", "Print JSON, for programs."}, {0}};
static const struct option_help fsck_options[] = {
    {"--deep", "Read all contents and compare their SHA-256."},
    {"--repair", "Put right what can be computed; move files without a record to lost/."},
    {"--json", "Print JSON, for programs."},
    {0},
};
static const struct option_help migrate_options[] = {
    {"--metadata", "The records: SQLite to MongoDB, or back. Sessions stay valid."},
    {"--blobs", "The contents of files: disk to S3, or back."},
    {"--json", "Print JSON, for programs."},
    {0},
};
static const struct option_help serve_options[] = {
    {"--single", "One plain worker on descriptor 0, for spawn-fcgi and mod_fcgid; run coffer keeper --once by a timer beside it."},
    {0},
};
static const struct option_help user_add_options[] = {
    {"--admin", "The account gets the role admin."},
    {"--if-first", "Do nothing when there is any account already."},
    {0},
};

static const struct option_help user_remove_options[] = {
    {"--files", "delete: its files go too. transfer=NAME: they become a folder of that account, whatever its quota."},
    {0},
};
static const struct option_help user_invite_options[] = {{"--days", "How long it holds: 1 to 365, 7 unless said."}, {0}};

const struct command commands[] = {
    {"serve", "[--single]", "Run the workers: master, pools and keeper.", false, cmd_serve, serve_options,
     "Checks the configuration, brings the database up to date, then answers on the sockets in server.run until it is told to stop. "
     "HUP reads the configuration anew without a failed request; TERM lets requests finish."},
    {"keeper", "--once", "Do what the keeper does once, for installations without the master.", false, cmd_keeper, NULL,
     "Expiry, deletion in the background, collection, hashes, the spool. Run it every minute where coffer serve --single is used."},
    {"front", "nginx", "Print the web server's configuration and write its parameter file, which holds the key.", false, cmd_front, NULL,
     "The file fits the settings; write it anew and reload nginx when they change. coffer doctor tells when that was forgotten."},
    {"user add", "[--admin] [--if-first] NAME", "Make an account; the password comes from the terminal or standard input.", false, cmd_user_add,
     user_add_options, NULL},
    {"user list", "[--json]", "List the accounts.", false, cmd_user_list, json_option, "With --json each line is one account."},
    {"user passwd", "NAME", "Set a password and end all sessions of the account.", false, cmd_user_passwd, NULL, NULL},
    {"user disable", "NAME", "Keep an account out; its files stay, its sessions end.", false, cmd_user_disable, NULL, NULL},
    {"user enable", "NAME", "Let a disabled account in again.", false, cmd_user_enable, NULL, NULL},
    {"user role", "NAME admin|user", "Make an account an administrator's, or an ordinary one.", false, cmd_user_role, NULL,
     "Its sessions end. The last active administrator stays one."},
    {"user quota", "NAME [SIZE|none]", "Show what an account uses, or set how much it may.", false, cmd_user_quota, NULL,
     "SIZE is in bytes, with K, M, G or T (powers of 1024). It may be below what is stored: then nothing more goes in."},
    {"user remove", "[--files delete|transfer=NAME] NAME", "Remove an account.", false, cmd_user_remove, user_remove_options,
     "An account that has files goes only when it is said what becomes of them."},
    {"user invite", "[--days N]", "Print a link by which one account can be made.", false, cmd_user_invite, user_invite_options,
     "For installations with site.register = invite."},
    {"user reset", "NAME", "Print a link by which a new password can be set once, within an hour.", false, cmd_user_reset, NULL, NULL},
    {"import", "[--link|--copy] [--replace] DIR NAME:/FOLDER", "Take a folder of this machine into an account; run again, it goes on.", false,
     cmd_import, import_options,
     "Everything below DIR goes into the folder of that account, which is made when it is missing; times are kept. Symbolic links, devices, what "
     "cannot be read and names that cannot be kept are told line by line on standard error and counted. What is there already with the same size "
     "and time is not moved again, so an import that was broken off is finished by the same command. The account's quota holds."},
    {"export", "[--replace] NAME:/FOLDER DIR", "Write an account's folder as plain files; run again, it goes on.", false, cmd_export, export_options,
     "Writes everything below the folder (or the one file) into DIR, with its times. A file gets its name when it is complete."},
    {"backup", "[--link] DIR", "Copy all records and contents into a folder while people work; run again, only what is new is copied.", false,
     cmd_backup, backup_options,
     "The records are those of one moment, the contents those they refer to; collection waits meanwhile. Sessions are not part of a backup. From "
     "S3 all contents are fetched, the first time. Whatever the stores, DIR is laid out as a data folder with SQLite and disk; backup.json in it is "
     "written when it is complete and checked. Keep a copy of it elsewhere."},
    {"restore", "DIR", "Put a backup into empty stores.", false, cmd_restore, NULL,
     "The stores are those that the configuration names, not necessarily of the kind that the backup was made from; there must be no records and no "
     "contents in them. A restore that was broken off is begun again by the same command. Afterwards everybody signs in anew. coffer "
     "fsck --deep then reads all of it once."},
    {"migrate", "--metadata|--blobs [--json] FROM TO", "Move the records, or the contents, to another kind of store; run again, it goes on.", false,
     cmd_migrate, migrate_options,
     "FROM and TO are written as in the settings: sqlite:PATH, mongodb://HOST/DATABASE; disk:PATH, s3://BUCKET/PREFIX; - is the one that the "
     "settings name, so a password need not stand in a command line. Coffer must not run meanwhile, on any machine. What is there already is not "
     "copied again; all of it is read back and compared by SHA-256. FROM is never changed, and TO has to be empty or the half of an earlier run. "
     "At the end it says what to change in the settings."},
    {"doctor", "[--json]", "Look for what goes wrong in the field, and name the cure.", false, cmd_doctor, json_option,
     "One line for each finding: how bad it is, its code, what is wrong, and the cure. Among other things it uploads a file as one of the accounts "
     "and deletes it again."},
    {"fsck", "[--deep] [--repair] [--json]", "Check that records and stored contents agree.", false, cmd_fsck, fsck_options, NULL},
    {"gc", "[--json]", "Remove contents that no file refers to, and what crashes left behind.", false, cmd_gc, json_option,
     "The keeper does the same by itself, after gc.grace."},
    {"config", "[--json]", "Print every setting, its value and where it came from; secrets are masked.", false, cmd_config, json_option, NULL},
    {"version", "", "Print the version.", true, cmd_version, NULL, NULL},
    {"help", "[COMMAND]", "Print the list of commands, or what one does.", true, cmd_help, NULL, NULL},
    {"man", "coffer.8|coffer.conf.5", NULL, true, cmd_man, NULL, NULL},
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

const struct command *command_find(int argc, char **argv, int *words_out)
{
    for (size_t i = 0; i < commands_n; i++) {
        const char *space = strchr(commands[i].name, ' ');
        size_t first = space != NULL ? (size_t)(space - commands[i].name) : strlen(commands[i].name);
        if (strlen(argv[0]) != first || memcmp(argv[0], commands[i].name, first) != 0)
            continue;
        if (space != NULL && (argc < 2 || strcmp(argv[1], space + 1) != 0))
            continue;
        *words_out = space != NULL ? 2 : 1;
        return &commands[i];
    }
    return NULL;
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
