/* What every request of a process shares, opened once after the fork. */
#pragma once
#include "web/walk.h"

/* Goes with ctx. Templates, the asset manifest and the front's key are read here; E_CONF names what is missing. */
enum err site_open(const void *ctx, const struct conf *conf, struct shm *shm, const char *role, struct site **out) MUST_CHECK;

/* The key the web server must show ("1:<key>", on ctx): the setting, else the file front.key in the data folder.
 * With `make`, a missing file is made (0600). */
enum err front_key(const void *ctx, const struct conf *conf, bool make, const char **key_out) MUST_CHECK;
