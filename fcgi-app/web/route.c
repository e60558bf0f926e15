#include "web/route.h"

#include <string.h>

#include "base/mem.h"
#include "web/handlers.h"
#include "web/walk.h"

const struct route routes[] = {
#include "web/routes.def"
#include "web/pages.def"
};
const size_t routes_n = sizeof routes / sizeof *routes;

#define API_PREFIX "api"
#define API_VERSION "v1"

/* The next '/'-separated piece of a pattern; NULL at its end. */
static const char *piece(const char **pattern, size_t *len_out)
{
    const char *start = *pattern;
    if (*start == '/')
        start++;
    if (*start == '\0')
        return NULL;
    *len_out = strcspn(start, "/");
    *pattern = start + *len_out;
    return start;
}

/* Does one {placeholder} take this segment? */
static bool take_argument(struct walk *w, const char *name, size_t len, const char *segment)
{
    if (len == 4 && memcmp(name, "{id}", 4) == 0)
        return id_parse(segment, &w->arg) == E_OK;
    w->arg_text = segment;
    return true;
}

static bool pattern_fits(struct walk *w, const char *pattern, const char *const *segments, size_t n)
{
    const char *p;
    size_t i = 0, len;
    while ((p = piece(&pattern, &len)) != NULL) {
        if (len > 5 && memcmp(p + len - 4, "...}", 4) == 0) {
            w->path = segments + i;
            w->n_path = n - i;
            return true;
        }
        if (i == n)
            return false;
        if (p[0] == '{' ? !take_argument(w, p, len, segments[i]) : strlen(segments[i]) != len || memcmp(p, segments[i], len) != 0)
            return false;
        i++;
    }
    return i == n;
}

static const struct route *find(struct walk *w, const char *const *segments, size_t n, unsigned *allow_out)
{
    for (size_t i = 0; i < routes_n; i++) {
        const struct route *r = &routes[i];
        if (!pattern_fits(w, r->pattern, segments, n))
            continue;
        unsigned methods = r->method == GET ? (unsigned)(GET | HEAD) : r->method;
        *allow_out |= methods;
        if (methods & w->req->method)
            return r;
    }
    return NULL;
}

/* "/api/x" is "/api/v1/x" for ever. */
static const char *const *with_version(struct walk *w, size_t *n_out)
{
    const struct req *r = w->req;
    const char **longer = mem_array(w, const char *, r->n_segments + 2);
    longer[0] = API_PREFIX;
    longer[1] = API_VERSION;
    memcpy(longer + 2, r->segments + 1, (r->n_segments - 1) * sizeof *longer);
    *n_out = r->n_segments + 1;
    return longer;
}

enum err route_match(struct walk *w, const struct route **route_out, unsigned *allow_out)
{
    const char *const *segments = w->req->segments;
    size_t n = w->req->n_segments;
    *allow_out = 0;
    *route_out = NULL;
    if (n >= 1 && strcmp(segments[0], API_PREFIX) == 0 && (n == 1 || strcmp(segments[1], API_VERSION) != 0))
        segments = with_version(w, &n);
    *route_out = find(w, segments, n, allow_out);
    if (*route_out != NULL)
        return E_OK;
    return *allow_out != 0 ? err_set(E_METHOD, "%s", w->req->method_text) : err_set(E_NO_ROUTE, "no route");
}

char *link_to(const void *mem, const char *name, const char *arg)
{
    for (size_t i = 0; i < routes_n; i++) {
        if (strcmp(routes[i].name, name) != 0)
            continue;
        const char *pattern = routes[i].pattern, *open = strchr(pattern, '{');
        if (open == NULL)
            return mem_str(mem, pattern);
        return mem_printf(mem, "%.*s%s%s", (int)(open - pattern), pattern, url_encode(mem, arg), strchr(open, '}') + 1);
    }
    return NULL;
}

char *link_absolute(const void *mem, const struct conf *conf, const char *path)
{
    return mem_printf(mem, "%s%s", conf->origin, path);
}
