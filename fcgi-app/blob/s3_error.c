#include "blob/s3_error.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "blob/s3_xml.h"

enum { RETRY = 1, UNSURE = 2, UNREACHABLE = 4 };

static const struct {
    const char *name;
    enum err e;
    unsigned flags;
    const char *say;
} troubles[S3_TROUBLES] = {
    [S3_FINE] = {"fine", E_OK, 0, ""},
    [S3_MISSING] = {"missing", E_NOT_FOUND, 0, ""},
    [S3_NO_UPLOAD] = {"no-such-upload", E_IO, 0, ""},
    [S3_TAKEN] = {"taken", E_IO, 0, ""},
    [S3_RANGE] = {"range", E_DAMAGED, 0, ""},
    [S3_CONFLICT] = {"conflict", E_STORE_DOWN, RETRY, ""},
    [S3_UNKNOWN_CONDITION] = {"not-implemented", E_STORE_REFUSED, 0, "The server's storage lacks something that Coffer needs."},
    [S3_DAMAGED] = {"damaged-on-the-way", E_IO, RETRY, "The contents changed on their way to the server's storage; nothing was stored."},
    [S3_FULL] = {"full", E_DISK_FULL, 0, "The server's storage is full."},
    [S3_NO_KEYS] = {"no-credentials", E_STORE_REFUSED, 0, "The server has no credentials for its storage."},
    [S3_BAD_ID] = {"unknown-key", E_STORE_REFUSED, 0, "The server's storage does not know the server's access key."},
    [S3_BAD_SECRET] = {"wrong-secret", E_STORE_REFUSED, 0, "The server's storage does not accept the server's secret key."},
    [S3_EXPIRED] = {"expired-token", E_STORE_REFUSED, 0, "The server's credentials for its storage are over."},
    [S3_DENIED] = {"access-denied", E_STORE_REFUSED, 0, "The server's storage does not permit this to the server."},
    [S3_NO_BUCKET] = {"no-such-bucket", E_STORE_REFUSED, 0, "The bucket of the server's storage does not exist."},
    [S3_REGION] = {"wrong-region", E_STORE_REFUSED, 0, "The bucket of the server's storage lies in another region than the server thinks."},
    [S3_SKEW] = {"clock-skew", E_STORE_REFUSED, 0, "The server's clock differs too much from its storage's."},
    [S3_BUSY] = {"slow-down", E_STORE_DOWN, RETRY, "The server's storage is overloaded; try again shortly."},
    [S3_FAILED] = {"server-error", E_STORE_DOWN, RETRY | UNSURE, "The server's storage has a fault; try again shortly."},
    [S3_DNS] = {"name-not-found", E_STORE_DOWN, RETRY | UNREACHABLE, "The server cannot find its storage by name; try again shortly."},
    [S3_CONNECT] = {"no-connection", E_STORE_DOWN, RETRY | UNREACHABLE, "The server cannot reach its storage; try again shortly."},
    [S3_TLS] = {"tls", E_STORE_DOWN, UNREACHABLE, "The server and its storage cannot agree on a safe connection."},
    [S3_TIMEOUT] = {"timeout", E_STORE_DOWN, RETRY | UNSURE | UNREACHABLE, "The server's storage did not answer in time; try again shortly."},
    [S3_CUT] = {"cut", E_STORE_DOWN, RETRY | UNSURE, "The connection to the server's storage broke; try again shortly."},
    [S3_MARKED] = {"down-a-moment-ago", E_STORE_DOWN, 0, "The server could not reach its storage a moment ago; try again shortly."},
    [S3_NONSENSE] = {"nonsense", E_STORE_DOWN, UNSURE, "The server's storage gave an answer that makes no sense."},
};

/* Codes of S3 and of servers like it. What is not here is judged by its status. */
static const struct {
    const char *code;
    enum s3_trouble trouble;
} codes[] = {
    {"NoSuchKey", S3_MISSING},
    {"NoSuchUpload", S3_NO_UPLOAD},
    {"PreconditionFailed", S3_TAKEN},
    {"ConditionalRequestConflict", S3_CONFLICT},
    {"OperationAborted", S3_CONFLICT},
    {"InvalidRange", S3_RANGE},
    {"NotImplemented", S3_UNKNOWN_CONDITION},
    {"BadDigest", S3_DAMAGED},
    {"XAmzContentSHA256Mismatch", S3_DAMAGED},
    {"IncompleteBody", S3_CUT},
    {"RequestTimeout", S3_CUT},
    {"QuotaExceeded", S3_FULL},
    {"XMinioStorageFull", S3_FULL},
    {"InvalidAccessKeyId", S3_BAD_ID},
    {"InvalidSecurity", S3_BAD_ID},
    {"SignatureDoesNotMatch", S3_BAD_SECRET},
    {"ExpiredToken", S3_EXPIRED},
    {"ExpiredTokenException", S3_EXPIRED},
    {"InvalidToken", S3_EXPIRED},
    {"AccessDenied", S3_DENIED},
    {"AllAccessDisabled", S3_DENIED},
    {"AccountProblem", S3_DENIED},
    {"UserSuspended", S3_DENIED},
    {"NoSuchBucket", S3_NO_BUCKET},
    {"PermanentRedirect", S3_REGION},
    {"TemporaryRedirect", S3_REGION},
    {"AuthorizationHeaderMalformed", S3_REGION},
    {"IllegalLocationConstraintException", S3_REGION},
    {"RequestTimeTooSkewed", S3_SKEW},
    {"RequestExpired", S3_SKEW},
    {"SlowDown", S3_BUSY},
    {"ServiceUnavailable", S3_BUSY},
    {"RequestLimitExceeded", S3_BUSY},
    {"TooManyRequests", S3_BUSY},
    {"InternalError", S3_FAILED},
};

