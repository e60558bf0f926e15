#include "web/cookie.h"

#include <assert.h>

#include "base/mem.h"

#define DEVICE_MAX_AGE_S 31536000 /* a year from the last sign-in */

const char *cookie_session_name(const struct conf *conf)
{
    return conf->https ? "__Host-coffer" : "coffer";
}

const char *cookie_device_name(const struct conf *conf)
{
    return conf->https ? "__Host-coffer-device" : "coffer-device";
}

static enum err add(struct walk *w, const char *name, const char *value, int64_t max_age_s)
{
    assert(w->reply.n_cookies < sizeof w->reply.set_cookie / sizeof *w->reply.set_cookie);
    w->reply.set_cookie[w->reply.n_cookies++] =
        mem_printf(w, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s", name, value, (long long)max_age_s,
                   w->site->conf->https ? "; Secure" : "");
    return E_OK;
}

enum err cookie_session(struct walk *w, const char *token)
{
    return add(w, cookie_session_name(w->site->conf), token, w->site->conf->session_max / 1000);
}

enum err cookie_session_clear(struct walk *w)
{
    return add(w, cookie_session_name(w->site->conf), "", 0);
}

enum err cookie_device(struct walk *w, const char *value)
{
    return add(w, cookie_device_name(w->site->conf), value, DEVICE_MAX_AGE_S);
}
