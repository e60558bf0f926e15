/* `coffer doctor`: what goes wrong in the field, found before people do. */
#pragma once
#include "app.h"
#include "base/err.h"

enum ill { ILL_NOTE, ILL_WARNING, ILL_ERROR, ILL_FATAL /* goes on losing data: serve does not start */ };

struct doctor {
    void *mem;
    const struct conf *conf;
    struct app *app;      /* for checks that are not quick */
    const char *code;     /* of the check at hand */
    enum ill worst;
    /* `what` is wrong, and the `cure`; both sentences. */
    void (*tell)(void *arg, enum ill ill, const char *code, const char *what, const char *cure);
    void *arg;
};

enum doctor_when {
    DOCTOR_COMMAND, /* opens stores, asks others */
    DOCTOR_START,   /* quick, also done at each start of `serve` */
    DOCTOR_FIRST,   /* the same, before anything is written */
};

/* One check; it tells what it finds, by as many lines as it takes. The command's help lists them. */
struct doctor_check {
    const char *code, *what;
    enum doctor_when when;
    void (*run)(struct doctor *d);
};
extern const struct doctor_check doctor_checks[];
extern const size_t doctor_checks_n;

/* What `serve` asks at its start: findings go to the log; E_CONF for a fatal one. */
enum err doctor_quick(const struct conf *conf, enum doctor_when when) MUST_CHECK;

PRINTF(4, 5) void doctor_tell(struct doctor *d, enum ill ill, const char *cure, const char *what, ...);

/* ---- doctor_disk.c ---- */
void doctor_folders(struct doctor *d);
void doctor_secrets(struct doctor *d);
void doctor_one_disk(struct doctor *d);
void doctor_local_disk(struct doctor *d);
void doctor_free_space(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_user(struct doctor *d);
/* ---- doctor_stores.c ---- */
void doctor_mongodb(struct doctor *d);
void doctor_s3(struct doctor *d);
/* ---- doctor_web.c ---- */
void doctor_address(struct doctor *d);
void doctor_certificate(struct doctor *d);
void doctor_pages(struct doctor *d);
void doctor_front_key(struct doctor *d);
void doctor_web_server(struct doctor *d);
void doctor_stores(struct doctor *d);
void doctor_answers(struct doctor *d);
void doctor_hand_off(struct doctor *d);
