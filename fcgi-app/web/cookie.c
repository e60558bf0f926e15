#include "web/cookie.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "crypt/crypt.h"

#define DEVICE_AGE_S (INT64_C(365) * 24 * 3600)

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

/* The whole cookie for an account (folded name) and a random part. */
static const char *device_value(const struct walk *w, const char *key, const char *random)
{
    unsigned char mac[HMAC_BYTES];
    const char *text = mem_printf(w, "device\n%s\n%s", key, random);
    char *value = mem_printf(w, "%s.", random);
    hmac_sha256(w->site->front_key, strlen(w->site->front_key), text, strlen(text), mac);
    for (size_t i = 0; i < sizeof mac; i++)
        value = mem_printf(w, "%s%02x", value, mac[i]);
    return value;
}

const char *cookie_device_of(const struct walk *w, const char *username)
{
    const char *cookie = w->req->cookie_device;
    char key[LOGIN_MAX_BYTES + 1];
    if (cookie == NULL || strlen(cookie) != TOKEN_LEN + 1 + 2 * HMAC_BYTES || login_key(username, key) != E_OK)
        return NULL;
    const char *random = mem_strn(w, cookie, TOKEN_LEN);
    return token_equal(cookie, device_value(w, key, random)) ? random : NULL;
}

enum err cookie_device(struct walk *w, const char *username)
{
    char key[LOGIN_MAX_BYTES + 1], random[TOKEN_LEN + 1];
    if (cookie_device_of(w, username) != NULL)
        return E_OK;
    TRY(login_key(username, key));
    token_new(random);
    return add(w, cookie_device_name(w->site->conf), device_value(w, key, random), DEVICE_AGE_S);
}
