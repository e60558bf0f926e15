#include "base/json.h"
#include "base/mem.h"
#include "core/node.h"
#include "core/upload.h"
#include "web/handlers.h"
#include "web/upload_form.h"
#include "web/walk.h"

enum err h_upload_reserve(struct walk *w)
{
    const struct in_upload *in = w->in;
    struct upload_target t = {.parent = in->parent, .conflict = CONFLICT_RENAME};
    struct upload upload;
    TRY(upload_reserve(w->site->core, w, &w->who, &t, w->req->length, &upload));
    w->upload = upload.id;
    return E_OK;
}

/* One file: its record, or its failure as the answer. Several: each with its own result. */
static enum err answer(struct walk *w, json_t *results, size_t stored, enum err first)
{
    if (stored == 0)
        return first;
    json_t *one = json_array_get(results, 0);
    if (json_array_size(results) > 1)
        return reply_data(w, 201, own(w, json_pack("{s:O}", "items", results), (void (*)(void *))json_decref));
    unsigned status = (unsigned)json_integer_value(json_object_get(one, "status"));
    json_object_del(one, "status");
    return reply_data(w, status, one);
}

enum err h_upload(struct walk *w)
{
    const struct in_upload *in = w->in;
    const struct upload_form form = {.parent = in->parent, .conflict = (enum conflict)in->conflict, .modified_ms = in->mtime_ms};
    json_t *results;
    size_t stored;
    enum err first;
    TRY(upload_form(w, &form, &results, &stored, &first));
    return answer(w, results, stored, first);
}

static void add_familiar(json_t *record)
{
    json_t *id = json_object_get(record, "id");
    if (id == NULL)
        return;
    json_object_set(record, "s3_key", id);
    json_object_set_new(record, "status", json_string("uploaded"));
}

enum err h_familiar_upload(struct walk *w)
{
    const struct in_upload *in = w->in;
    const struct upload_form form = {.parent = in->parent, .conflict = CONFLICT_REPLACE, .modified_ms = in->mtime_ms};
    json_t *results;
    size_t stored, i;
    enum err first;
    json_t *record;
    TRY(upload_form(w, &form, &results, &stored, &first));
    if (walk_html(w) && stored > 0)
        return reply_see(w, "/");
    TRY(answer(w, results, stored, first));
    json_array_foreach(results, i, record) {
        add_familiar(record);
    }
    return E_OK;
}
