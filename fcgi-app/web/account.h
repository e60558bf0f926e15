/* What the API's and the pages' account handlers share. */
#pragma once
#include "core/session.h"
#include "web/walk.h"

#define TOKEN_TEXT 44 /* a token and its NUL */

enum err account_register(struct walk *w, const struct in_register *in, struct user *user_out) MUST_CHECK;
/* Signs in and sets the session cookie; a session that the request carried ends. */
enum err account_login(struct walk *w, const struct in_login *in, struct user *user_out) MUST_CHECK;
enum err account_logout(struct walk *w) MUST_CHECK;
/* The session goes on under this token: sets the cookie, wipes the token. */
enum err account_token(struct walk *w, char token[static TOKEN_TEXT]) MUST_CHECK;
struct caller caller_of(const struct walk *w);
/* An account with its space, as /me gives it. */
enum err reply_account(struct walk *w, unsigned status, const struct user *user) MUST_CHECK;
