#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "http/form.h"
#include "web/walk.h"

#define PIECE 65536

static int close_body(struct body *b)
{
    if (b->kind == BODY_SPOOL)
        close_fd(&b->fd);
    return 0;
}

/* The whole body into memory; its length was checked by `limit`, what really comes is checked here. */
static enum err read_memory(struct walk *w, uint64_t max)
{
    struct buf text;
    char piece[PIECE];
    size_t n;
    buf_init(&text, w, (size_t)max);
    do {
        TRY(fcgi_read(w->fcgi, piece, sizeof piece, &n));
        buf_add(&text, piece, n);
        TRY(buf_ok(&text));
    } while (n > 0);
    if (w->req->length >= 0 && text.len != (uint64_t)w->req->length)
        return err_set(E_CUT_OFF, "%zu of %lld bytes came", text.len, (long long)w->req->length);
    w->body = (struct body){.kind = BODY_MEMORY, .data = text.data != NULL ? text.data : "", .size = text.len};
    return E_OK;
}

/* A web server that cannot store bodies streams them: we spool, in pool bulk, after reserving as it would have. */
static enum err read_spool(struct walk *w)
{
    char *piece = talloc_size(w, PIECE);
    uint64_t size = 0, most = (uint64_t)(w->req->length >= 0 ? w->req->length : w->site->conf->limits_chunked);
    size_t n;
    TRY(w->route->reserve(w));
    struct body *body = mem_new(w, struct body);
    TRY(spool_new(w->site->conf, &body->fd));
    body->kind = BODY_SPOOL;
    talloc_set_destructor(body, close_body);
    for (;;) {
        TRY(fcgi_read(w->fcgi, piece, PIECE, &n));
        if (n == 0)
            break;
        size += n;
        if (size > most)
            return err_limit(E_TOO_LARGE, most);
        TRY(spool_write(body->fd, piece, n));
    }
    if (w->req->length >= 0 && size != (uint64_t)w->req->length)
        return err_set(E_CUT_OFF, "%llu of %lld bytes came", (unsigned long long)size, (long long)w->req->length);
    body->size = size;
    w->body = *body;
    return E_OK;
}

static enum err take_spooled(struct walk *w)
{
    struct body *body = mem_new(w, struct body);
    TRY(spool_open(w->site->conf, w->req->body_file, &body->fd, &body->size));
    body->kind = BODY_SPOOL;
    talloc_set_destructor(body, close_body);
    if (w->req->length >= 0 && body->size != (uint64_t)w->req->length)
        return err_set(E_CUT_OFF, "the body file has %llu of %lld bytes", (unsigned long long)body->size, (long long)w->req->length);
    w->body = *body;
    return E_OK;
}

static enum err read_body(struct walk *w)
{
    const struct conf *conf = w->site->conf;
    if (w->req->phase == PHASE_COMMIT) {
        if (id_parse(w->req->upload, &w->upload) != E_OK)
            return err_set(E_FRONT, "the web server handed on a body without a reservation");
        if (w->req->body_file[0] != '\0')
            return take_spooled(w);
    }
    if (w->req->length == 0 || w->req->phase == PHASE_COMMIT) { /* nginx makes no file for an empty body */
        w->body = (struct body){.kind = BODY_MEMORY, .data = ""};
        return E_OK;
    }
    if (w->route->reserve == NULL)
        return read_memory(w, (uint64_t)conf->limits_json);
    if (w->req->length > 0 && w->req->length <= conf->limits_small_body)
        return read_memory(w, (uint64_t)conf->limits_small_body);
    return read_spool(w);
}

static bool is_type(const char *content_type, const char *want)
{
    size_t n = strlen(want);
    return content_type != NULL && strncasecmp(content_type, want, n) == 0 && (content_type[n] == '\0' || strchr("; \t", content_type[n]));
}

static enum err fill_json(struct walk *w)
{
    json_t *value;
    if (!is_type(w->req->content_type, "application/json"))
        return err_say(E_MEDIA_TYPE, "This address takes application/json.");
    TRY(json_parse(w, w->body.data, (size_t)w->body.size, &value));
    if (!json_is_object(value))
        return err_say(E_BAD_JSON, "The body must be a JSON object.");
    struct source source = {.kind = SOURCE_JSON, .json = value, .strict = true};
    return field_fill(w, w->route->fields, &source, w->in);
}

static enum err fill_form(struct walk *w)
{
    if (!is_type(w->req->content_type, "application/x-www-form-urlencoded") && w->body.size > 0)
        return err_say(E_MEDIA_TYPE, "This address takes a form.");
    TRY(form_parse(w, w->body.data, (size_t)w->body.size, &w->form, &w->n_form));
    struct source source = {.kind = SOURCE_PAIRS, .pairs = w->form, .n = w->n_form};
    return w->route->fields != NULL ? field_fill(w, w->route->fields, &source, w->in) : E_OK;
}

/* The API refuses what it does not know: a mistyped field must not pass for its default. */
static enum err fill_query(struct walk *w)
{
    struct source source = {.kind = SOURCE_PAIRS, .pairs = w->req->query, .n = w->req->n_query,
                            .strict = strncmp(w->route->pattern, "/api/", strlen("/api/")) == 0};
    return w->route->query != NULL ? field_fill(w, w->route->query, &source, w->in) : E_OK;
}

enum err stage_form(struct walk *w)
{
    w->in = talloc_zero_size(w, w->route->in_size > 0 ? w->route->in_size : 1);
    bool has_body = w->req->phase == PHASE_PLAIN || w->req->phase == PHASE_COMMIT;
    TRY(fill_query(w));
    if (!has_body || w->route->body == BODY_NONE)
        return E_OK;
    TRY(read_body(w));
    switch (w->route->body) {
    case BODY_JSON:
        return fill_json(w);
    case BODY_FORM:
        return fill_form(w);
    case BODY_JSON_OR_FORM:
        return is_type(w->req->content_type, "application/json") ? fill_json(w) : fill_form(w);
    default:
        return E_OK;
    }
}