static const enum s3_trouble by_fault[] = {
    [HTTP_FINE] = S3_FINE, [HTTP_DNS] = S3_DNS, [HTTP_CONNECT] = S3_CONNECT, [HTTP_TLS] = S3_TLS,
    [HTTP_TIMEOUT] = S3_TIMEOUT, [HTTP_CUT] = S3_CUT, [HTTP_SOURCE] = S3_CUT, [HTTP_REFUSED] = S3_CUT,
};

const char *s3_trouble_name(enum s3_trouble trouble)
{
    return troubles[trouble].name;
}

bool s3_may_retry(enum s3_trouble trouble)
{
    return troubles[trouble].flags & RETRY;
}

bool s3_is_unsure(enum s3_trouble trouble)
{
    return troubles[trouble].flags & UNSURE;
}

bool s3_is_unreachable(enum s3_trouble trouble)
{
    return troubles[trouble].flags & UNREACHABLE;
}

static enum s3_trouble by_status(unsigned status)
{
    switch (status) {
    case 403: return S3_DENIED; /* also what HEAD gets for any refusal: there is no body to tell more */
    case 404: return S3_MISSING;
    case 408: return S3_CUT;
    case 409: return S3_CONFLICT;
    case 412: return S3_TAKEN;
    case 416: return S3_RANGE;
    case 429: case 503: return S3_BUSY;
    case 501: return S3_UNKNOWN_CONDITION;
    case 507: return S3_FULL;
    case 301: case 307: return S3_REGION;
    default:  return status >= 500 ? S3_FAILED : S3_NONSENSE;
    }
}

static enum s3_trouble by_code(const char *code, unsigned status)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].code, code) == 0)
            return codes[i].trouble;
    return status / 100 == 2 ? S3_NONSENSE : by_status(status);
}

static enum err take_error(void *arg, const char *path, const char *text)
{
    struct s3_fault *f = arg;
    if (strcmp(path, "Error/Code") == 0)
        snprintf(f->code, sizeof f->code, "%s", text);
    else if (strcmp(path, "Error/Message") == 0)
        snprintf(f->message, sizeof f->message, "%s", text);
    else if (strcmp(path, "Error/Region") == 0)
        snprintf(f->region, sizeof f->region, "%s", text);
    return E_OK;
}

/* ---- headers ---- */

static void take_headers(const struct http_call *call, int64_t now_ms, struct s3_fault *f)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const char *request = http_header(mem, call, "x-amz-request-id"), *region = http_header(mem, call, "x-amz-bucket-region");
    const char *wait = http_header(mem, call, "retry-after"), *date = http_header(mem, call, "date");
    uint64_t seconds;
    int64_t their_ms;
    snprintf(f->request, sizeof f->request, "%s", request != NULL ? request : "");
    snprintf(f->region, sizeof f->region, "%s", region != NULL ? region : "");
    if (wait != NULL && parse_u64(wait, 1, 60, &seconds) == E_OK)
        f->retry_after_s = (unsigned)seconds;
    if (date != NULL && clock_parse_http(date, &their_ms) == E_OK)
        f->skew_s = (now_ms - their_ms) / 1000;
}

void s3_judge_body(const struct http_call *call, struct s3_fault *f)
{
    if (call->answer.len > 0 && s3_xml_walk(call->answer.data, call->answer.len, take_error, f) != E_OK)
        f->code[0] = '\0';
    f->trouble = by_code(f->code, call->status);
}

void s3_judge(const struct http_call *call, int64_t now_ms, struct s3_fault *out)
{
    *out = (struct s3_fault){.trouble = by_fault[call->fault], .status = call->status};
    if (call->fault != HTTP_FINE) {
        snprintf(out->why, sizeof out->why, "%.150s", call->why);
        return;
    }
    if (call->status / 100 == 2)
        return;
    take_headers(call, now_ms, out);
    s3_judge_body(call, out);
    if (out->trouble == S3_MISSING && out->code[0] == '\0' && strcmp(call->method, "HEAD") != 0)
        out->trouble = S3_NONSENSE; /* a 404 of somebody else's: never to be taken for "that file is gone" */
}

/* ---- telling ---- */

static void clean(char *text)
{
    for (char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = ' ';
}

static void add(struct buf *b, const char *before, const char *text)
{
    if (*text != '\0')
        buf_printf(b, "%s%s", before, text);
}

enum err s3_fail(const struct s3_fault *fault, const char *what, const char *name)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct err_info info = {.err = troubles[fault->trouble].e};
    struct buf b;
    buf_init(&b, mem, sizeof info.detail - 1);
    buf_printf(&b, "S3: %s %s: %s", what, name, troubles[fault->trouble].name);
    if (fault->status > 0)
        buf_printf(&b, " (status %u)", fault->status);
    add(&b, " ", fault->code);
    add(&b, ": ", fault->message);
    add(&b, ": ", fault->why);
    add(&b, ", its region is ", fault->region);
    if (fault->trouble == S3_SKEW && fault->skew_s != 0)
        buf_printf(&b, ", our clock is %lld s %s", (long long)(fault->skew_s < 0 ? -fault->skew_s : fault->skew_s),
                   fault->skew_s < 0 ? "behind" : "ahead");
    add(&b, ", request ", fault->request);
    snprintf(info.detail, sizeof info.detail, "%s", b.data);
    clean(info.detail);
    snprintf(info.say, sizeof info.say, "%s", troubles[fault->trouble].say);
    if (info.err == E_STORE_DOWN || info.err == E_STORE_REFUSED)
        info.retry_after_s = fault->retry_after_s > 0 ? fault->retry_after_s : info.err == E_STORE_DOWN ? 2 : 10;
    err_restore(&info);
    return info.err;
}
