/* Keys of the role that a cloud gives its machines: the instance metadata service, version 2 (token first). */
#pragma once
#include <stdint.h>

#include "base/err.h"
#include "blob/s3_sign.h"

struct s3_role {
    const char *name;
    struct s3_keys keys;
    int64_t until_ms;
};

/* E_NOT_FOUND when nobody answers or there is no role, E_FIELD_INVALID when the answer cannot be used. */
enum err s3_role_fetch(const void *mem, const char *base, struct s3_role *out) MUST_CHECK;
