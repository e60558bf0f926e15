#include "web/fields.h"

#include "base/name.h"

#define AT(type, member) .offset = offsetof(struct type, member)

static const char *const sorts[] = {"name", "size", "modified", "type", NULL};
static const char *const orders[] = {"asc", "desc", NULL};
static const char *const conflicts[] = {"fail", "replace", "rename", NULL};
static const char *const copy_conflicts[] = {"fail", "rename", NULL};
static const char *const encodings[] = {"utf8", "base64", NULL};

const struct field fields_register[] = {
    {.name = "username", .kind = FIELD_LOGIN, AT(in_register, username), .required = true},
    {.name = "password", .kind = FIELD_TEXT, AT(in_register, password), .min = 8, .max = 1024, .required = true, .secret = true},
    {.name = "invite", .kind = FIELD_TEXT, AT(in_register, invite), .max = 100, .secret = true},
    {0},
};

const struct field fields_login[] = {
    {.name = "username", .kind = FIELD_TEXT, AT(in_login, username), .max = 1024, .required = true},
    {.name = "password", .kind = FIELD_TEXT, AT(in_login, password), .max = 1024, .required = true, .secret = true},
    {0},
};

const struct field fields_account[] = {
    {.name = "username", .kind = FIELD_LOGIN, AT(in_account, username)},
    {0},
};

const struct field fields_password[] = {
    {.name = "current_password", .kind = FIELD_TEXT, AT(in_password, current_password), .max = 1024, .required = true, .secret = true},
    {.name = "new_password", .kind = FIELD_TEXT, AT(in_password, new_password), .min = 8, .max = 1024, .required = true, .secret = true},
    {0},
};

const struct field fields_confirm[] = {
    {.name = "password", .kind = FIELD_TEXT, AT(in_confirm, password), .max = 1024, .required = true, .secret = true},
    {0},
};

const struct field fields_sessions_end[] = {
    {.name = "all", .kind = FIELD_BOOL, AT(in_sessions_end, all)},
    {0},
};

const struct field fields_reset[] = {
    {.name = "token", .kind = FIELD_TEXT, AT(in_reset, token), .max = 100, .required = true, .secret = true},
    {.name = "new_password", .kind = FIELD_TEXT, AT(in_reset, new_password), .min = 8, .max = 1024, .required = true, .secret = true},
    {0},
};

const struct field fields_file_list[] = {
    {.name = "parent", .kind = FIELD_ID, AT(in_file_list, parent)},
    {.name = "limit", .kind = FIELD_INT, AT(in_file_list, limit), .min = 1, .max = 1000},
    {.name = "sort", .kind = FIELD_CHOICE, AT(in_file_list, sort), .choices = sorts},
    {.name = "order", .kind = FIELD_CHOICE, AT(in_file_list, order), .choices = orders},
    {.name = "cursor", .kind = FIELD_TEXT, AT(in_file_list, cursor), .max = 16384},
    {0},
};

const struct field fields_file_show[] = {
    {.name = "download", .kind = FIELD_BOOL, AT(in_file_show, download)},
    {.name = "usage", .kind = FIELD_BOOL, AT(in_file_show, usage)},
    {0},
};

const struct field fields_folder_create[] = {
    {.name = "parent", .kind = FIELD_ID, AT(in_folder_create, parent)},
    {.name = "name", .kind = FIELD_NAME, AT(in_folder_create, name), .required = true},
    {0},
};

const struct field fields_file_change[] = {
    {.name = "name", .kind = FIELD_NAME, AT(in_change, name)},
    {.name = "parent", .kind = FIELD_ID, AT(in_change, parent)},
    {.name = "modified", .kind = FIELD_TIME, AT(in_change, modified_ms)},
    {0},
};

const struct field fields_file_copy[] = {
    {.name = "name", .kind = FIELD_NAME, AT(in_copy, name)},
    {.name = "parent", .kind = FIELD_ID, AT(in_copy, parent)},
    {.name = "conflict", .kind = FIELD_CHOICE, AT(in_copy, conflict), .choices = copy_conflicts},
    {0},
};

const struct field fields_batch[] = {
    {.name = "delete", .kind = FIELD_IDS, AT(in_batch, remove), .min = 1, .max = 1000},
    {.name = "move", .kind = FIELD_IDS, AT(in_batch, move), .min = 1, .max = 1000},
    {.name = "copy", .kind = FIELD_IDS, AT(in_batch, copy), .min = 1, .max = 1000},
    {.name = "parent", .kind = FIELD_ID, AT(in_batch, parent)},
    {.name = "conflict", .kind = FIELD_CHOICE, AT(in_batch, conflict), .choices = copy_conflicts},
    {0},
};

const struct field fields_content_put[] = {
    {.name = "parents", .kind = FIELD_BOOL, AT(in_content_put, parents)},
    {.name = "mtime", .kind = FIELD_TIME, AT(in_content_put, mtime_ms)},
    {0},
};

const struct field fields_upload[] = {
    {.name = "parent", .kind = FIELD_ID, AT(in_upload, parent)},
    {.name = "conflict", .kind = FIELD_CHOICE, AT(in_upload, conflict), .choices = conflicts},
    {.name = "mtime", .kind = FIELD_TIME, AT(in_upload, mtime_ms)},
    {0},
};

const struct field fields_familiar[] = {
    {.name = "filename", .kind = FIELD_TEXT, AT(in_familiar, filename), .max = PATH_MAX_BYTES},
    {.name = "file", .kind = FIELD_TEXT, AT(in_familiar, file), .max = PATH_MAX_BYTES},
    {.name = "key", .kind = FIELD_TEXT, AT(in_familiar, key), .max = PATH_MAX_BYTES},
    {.name = "fileName", .kind = FIELD_TEXT, AT(in_familiar, file_name), .max = PATH_MAX_BYTES},
    {0},
};

const struct field fields_familiar_put[] = {
    {.name = "fileName", .kind = FIELD_TEXT, AT(in_familiar_put, file_name), .min = 1, .max = PATH_MAX_BYTES, .required = true},
    {.name = "content", .kind = FIELD_TEXT, AT(in_familiar_put, content), .max = 16 << 20, .required = true},
    {.name = "encoding", .kind = FIELD_CHOICE, AT(in_familiar_put, encoding), .choices = encodings},
    {0},
};

const struct field fields_familiar_put_query[] = {
    {.name = "mtime", .kind = FIELD_TIME, AT(in_familiar_put, mtime_ms)},
    {0},
};
