/* What an S3 answer, or the lack of one, means. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http_client.h"

enum s3_trouble {
    S3_FINE,
    /* about the object */
    S3_MISSING,    /* no such key */
    S3_NO_UPLOAD,  /* no such multipart upload: ended or unknown */
    S3_TAKEN,      /* it is there already */
    S3_RANGE,      /* the range lies outside */
    S3_CONFLICT,   /* two at once: again */
    S3_UNKNOWN_CONDITION, /* the server does not know conditional writes */
    S3_DAMAGED,    /* the bytes changed on the way */
    S3_FULL,
    /* about us */
    S3_NO_KEYS, S3_BAD_ID, S3_BAD_SECRET, S3_EXPIRED, S3_DENIED, S3_NO_BUCKET, S3_REGION, S3_SKEW,
    /* about the server and the way there */
    S3_BUSY, S3_FAILED, S3_DNS, S3_CONNECT, S3_TLS, S3_TIMEOUT, S3_CUT, S3_MARKED,
    S3_NONSENSE,   /* an answer that is none */
    S3_TROUBLES
};

struct s3_fault {
    enum s3_trouble trouble;
    unsigned status, retry_after_s;
    char code[64], message[160], region[64], request[80]; /* as the server told; "" when not */
    char why[160];          /* words for a fault of the connection */
    int64_t skew_s;         /* our clock minus the server's, when it told */
};

/* Judge a finished call. 2xx and a whole answer is S3_FINE. */
void s3_judge(const struct http_call *call, int64_t now_ms, struct s3_fault *out);
/* The same for a body that says Error under a 200. */
void s3_judge_body(const struct http_call *call, struct s3_fault *out);

const char *s3_trouble_name(enum s3_trouble trouble); /* "wrong-region", for logs and doctor */
bool s3_may_retry(enum s3_trouble trouble);
bool s3_is_unsure(enum s3_trouble trouble);           /* it may have happened all the same */
bool s3_is_unreachable(enum s3_trouble trouble);
/* Set the error: detail for the log with all that is known, a sentence for people with nothing secret. */
enum err s3_fail(const struct s3_fault *fault, const char *what, const char *name);
