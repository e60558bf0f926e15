#include "http/req.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* Is the weight among the parameters behind a media range (up to the comma) above zero? Absent means 1. */
static bool is_wanted(const char *params, size_t len)
{
    const char *end = params + len;

    while ((params = memchr(params, ';', (size_t)(end - params))) != NULL) {
        params++;
        params += strspn(params, BLANKS);
        if (strncasecmp(params, "q=", 2) == 0) {
            size_t zeros = strspn(params + 2, "0.");
            return params[2 + zeros] >= '1' && params[2 + zeros] <= '9';
        }
    }
    return true;
}

/* Does Accept name the type, with a weight above zero? A range of types does not name one. */
static bool names(const struct req *r, const char *type)
{
    const char *at = r->accept != NULL ? r->accept : "";

    while (*at != '\0') {
        at += strspn(at, BLANKS ",");
        size_t len = strcspn(at, ",");
        if (len >= strlen(type) && strncasecmp(at, type, strlen(type)) == 0) {
            size_t rest = strlen(type) + strspn(at + strlen(type), BLANKS);
            bool whole = rest >= len || at[rest] == ';';
            if (whole && (rest >= len || is_wanted(at + rest, len - rest)))
                return true;
        }
        at += len;
    }
    return false;
}

bool req_wants_html(const struct req *r)
{
    return names(r, "text/html");
}

bool req_wants_json(const struct req *r)
{
    return names(r, "application/json");
}
