/* Our cookies: __Host-coffer over https, coffer over plain http; HttpOnly, SameSite=Lax (links from elsewhere
 * into one's files work, other sites' forms do not), no Domain. */
#pragma once
#include "conf/conf.h"
#include "web/walk.h"

const char *cookie_session_name(const struct conf *conf);
const char *cookie_device_name(const struct conf *conf);

/* Add the Set-Cookie of a new session, or the one that removes it. */
enum err cookie_session(struct walk *w, const char *token);
enum err cookie_session_clear(struct walk *w);
/* That this browser signed in; stays when the session ends. */
enum err cookie_device(struct walk *w, const char *value);
