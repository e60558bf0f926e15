#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/walk.h"

static const char *const phases[] = {
    [PHASE_PLAIN] = "", [PHASE_RESERVE] = "reserve", [PHASE_COMMIT] = "commit", [PHASE_DISK_FULL] = "disk-full", [PHASE_RELEASE] = "release"};

/* A client's fault is its own business; ours is an error that someone should read. */
static enum log_level level_of(const struct walk *w)
{
    return w->reply.problem != E_OK ? (enum log_level)err_level(w->reply.problem) : LOG_INFO;
}

enum err stage_note(struct walk *w)
{
    struct log_line line;
    log_begin(&line, level_of(w), "request");
    log_str(&line, "route", w->route != NULL ? w->route->name : "none");
    log_str(&line, "method", w->req != NULL ? w->req->method_text : NULL);
    log_str(&line, "phase", w->req != NULL ? phases[w->req->phase] : NULL);
    log_int(&line, "status", w->resp.status);
    log_int(&line, "ms", clock_monotonic_ms() - w->began_ms);
    log_int(&line, "in", w->req != NULL && w->req->length > 0 ? w->req->length : 0);
    log_int(&line, "out", (int64_t)w->bytes_sent);
    log_str(&line, "user", w->who.user.id.s);
    log_str(&line, "id", w->arg.s);
    log_str(&line, "from", w->req != NULL ? w->req->address : NULL);
    if (w->reply.problem != E_OK) {
        log_str(&line, "code", err_code(w->reply.problem));
        log_str(&line, "detail", err_last(w->reply.problem)->detail);
    }
    log_end(&line);
    return E_OK;
}
