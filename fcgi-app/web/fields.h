/* The fields of every route, declared once: each table fills the struct beside it. */
#pragma once
#include <stdint.h>

#include "base/field.h"
#include "core/account.h"
#include "core/grant.h"
#include "core/node.h"
#include "core/session.h"
#include "model/model.h"

extern const struct field fields_register[]; /* struct in_register */
extern const struct field fields_login[];    /* struct in_login */

extern const struct field fields_account[];  /* struct in_account */
extern const struct field fields_password[]; /* struct in_password */
extern const struct field fields_reset[];    /* struct in_reset */

struct in_confirm {
    const char *password;
};
extern const struct field fields_confirm[];

struct in_sessions_end {
    bool all;
};
extern const struct field fields_sessions_end[];

struct in_file_list {
    struct id parent;
    int64_t limit;   /* 0: the default */
    int sort, order; /* enum node_sort; 1: descending */
    const char *cursor;
};
extern const struct field fields_file_list[];

struct in_file_show {
    bool download, usage;
};
extern const struct field fields_file_show[];

struct in_folder_create {
    struct id parent;
    const char *name;
};
extern const struct field fields_folder_create[];

extern const struct field fields_file_change[]; /* struct in_change */
extern const struct field fields_file_copy[];   /* struct in_copy */

struct in_batch {
    struct id_list remove, move, copy; /* exactly one of them */
    struct id parent;
    int conflict;                      /* enum conflict: of copies */
};
extern const struct field fields_batch[];

struct in_content_put {
    bool parents;
    int64_t mtime_ms;
};
extern const struct field fields_content_put[];

struct in_upload {
    struct id parent;
    int conflict; /* enum conflict */
    int64_t mtime_ms;
};
extern const struct field fields_upload[];

struct in_familiar {
    const char *filename, *file, *key, *file_name;
};
extern const struct field fields_familiar[];

struct in_familiar_put {
    const char *file_name, *content;
    int encoding; /* 0: UTF-8 text, 1: base64 */
    int64_t mtime_ms;
};
extern const struct field fields_familiar_put[];
extern const struct field fields_familiar_put_query[];
