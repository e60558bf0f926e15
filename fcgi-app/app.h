/* What a command works with: the configuration, and the stores once it asks for them. */
#pragma once
#include "core/core.h"

struct app {
    void *mem;
    const struct conf *conf;
    const char *conf_file; /* as given by --config; NULL = found by conf_load */
    struct core *core;     /* after app_core */
    int lock_fd;           /* held from app_core on (jobs/lock.h) */
};

/* Open the stores (core_open). E_BUSY while a command works on them alone, E_STORE_DOWN, E_FOREIGN_STORE, E_CONF. */
enum err app_core(struct app *app) MUST_CHECK;

/* The command line itself, as one who may do everything. */
struct who app_operator(void);
