#include "app.h"

#include "crypt/crypt.h"
#include "jobs/lock.h"

enum err app_core(struct app *app)
{
    if (app->core != NULL)
        return E_OK;
    TRY(crypt_start());
    TRY(lock_data(app->conf, LOCK_WITH_OTHERS, &app->lock_fd)); /* until the program ends */
    return core_open(app->mem, app->conf, NULL, &clock_real, &app->core);
}

struct who app_operator(void)
{
    return (struct who){.kind = WHO_OPERATOR, .scopes = VERB_ALL, .address = ""};
}
