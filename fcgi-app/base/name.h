/* Names of files, folders and users: checked, normalised, folded. Works on UTF-8; the rules are those of
 * docs/architecture.md, "Names". */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define NAME_MAX_BYTES 255
#define PATH_MAX_BYTES 4096
#define PATH_MAX_DEPTH 128
#define LOGIN_MIN_BYTES 3
#define LOGIN_MAX_BYTES 64

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF), no NUL in len. */
bool utf8_valid(const char *text, size_t len);

/* len without a character that is cut off at the end. */
size_t utf8_uncut(const char *text, size_t len);

/* Any bytes as text to look at, on ctx: U+FFFD for what is no UTF-8 and for control characters but tab and line ends; a
 * byte order mark at the start is left out. */
char *utf8_shown(const void *ctx, const char *bytes, size_t len);

/* A file or folder name as it is kept: NFC on ctx. E_BAD_NAME when empty, over 255 bytes after NFC, ".",
 * "..", or with a refused character: '/', '\', C0, C1, DEL, bidi controls (U+061C, U+200E-F, U+202A-E,
 * U+2066-9), U+2028-9, U+FEFF, or invalid UTF-8. ZWJ and ZWNJ are fine. */
enum err name_normal(const void *ctx, const char *text, size_t len, char **name_out) MUST_CHECK;

/* The key that orders names alike in every store: NFC, case-folded, on ctx. Takes what name_normal gave. */
char *name_key(const void *ctx, const char *name);

/* A login name: 3 to 64 bytes of letters, digits and ._@+- (ASCII); E_FIELD_INVALID with field "username".
 * The key is the name in lower case: at most LOGIN_MAX_BYTES bytes and NUL. */
enum err login_key(const char *text, char key_out[LOGIN_MAX_BYTES + 1]) MUST_CHECK;
