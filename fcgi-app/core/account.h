/* One's own account: name, password, sessions. */
#pragma once
#include "core/session.h"

#define FRESH_MS INT64_C(600000) /* a sign-in counts as fresh for ten minutes */

/* E_REAUTH unless the password was given within the last ten minutes: before an account is changed for good. */
enum err session_fresh(struct core *c, const struct who *who) MUST_CHECK;
/* The password again: the session counts as signed in now, under the new token; the old one is void. E_CREDENTIALS,
 * E_THROTTLED (as with sign-ins). */
enum err session_confirm(struct core *c, void *mem, const struct caller *caller, const struct who *who, const char *password,
                         char token_out[static 44]) MUST_CHECK;

struct in_password {
    const char *current_password, *new_password;
};
/* Every other session ends, this one goes on under a new token. E_CREDENTIALS (field current_password), E_WEAK_PASSWORD,
 * E_THROTTLED. */
enum err account_password(struct core *c, void *mem, const struct caller *caller, const struct who *who, const struct in_password *in,
                          char token_out[static 44]) MUST_CHECK;

struct in_account {
    const char *username; /* NULL: keep */
};
/* E_NAME_TAKEN, E_FIELD_INVALID, E_REAUTH. */
enum err account_change(struct core *c, void *mem, const struct who *who, const struct in_account *in, struct user *out) MUST_CHECK;

/* Live ones, the latest begun first. */
enum err session_all(struct core *c, void *mem, const struct who *who, struct session **out, size_t *n_out) MUST_CHECK;
/* One of one's own; E_NOT_FOUND, E_REAUTH for another than this. */
enum err session_end_one(struct core *c, const struct who *who, struct id session) MUST_CHECK;
/* All others, or with `this_too` all. E_REAUTH. */
enum err session_end_others(struct core *c, const struct who *who, bool this_too) MUST_CHECK;
