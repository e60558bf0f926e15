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

/* The device cookie, RANDOM.MAC: proof that this browser signed in to that account before, so that strangers who
 * guess at its password use up another bucket than its owner. MAC is HMAC-SHA-256 by the front's key over account
 * and RANDOM; nothing is stored. */
enum err cookie_device(struct walk *w, const char *username);
/* RANDOM of the request's device cookie when it is genuine for that account; else NULL. */
const char *cookie_device_of(const struct walk *w, const char *username);
