/* Browsers that signed in to an account before: they carry a value that says so, signed with the installation's secret
 * and bound to the account. It opens nothing; it only has its failures counted apart (core/throttle.h). */
#pragma once
#include "core/core.h"

/* The value to carry for the account of that key: `shown` when it is one already, else a new one, on mem. */
enum err device_value(struct core *c, const void *mem, const char *shown, const char *key, const char **value_out) MUST_CHECK;
/* Was `shown` (NULL: nothing) made here, for that account? */
enum err device_known(struct core *c, const char *shown, const char *key, bool *known_out) MUST_CHECK;
