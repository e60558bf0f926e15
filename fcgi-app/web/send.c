#include "web/send.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/media.h"
#include "http/cond.h"
#include "http/range.h"

#define HEAD_MAX 65536

/* The web server's hands: how it sends what it has or can get. It takes files from disk and, when it is nginx, from S3. */
enum hands { HANDS_NONE, HANDS_ACCEL, HANDS_SENDFILE, HANDS_PROXY };

/* Not when If-Match stands: nginx without an ETag of its own answers 412. What is known without the contents (HEAD, an empty
 * file) needs nobody to fetch them from S3. */
static enum hands by_web_server(const struct walk *w)
{
    unsigned can = w->site->core->blobs->ops->can;
    bool accel = strcmp(w->req->hands, "x-accel-redirect") == 0;
    if (w->req->if_match != NULL)
        return HANDS_NONE;
    if (can & BLOB_CAN_SENDFILE)
        return accel ? HANDS_ACCEL : strcmp(w->req->hands, "x-sendfile") == 0 ? HANDS_SENDFILE : HANDS_NONE;
    return (can & BLOB_CAN_PROXY) && accel && w->req->method == GET && w->reply.delivery.size > 0 ? HANDS_PROXY : HANDS_NONE;
}

static enum err hand_off_file(struct walk *w, bool accel)
{
    struct blob_store *blobs = w->site->core->blobs;
    char path[64];
    TRY(blobs->ops->locate(blobs, w->reply.delivery.blob, path));
    if (accel)
        return resp_header(&w->resp, "X-Accel-Redirect", "/_blob/%s", path);
    return resp_header(&w->resp, "X-Sendfile", "%s/%s", w->site->conf->disk_path, path);
}

static enum err describe(struct walk *w)
{
    const struct delivery *d = &w->reply.delivery;
    char time[CLOCK_TEXT_MAX];
    clock_http(d->modified_ms, time);
    w->reply.etag = d->blob.s;
    TRY(resp_header(&w->resp, "Last-Modified", "%s", time));
    TRY(resp_header(&w->resp, "Cache-Control", "private, no-cache"));
    TRY(resp_header(&w->resp, "Vary", "Cookie, Authorization"));
    return E_OK;
}

/* Asked before the head goes out: after it, the only answer left would be a broken connection. A store behind a network is
 * not asked about bytes that are not going to be sent. */
static enum err check_whole(struct walk *w)
{
    struct blob_store *blobs = w->site->core->blobs;
    const struct delivery *d = &w->reply.delivery;
    uint64_t size;
    if ((blobs->ops->can & BLOB_IS_REMOTE) && (w->req->method == HEAD || d->size == 0))
        return E_OK;
    enum err e = blobs->ops->size(blobs, d->blob, &size);
    if (e == E_NOT_FOUND || (e == E_OK && size != (uint64_t)d->size))
        return err_set(E_DAMAGED, "blob %s is not there whole", d->blob.s);
    return e;
}

/* Which bytes; E_BAD_RANGE. */
static enum err plan_range(struct walk *w)
{
    const struct delivery *d = &w->reply.delivery;
    bool wanted = w->req->method == GET && cond_if_range(w->req->if_range, d->blob.s, d->modified_ms);
    TRY(range_parse(wanted ? w->req->range : NULL, (uint64_t)d->size, &w->range));
    if (w->range.whole)
        w->range = (struct range){.whole = true, .first = 0, .last = d->size > 0 ? (uint64_t)d->size - 1 : 0};
    return E_OK;
}

/* nginx asks S3 with what is signed here, and with nothing else: see nginx/coffer-s3.conf.in. */
static enum err hand_off_proxy(struct walk *w)
{
    struct blob_store *blobs = w->site->core->blobs;
    struct blob_proxy p;
    TRY(plan_range(w));
    TRY(blobs->ops->proxy(blobs, w, w->reply.delivery.blob, w->range.whole, w->range.first, w->range.last, &p));
    TRY(resp_header(&w->resp, "Coffer-S3-Target", "%s", p.target));
    TRY(resp_header(&w->resp, "Coffer-S3-Authorization", "%s", p.authorization));
    TRY(resp_header(&w->resp, "Coffer-S3-Date", "%s", p.date));
    if (*p.token)
        TRY(resp_header(&w->resp, "Coffer-S3-Token", "%s", p.token));
    if (*p.range)
        TRY(resp_header(&w->resp, "Coffer-S3-Range", "%s", p.range));
    return resp_header(&w->resp, "X-Accel-Redirect", "/_s3");
}

/* We stream it ourselves: range and length are ours to say. */
static enum err plan_stream(struct walk *w)
{
    const struct delivery *d = &w->reply.delivery;
    const struct range *range = &w->range;
    TRY(check_whole(w));
    TRY(plan_range(w));
    w->stream = true;
    TRY(resp_header(&w->resp, "Accept-Ranges", "bytes"));
    if (range->whole)
        return resp_header(&w->resp, "Content-Length", "%lld", (long long)d->size);
    w->reply.status = 206;
    TRY(resp_header(&w->resp, "Content-Range", "bytes %llu-%llu/%lld", (unsigned long long)range->first, (unsigned long long)range->last,
                    (long long)d->size));
    return resp_header(&w->resp, "Content-Length", "%llu", (unsigned long long)(range->last - range->first + 1));
}

static enum err plan(struct walk *w)
{
    enum hands hands = by_web_server(w);
    switch (hands) {
    case HANDS_ACCEL:
    case HANDS_SENDFILE:
        return hand_off_file(w, hands == HANDS_ACCEL);
    case HANDS_PROXY:
        return hand_off_proxy(w);
    default:
        return plan_stream(w);
    }
}

enum err send_prepare(struct walk *w)
{
    const struct delivery *d = &w->reply.delivery;
    TRY(describe(w));
    switch (cond_read(w->req, d->blob.s, d->modified_ms)) {
    case COND_NOT_MODIFIED:
        w->reply.status = 304;
        return E_OK;
    case COND_FAILED:
        return err_set(E_PRECONDITION, "the tag or time asked for is not this file's");
    case COND_SEND:
        break;
    }
    TRY(resp_header(&w->resp, "Content-Type", "%s", media_sent_as(d->type)));
    TRY(resp_header(&w->resp, "Content-Disposition", "%s", resp_disposition(w, d->name, d->attachment)));
    return plan(w);
}

static enum err write_piece(void *arg, const void *bytes, size_t n)
{
    struct walk *w = arg;
    TRY(fcgi_write(w->fcgi, bytes, n));
    w->bytes_sent += n;
    return E_OK;
}

static enum err send_blob(struct walk *w)
{
    struct blob_store *blobs = w->site->core->blobs;
    if (w->req->method == HEAD || w->reply.delivery.size == 0)
        return E_OK;
    return blobs->ops->read(blobs, w->reply.delivery.blob, w->range.first, w->range.last - w->range.first + 1, write_piece, w);
}

enum err send_all(struct walk *w)
{
    struct buf head;
    buf_init(&head, w, HEAD_MAX);
    resp_head_text(&w->resp, &head);
    TRY(buf_ok(&head));
    bool stream = w->stream && w->reply.problem == E_OK;
    if (stream)
        fcgi_bulk(w->fcgi);
    TRY(fcgi_write(w->fcgi, head.data, head.len));
    if (stream)
        return send_blob(w);
    if (w->resp.body_len == 0 || (w->req != NULL && w->req->method == HEAD))
        return E_OK;
    return write_piece(w, w->resp.body, w->resp.body_len);
}
