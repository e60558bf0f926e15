/* multipart/form-data (RFC 7578) in a body of any size, with flat memory.
 *
 * The body is read through a window (256 KiB); file parts are not read into memory but told by offset, so
 * that their bytes can be copied kernel to kernel. Text parts are at most 64 KiB. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct multipart_source {
    const char *data; /* in memory, or */
    int fd;           /* from offset 0 of an open file (-1: memory) */
    uint64_t size;
};

struct multipart_part {
    const char *name;      /* the field; valid UTF-8 */
    const char *filename;  /* NULL: a text field; "": no file was chosen; valid UTF-8. As sent (browsers
                              percent-encode '"', CR and LF: decoded here); a path before it (old browsers)
                              is cut off; filename* (RFC 5987) wins */
    const char *folders;   /* "a/b/" that stood before filename when it was a relative path; else NULL; valid UTF-8 */
    const char *type;      /* Content-Type as sent, NULL when absent */
    uint64_t offset, size; /* of the contents within the source */
    const char *text;      /* contents of a text field, UTF-8, NUL-terminated; NULL for files */
};

/* Called once per part in order; its strings live during the call on `mem`. An error ends the parsing. */
typedef enum err multipart_fn(void *arg, const struct multipart_part *part);

/* The boundary of a Content-Type header: on ctx. E_MEDIA_TYPE when it is not multipart/form-data,
 * E_BAD_MULTIPART without a valid boundary (RFC 2046 5.1.1). */
enum err multipart_boundary(const void *ctx, const char *content_type, char **boundary_out) MUST_CHECK;

/* E_BAD_MULTIPART with a sentence, E_CUT_OFF when the closing boundary is missing, E_IO. At most 10,000 parts,
 * headers of a part at most 16 KiB. Nothing is called for a part before its end was seen. */
enum err multipart_parse(const void *mem, const struct multipart_source *source, const char *boundary, multipart_fn *fn,
                         void *arg) MUST_CHECK;
