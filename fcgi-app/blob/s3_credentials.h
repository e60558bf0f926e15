/* Where the keys for S3 come from, in this order, under the names that all S3 tools know:
 *
 *   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   the profile AWS_PROFILE (else "default") in AWS_SHARED_CREDENTIALS_FILE (else ~/.aws/credentials); read again when it changed
 *   the instance's role (IMDSv2); fetched again before it ends. AWS_EC2_METADATA_DISABLED=true: not asked,
 *   AWS_EC2_METADATA_SERVICE_ENDPOINT: where, else http://169.254.169.254 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "blob/s3_sign.h"

struct s3_credentials;
struct s3_credentials *s3_credentials_new(const void *ctx);

/* Keys that are good now; valid until the next call. E_NOT_FOUND with a detail when there are none anywhere,
 * E_FIELD_INVALID when a file or an answer cannot be read. */
enum err s3_credentials_get(struct s3_credentials *c, int64_t now_ms, struct s3_keys *keys_out) MUST_CHECK;
/* The server refused them: forget what can be fetched anew. True when asking again may give others. */
bool s3_credentials_renew(struct s3_credentials *c);
/* "environment", "profile default of /root/.aws/credentials", "instance role NAME", "none": for doctor. */
const char *s3_credentials_source(const struct s3_credentials *c);
