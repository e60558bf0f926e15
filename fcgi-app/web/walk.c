/* Read this, know the program: every request goes once through this list, from top to bottom. A stage that
 * fails makes the request a problem and skips to the stages marked `always`. */
#include "web/walk.h"

#include "base/clock.h"
#include "base/mem.h"

static const struct stage {
    const char *name;
    enum err (*run)(struct walk *w);
    bool always;
} stages[] = {
    {"read", stage_read, false},   /* FastCGI -> request: sizes, UTF-8, one of each header; the front's key */
    {"match", stage_match, false}, /* routes -> the row, path arguments; is this host ours?                  */
    {"limit", stage_limit, false}, /* body size, time spent in the queue                                     */
    {"who", stage_who, false},     /* cookie -> session -> who asks                                          */
    {"csrf", stage_csrf, false},   /* no other site speaks for our users                                     */
    {"allow", stage_allow, false}, /* early refusal only: core asks about rights where the effect is         */
    {"form", stage_form, false},   /* body and query -> the route's struct, field by field                   */
    {"act", stage_act, false},     /* the handler: calls core, fills the reply                               */
    {"reply", stage_reply, true},  /* the only writer of headers and bodies                                  */
    {"note", stage_note, true},    /* one log line                                                           */
};

void walk_run(const struct site *site, struct fcgi *fcgi)
{
    struct walk *w = mem_new(NULL, struct walk);
    w->mem = w;
    w->site = site;
    w->fcgi = fcgi;
    w->began_ms = clock_monotonic_ms();
    resp_init(&w->resp, w);
    err_clear();

    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        if (w->reply.problem != E_OK && !stages[i].always)
            continue;
        enum err e = stages[i].run(w);
        if (w->reply.problem == E_OK)
            w->reply.problem = e;
    }
    talloc_free(w);
}
