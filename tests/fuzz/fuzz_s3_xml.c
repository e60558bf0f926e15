/* XML that claims to come from S3: errors and lists. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "blob/s3_error.h"
#include "blob/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static enum err see(void *arg, const char *path, const char *text)
{
    size_t *seen = arg;
    if (strlen(path) == 0 || strlen(path) + strlen(text) > 1 << 20)
        __builtin_trap();
    return ++*seen > 1000 ? E_CUT_OFF : E_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct http_call call;
    struct s3_fault fault;
    size_t seen = 0;
    if (s3_xml_walk((const char *)bytes, n, see, &seen) == E_OK && seen == 0)
        __builtin_trap();
    http_call_init(&call, mem);
    call.status = n > 0 && bytes[0] & 1 ? 200 : 403;
    buf_add(&call.answer, bytes, n);
    s3_judge(&call, 0, &fault);
    if (fault.trouble >= S3_TROUBLES || (call.status != 200 && s3_fail(&fault, "get", "x") == E_OK))
        __builtin_trap();
    return 0;
}
