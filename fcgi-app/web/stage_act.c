#include "base/log.h"
#include "base/mem.h"
#include "core/upload.h"
#include "web/walk.h"

static enum err act_reserve(struct walk *w)
{
    if (w->route->reserve == NULL)
        return err_limit(E_TOO_LARGE, (uint64_t)w->site->conf->limits_small_body);
    TRY(w->route->reserve(w));
    return reply_empty(w);
}

/* The web server could not store the body: give the reservation back and say why. What came of the body takes the
 * room that the store needs for writing this down. */
static enum err act_disk_full(struct walk *w)
{
    enum err e = w->req->body_file[0] != '\0' ? spool_empty(w->site->conf, w->req->body_file) : E_OK;
    if (e != E_OK)
        log_err("spool", e);
    if (id_parse(w->req->upload, &w->upload) == E_OK)
        TRY(upload_abandon(w->site->core, &w->who, w->upload));
    return err_set(E_DISK_FULL, "the web server could not store an upload's body");
}

/* The web server says so after every upload by file, also one whose client went away. The word of the web server is enough: nobody
 * else can say it, and whoever signed out meanwhile should not have to wait for the reservation to expire. */
static enum err act_release(struct walk *w)
{
    struct who front = {.kind = WHO_OPERATOR};
    if (id_parse(w->req->upload, &w->upload) == E_OK)
        TRY(upload_abandon(w->site->core, &front, w->upload));
    return reply_empty(w);
}

enum err stage_act(struct walk *w)
{
    switch (w->req->phase) {
    case PHASE_RELEASE:
        return act_release(w);
    case PHASE_RESERVE:
        return act_reserve(w);
    case PHASE_DISK_FULL:
        return act_disk_full(w);
    default:
        return w->route->act(w);
    }
}
