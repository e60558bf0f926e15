#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/session.h"
#include "web/walk.h"

static enum err check_host(const struct walk *w)
{
    const char *host = w->req->host;
    for (size_t i = 0; host != NULL && w->site->conf->hosts[i] != NULL; i++)
        if (strcasecmp(host, w->site->conf->hosts[i]) == 0)
            return E_OK;
    return err_set(E_HOST, "the request names another host; add it to site.hosts if it is yours");
}

enum err stage_match(struct walk *w)
{
    enum err e = route_match(w, &w->route, &w->reply.allow);
    if (w->route == NULL || w->route->access != ACCESS_PROBE)
        TRY(check_host(w));
    return e;
}

/* How large a body may this route get through memory? Uploads have their own limit, asked by core. */
static uint64_t memory_limit(const struct walk *w)
{
    bool upload = w->route->body == BODY_RAW || w->route->body == BODY_MULTIPART;
    return (uint64_t)(upload ? w->site->conf->limits_small_body : w->site->conf->limits_json);
}

enum err stage_limit(struct walk *w)
{
    const struct conf *conf = w->site->conf;
    int64_t now = clock_now_ms(w->site->core->clock);
    if (w->route->small == POOL_LOGIN && w->req->method == POST && w->req->queued_ms > 0 &&
        now - w->req->queued_ms > conf->login_queue)
        return err_retry(E_BUSY, 2);
    if (w->route->reserve == NULL && w->req->length > 0 && (uint64_t)w->req->length > memory_limit(w))
        return err_limit(E_TOO_LARGE, memory_limit(w));
    return E_OK;
}

enum err stage_who(struct walk *w)
{
    w->who = (struct who){.kind = WHO_ANONYMOUS, .address = w->req->address};
    if (w->req->authorization != NULL) /* then cookies are ignored; a wrong one is an answer, not a fall-back */
        return err_set(E_SIGN_IN, "the Authorization header names no token of this server");
    if (w->req->cookie_session == NULL)
        return E_OK;
    enum err e = session_who(w->site->core, w, w->req->cookie_session, w->req->address, &w->who);
    if (e == E_SIGN_IN) {
        w->who = (struct who){.kind = WHO_ANONYMOUS, .address = w->req->address};
        return E_OK;
    }
    return e;
}

/* Every unsafe method, cookie or not. Browsers tell by Sec-Fetch-Site, older ones by Origin; programs send neither. */
enum err stage_csrf(struct walk *w)
{
    const struct req *r = w->req;
    if (r->method & (GET | HEAD | OPTIONS))
        return E_OK;
    if (r->sec_fetch_site != NULL) {
        if (strcmp(r->sec_fetch_site, "same-origin") == 0 || strcmp(r->sec_fetch_site, "none") == 0)
            return E_OK;
        return err_set(E_CROSS_SITE, "Sec-Fetch-Site is neither same-origin nor none");
    }
    if (r->origin != NULL && strcmp(r->origin, w->site->conf->origin) != 0)
        return err_set(E_CROSS_SITE, "Origin is not %s", w->site->conf->origin);
    return E_OK;
}

/* Contents of files are to be looked at or saved, never to be run as a part of some page. */
static enum err check_destination(const struct walk *w)
{
    static const char *const refused[] = {"script", "style", "worker", "sharedworker", "serviceworker", "object", "embed", "xslt"};
    const char *dest = w->req->sec_fetch_dest;
    for (size_t i = 0; dest != NULL && i < sizeof refused / sizeof *refused; i++)
        if (strcmp(dest, refused[i]) == 0)
            return err_say(E_FORBIDDEN, "Files kept here are not served as %ss of a page.", refused[i]);
    return E_OK;
}

enum err stage_allow(struct walk *w)
{
    if (w->req->phase == PHASE_RELEASE)
        return E_OK;
    if (w->route->access == ACCESS_USER && w->who.kind == WHO_ANONYMOUS)
        return err_set(E_SIGN_IN, "no session");
    if (w->route->face == FACE_CONTENT)
        return check_destination(w);
    return E_OK;
}
