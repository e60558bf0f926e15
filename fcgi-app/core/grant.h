/* What links grant to whoever holds them; an administrator makes them (core/admin.h). */
#pragma once
#include "core/session.h"

/* A new password by a link: the link is used up, every session of the user ends. E_BAD_RESET, E_WEAK_PASSWORD,
 * E_THROTTLED. */
struct in_reset {
    const char *token, *new_password;
};
enum err reset_use(struct core *c, void *mem, const struct caller *caller, const struct in_reset *in) MUST_CHECK;
/* Whose link this is, for its page; E_BAD_RESET, E_THROTTLED. */
enum err reset_show(struct core *c, void *mem, const struct caller *caller, const char *token, struct user *out) MUST_CHECK;
