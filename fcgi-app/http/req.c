#include "http/req.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "http/cookie.h"
#include "http/target.h"

#define MAX_PARAMS 400 /* about 40 are the web server's own; keeps the search for duplicates short */

/* A request being made: what is kept, and what is only worked on. Rows of the table point into it. */
struct draft {
    struct req req;
    const char *content_length, *transfer_encoding, *cookie;
    const char *phase, *coffer_length, *msec, *https;
};

enum rule {
    ONCE = 1,     /* sent twice: refused */
    LIST = 2,     /* sent twice: as if sent once with a comma between (RFC 9110 5.3) */
    NO_COMMA = 4, /* a comma can only come from two that a proxy joined: refused */
    TEXT = 8,     /* "" when absent, instead of NULL */
    NOT_KEPT = 16,
};

#define TO(member) .offset = offsetof(struct draft, member)

static const struct row {
    const char *param;
    unsigned rules;
    size_t offset;
} rows[] = {
    {"REQUEST_METHOD", ONCE | TEXT, TO(req.method_text)},
    {"REQUEST_URI", ONCE | TEXT, TO(req.target)},
    {"REMOTE_ADDR", ONCE | TEXT, TO(req.address)},
    {"HTTPS", ONCE, TO(https)},
    {"CONTENT_TYPE", ONCE | NO_COMMA, TO(req.content_type)},
    {"CONTENT_LENGTH", ONCE | NO_COMMA, TO(content_length)},

    {"COFFER_FRONT", ONCE | TEXT, TO(req.front)},
    {"COFFER_SEND", ONCE | TEXT, TO(req.hands)},
    {"COFFER_PHASE", ONCE | TEXT, TO(phase)},
    {"COFFER_LENGTH", ONCE, TO(coffer_length)},
    {"COFFER_BODY_FILE", ONCE | TEXT, TO(req.body_file)},
    {"COFFER_UPLOAD", ONCE | TEXT, TO(req.upload)},
    {"COFFER_MSEC", ONCE, TO(msec)},

    {"HTTP_HOST", ONCE | NO_COMMA, TO(req.host)},
    {"HTTP_AUTHORIZATION", ONCE | NO_COMMA, TO(req.authorization)},
    {"HTTP_COOKIE", ONCE, TO(cookie)},
    {"HTTP_ORIGIN", ONCE, TO(req.origin)},
    {"HTTP_USER_AGENT", ONCE, TO(req.user_agent)},
    {"HTTP_RANGE", ONCE, TO(req.range)},
    {"HTTP_IF_RANGE", ONCE, TO(req.if_range)},
    {"HTTP_IF_MATCH", LIST, TO(req.if_match)},
    {"HTTP_IF_NONE_MATCH", LIST, TO(req.if_none_match)},
    {"HTTP_IF_MODIFIED_SINCE", ONCE, TO(req.if_modified_since)},
    {"HTTP_IF_UNMODIFIED_SINCE", ONCE, TO(req.if_unmodified_since)},
    {"HTTP_ACCEPT", LIST, TO(req.accept)},
    {"HTTP_TRANSFER_ENCODING", LIST, TO(transfer_encoding)},
    {"HTTP_SEC_FETCH_SITE", ONCE, TO(req.sec_fetch_site)},
    {"HTTP_SEC_FETCH_DEST", ONCE, TO(req.sec_fetch_dest)},
    {"HTTP_X_REQUESTED_WITH", ONCE, TO(req.requested_with)},

    /* CONTENT_TYPE and CONTENT_LENGTH hold the first of these only, so look at them all. */
    {"HTTP_CONTENT_TYPE", ONCE | NO_COMMA | NOT_KEPT, 0},
    {"HTTP_CONTENT_LENGTH", ONCE | NO_COMMA | NOT_KEPT, 0},
    /* Every proxy may add one of these; the web server reads them, we do not. */
    {"HTTP_X_FORWARDED_FOR", LIST | NOT_KEPT, 0},
};
#define N_ROWS (sizeof rows / sizeof *rows)

static const char **kept(struct draft *d, const struct row *row)
{
    return (const char **)(void *)((char *)d + row->offset);
}

static bool has_name(const char *param, const char *name, size_t name_len)
{
    return strncmp(param, name, name_len) == 0 && param[name_len] == '=';
}

