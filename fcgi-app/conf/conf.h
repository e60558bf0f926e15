/* Settings: one struct, filled from an ini file and the environment, checked row by row of conf.def.
 *
 * Everything a caller may rely on after conf_load succeeded: every value lies within its row's limits,
 * paths are absolute, required ones are there, and the rules across rows hold (conf.c, "rules"). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum conf_flags { CONF_REQUIRED = 1, CONF_SECRET = 2 };

#define CONF_TYPE_TEXT const char *
#define CONF_TYPE_PATH const char *
#define CONF_TYPE_INT  int64_t
#define CONF_TYPE_SIZE int64_t
#define CONF_TYPE_TIME int64_t
#define CONF_TYPE_BOOL bool

enum conf_source { CONF_DEFAULT, CONF_FILE, CONF_ENVIRONMENT, CONF_ARGUMENT };

/* Where a row's value came from. */
struct conf_origin {
    enum conf_source source;
    const char *where; /* "/etc/coffer.conf:12", "COFFER_SITE_TITLE", "default" */
};

struct conf {
#define C(section, key, kind, def, min, max, flags, say) CONF_TYPE_##kind section##_##key;
#include "conf/conf.def"
#undef C
    const char *file; /* the file read, absolute; "" when none */

    /* Worked out from the rows above: */
    bool https;               /* public_url is https */
    bool hsts;                /* https, and not localhost: browsers may be told to insist on it */
    const char *origin;       /* scheme://host[:port] of public_url, default port left out, lower case */
    const char *const *hosts; /* public_url's host and site.hosts, lower case, as a Host header has them; NULL-ended */
    const char *sqlite_path;  /* absolute; "" when metadata is not SQLite */
    const char *mongodb_uri;  /* "" when metadata is not MongoDB */
    const char *disk_path;    /* absolute; "" when blobs are not on disk */
    const char *s3_bucket, *s3_prefix; /* the prefix without slashes at its ends; "" when blobs are not in S3 */
    bool s3_tls;
    const char *s3_host;      /* HOST[:PORT] to ask, as the Host header has it; "" when blobs are not in S3 */
    const char *s3_base;      /* "/BUCKET", or "" when the bucket is part of the host's name */
    const char *s3_region;

    const struct conf_origin *origins; /* one per row; see conf_source_of */
};

/* One row, for `coffer config`, the web server's file and the manual. */
struct conf_row {
    const char *section, *key, *kind, *def, *say;
    int64_t min, max;
    unsigned flags;
    size_t offset;
};
extern const struct conf_row conf_rows[];
extern const size_t conf_rows_n;

/* Read `file` (NULL: COFFER_CONFIG, else the installed coffer.conf when there is one) and the environment
 * into a struct that goes with ctx. E_CONF with a detail that names file, line, key and rule. */
enum err conf_load(const void *ctx, const char *file, const struct conf **conf_out) MUST_CHECK;

/* The same settings with another value for one of them, all rules asked again; `where` it comes from goes into errors. A relative
 * path begins in the current folder. Shares strings with conf, which has to outlive it. */
enum err conf_with(const void *ctx, const struct conf *conf, const char *setting, const char *value, const char *where,
                   const struct conf **out) MUST_CHECK;

/* A row's value as text that reads as the same value again (secrets as they are: mask before you show one),
 * and where it came from. */
char *conf_text(const void *ctx, const struct conf *conf, const struct conf_row *row);
enum conf_source conf_source_of(const struct conf *conf, const struct conf_row *row);

/* Replace every @section.key@ in `text` by the setting's value, and @name@ by extra's value of that name
 * (extra: name, value, ..., NULL). E_CONF names an unknown one, and one whose value would break out of its
 * place in the file. Between quotes that is the quote, `\`, `$` and control characters, whosever value it is;
 * elsewhere a setting may not have `; { } " ' \ $ #` or control characters, while extra's are whole pieces of
 * the file and stand as they are. A lone @ is an @. Used for nginx/coffer.conf.in. */
enum err conf_expand(const struct conf *conf, const char *text, const char *const *extra, struct buf *out) MUST_CHECK;
