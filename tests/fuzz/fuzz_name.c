/* Any bytes as a name: refused, or a name that is its own normal form and has one key however it is composed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_key(const void *ctx, const char *name)
{
    const char *key = name_key(ctx, name);
    char *apart = (char *)utf8proc_NFD((const utf8proc_uint8_t *)name);
    must(apart != NULL);
    must(utf8_valid(key, strlen(key)));
    must(strcmp(name_key(ctx, key), key) == 0);
    must(strcmp(name_key(ctx, apart), key) == 0);
    free(apart);
}

static void check_name(const void *ctx, const char *name)
{
    char *again;
    size_t len = strlen(name);
    must(len >= 1 && len <= NAME_MAX_BYTES && utf8_valid(name, len));
    must(strpbrk(name, "/\\\n\r\x1b\x7f") == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
    must(name_normal(ctx, name, len, &again) == E_OK && strcmp(name, again) == 0);
    check_key(ctx, name);
}

static void check_login(const void *ctx, const char *text)
{
    char key[LOGIN_MAX_BYTES + 1], again[LOGIN_MAX_BYTES + 1];
    if (login_key(text, key) != E_OK)
        return;
    must(strlen(key) == strlen(text) && login_key(key, again) == E_OK && strcmp(key, again) == 0);
    must(strcmp(name_key(ctx, text), key) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *ctx = talloc_new(NULL);
    char *name;
    if (name_normal(ctx, (const char *)data, size, &name) == E_OK)
        check_name(ctx, name);
    check_login(ctx, mem_strn(ctx, (const char *)data, size));
    talloc_free(ctx);
    return 0;
}