/* The row of a parameter. Headers of one value that nobody reads yet fall under a row of their own, so that
 * whoever reads one later is safe. */
static const struct row *find_row(const char *param)
{
    static const struct row other = {"", ONCE | NOT_KEPT, 0};

    for (size_t i = 0; i < N_ROWS; i++) {
        if (has_name(param, rows[i].param, strlen(rows[i].param)))
            return &rows[i];
    }
    bool single = strncmp(param, "HTTP_X_", strlen("HTTP_X_")) == 0 ||
                  strncmp(param, "HTTP_SEC_FETCH_", strlen("HTTP_SEC_FETCH_")) == 0;
    return single ? &other : NULL;
}

/* "HTTP_IF_RANGE=..." as a person knows it: "if-range". */
static enum err refuse_duplicate(const char *param)
{
    char name[48];
    size_t n = 0;

    param += strncmp(param, "HTTP_", strlen("HTTP_")) == 0 ? strlen("HTTP_") : 0;
    for (; *param != '=' && *param != '\0' && n + 1 < sizeof name; param++) {
        bool plain = isalnum((unsigned char)*param) && (unsigned char)*param < 0x80;
        name[n++] = plain ? (char)tolower((unsigned char)*param) : '-';
    }
    name[n] = '\0';
    return err_say(E_DUPLICATE_HEADER, "The header %s may stand once, but was sent twice.", name);
}

static bool has_comma(const char *value)
{
    bool quoted = false;

    for (; *value != '\0'; value++) {
        if (quoted && *value == '\\' && value[1] != '\0')
            value++;
        else if (*value == '"')
            quoted = !quoted;
        else if (*value == ',' && !quoted)
            return true;
    }
    return false;
}

static bool was_sent_before(char *const *params, size_t i, size_t name_len)
{
    for (size_t before = 0; before < i; before++) {
        if (has_name(params[before], params[i], name_len))
            return true;
    }
    return false;
}

static enum err take_param(struct draft *d, char *const *params, size_t i)
{
    const char *equals = strchr(params[i], '=');
    const struct row *row = equals != NULL ? find_row(params[i]) : NULL;

    if (row == NULL)
        return E_OK;
    bool again = was_sent_before(params, i, (size_t)(equals - params[i]));
    if ((again && (row->rules & ONCE)) || ((row->rules & NO_COMMA) && has_comma(equals + 1)))
        return refuse_duplicate(params[i]);
    if (row->rules & NOT_KEPT)
        return E_OK;
    const char **field = kept(d, row);
    *field = *field != NULL ? mem_printf(d, "%s, %s", *field, equals + 1) : mem_str(d, equals + 1);
    return E_OK;
}

/* An empty header is as good as none: web servers blank a parameter to take it away. */
static void settle_absent(struct draft *d)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].rules & NOT_KEPT)
            continue;
        const char **field = kept(d, &rows[i]);
        if (rows[i].rules & TEXT)
            *field = *field != NULL ? *field : "";
        else if (*field != NULL && **field == '\0')
            *field = NULL;
    }
}

static enum err take_params(struct draft *d, char *const *params)
{
    for (size_t i = 0; params[i] != NULL; i++) {
        if (i >= MAX_PARAMS)
            return err_say(E_BAD_REQUEST, "The request has too many headers.");
        TRY(take_param(d, params, i));
    }
    settle_absent(d);
    return E_OK;
}

static enum err read_method(struct draft *d)
{
    static const struct {
        const char *text;
        enum method method;
    } methods[] = {
        {"GET", GET},     {"HEAD", HEAD},     {"POST", POST},       {"PUT", PUT},
        {"PATCH", PATCH}, {"DELETE", DELETE}, {"OPTIONS", OPTIONS},
    };

    if (d->req.method_text[0] == '\0')
        return err_set(E_BAD_REQUEST, "no REQUEST_METHOD");
    d->req.method = METHOD_OTHER;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(d->req.method_text, methods[i].text) == 0)
            d->req.method = methods[i].method;
    }
    return E_OK;
}

static enum err read_target(struct draft *d)
{
    struct target target;

