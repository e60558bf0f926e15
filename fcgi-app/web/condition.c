#include "web/condition.h"

#include "base/mem.h"
#include "http/cond.h"

static enum err match_tags(struct walk *w, struct expect *out)
{
    const char *const *tags;
    size_t n;
    TRY(cond_tags(w, w->req->if_match, true, &out->must_exist, &tags, &n));
    struct id *ids = mem_array(w, struct id, n + 1);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (id_parse(tags[i], &ids[kept]) == E_OK)
            kept++;
    if (kept == 0 && !out->must_exist)
        kept = 1; /* the nil id: no blob has it, so the condition fails */
    out->etags = ids;
    out->n = kept;
    return E_OK;
}

enum err condition_expect(struct walk *w, struct expect *out)
{
    const char *const *tags;
    size_t n;
    *out = (struct expect){0};
    if (w->req->if_match != NULL)
        TRY(match_tags(w, out));
    if (w->req->if_none_match == NULL)
        return E_OK;
    TRY(cond_tags(w, w->req->if_none_match, false, &out->must_not_exist, &tags, &n));
    if (!out->must_not_exist)
        return err_say(E_BAD_REQUEST, "If-None-Match of a write takes only *.");
    return E_OK;
}
