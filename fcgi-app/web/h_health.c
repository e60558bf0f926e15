#include "web/handlers.h"
#include "web/walk.h"

/* For load balancers: can this process serve? No details; those are in the log. */
enum err h_health(struct walk *w)
{
    struct core *c = w->site->core;
    TRY(c->meta->ops->ping(c->meta));
    return reply_text(w, "text/plain; charset=utf-8", "ok\n");
}
