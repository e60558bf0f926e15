/* What an administrator does with accounts, from the command line: whoever may run it may do it, so nobody's
 * rights are asked. Times come from core's clock. */
#pragma once
#include "core/session.h"

#define ADMIN_TOKEN_SIZE 44 /* a token and its NUL */

/* E_LAST_ADMIN when nobody active would be left with the role. Every session of the user ends. */
enum err user_set_role(struct core *c, struct id user, enum user_role role) MUST_CHECK;
/* Disabling ends every session; E_LAST_ADMIN as above. */
enum err user_set_state(struct core *c, struct id user, enum user_state state) MUST_CHECK;
/* Of the personal space, in bytes; 0: none. May be below what is stored: then nothing more goes in. */
enum err user_set_quota(struct core *c, struct id user, int64_t quota) MUST_CHECK;
enum err user_usage(struct core *c, void *mem, struct id user, struct space *out) MUST_CHECK; /* used and quota */

/* The account goes and its name is free again. heir "": the files go too (marked at once, the keeper reaps). Else they
 * become a folder in the heir's root, named after the user (or "name (1)" ...; *folder_out), whatever the heir's
 * quota: no file is lost for want of room. E_LAST_ADMIN, E_NOT_FOUND, E_TOO_NESTED; E_CYCLE: its own heir. */
enum err user_remove(struct core *c, struct id user, struct id heir, struct id *folder_out) MUST_CHECK;

/* For one registration while site.register is invite; over after ttl_ms (0: 7 days). Only a hash is kept. */
enum err invite_create(struct core *c, int64_t ttl_ms, char token_out[static ADMIN_TOKEN_SIZE], int64_t *expires_ms_out) MUST_CHECK;
/* For setting one new password without the old one, within an hour; an earlier one of the user is void. */
enum err reset_create(struct core *c, struct id user, char token_out[static ADMIN_TOKEN_SIZE], int64_t *expires_ms_out) MUST_CHECK;
/* Where a person goes with them, on mem: site.public_url/register?invite=TOKEN and /reset?token=TOKEN. */
char *invite_link(struct core *c, const void *mem, const char *token) MUST_CHECK;
char *reset_link(struct core *c, const void *mem, const char *token) MUST_CHECK;
