/* A response before it is sent: status, headers, body. The only place that writes header lines.
 *
 * A header value with a byte below 0x20 (other than tab) or DEL is a bug or an attack: resp_header refuses
 * with E_INTERNAL and sets nothing, so nothing can split the response. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct resp {
    const void *ctx;
    unsigned status;
    struct buf head; /* header lines so far */
    const char *body;
    size_t body_len;
};

void resp_init(struct resp *r, const void *ctx);
void resp_clear(struct resp *r); /* as new: for turning a half-made answer into an error */
enum err resp_header(struct resp *r, const char *name, const char *format, ...) PRINTF(3, 4) MUST_CHECK;
/* The head in CGI form: "Status: 404 Not Found\r\n", headers, blank line. */
void resp_head_text(const struct resp *r, struct buf *out);
const char *resp_reason(unsigned status); /* "Not Found" */

/* Content-Disposition, attachment or inline: filename="..." with everything outside [A-Za-z0-9 ._-] as '_' (one
 * for a character, not for a byte); filename*=UTF-8'' percent-encoded in upper-case hex. On ctx. */
char *resp_disposition(const void *ctx, const char *name, int attachment);
