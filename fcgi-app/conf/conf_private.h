/* Shared by the files of conf/ only: a configuration while it is being read. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "conf/conf.h"

struct loading {
    struct conf *conf;           /* what is filled; also the context of its strings */
    struct conf_origin *origins; /* conf->origins, still writable */
    const char *dir;             /* relative paths begin here */
};

/* conf.c. A row by its name "section.key", NULL when there is none; its place in conf_rows. */
const struct conf_row *conf_row_find(const char *setting);
size_t conf_row_index(const struct conf_row *row);
/* Check a value and put it into the struct. `where` goes into errors and the row's origin. */
enum err conf_set(struct loading *l, const struct conf_row *row, const char *text, enum conf_source source,
                  const char *where) MUST_CHECK;
/* E_CONF "WHERE: section.key ...", where the value came from. */
enum err conf_refuse(const struct conf *conf, const char *setting, const char *format, ...) PRINTF(3, 4);

/* conf_value.c. Text to the member at `at` and back. E_CONF "must be ...", without the value of a secret. */
enum err conf_value_parse(struct loading *l, const struct conf_row *row, const char *text, void *at) MUST_CHECK;
char *conf_value_text(const void *ctx, const struct conf_row *row, const void *at);
/* Absolute: path itself, or below dir. */
const char *conf_path(const void *ctx, const char *dir, const char *path);

/* conf_file.c, conf_env.c */
enum err conf_read_file(struct loading *l, const char *path) MUST_CHECK;
enum err conf_read_environment(struct loading *l) MUST_CHECK;

/* conf_near.c. ", did you mean section.key?" on ctx for a setting that does not exist; "" when none is near. */
const char *conf_near(const void *ctx, const char *setting);

/* conf_rules.c. The rules across rows, and what follows from them. */
enum err conf_rules(struct loading *l) MUST_CHECK;

/* conf_address.c. "host", "host:port", "[v6]:port" as browsers write it in a Host header: lower case, addresses
 * in their short form, the default port left out. NULL when it is none of these. */
const char *conf_authority(const void *ctx, const char *text, unsigned default_port);
bool conf_is_loopback(const char *authority);
/* "192.0.2.1", "2001:db8::/32" */
bool conf_is_network(const char *text);
