/* Accounts and sessions. */
#pragma once
#include "core/core.h"

struct in_register {
    const char *username, *password, *invite;
};
struct in_login {
    const char *username, *password;
};

/* What a browser or program shows of itself at sign-in. device: what it got when it signed in to
 * this account before, NULL = it did not. */
struct caller {
    const char *address, *agent, *device;
};

/* A new account as the setting site.register allows. E_REGISTRATION_CLOSED, E_BAD_INVITE, E_NAME_TAKEN,
 * E_WEAK_PASSWORD, E_FIELD_INVALID, E_THROTTLED. */
enum err user_register(struct core *c, void *mem, const struct caller *caller, const struct in_register *in, struct user *out) MUST_CHECK;
/* Without the setting and the throttle: the command line and the first start. */
enum err user_create(struct core *c, void *mem, const char *name, const char *password, enum user_role role, struct user *out) MUST_CHECK;
enum err user_set_password(struct core *c, struct id user, const char *name, const char *password, struct id keep_session) MUST_CHECK;
enum err user_find(struct core *c, void *mem, const char *name, struct user *out) MUST_CHECK; /* E_NOT_FOUND */
enum err user_all(struct core *c, void *mem, const char *after_key, unsigned limit, struct user **out, size_t *n_out) MUST_CHECK;

/* Sign in: E_CREDENTIALS (wrong, unknown, disabled: same answer, same time), E_THROTTLED. *device_out, on mem, is what
 * the browser should show next time (core/device.h). */
enum err session_begin(struct core *c, void *mem, const struct caller *caller, const struct in_login *in, struct user *user_out,
                       char token_out[static 44], const char **device_out) MUST_CHECK;
/* Who owns this token; E_SIGN_IN when it is unknown, over or ended. Asked on every request, never cached. */
enum err session_who(struct core *c, void *mem, const char *token, const char *address, struct who *who_out) MUST_CHECK;
enum err session_end(struct core *c, const struct who *who) MUST_CHECK;

/* Account with its personal space, for /me. */
struct account {
    struct user user;
    struct space space;
};
enum err account_show(struct core *c, void *mem, const struct who *who, struct account *out) MUST_CHECK;