    TRY(target_parse(d, d->req.target, &target));
    d->req.segments = target.segments;
    d->req.n_segments = target.n_segments;
    d->req.trailing_slash = target.trailing_slash;
    d->req.query = target.query;
    d->req.n_query = target.n_query;
    return E_OK;
}

static enum err read_phase(struct draft *d)
{
    static const struct {
        const char *text;
        enum phase phase;
    } phases[] = {
        {"", PHASE_PLAIN},
        {"reserve", PHASE_RESERVE},
        {"commit", PHASE_COMMIT},
        {"disk-full", PHASE_DISK_FULL},
        {"release", PHASE_RELEASE},
    };

    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        if (strcmp(d->phase, phases[i].text) == 0) {
            d->req.phase = phases[i].phase;
            return E_OK;
        }
    }
    return err_set(E_BAD_REQUEST, "unknown COFFER_PHASE \"%s\"", d->phase);
}

static enum err read_length(struct draft *d)
{
    bool plain = d->req.phase == PHASE_PLAIN;
    const char *text = plain ? d->content_length : d->coffer_length;

    if (text == NULL) {
        d->req.length = plain && d->transfer_encoding == NULL ? 0 : -1;
        return E_OK;
    }
    if (parse_i64(text, 0, INT64_MAX, &d->req.length) != E_OK)
        return err_say(E_BAD_REQUEST, "The header content-length is not a number.");
    return E_OK;
}

/* COFFER_MSEC, "1700000000.123". */
static enum err read_queued(struct draft *d)
{
    size_t len = d->msec != NULL ? strlen(d->msec) : 0;

    if (len == 0)
        return E_OK;
    if (len < strlen("0.000") || d->msec[len - 4] != '.')
        return err_set(E_BAD_REQUEST, "COFFER_MSEC is not seconds with three decimals");
    const char *digits = mem_printf(d, "%.*s%s", (int)(len - 4), d->msec, d->msec + len - 3);
    if (parse_i64(digits, 0, INT64_MAX, &d->req.queued_ms) != E_OK)
        return err_set(E_BAD_REQUEST, "COFFER_MSEC is not a number");
    return E_OK;
}

static enum err read_cookies(struct draft *d, const char *session, const char *device)
{
    const char *header = d->cookie != NULL ? d->cookie : "";
    char *value;

    if (cookie_find(d, header, session, &value) > 1)
        return refuse_duplicate("session cookie");
    d->req.cookie_session = value;
    /* The device cookie only sorts attempts into buckets: an ambiguous one counts as none. */
    d->req.cookie_device = cookie_find(d, header, device, &value) == 1 ? value : NULL;
    return E_OK;
}

static bool is_printable(utf8proc_int32_t c)
{
    bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
    bool direction = c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                     (c >= 0x2066 && c <= 0x2069);
    return !control && !direction && c != 0x2028 && c != 0x2029;
}

/* A text for people to read, whatever was sent: what cannot be shown becomes U+FFFD. */
static const char *displayable(const void *ctx, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t left = strlen(text);
    char *out = mem_array(ctx, char, left * 3 + 1);
    char *to = out;

    while (left > 0) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)left, &c);
        bool good = n > 0 && is_printable(c);
        size_t used = n > 0 ? (size_t)n : 1;
        to = mempcpy(to, good ? text : "\xEF\xBF\xBD", good ? used : 3);
        text += used;
        left -= used;
    }
    return out;
}

enum err req_parse(const void *ctx, char *const *params, const char *cookie_session,
                   const char *cookie_device, struct req **out)
{
    struct draft *d = mem_new(ctx, struct draft);

    TRY(take_params(d, params));
    TRY(read_method(d));
    TRY(read_target(d));
    TRY(read_phase(d));
    TRY(read_length(d));
    TRY(read_queued(d));
    TRY(read_cookies(d, cookie_session, cookie_device));
    d->req.user_agent = displayable(d, d->req.user_agent);
    d->req.https = d->https != NULL && strcasecmp(d->https, "on") == 0;
    *out = &d->req;
    return E_OK;
}

const char *req_query(const struct req *r, const char *name)
{
    for (size_t i = 0; i < r->n_query; i++) {
        if (strcmp(r->query[i].name, name) == 0)
            return r->query[i].value;
    }
    return NULL;
}
