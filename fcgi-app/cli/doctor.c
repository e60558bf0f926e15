#include "cli/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/command.h"

const struct doctor_check doctor_checks[] = {
    {"folders", "The folders are there, the service's own, and closed to others.", DOCTOR_START, doctor_folders},
    {"secrets", "Database, keys and settings are readable to the service alone.", DOCTOR_START, doctor_secrets},
    {"one-disk", "Uploads arrive on the file system where contents stay.", DOCTOR_START, doctor_one_disk},
    {"local-disk", "The database is on a local disk.", DOCTOR_FIRST, doctor_local_disk},
    {"free-space", "There is room for uploads.", DOCTOR_START, doctor_free_space},
    {"clock", "The clock is right.", DOCTOR_START, doctor_clock},
    {"shared-uid", "No other service runs as this user.", DOCTOR_START, doctor_user},
    {"address", "Passwords cross no network readable.", DOCTOR_START, doctor_address},
    {"certificate", "The certificate fits its key and is not about to expire.", DOCTOR_START, doctor_certificate},
    {"pages", "Templates and built style sheets are there.", DOCTOR_START, doctor_pages},
    {"front-key", "The web server's parameters hold the key that Coffer expects.", DOCTOR_START, doctor_front_key},
    {"mongodb", "MongoDB can be reached, lets Coffer in, is a replica set and recent enough.", DOCTOR_COMMAND, doctor_mongodb},
    {"s3", "The bucket can be written to and read: keys, permissions, region, clock.", DOCTOR_COMMAND, doctor_s3},
    {"stores", "Records and contents open, and belong together.", DOCTOR_COMMAND, doctor_stores},
    {"web-server", "nginx runs as the same user, with a file that fits the settings (addresses, body limits, folders).", DOCTOR_COMMAND, doctor_web_server},
    {"answers", "Coffer answers through the web server.", DOCTOR_COMMAND, doctor_answers},
    {"hand-off", "A file goes in and out through the web server, bytes handed over by name.", DOCTOR_COMMAND, doctor_hand_off},
};
const size_t doctor_checks_n = sizeof doctor_checks / sizeof *doctor_checks;

static const char *const ill_names[] = {[ILL_NOTE] = "note", [ILL_WARNING] = "warning", [ILL_ERROR] = "error", [ILL_FATAL] = "error"};

void doctor_tell(struct doctor *d, enum ill ill, const char *cure, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    char *text = talloc_vasprintf(d->mem, what, args);
    va_end(args);
    if (ill > d->worst)
        d->worst = ill;
    d->tell(d->arg, ill, d->code, text, cure);
}

/* At the start those of that moment, by the command all. */
static void run_checks(struct doctor *d, enum doctor_when when)
{
    for (size_t i = 0; i < doctor_checks_n; i++) {
        d->code = doctor_checks[i].code;
        if (when == DOCTOR_COMMAND || doctor_checks[i].when == when)
            doctor_checks[i].run(d);
    }
}

/* ---- at the start of serve ---- */
static void tell_log(void *arg, enum ill ill, const char *code, const char *what, const char *cure)
{
    char *fatal = arg;
    if (ill == ILL_FATAL)
        snprintf(fatal, 400, "%s %s", what, cure);
    else if (ill >= ILL_WARNING)
        log_say(ill == ILL_ERROR ? LOG_ERROR : LOG_WARN, "doctor", "%s: %s %s", code, what, cure);
}

enum err doctor_quick(const struct conf *conf, enum doctor_when when)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    char fatal[400] = "";
    struct doctor d = {.mem = mem, .conf = conf, .tell = tell_log, .arg = fatal};
    run_checks(&d, when);
    return d.worst == ILL_FATAL ? err_set(E_CONF, "%s", fatal) : E_OK;
}

/* ---- the command ---- */
static void tell_line(void *arg, enum ill ill, const char *code, const char *what, const char *cure)
{
    (void)arg;
    printf("%s %s: %s %s\n", ill_names[ill], code, what, cure);
}

static void tell_json(void *arg, enum ill ill, const char *code, const char *what, const char *cure)
{
    json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:s}", "level", ill_names[ill], "code", code, "what", what, "cure", cure));
}

int cmd_doctor(struct app *app, int argc, char **argv)
{
    bool json = false;
    struct doctor d = {.mem = app->mem, .conf = app->conf, .app = app, .tell = tell_line};
    if (!command_options(&argc, argv, (struct option_row[]){{"--json", &json, NULL}, {0}}) || argc > 1)
        return command_usage("doctor");
    if (json) {
        d.tell = tell_json;
        d.arg = json_own_array(app->mem);
    }
    run_checks(&d, DOCTOR_COMMAND);
    if (json)
        puts(json_text(app->mem, d.arg, NULL));
    else if (d.worst < ILL_WARNING)
        printf("all %zu checks are well\n", doctor_checks_n);
    return d.worst >= ILL_ERROR ? 2 : d.worst == ILL_WARNING ? 1 : 0;
}
